"""Moving house: everything of one store into another, in pieces that are checked one by one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.reading import Reading
from pipeline.store.base import Level, Store, StoreError
from pipeline.store.schema import SAMPLE_COLUMNS

DAY_MS: Final = 86_400_000
EVER: Final = (-(2**53), 2**53)
SAMPLES_STEP_MS: Final = DAY_MS
USAGE_STEP_MS: Final[Mapping[Level, int]] = {
    "15min": 7 * DAY_MS,
    "hour": 28 * DAY_MS,
    "day": 364 * DAY_MS,
}
"""What is in memory at once: about a day of samples, and as much usage."""

Kind = Literal["samples", "15min", "hour", "day"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


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
        found += _steps("samples", max(first, samples_since_ms or first), last, SAMPLES_STEP_MS)
    for level, step_ms in USAGE_STEP_MS.items():
        extent = _usage_extent(source, level)
        if extent:
            found += _steps(level, *extent, step_ms)
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
        rows = _read(source, part)
        expected = fingerprint(rows)
        if _same(target, part, rows, expected):
            copied.already_there += 1
        else:
            _write(target, part, rows)
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


def _steps(kind: Kind, first_ms: int, last_ms: int, step_ms: int) -> Iterator[Piece]:
    # From multiples of the step, so that a copy that goes on has the same pieces.
    for start in range(first_ms - first_ms % step_ms, last_ms + 1, step_ms):
        yield Piece(kind, max(start, first_ms), start + step_ms)


def _usage_extent(source: Store, level: Level) -> tuple[int, int] | None:
    """First and last start of the usage of a level. A day level of decades is small; the finer
    ones lie within it.
    """
    days = source.read_usage("day", *EVER)
    if days.empty:
        return None
    first, last = int(days["start_ms"].min()), int(days["end_ms"].max()) - 1
    return first, last if level != "day" else int(days["start_ms"].max())


def _read(store: Store, part: Piece) -> pd.DataFrame:
    if part.kind == "samples":
        return store.read_samples(part.start_ms, part.end_ms)
    return store.read_usage(part.kind, part.start_ms, part.end_ms)


def _write(store: Store, part: Piece, rows: pd.DataFrame) -> None:
    if part.kind == "samples":
        store.write_samples(list(_readings(rows)))
    elif not rows.empty:
        store.write_usage(part.kind, rows)


def _readings(rows: pd.DataFrame) -> Iterator[Reading]:
    columns = [
        rows[name].to_numpy(object, na_value=None).tolist()  # type: ignore[call-overload]  # None is left out of its stub
        for name in SAMPLE_COLUMNS
    ]
    return map(Reading._make, zip(*columns, strict=True))


def _same(target: Store, part: Piece, rows: pd.DataFrame, expected: pd.DataFrame) -> bool:
    there = _there(target, part, rows)
    return len(there) == len(rows) and fingerprint(there).equals(expected)


def _there(target: Store, part: Piece, rows: pd.DataFrame) -> pd.DataFrame:
    """What the target holds of these rows; it may hold others beside."""
    there = _read(target, part)
    key = ["ap", "ts_ms", "site"] if part.kind == "samples" else ["site", "start_ms"]
    return there.merge(rows[key], on=key)


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
    what = "samples" if part.kind == "samples" else f"usage ({part.kind})"
    return f"{what} from {start} to {end} UTC"
