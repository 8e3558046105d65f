"""Moving house: everything of one store into another, in pieces that are checked one by one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.store.base import ApLevel, Level, Store, StoreError
from pipeline.store.frames import readings_of
from pipeline.store.schema import AP_USAGE, SITE_USAGE

DAY_MS: Final = 86_400_000
EVER: Final = (-(2**53), 2**53)

Kind = Literal["samples", "15min", "hour", "day", "AP hour", "AP day"]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where rows of one kind stand in a store."""

    named: str
    key: list[str]
    """The columns that no two rows share."""
    step_ms: int
    """What is in memory at once: about a day of samples, and as much usage."""
    read: Callable[[Store, int, int], pd.DataFrame]
    write: Callable[[Store, pd.DataFrame], None]


def _site_shelf(level: Level, days: int) -> _Shelf:
    return _Shelf(
        f"usage ({level})",
        SITE_USAGE.key,
        days * DAY_MS,
        lambda store, start_ms, end_ms: store.read_usage(level, start_ms, end_ms),
        lambda store, rows: store.write_usage(level, rows),
    )


def _ap_shelf(level: ApLevel, days: int) -> _Shelf:
    return _Shelf(
        f"usage of access points ({level})",
        AP_USAGE.key,
        days * DAY_MS,
        lambda store, start_ms, end_ms: store.read_ap_usage(level, start_ms, end_ms),
        lambda store, rows: store.write_ap_usage(level, rows),
    )


_SHELVES: Final[Mapping[Kind, _Shelf]] = {
    "samples": _Shelf(
        "samples",
        ["ap", "ts_ms", "site"],
        DAY_MS,
        lambda store, start_ms, end_ms: store.read_samples(start_ms, end_ms),
        lambda store, rows: store.write_samples(list(readings_of(rows))),
    ),
    "15min": _site_shelf("15min", 7),
    "hour": _site_shelf("hour", 28),
    "day": _site_shelf("day", 364),
    "AP hour": _ap_shelf("hour", 7),
    "AP day": _ap_shelf("day", 182),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one kind of rows, [start, end) in UTC milliseconds."""

    kind: Kind
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Copied:
    """What a copy came to."""

    pieces: int = 0
    already_there: int = 0
    """Pieces that were the same before, such as those of a copy that was interrupted."""
    samples: int = 0
    usage_rows: int = 0
    """Of sites and of access points."""


class DifferentError(StoreError):
    """What was written does not read back as it was."""


def pieces(source: Store, *, samples_since_ms: int | None = None) -> list[Piece]:
    """What there is to copy, oldest first.

    `samples_since_ms`: samples before it would expire where they go, and stay behind.
    """
    found: list[Piece] = []
    spans = source.span().values()
    if spans:
        first, last = min(s[0] for s in spans), max(s[1] for s in spans)
        found += _steps("samples", max(first, samples_since_ms or first), last)
    # A day level of decades is small, and all other usage lies within it: what is known of a day
    # makes a row of it at once.
    days = source.read_usage("day", *EVER)
    if not days.empty:
        first, last = int(days["start_ms"].min()), int(days["end_ms"].max()) - 1
        for kind in _SHELVES:
            if kind != "samples":
                found += _steps(kind, first, last)
    return found


def copy(
    source: Store,
    target: Store,
    parts: list[Piece],
    *,
    settle: Callable[[], None],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Copied:
    """Copy pieces. A piece that is there already is left alone, so that a copy can go on.

    Args:
        source: copied from; nobody may write to it meanwhile.
        target: copied to; what else it holds stays.
        parts: of `pieces`.
        settle: returns once what was written is where it is read from, not on its way.
        progress: told the pieces done and to do.

    Raises:
        DifferentError: a piece does not read back with the counts and sums it was written with.
        StoreError: a store fails. Copying again goes on from there.
    """
    copied = Copied()
    for done, part in enumerate(parts):
        shelf = _SHELVES[part.kind]
        rows = shelf.read(source, part.start_ms, part.end_ms)
        expected = fingerprint(rows)
        if _same(target, part, rows, expected):
            copied.already_there += 1
        else:
            shelf.write(target, rows)
            settle()
            _verify(target, part, rows, expected)
        copied.pieces += 1
        if part.kind == "samples":
            copied.samples += len(rows)
        else:
            copied.usage_rows += len(rows)
        progress(done + 1, len(parts))
    return copied


def fingerprint(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each numeric column how many values are known, and their exact sum; times included.

    Columns by name, with the rows `known` and `sum` as Python numbers: sums of octets pass 2^63.
    """
    numbers = rows.select_dtypes("number")
    return pd.DataFrame(
        {name: [int(column.notna().sum()), _sum(column)] for name, column in numbers.items()},
        index=["known", "sum"],
        dtype=object,
    )


def _sum(column: "pd.Series[float]") -> int | float:
    known = column.dropna()
    if pd.api.types.is_float_dtype(known.dtype):
        # Sorted, so that the order of rows does not matter.
        return float(np.sort(known.to_numpy(dtype=np.float64)).sum())
    # In halves, since a sum of octets can pass 63 bits.
    whole: npt.NDArray[np.int64] = known.to_numpy(dtype=np.int64)  # type: ignore[assignment]
    return (int((whole >> 32).sum()) << 32) + int((whole & 0xFFFF_FFFF).sum())


def _steps(kind: Kind, first_ms: int, last_ms: int) -> Iterator[Piece]:
    step_ms = _SHELVES[kind].step_ms
    # From multiples of the step, so that a copy that goes on has the same pieces.
    for start in range(first_ms - first_ms % step_ms, last_ms + 1, step_ms):
        yield Piece(kind, max(start, first_ms), start + step_ms)


def _same(target: Store, part: Piece, rows: pd.DataFrame, expected: pd.DataFrame) -> bool:
    there = _there(target, part, rows)
    return len(there) == len(rows) and fingerprint(there).equals(expected)


def _there(target: Store, part: Piece, rows: pd.DataFrame) -> pd.DataFrame:
    """What the target holds of these rows; it may hold others beside."""
    shelf = _SHELVES[part.kind]
    there = shelf.read(target, part.start_ms, part.end_ms)
    return there.merge(rows[shelf.key], on=shelf.key)


def _verify(target: Store, part: Piece, rows: pd.DataFrame, expected: pd.DataFrame) -> None:
    there = _there(target, part, rows)
    if len(there) != len(rows):
        raise DifferentError(
            f"{_named(part)}: {len(rows)} rows were written and {len(there)} are there"
        )
    found = fingerprint(there)
    wrong = [name for name in expected if not found[name].equals(expected[name])]
    if wrong:
        told = "; ".join(
            f"{name}: {expected[name]['known']} values, sum {expected[name]['sum']} written, "
            f"{found[name]['known']}, {found[name]['sum']} there"
            for name in wrong
        )
        raise DifferentError(f"{_named(part)}: {told}")


def _named(part: Piece) -> str:
    start, end = (
        pd.Timestamp(ms, unit="ms", tz="UTC").strftime("%Y-%m-%d %H:%M")
        for ms in (part.start_ms, part.end_ms)
    )
    return f"{_SHELVES[part.kind].named} from {start} to {end} UTC"
