"""The stored usage is the same whichever way it came about."""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from pipeline.state import State
from pipeline.store.base import ApLevel, Level
from pipeline.usage import compute
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.periods import WINDOW_MS, bounds
from pipeline.usage.rollup import emptied
from tests.pipeline.memory_store import MemoryState, MemoryStore, city

# Across midnight and the end of daylight saving in Brussels: 25 October 2026, 01:00 UTC.
T = 1_792_875_600_000
HOUR = 3_600_000
LEVELS: tuple[Level, ...] = ("15min", "hour", "day")
AP_LEVELS: tuple[ApLevel, ...] = ("hour", "day")
LATER = T + 7 * HOUR


def deployment() -> Deployment:
    return city(
        [
            Site(site="s1", kind="library"),
            Site(site="s2", kind="park", timezone="Asia/Kolkata"),
            Site(site="s3", kind="park", in_service_since=date(2026, 1, 1)),
        ],
        [
            AccessPoint(ap="a1", site="s1", source="import"),
            AccessPoint(ap="a2", site="s1", source="import"),
            AccessPoint(ap="a3", site="s2", source="import"),
            AccessPoint(ap="a4", site="s3", source="import"),
        ],
    )


def reading(ap: str, site: str, second: int, told: dict[str, int]) -> Reading:
    return Reading(ap, site, T + second * 1000, **told)


told = st.fixed_dictionaries(
    {"interval_s": st.sampled_from([60, 300, 3600])},
    optional={
        "up": st.sampled_from([0, 1]),
        "clients": st.integers(0, 40),
        "rx_bytes": st.integers(0, 2**33),
        "uptime_s": st.integers(0, 10**6),
    },
)
readings = st.lists(
    st.builds(
        reading,
        st.sampled_from(["a1", "a2", "a3", "stray"]),
        st.sampled_from(["s1", "s1", "s2", "gone"]),
        st.integers(0, 4 * 3600),
        told,
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda r: (r.ap, r.ts_ms),
)


def stored(store: MemoryStore) -> list[pd.DataFrame]:
    aps = [store.read_ap_usage(level, 0, 2**60) for level in AP_LEVELS]
    # Where an AP is told to have been elsewhere later, an empty row stays.
    told = ["expected_ms", "watched_ms", "rx_bytes", "sessions"]
    there = [f[f[told].fillna(-1).ne(emptied(f)[told].fillna(-1)).any(axis=1)] for f in aps]
    sites = [store.read_usage(level, 0, 2**60) for level in LEVELS]
    return [*sites, *(f.reset_index(drop=True) for f in there)]


def assert_same(one: list[pd.DataFrame], other: list[pd.DataFrame]) -> None:
    for a, b in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def at_once(samples: list[Reading]) -> list[pd.DataFrame]:
    store = MemoryStore()
    store.write_samples(samples)
    Aggregator(deployment(), store, MemoryState()).close_windows(LATER)
    return stored(store)


def touched(reading: Reading) -> tuple[str, int, int]:
    """What ingest marks for a late sample; here generously, to the next counter and beyond."""
    return reading.site, reading.ts_ms, LATER


@settings(deadline=None, max_examples=8)
@given(readings)
def test_recomputing_gives_the_same_bits(samples: list[Reading]) -> None:
    store, state = MemoryStore(), MemoryState()
    store.write_samples(samples)
    aggregator = Aggregator(deployment(), store, state)
    aggregator.close_windows(LATER)
    before = stored(store)
    aggregator.recompute(T + 2 * HOUR, T + 3 * HOUR)
    aggregator.recompute(0, 2**60, sites=["s2"])
    assert_same(stored(store), before)


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(readings, st.integers(4, 25), st.integers(1, 200))
def test_chunks_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, samples: list[Reading], windows: int, at_a_time: int
) -> None:
    whole = at_once(samples)
    with monkeypatch.context() as patch:
        patch.setattr(compute, "MAX_CELLS", windows * 4)
        patch.setattr(compute, "MAX_SAMPLES", at_a_time)
        assert_same(at_once(samples), whole)


@settings(deadline=None, max_examples=8)
@given(readings, st.lists(st.integers(0, 7 * 60), max_size=5))
def test_closing_bit_by_bit_gives_what_closing_at_once_gives(
    samples: list[Reading], minutes: list[int]
) -> None:
    store, state = MemoryStore(), MemoryState()
    aggregator = Aggregator(deployment(), store, state)
    arrived = sorted(samples, key=lambda r: r.ts_ms)
    for now in [*(T + m * 60_000 for m in sorted(minutes)), LATER]:
        store.write_samples([r for r in arrived if r.ts_ms < now])
        arrived = [r for r in arrived if r.ts_ms >= now]
        aggregator.close_windows(now)
    assert_same(stored(store), at_once(samples))


@settings(deadline=None, max_examples=15)
@given(readings, st.data())
def test_late_samples_mend_what_they_touch(samples: list[Reading], data: st.DataObject) -> None:
    late = [r for r in samples if data.draw(st.booleans())]
    on_time = [r for r in samples if r not in late]
    store, state = MemoryStore(), MemoryState()
    store.write_samples(on_time)
    Aggregator(deployment(), store, state).close_windows(LATER)
    state.mark_dirty(map(touched, late))
    store.write_samples(late)
    Aggregator(deployment(), store, state).close_windows(LATER)
    assert state.dirty() == []
    assert_same(stored(store), at_once(samples))


def test_a_crash_while_computing_leaves_the_windows_to_the_next_run() -> None:
    class FullDiskError(Exception):
        pass

    class Failing(MemoryStore):
        def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
            raise FullDiskError

    samples = [Reading("a1", "s1", T + i * 300_000, clients=i) for i in range(40)]
    broken, state = Failing(), MemoryState()
    broken.write_samples(samples)
    with pytest.raises(FullDiskError):
        Aggregator(deployment(), broken, state).close_windows(LATER)
    mended = MemoryStore()
    mended.write_samples(samples)
    Aggregator(deployment(), mended, state).close_windows(LATER)
    assert_same(stored(mended), at_once(samples))


def test_nothing_is_stored_before_the_first_sample_and_before_the_grace_is_over() -> None:
    store, state = MemoryStore(), MemoryState()
    aggregator = Aggregator(deployment(), store, state)
    aggregator.close_windows(LATER)
    assert state.closed is None
    store.write_samples([Reading("a1", "s1", T + 60_000, clients=1)])
    aggregator.close_windows(T + WINDOW_MS + 119_999)
    assert store.usage["15min"] == {}
    aggregator.close_windows(T + WINDOW_MS + 120_000)
    # The site of the sample, and the one whose date in service is past.
    assert sorted(store.usage["15min"]) == [("s1", T), ("s3", T)]


def test_a_site_that_was_never_heard_has_rows_without_coverage() -> None:
    _, _, day, *_ = at_once([Reading("a1", "s1", T, clients=1)])
    silent = day[day["site"] == "s3"]
    # The last window waits for late samples.
    assert silent["expected_ms"].sum() == LATER - WINDOW_MS - T
    assert silent["covered_ms"].sum() == 0


def test_hours_and_days_are_the_local_ones_and_add_up() -> None:
    samples = [Reading("a3", "s2", T + i * 600_000, clients=i % 7) for i in range(40)]
    quarter, hour, day, *_ = at_once(samples)
    for level, frame in (("hour", hour), ("day", day)):
        for site, zone in (("s1", "Europe/Brussels"), ("s2", "Asia/Kolkata")):
            there = frame[frame["site"] == site]
            parts = quarter[quarter["site"] == site]
            edges = bounds(level, T, LATER, deployment().zone(site))
            assert set(there["start_ms"]) <= set(edges.tolist()), zone
            for column in ("expected_ms", "covered_ms", "user_ms", "clients_ms"):
                assert there[column].sum() == parts[column].sum()
    kolkata = hour[hour["site"] == "s2"]
    assert set(kolkata["start_ms"] % HOUR) == {HOUR // 2}


def test_time_that_is_out_of_service_by_now_becomes_empty() -> None:
    samples = [Reading("a4", "s3", T + i * 300_000, clients=2) for i in range(50)]
    store, state = MemoryStore(), MemoryState()
    store.write_samples(samples)
    Aggregator(deployment(), store, state).close_windows(LATER)
    moved = city(
        [Site(site="s3", kind="park", in_service_since=date(2026, 11, 1))],
        [AccessPoint(ap="a4", site="s3", source="import")],
    )
    Aggregator(moved, store, state).recompute(0, 2**60)
    of_sites = [store.read_usage(level, 0, 2**60) for level in LEVELS]
    for frame in [*of_sites, store.read_ap_usage("hour", 0, 2**60)]:
        there = frame[frame["site"] == "s3"]
        assert len(there) > 0
        assert there[["expected_ms", "covered_ms", "user_ms"]].to_numpy().sum() == 0


def test_nothing_is_written_while_another_process_aggregates(tmp_path: Path) -> None:
    store = MemoryStore()
    store.write_samples([Reading("a1", "s1", T, clients=1)])
    with closing(State(tmp_path / "state.db")) as state:
        aggregator = Aggregator(deployment(), store, state)
        with state.aggregating(wait=True):
            aggregator.close_windows(LATER, wait=False)
        assert store.usage["15min"] == {}
        assert state.closed_until_ms() is None
        aggregator.close_windows(LATER, wait=False)
    assert store.usage["15min"] != {}


def test_usage_of_access_points_is_kept_by_local_hours_and_by_days_that_are_over() -> None:
    samples = [
        Reading("a3", site, T + minute * 60_000, clients=3, interval_s=600)
        for site, minutes in (("s2", range(0, 30, 10)), ("s1", range(30, 7 * 60, 10)))
        for minute in minutes
    ]
    *_, hour, day = at_once(samples)
    away = hour[(hour["site"] == "s2") & (hour["ap"] == "a3")]
    # From 21:00 UTC on; the clock there strikes the hour at half past.
    assert (away["start_ms"] - T).tolist() == [-HOUR // 2]
    assert away["user_ms"].tolist() == [3 * HOUR // 2]
    here = hour[(hour["site"] == "s1") & (hour["ap"] == "a3")]
    assert here["start_ms"].tolist() == [T + n * HOUR for n in range(7)]
    # The window of now is not over.
    assert here["user_ms"].sum() == 3 * (6.5 * HOUR - WINDOW_MS)
    # In Brussels it is midnight an hour after T, in Kolkata not before the end.
    assert set(day["start_ms"] + 24 * HOUR) == {T + HOUR}
    there = day[day["ap"] == "a3"]
    assert there[["site", "user_ms", "expected_ms"]].to_numpy().tolist() == [
        ["s1", 3 * HOUR // 2, HOUR // 2]
    ]


def test_an_access_point_that_was_elsewhere_after_all_leaves_empty_hours() -> None:
    samples = [Reading("a1", "s1", T + i * 300_000, clients=2) for i in range(80)]
    store, state = MemoryStore(), MemoryState()
    store.write_samples(samples)
    aggregator = Aggregator(deployment(), store, state)
    aggregator.close_windows(LATER)
    store.write_samples([r._replace(site="s2") for r in samples])
    state.mark_dirty([("s1", T, LATER), ("s2", T, LATER)])
    aggregator.close_windows(LATER)
    moved = at_once([r._replace(site="s2") for r in samples])
    assert_same(stored(store)[len(LEVELS) :], moved[len(LEVELS) :])


class Watched:
    """Counts of sessions that were made elsewhere."""

    def __init__(
        self, rows: Sequence[tuple[str, str, int, int, int | None]], expired: int | None = None
    ) -> None:
        self.rows = rows
        self.expired = expired

    def counts(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        first = max(start_ms, self.expired or 0)
        rows = [row for row in self.rows if first <= row[2] < end_ms]
        columns = list(zip(*rows, strict=True)) or [()] * 5
        names = ("site", "ap", "start_ms", "watched_ms", "sessions")
        types = ("str", "str", "int64", "int64", "Int64")
        found = pd.DataFrame(
            {
                name: pd.Series(column, dtype=dtype)
                for name, column, dtype in zip(names, columns, types, strict=True)
            }
        )
        unknown = pd.Series(pd.NA, found.index, "Int64")
        return found.assign(
            passers_by=unknown, device_days=found["sessions"], randomised_device_days=unknown
        )

    def span(self) -> dict[str, tuple[int, int]]:
        times: dict[str, list[int]] = {}
        for site, _, start, *_ in self.rows:
            times.setdefault(site, []).append(start)
        return {site: (min(found), max(found) + WINDOW_MS) for site, found in times.items()}

    def expired_until_ms(self) -> int | None:
        return self.expired

    def lengths(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        raise NotImplementedError


windows_watched = st.lists(
    st.tuples(
        st.sampled_from(["s1", "s2", "only_sessions"]),
        st.sampled_from(["a1", "a3", "", "unheard"]),
        st.integers(-8, 20).map(lambda n: T + n * WINDOW_MS),
        st.integers(0, 2).map(lambda n: n * WINDOW_MS // 2),
        st.none() | st.integers(0, 5),
    ),
    max_size=12,
    unique_by=lambda row: row[:3],
)


@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(readings, windows_watched, st.integers(4, 25))
def test_sessions_join_however_the_work_is_cut(
    monkeypatch: pytest.MonkeyPatch,
    samples: list[Reading],
    watched: list[tuple[str, str, int, int, int | None]],
    windows: int,
) -> None:
    def kept() -> list[pd.DataFrame]:
        store, state = MemoryStore(), MemoryState()
        store.write_samples(samples)
        Aggregator(deployment(), store, state, sessions=Watched(watched)).close_windows(LATER)
        return stored(store)

    whole = kept()
    counted = Watched(watched).counts(0, 2**60)
    for frame in whole[:3]:
        assert frame["sessions"].sum() == counted["sessions"].sum()
        assert frame["watched_ms"].sum() == counted["watched_ms"].sum()
    of_aps = whole[3]
    assert of_aps["sessions"].sum() == counted["sessions"][counted["ap"] != ""].sum()
    assert "" not in set(of_aps["ap"])
    with monkeypatch.context() as patch:
        patch.setattr(compute, "MAX_CELLS", windows * 4)
        assert_same(kept(), whole)


def test_a_site_with_sessions_and_no_samples_has_usage_since_the_first_session() -> None:
    store, state = MemoryStore(), MemoryState()
    watched = Watched([("s1", "a1", T + 4 * WINDOW_MS, WINDOW_MS, 3)])
    Aggregator(deployment(), store, state, sessions=watched).close_windows(LATER)
    usage = store.read_usage("15min", 0, 2**60)
    assert set(usage["site"]) == {"s1"}
    assert usage["start_ms"].min() == T + 4 * WINDOW_MS
    assert usage["sessions"].tolist()[:2] == [3, pd.NA]
    assert usage["covered_ms"].sum() == 0
    # Two access points, of which nobody knows anything but the sessions of one.
    assert usage["expected_ms"].iloc[0] == 2 * WINDOW_MS
    aps = store.read_ap_usage("hour", 0, 2**60)
    assert aps[aps["ap"] == "a1"]["sessions"].iloc[0] == 3
    assert aps[aps["ap"] == "a2"]["sessions"].isna().all()


def test_counts_of_sessions_that_have_expired_stay() -> None:
    rows = [
        (site, ap, T + n * WINDOW_MS, WINDOW_MS, n)
        for site, ap in (("s1", "a1"), ("s2", "a3"))
        for n in range(24)
    ]
    samples = [Reading("a1", "s1", T + i * 300_000, clients=2) for i in range(80)]
    store, state = MemoryStore(), MemoryState()
    store.write_samples(samples)
    Aggregator(deployment(), store, state, sessions=Watched(rows)).close_windows(LATER)
    before = stored(store)
    midnight = T + HOUR
    left = Watched(rows, expired=midnight)
    Aggregator(deployment(), store, state, sessions=left).recompute(0, 2**60)
    assert_same(stored(store), before)


@pytest.mark.parametrize("source", [None, Watched([])], ids=["no source", "its file was lost"])
def test_counts_stay_where_nothing_knows_of_them_any_more(source: Watched | None) -> None:
    rows = [("s1", "a1", T + n * WINDOW_MS, WINDOW_MS, n) for n in range(20)]
    store, state = MemoryStore(), MemoryState()
    store.write_samples([Reading("a1", "s1", T + i * 300_000, clients=2) for i in range(80)])
    Aggregator(deployment(), store, state, sessions=Watched(rows)).close_windows(LATER)
    before = stored(store)
    store.write_samples([Reading("a1", "s1", T + HOUR + 1000, clients=9)])
    state.mark_dirty([("s1", T + HOUR, T + 2 * HOUR)])
    aggregator = Aggregator(deployment(), store, state, sessions=source)
    aggregator.close_windows(LATER)
    aggregator.recompute(0, 2**60)
    after = stored(store)
    assert after[0]["user_ms"].sum() > before[0]["user_ms"].sum()
    for frame, former in zip(after, before, strict=True):
        for name in ("watched_ms", "sessions", "device_days"):
            assert frame[name].tolist() == former[name].tolist()
