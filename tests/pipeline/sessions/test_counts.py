"""What is counted from sessions, window by window, against the definitions worked out by hand."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise, product
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sessions.counts import (
    COUNTS,
    RUN_ROW,
    SESSION_ROW,
    UNKNOWN,
    Table,
    count,
    needed_since_ms,
)
from pipeline.usage.periods import WINDOW_MS, bounds

BRUSSELS = ZoneInfo("Europe/Brussels")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = {1: BRUSSELS, 2: KATHMANDU}
MINUTE = 60_000
HOUR = 3_600_000
PASSER_BY_MS = MINUTE
# The clocks go back at 01:00 UTC on the second day.
T = int(datetime(2026, 10, 24, tzinfo=UTC).timestamp() * 1000)
END = T + 72 * HOUR


class Stay(NamedTuple):
    site: int
    ap: int
    device: int | None
    last_device: int | None
    randomised: bool | None
    start_ms: int
    end_ms: int
    exact: bool


class Watch(NamedTuple):
    site: int
    ap: int
    start_ms: int
    end_ms: int
    aps: int = 1
    durations: bool = False
    devices: bool = True
    randomised: bool = True


ALWAYS = (Watch(1, 1, T, END), Watch(1, 2, T, END))


def stay(
    start_h: float, hours: float, device: int | None = 1, *, ap: int = 1, last: int | None = None,
    randomised: bool | None = True, exact: bool = False, site: int = 1,
) -> Stay:  # fmt: skip
    start = T + round(start_h * HOUR)
    end = start + round(hours * HOUR)
    return Stay(site, ap, device, last or device, randomised, start, end, exact)


def table(stays: Iterable[Stay]) -> Table:
    rows = [
        (
            s.site, s.ap, s.device is not None, s.device or 0, s.last_device or 0,
            UNKNOWN if s.randomised is None else s.randomised, s.start_ms, s.end_ms, s.exact,
        )
        for s in stays
    ]  # fmt: skip
    return np.array(rows, SESSION_ROW)


def counted(
    stays: Sequence[Stay],
    watched: Sequence[Watch] = ALWAYS,
    start_ms: int = T,
    end_ms: int = END,
) -> pd.DataFrame:
    """Counts of a span from no more than is said to be needed."""
    since = needed_since_ms(start_ms, ZONES)
    needed = [s for s in stays if s.start_ms < end_ms and max(s.end_ms, s.start_ms + 1) > since]
    runs = [w for w in watched if w.start_ms < end_ms and w.end_ms > start_ms]
    return count(
        table(needed),
        np.array(runs, RUN_ROW),
        ZONES,
        start_ms,
        end_ms,
        passer_by_ms=PASSER_BY_MS,
    )


def told(counts: pd.DataFrame, name: str) -> dict[tuple[int, float], int]:
    """AP and hour of each window in which something was counted."""
    known = counts[counts[name].fillna(0) > 0]
    hours = (known["start_ms"] - T) / HOUR
    return dict(zip(zip(known["ap"], hours, strict=True), known[name], strict=True))


def test_a_session_belongs_to_the_window_and_the_ap_where_it_begins() -> None:
    counts = counted([stay(10.1, 3), stay(10.2, 1, 2), stay(10.3, 1, 3, ap=2)])
    assert told(counts, "sessions") == {(1, 10.0): 2, (2, 10.25): 1}


def test_no_session_in_watched_time_is_none_and_not_unknown() -> None:
    counts = counted([], [Watch(1, 1, T + HOUR, T + 2 * HOUR)])
    assert counts["start_ms"].tolist() == [T + HOUR + i * WINDOW_MS for i in range(4)]
    assert counts["watched_ms"].tolist() == [WINDOW_MS] * 4
    for name in ("sessions", "device_days", "randomised_device_days"):
        assert counts[name].tolist() == [0] * 4
    assert counts["passers_by"].isna().all()


def test_passers_by_are_counted_apart_where_durations_are_known() -> None:
    records = [Watch(1, 1, T, END, durations=True, devices=False, randomised=False)]
    stays = [stay(1, 59 / 3600, None, exact=True), stay(1, 60 / 3600, None, exact=True)]
    counts = counted(stays, records)
    assert told(counts, "sessions") == {(1, 1.0): 1}
    assert told(counts, "passers_by") == {(1, 1.0): 1}
    assert (counts["passers_by"] == 0).sum() == len(counts) - 1
    assert counts["device_days"].isna().all()
    assert counts["randomised_device_days"].isna().all()


def test_what_is_known_to_a_poll_interval_only_passes_nobody_by() -> None:
    assert told(counted([stay(1, 30 / 3600)]), "sessions") == {(1, 1.0): 1}


def test_a_device_counts_once_a_day_where_it_was_first() -> None:
    stays = [stay(8, 1), stay(12, 1, ap=2), stay(9, 1, 2, randomised=False)]
    counts = counted(stays)
    assert told(counts, "device_days") == {(1, 8.0): 1, (1, 9.0): 1}
    assert told(counts, "randomised_device_days") == {(1, 8.0): 1}


def test_a_stay_past_midnight_is_there_on_both_days() -> None:
    # Midnight is 22:00 UTC, and 23:00 UTC once the clocks have gone back.
    counts = counted([stay(21, 2), stay(30, 1), stay(40, 1)])
    assert told(counts, "device_days") == {(1, 21.0): 1, (1, 22.0): 1}
    assert told(counts, "sessions") == {(1, 21.0): 1, (1, 30.0): 1, (1, 40.0): 1}
    assert told(counted([stay(46, 1)]), "device_days") == {(1, 46.0): 1}


def test_an_instant_at_midnight_is_there_on_the_new_day() -> None:
    assert told(counted([stay(22, 0)]), "device_days") == {(1, 22.0): 1}


def test_a_stay_over_the_change_of_keys_is_one_device() -> None:
    stays = [stay(25, 3, 1, last=2), stay(30, 1, 2), stay(24, 0.5, 1)]
    assert told(counted(stays), "device_days") == {(1, 24.0): 1}


def test_who_leaves_before_the_change_and_comes_back_after_it_counts_twice() -> None:
    """The price of a key that nobody keeps; said in the README."""
    assert told(counted([stay(24, 0.5, 1), stay(30, 1, 2)]), "device_days") == {
        (1, 24.0): 1, (1, 30.0): 1
    }  # fmt: skip


def test_an_import_speaks_for_all_access_points_of_its_site() -> None:
    counts = counted([], [Watch(1, 0, T, T + WINDOW_MS // 2, aps=3)])
    assert counts["watched_ms"].tolist() == [3 * WINDOW_MS // 2]


def test_what_lies_outside_of_watched_time_is_not_told() -> None:
    assert counted([stay(5, 1)], [Watch(1, 1, T, T + HOUR)])["start_ms"].max() < T + HOUR


def test_nothing_makes_an_empty_table_of_the_right_types() -> None:
    counts = counted([], [])
    assert counts.empty
    assert {name: str(counts[name].dtype) for name in COUNTS} == COUNTS


STAYS = st.lists(
    st.builds(
        Stay,
        site=st.sampled_from([1, 2]),
        ap=st.sampled_from([1, 2]),
        device=st.sampled_from([None, 1, 2, 3]),
        last_device=st.sampled_from([1, 2, 4]),
        randomised=st.sampled_from([True, False, None]),
        start_ms=st.integers(0, 72 * 4).map(lambda n: T + n * 15 * MINUTE),
        end_ms=st.sampled_from([0, MINUTE // 2, 10 * MINUTE, 3 * HOUR, 30 * HOUR]),
        exact=st.booleans(),
    ).map(lambda s: s._replace(end_ms=s.start_ms + s.end_ms)),
    max_size=12,
)
WATCHES = st.lists(
    st.builds(
        lambda site, ap, start, hours, aps, knows: Watch(
            site, ap, T + start * 7 * MINUTE, T + start * 7 * MINUTE + hours * HOUR, aps, *knows
        ),
        site=st.sampled_from([1, 2]),
        ap=st.sampled_from([0, 1, 2]),
        start=st.integers(0, 600),
        hours=st.integers(1, 30),
        aps=st.sampled_from([1, 3]),
        knows=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    ),
    max_size=6,
)
Cell = tuple[int, int, int]
"""Site, AP and window."""


def by_hand(stays: Sequence[Stay], watched: Sequence[Watch]) -> dict[Cell, dict[str, object]]:
    """The definitions, one session and one window after the other."""
    found: dict[str, Counter[Cell]] = {name: Counter() for name in COUNTS if name != "watched_ms"}
    for s in stays:
        is_short = s.exact and s.end_ms - s.start_ms < PASSER_BY_MS
        found["passers_by" if is_short else "sessions"][s.site, s.ap, floor(s.start_ms)] += 1
    for cell, randomised in first_by_hand(stays):
        found["device_days"][cell] += 1
        found["randomised_device_days"][cell] += randomised is True
    cells: dict[Cell, dict[str, object]] = {}
    for site, ap, start in product(ZONES, (0, 1, 2), range(T, END, WINDOW_MS)):
        runs = [w for w in watched if w.site == site and reach(w, start)]
        mine = [w for w in runs if w.ap == ap]
        amounts = {name: found[name][site, ap, start] for name in found}
        if not runs or not (mine or any(amounts.values())):
            continue
        knows = {
            "sessions": bool(mine),
            "passers_by": any(w.durations for w in mine),
            "device_days": any(w.devices for w in mine),
            "randomised_device_days": any(w.randomised for w in mine),
        }
        cells[site, ap, start] = {"watched_ms": sum(w.aps * reach(w, start) for w in mine)}
        for name, amount in amounts.items():
            cells[site, ap, start][name] = amount if knows[name] or amount else None
    return cells


def first_by_hand(stays: Sequence[Stay]) -> Iterator[tuple[Cell, bool | None]]:
    """Where a device is first there on a local day, and whether its address is randomised."""
    for site, zone in ZONES.items():
        for day, after in pairwise(bounds("day", T, END, zone).tolist()):
            there = [
                (max(s.start_ms, day), s)
                for s in stays
                if s.site == site and s.start_ms < after and max(s.end_ms, s.start_ms + 1) > day
            ]
            here: set[int | None] = {None}
            for at, s in sorted(there, key=in_order):
                if not {s.device, s.last_device} & here:
                    yield (site, s.ap, floor(at)), s.randomised
                if s.device:
                    here |= {s.device, s.last_device}


def in_order(event: tuple[int, Stay]) -> tuple[int, ...]:
    at, s = event
    return at, s.start_ms, s.end_ms, s.ap, s.device or 0


def floor(ms: int) -> int:
    return ms - ms % WINDOW_MS


def reach(watch: Watch, start: int) -> int:
    return max(min(watch.end_ms, start + WINDOW_MS) - max(watch.start_ms, start), 0)


def cells_of(counts: pd.DataFrame) -> dict[Cell, dict[str, object]]:
    return {
        (row["site"], row["ap"], row["start_ms"]): {
            name: None if row[name] is pd.NA else row[name] for name in COUNTS
        }
        for row in counts.astype(object).to_dict("records")
    }


@settings(max_examples=60)
@given(
    stays=STAYS,
    watched=WATCHES,
    cuts=st.lists(st.integers(1, 72 * 4 - 1), max_size=3, unique=True),
)
def test_however_a_span_is_cut_it_is_counted_as_by_hand(
    stays: list[Stay], watched: list[Watch], cuts: list[int]
) -> None:
    edges = [T, *sorted(T + n * WINDOW_MS for n in cuts), END]
    parts = [counted(stays, watched, a, b) for a, b in itertools.pairwise(edges)]
    found: dict[Cell, dict[str, object]] = {}
    for part in parts:
        found |= cells_of(part)
    assert found == by_hand([s for s in stays if s.start_ms < END], watched)
