"""InfluxQL as text, in the part of the language that 1.8, 2.x and 3.x share."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS: Final = -9_223_286_400_000
"""InfluxDB keeps nanoseconds in 64 bits: the years 1677 to 2262."""
_LATEST_MS: Final = 9_223_286_400_000
NAMES_A_STATEMENT: Final = 200
"""Sites or access points that one statement names at most."""

Edge = Literal["first", "last"]
EDGES: Final[tuple[Edge, Edge]] = ("first", "last")


def name(identifier: str) -> str:
    """A measurement, tag or field, quoted."""
    return '"' + identifier.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text(value: str) -> str:
    """A string literal, quoted."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def time(ts_ms: int) -> str:
    """An instant: RFC 3339 is what every version reads alike."""
    ts_ms = min(max(ts_ms, _EARLIEST_MS), _LATEST_MS)
    moment = _EPOCH + timedelta(milliseconds=ts_ms)
    return f"'{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{ts_ms % 1000:03d}Z'"


def within(start_ms: int, end_ms: int) -> str:
    """The condition of a window, [start, end)."""
    return f"time >= {time(start_ms)} AND time < {time(end_ms)}"


def one_of(tag: str, values: Iterable[str]) -> str:
    """The condition that a tag has one of some values."""
    return "(" + " OR ".join(f"{name(tag)} = {text(value)}" for value in sorted(values)) + ")"


def select(
    fields: Iterable[str],
    measurement: str,
    conditions: Sequence[str],
    *,
    by: Iterable[str],
    tail: str = "",
) -> str:
    """Rows with these fields, one series for each combination of the tags in `by`."""
    columns = ", ".join(name(field) for field in fields)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    group = ", ".join(name(tag) for tag in by)
    return f"SELECT {columns} FROM {name(measurement)}{where} GROUP BY {group}{tail}"  # noqa: S608 - quoted


def edge(
    which: Edge,
    field: str,
    measurement: str,
    conditions: Sequence[str],
    *,
    by: Iterable[str],
) -> str:
    """The first or last value of a field in each series, with its time."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    tags = ", ".join(name(tag) for tag in by)
    group = f" GROUP BY {tags}" if tags else ""
    return f"SELECT {which}({name(field)}) FROM {name(measurement)}{where}{group}"  # noqa: S608 - quoted


def spans(start_ms: int, end_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
    """A window in pieces of at most `step_ms`."""
    for piece in range(start_ms, end_ms, step_ms):
        yield piece, min(piece + step_ms, end_ms)


def groups(values: Collection[str] | None, size: int) -> Iterator[frozenset[str] | None]:
    """Values in groups that one statement can name; None, for all, stays one group."""
    if values is None:
        yield None
        return
    ordered = sorted(set(values))
    for first in range(0, len(ordered), size):
        yield frozenset(ordered[first : first + size])
