"""From text cells to readings: what each column may hold, and why a row is refused. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from collectors.reading import MAX_COUNTER, Reading
from config.problems import did_you_mean, shown
from pipeline.imports.batch import Batch, Ints, Mask

FIRST_MS: Final = 946_684_800_000
"""2000-01-01: what is older is a mistake."""
AHEAD_MS: Final = 86_400_000
"""Clocks may be wrong by a day."""
MAX_CLIENTS: Final = 100_000
UNKNOWN_AP: Final = "unknown access point"
HINTS: Final = 20
"""Of the wrong names of a batch, so many are told the right one."""
MAX_UPTIME_S: Final = 10_000_000_000

_LIMITS: Final[Mapping[str, int]] = {
    "clients": MAX_CLIENTS,
    "clients_2g": MAX_CLIENTS,
    "clients_5g": MAX_CLIENTS,
    "clients_6g": MAX_CLIENTS,
    "rx_bytes": MAX_COUNTER,
    "tx_bytes": MAX_COUNTER,
    "uptime_s": MAX_UPTIME_S,
}
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
    """The store keeps no older samples."""
    align_ms: int = 0
    """Times are rounded to a multiple of it; 0: as they are."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What the file calls a column."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """What is allowed in a column, where that is not what a sample file allows."""
    up_words: Mapping[str, int] = field(default_factory=lambda: UP_WORDS)
    """How up and down are written, in lower case."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The good rows of a batch, sorted by AP and time; all of the same length."""

    readings: list[Reading]
    ap: Ints
    """Codes, ascending; the same code is the same AP in this batch only."""
    place: Ints
    """Codes, likewise, of AP and site together."""
    ts_ms: Ints
    figures: Mapping[str, Mask]
    """Of each figure that any of them has, which have it."""


@dataclass(slots=True)
class _Rows:
    """A batch under examination. The first thing that is wrong with a row refuses it."""

    batch: Batch
    rules: Rules
    bad: Mask
    refusals: list[Refusal] = field(default_factory=list)

    def text(self, column: str) -> pa.ChunkedArray:
        return self.batch.cells[column]

    def refuse(self, wrong: Mask, column: str, reason: str, tell: Callable[[str], str]) -> None:
        """Refuse the rows of a mask. tell: the message for a cell's text."""
        fresh = np.flatnonzero(wrong & ~self.bad)
        self.bad |= wrong
        cells = self.text(column).take(pa.array(fresh)).to_pylist() if len(fresh) else []
        for at, cell in zip(fresh, cells, strict=True):
            line = int(self.batch.lines[at])
            called = self.rules.called.get(column, column)
            self.refusals.append(Refusal(line, called, reason, tell(cell or ""), cell or ""))


def read(batch: Batch, rules: Rules) -> tuple[Parsed, list[Refusal]]:
    """Turn a batch into readings, and the rows refused.

    Of rows with the same AP and time the later one in the file comes later.
    """
    count = len(batch.lines)
    rows = _Rows(batch, rules, np.zeros(count, dtype=bool))
    aps, sites, intervals = _places(rows, rules)
    ts_ms = _times(rows, rules)
    columns: dict[str, list[Any]] = {"up": _ups(rows)}
    columns |= {name: _integers(rows, name) for name in _LIMITS}
    says_nothing = np.logical_and.reduce([_is_null(rows.text(name)) for name in columns])
    rows.refuse(
        says_nothing, "ap", "says nothing", lambda _: "neither up nor any figure in the row"
    )

    kept = np.flatnonzero(~rows.bad)
    ap = _coded(rows.text("ap"))
    site = rows.text("site")
    place = ap if site.null_count == count else _coded(_joined(rows.text("ap"), site))
    kept = kept[np.lexsort((ts_ms[kept], ap[kept]))]
    nothing: list[Any] = [None] * count
    of_sample = {**columns, "counter_bits": nothing, "channel_utilisation": nothing}
    figures = [of_sample[name] for name in Reading._fields[3:-1]]
    cells: list[list[Any]] = [aps, sites, ts_ms.tolist(), *figures, intervals]
    whole = list(zip(*cells, strict=True))
    readings = [Reading._make(whole[at]) for at in kept]
    there = {name: ~_is_null(rows.text(name))[kept] for name in columns}
    said = {name: mask for name, mask in there.items() if mask.any()}
    return Parsed(readings, ap[kept], place[kept], ts_ms[kept], said), rows.refusals


def _places(rows: _Rows, rules: Rules) -> tuple[list[Any], list[Any], list[Any]]:
    """AP, site and poll interval of each row."""
    names = rows.text("ap").to_pylist()
    hint = _hints(rules.home)
    rows.refuse(
        np.array([name not in rules.home for name in names], dtype=bool),
        "ap",
        UNKNOWN_AP,
        lambda ap: f"{shown(ap)} is not in access_points.csv{hint(ap)}" if ap else "is empty",
    )
    homes = [rules.home.get(name, ("", 0)) for name in names]
    told = rows.text("site")
    if told.null_count == len(told):
        sites = [site for site, _ in homes]
    else:
        given = told.to_pylist()
        sites = [site or home for site, (home, _) in zip(given, homes, strict=True)]
        hint = _hints(rules.sites)
        rows.refuse(
            np.array([bool(site) and site not in rules.sites for site in given], dtype=bool),
            "site",
            "unknown site",
            lambda site: f"{shown(site)} is not in sites.csv{hint(site)}",
        )
    return names, sites, [interval for _, interval in homes]


def _hints(allowed: Collection[str]) -> Callable[[str], str]:
    """`did_you_mean` for the first wrong names: compared with a thousand it takes milliseconds."""
    told: dict[str, str] = {}

    def hint(word: str) -> str:
        if word not in told:
            told[word] = did_you_mean(word, allowed) if len(told) < HINTS else ""
        return told[word]

    return hint


def _times(rows: _Rows, rules: Rules) -> Ints:
    """UTC milliseconds; 0 where refused."""
    text = rows.text("ts").to_pandas()
    offset, naive, seconds, millis = (
        _matches(rows.text("ts"), pattern)
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
        lambda ts: f"{shown(ts)} is older than what the store keeps, see store.raw_days",
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


def _ups(rows: _Rows) -> list[int | None]:
    text = rows.text("up")
    if text.null_count == len(text):
        return [None] * len(text)
    cells = [cell.lower() if cell else None for cell in text.to_pylist()]
    words = rows.rules.up_words
    wrong = np.array([cell is not None and cell not in words for cell in cells], dtype=bool)
    hint = rows.rules.hints.get("up", "write 0 or 1")
    rows.refuse(wrong, "up", "not 0 or 1", lambda up: f"{shown(up)} is not allowed; {hint}")
    return [None if cell is None else words.get(cell) for cell in cells]


def _integers(rows: _Rows, column: str) -> list[int | None]:
    """Whole numbers from 0; a spreadsheet may write them as 12.0."""
    text = rows.text(column)
    if text.null_count == len(text):
        return [None] * len(text)
    if pc.all(pc.and_(pc.ascii_is_decimal(text), pc.less(pc.utf8_length(text), 19))).as_py():
        values = pc.cast(text, pa.int64())
        wrong = np.zeros(len(text), dtype=bool)
    else:
        whole = pc.replace_substring_regex(text, r"\.0*$", "")
        wrong = ~_matches(text, _INTEGER) & ~_is_null(text)
        too_long = pc.and_(pc.equal(pc.utf8_length(whole), 19), pc.greater(whole, str(MAX_COUNTER)))
        wrong |= pc.fill_null(too_long, fill_value=False).to_numpy()
        values = pc.cast(pc.if_else(pa.array(~wrong), whole, pa.scalar(None)), pa.int64())
    limit = _LIMITS[column]
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


def _joined(ap: pa.ChunkedArray, site: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(ap, pc.fill_null(site, ""), "/")


def _coded(text: pa.ChunkedArray) -> Ints:
    codes = text.combine_chunks().dictionary_encode().indices
    numbers: Ints = pc.fill_null(codes, -1).to_numpy().astype(np.int64)
    return numbers


def _matches(text: pa.ChunkedArray, pattern: str) -> Mask:
    found = pc.match_substring_regex(text, pattern)
    mask: Mask = pc.fill_null(found, fill_value=False).to_numpy()
    return mask


def _is_null(text: pa.ChunkedArray) -> Mask:
    mask: Mask = pc.is_null(text).to_numpy()
    return mask
