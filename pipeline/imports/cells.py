"""Text cells and what is wrong with them: what the files that can be imported have in common."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from collectors.reading import MAX_COUNTER
from config.problems import did_you_mean, shown
from pipeline.imports.batch import Batch, Ints, Mask

FIRST_MS: Final = 946_684_800_000
"""2000-01-01: what is older is a mistake."""
AHEAD_MS: Final = 86_400_000
"""Clocks may be wrong by a day."""
HINTS: Final = 20
"""Of the wrong names of a batch, so many are told the right one."""
UP_WORDS: Final[Mapping[str, int]] = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}
_INTEGER: Final = r"^[0-9]{1,19}(\.0*)?$"
_DAY_AND_TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_WITH_OFFSET: Final = _DAY_AND_TIME + r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_WITHOUT_OFFSET: Final = _DAY_AND_TIME + "$"
_SECONDS: Final = r"^[0-9]{9,10}(\.[0-9]+)?$"
_MILLISECONDS: Final = r"^[0-9]{12,13}(\.0*)?$"
_EXAMPLE: Final = "2026-03-05T10:04:00Z"


class Refusal(NamedTuple):
    """A row that is not imported."""

    line: int
    column: str
    reason: str
    """In general, such as `unknown access point`: what refusals are counted by."""
    message: str
    """What is wrong with this one and what is allowed."""
    value: str = ""
    """What the cell holds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rows are checked against."""

    home: Mapping[str, tuple[str, int]]
    """Site and poll interval in seconds of each access point."""
    sites: Collection[str]
    zone: ZoneInfo | None
    """Of times without an offset; None refuses them."""
    now_ms: int
    kept_since_ms: int = 0
    """Nothing older is kept."""
    kept_by: str = "store.raw_days"
    """The setting that says so."""
    align_ms: int = 0
    """Times are rounded to a multiple of it; 0: as they are."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What the file calls a column."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """What is allowed in a column, where that is not what a sample file allows."""
    up_words: Mapping[str, int] = field(default_factory=lambda: UP_WORDS)
    """How up and down are written, in lower case."""
    quoted: Callable[[str], str] = str
    """What may be shown of a refused cell."""


@dataclass(slots=True)
class Rows:
    """A batch under examination. The first thing that is wrong with a row refuses it."""

    batch: Batch
    rules: Rules
    bad: Mask
    refusals: list[Refusal] = field(default_factory=list)

    def text(self, column: str) -> pa.ChunkedArray:
        """Cells of a column."""
        return self.batch.cells[column]

    def refuse(self, wrong: Mask, column: str, reason: str, tell: Callable[[str], str]) -> None:
        """Refuse the rows of a mask. tell: the message for a cell's text."""
        fresh = np.flatnonzero(wrong & ~self.bad)
        self.bad |= wrong
        cells = self.text(column).take(pa.array(fresh)).to_pylist() if len(fresh) else []
        for at, cell in zip(fresh, cells, strict=True):
            line = int(self.batch.lines[at])
            called = self.rules.called.get(column, column)
            quoted = self.rules.quoted(cell or "")
            self.refusals.append(Refusal(line, called, reason, tell(quoted), quoted))


def hints(allowed: Collection[str]) -> Callable[[str], str]:
    """`did_you_mean` for the first wrong names: compared with a thousand it takes milliseconds."""
    told: dict[str, str] = {}

    def hint(word: str) -> str:
        if word not in told:
            told[word] = did_you_mean(word, allowed) if len(told) < HINTS else ""
        return told[word]

    return hint


def times(rows: Rows, rules: Rules) -> Ints:
    """UTC milliseconds; 0 where refused."""
    text = rows.text("ts").to_pandas()
    offset, naive, seconds, millis = (
        matches(rows.text("ts"), pattern)
        for pattern in (_WITH_OFFSET, _WITHOUT_OFFSET, _SECONDS, _MILLISECONDS)
    )
    ts_ms = np.full(len(text), -1, dtype=np.int64)
    ts_ms[offset] = _iso(text[offset], None)
    ts_ms[seconds] = np.rint(text[seconds].astype(float).to_numpy() * 1000)
    ts_ms[millis] = text[millis].str.replace(r"\..*", "", regex=True).astype(np.int64)
    if rules.zone:
        ts_ms[naive] = _iso(text[naive], rules.zone)
        twice = f"is no time, or one of two, in {rules.zone}; write {_EXAMPLE}"
        rows.refuse(naive & (ts_ms < 0), "ts", "ambiguous time", lambda ts: f"{shown(ts)} {twice}")
    else:
        rows.refuse(
            naive,
            "ts",
            "time without an offset",
            lambda ts: f"{shown(ts)} has no offset; write {_EXAMPLE}, or give --timezone",
        )
    hint = rules.hints.get("ts", f"write {_EXAMPLE}, or seconds since 1970")
    rows.refuse(ts_ms < 0, "ts", "no time", lambda ts: f"{shown(ts)} is no time; {hint}")
    rows.refuse(ts_ms < FIRST_MS, "ts", "too old", lambda ts: f"{shown(ts)} is before 2000")
    rows.refuse(
        ts_ms > rules.now_ms + AHEAD_MS, "ts", "future", lambda ts: f"{shown(ts)} is in the future"
    )
    rows.refuse(
        (ts_ms >= 0) & (ts_ms < rules.kept_since_ms),
        "ts",
        "expired",
        lambda ts: f"{shown(ts)} is older than what the store keeps, see {rules.kept_by}",
    )
    if rules.align_ms:
        ts_ms = (ts_ms + rules.align_ms // 2) // rules.align_ms * rules.align_ms
    return ts_ms


def _iso(text: "pd.Series[str]", zone: ZoneInfo | None) -> Ints:
    """UTC milliseconds of ISO 8601 times; -1 where there is no such time or two of them."""
    if zone is None:
        moments = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    else:
        local = pd.to_datetime(text, format="ISO8601", errors="coerce")
        moments = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    known = moments.notna().to_numpy()
    values = np.full(len(text), -1, dtype=np.int64)
    utc = moments[known].dt.tz_convert("UTC").dt.tz_localize(None)
    values[known] = utc.to_numpy("datetime64[ms]").astype(np.int64)
    return values


def integers(rows: Rows, column: str, limit: int) -> list[int | None]:
    """Whole numbers from 0 to a limit; a spreadsheet may write them as 12.0."""
    text = rows.text(column)
    if text.null_count == len(text):
        return [None] * len(text)
    if pc.all(pc.and_(pc.ascii_is_decimal(text), pc.less(pc.utf8_length(text), 19))).as_py():
        values = pc.cast(text, pa.int64())
        wrong = np.zeros(len(text), dtype=bool)
    else:
        whole = pc.replace_substring_regex(text, r"\.0*$", "")
        wrong = ~matches(text, _INTEGER) & ~is_null(text)
        too_long = pc.and_(pc.equal(pc.utf8_length(whole), 19), pc.greater(whole, str(MAX_COUNTER)))
        wrong |= pc.fill_null(too_long, fill_value=False).to_numpy()
        values = pc.cast(pc.if_else(pa.array(~wrong), whole, pa.scalar(None)), pa.int64())
    off = pc.or_(pc.less(values, 0), pc.greater(values, limit))
    wrong |= pc.fill_null(off, fill_value=False).to_numpy()
    rows.refuse(
        wrong,
        column,
        "no whole number in range",
        lambda cell: f"{shown(cell)} is not a whole number from 0 to {limit}",
    )
    listed: list[int | None] = values.to_pylist()
    return listed


def coded(text: pa.ChunkedArray) -> Ints:
    """A number for each different text, in the order of coming; -1 for null."""
    codes = text.combine_chunks().dictionary_encode().indices
    numbers: Ints = pc.fill_null(codes, -1).to_numpy().astype(np.int64)
    return numbers


def matches(text: pa.ChunkedArray, pattern: str) -> Mask:
    """Which cells a pattern is found in."""
    found = pc.match_substring_regex(text, pattern)
    mask: Mask = pc.fill_null(found, fill_value=False).to_numpy()
    return mask


def is_null(text: pa.ChunkedArray) -> Mask:
    """Which cells are empty."""
    mask: Mask = pc.is_null(text).to_numpy()
    return mask
