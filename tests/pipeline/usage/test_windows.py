from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import AccessPoint, Site, SitePeriod
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.rollup import SAMPLED
from pipeline.usage.service import in_service, maintenance_of
from pipeline.usage.windows import Aggregated, aggregate
from tests.pipeline.memory_store import MemoryStore, city, frame

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
T = int(START.timestamp() * 1000)
MINUTE = 60_000


def at(minutes: float, ap: str = "a1", site: str = "s1", **fields: int) -> Reading:
    return Reading(ap=ap, site=site, ts_ms=T + round(minutes * MINUTE), **fields)


def usage(
    readings: list[Reading],
    *,
    aps: tuple[str, ...] = ("a1",),
    windows: int = 1,
    maintenance: tuple[tuple[int, int], ...] = (),
) -> pd.DataFrame:
    return both(readings, aps=aps, windows=windows, maintenance=maintenance).sites


def both(
    readings: list[Reading],
    *,
    aps: tuple[str, ...] = ("a1",),
    windows: int = 1,
    maintenance: tuple[tuple[int, int], ...] = (),
) -> Aggregated:
    deployment = city(
        [Site(site="s1", kind="library"), Site(site="s2", kind="library")],
        [AccessPoint(ap=ap, site="s1", source="import") for ap in aps],
        maintenance=[
            SitePeriod(
                site="s1", start=START + timedelta(minutes=a), end=START + timedelta(minutes=b)
            )
            for a, b in maintenance
        ],
    )
    store = MemoryStore()
    store.write_samples(readings)
    return aggregate(
        frame(readings),
        in_service(deployment, store.span()),
        T,
        T + windows * WINDOW_MS,
        maintenance=maintenance_of(deployment),
        max_counter_gap_ms=86_400_000,
    )


def row(found: pd.DataFrame, site: str = "s1", window: int = 0) -> dict[str, object]:
    here = found[(found["site"] == site) & (found["start_ms"] == T + window * WINDOW_MS)]
    assert len(here) == 1
    return {str(k): v for k, v in here.iloc[0].items()}


def test_a_sample_holds_for_one_and_a_half_intervals_and_no_longer() -> None:
    found = row(usage([at(0, clients=4)]))
    assert found["covered_ms"] == found["up_ms"] == found["clients_ms"] == 7.5 * MINUTE
    assert found["user_ms"] == 4 * 7.5 * MINUTE
    assert found["expected_ms"] == 15 * MINUTE


def test_the_next_sample_ends_a_hold_and_a_hold_reaches_into_the_next_window() -> None:
    found = usage([at(0, clients=2), at(5, clients=6), at(12, clients=1)], windows=2)
    assert row(found)["user_ms"] == (2 * 5 + 6 * 7 + 1 * 3) * MINUTE
    assert row(found, window=1)["user_ms"] == 4.5 * MINUTE


def test_a_gap_is_a_row_without_coverage() -> None:
    found = row(usage([at(0, clients=2)], windows=3), window=2)
    assert found["expected_ms"] == 15 * MINUTE
    assert found["covered_ms"] == found["clients_ms"] == 0
    assert found["peak_clients"] is pd.NA
    assert found["rx_bytes"] is pd.NA


def test_a_failed_poll_is_observed_time_without_users() -> None:
    found = row(usage([at(0, clients=8), at(5, up=0)]))
    assert found["up_ms"] == 5 * MINUTE
    assert found["down_ms"] == 7.5 * MINUTE
    assert found["clients_ms"] == 12.5 * MINUTE
    assert found["user_ms"] == 40 * MINUTE


def test_up_without_a_client_count_is_covered_but_says_nothing_of_use() -> None:
    found = row(usage([at(0, uptime_s=77)]))
    assert found["up_ms"] == found["covered_ms"] == 7.5 * MINUTE
    assert found["clients_ms"] == 0
    assert found["peak_clients"] is pd.NA


def test_a_sample_that_says_nothing_covers_nothing_and_ends_what_held() -> None:
    found = row(usage([at(0, clients=1), at(2)]))
    assert found["covered_ms"] == 2 * MINUTE


def test_overlapping_maintenance_is_taken_out_of_up_and_down_once() -> None:
    readings = [at(0, up=1, clients=3), at(5, up=0), at(10, up=1, clients=3)]
    found = row(usage(readings, maintenance=((4, 8), (6, 9), (20, 30))))
    assert found["maintenance_ms"] == 5 * MINUTE
    assert found["up_ms"] == (4 + 5) * MINUTE
    assert found["down_ms"] == 1 * MINUTE
    assert found["covered_ms"] == 15 * MINUTE


def test_an_ap_that_never_spoke_is_expected_all_the_same() -> None:
    found = row(usage([at(0, clients=1)], aps=("a1", "a2")))
    assert found["aps"] == 2
    assert found["expected_ms"] == 30 * MINUTE


def test_an_ap_that_moved_belongs_to_the_site_that_its_samples_name() -> None:
    found = usage([at(0, site="s2", clients=5), at(6, site="s1", clients=1)], windows=2)
    old, new = row(found, "s2"), row(found, "s1")
    assert old["covered_ms"] == old["expected_ms"] == 6 * MINUTE
    assert new["covered_ms"] == 7.5 * MINUTE
    assert new["expected_ms"] == 9 * MINUTE
    assert (old["aps"], new["aps"]) == (1, 1)
    assert row(found, "s2", 1)["expected_ms"] == 0


def test_an_ap_that_no_file_knows_counts_where_it_was_heard() -> None:
    found = usage([at(0, ap="a1", clients=1), at(0, ap="stray", clients=2)], windows=2)
    assert row(found)["aps"] == 2
    assert row(found)["user_ms"] == 3 * 7.5 * MINUTE
    assert row(found, window=1)["aps"] == 1


def test_samples_out_of_service_are_not_counted() -> None:
    deployment = city(
        [Site(site="s1", kind="park", in_service_since=START.date())],
        [AccessPoint(ap="a1", site="s1", source="import")],
        timezone="UTC",
    )
    midnight = T - 10 * 60 * MINUTE
    readings = [at(-603, clients=9), at(-599, clients=1)]
    store = MemoryStore()
    store.write_samples(readings)
    found = aggregate(
        frame(readings),
        in_service(deployment, store.span()),
        midnight - WINDOW_MS,
        midnight + WINDOW_MS,
        maintenance={},
        max_counter_gap_ms=0,
    ).sites
    assert found["start_ms"].tolist() == [midnight]
    assert found["user_ms"].tolist() == [7.5 * MINUTE]


def test_the_peak_is_of_the_whole_site_at_one_instant() -> None:
    readings = [at(0, clients=5), at(5, clients=1), at(1, ap="a2", clients=2)]
    readings += [at(5.5, ap="a2", clients=4)]
    assert row(usage(readings, aps=("a1", "a2")))["peak_clients"] == 7


def test_the_peak_needs_four_fifths_of_the_aps() -> None:
    aps = tuple(f"a{i}" for i in range(5))
    four = [at(0, ap=ap, clients=2) for ap in aps[:4]]
    assert row(usage(four, aps=aps))["peak_clients"] == 8
    assert row(usage(four[:3], aps=aps))["peak_clients"] is pd.NA
    assert row(usage([*four[:3], at(0, ap="a4", up=0)], aps=aps))["peak_clients"] == 6


def test_a_carried_in_hold_counts_for_the_peak() -> None:
    found = usage([at(-3, clients=9), at(4, clients=1)])
    assert row(found)["peak_clients"] == 9


def test_bytes_count_in_the_window_of_the_later_sample() -> None:
    found = usage([at(10, rx_bytes=100, tx_bytes=1), at(20, rx_bytes=150, tx_bytes=1)], windows=2)
    assert row(found)["rx_bytes"] is pd.NA
    assert row(found, window=1)["rx_bytes"] == 50
    assert row(found, window=1)["tx_bytes"] == 0


minutes = st.integers(-60, 59)
samples = st.builds(
    at,
    minutes,
    ap=st.sampled_from(["a1", "a2", "a3"]),
    up=st.sampled_from([None, 0, 1]),
    clients=st.none() | st.integers(0, 50),
    interval_s=st.sampled_from([120, 600, 1800]),
)


def by_hand(readings: list[Reading], aps: list[str], window: int) -> dict[str, object]:
    """Minute by minute, AP by AP: what the definitions say, in the plainest way."""
    latest = {(r.ap, r.ts_ms): r for r in readings}
    first = min(r.ts_ms for r in readings)

    def state(minute: int) -> Iterator[tuple[int | None, int | None]]:
        now = T + minute * MINUTE
        for ap in aps:
            past = [r for r in latest.values() if r.ap == ap and r.ts_ms <= now]
            last = max(past, key=lambda r: r.ts_ms, default=None)
            if last is None or now >= last.ts_ms + last.interval_s * 1500:
                yield None, None
            elif last.up == 0:
                yield 0, 0
            elif last.clients is not None or last.up == 1:
                yield 1, last.clients
            else:
                yield None, None

    total = dict.fromkeys(["expected_ms", "up_ms", "down_ms", "clients_ms", "user_ms"], 0)
    peak: int | None = None
    for minute in range(window * 15, window * 15 + 15):
        if T + minute * MINUTE < first:
            continue
        states = list(state(minute))
        known = [clients for _, clients in states if clients is not None]
        total["expected_ms"] += len(aps) * MINUTE
        total["up_ms"] += sum(up == 1 for up, _ in states) * MINUTE
        total["down_ms"] += sum(up == 0 for up, _ in states) * MINUTE
        total["clients_ms"] += len(known) * MINUTE
        total["user_ms"] += sum(known) * MINUTE
        if known and len(known) >= 0.8 * len(aps):
            peak = max(sum(known), peak or 0)
    return {**total, "peak_clients": peak}


@settings(deadline=None, max_examples=60)
@given(st.lists(samples, min_size=1, max_size=25))
def test_windows_are_what_the_definitions_say(readings: list[Reading]) -> None:
    aps = ["a1", "a2", "a3"]
    found = usage(readings, aps=tuple(aps), windows=4)
    for window in range(4):
        expected = by_hand(readings, aps, window)
        if expected["expected_ms"] == 0:
            continue
        here = row(found, window=window)
        actual = {name: here[name] for name in expected}
        if actual["peak_clients"] is pd.NA:
            actual["peak_clients"] = None
        assert actual == expected


@settings(deadline=None, max_examples=25)
@given(st.lists(samples, min_size=1, max_size=25), st.data())
def test_order_and_repetition_change_nothing(readings: list[Reading], data: st.DataObject) -> None:
    unique = list({(r.ap, r.ts_ms): r for r in readings}.values())
    shuffled = data.draw(st.permutations(unique + unique[:5]))
    aps = ("a1", "a2", "a3")
    pd.testing.assert_frame_equal(
        usage(unique, aps=aps, windows=4), usage(list(shuffled), aps=aps, windows=4)
    )


@pytest.mark.parametrize("bad", [-5, -1])
def test_a_negative_client_count_is_unknown(bad: int) -> None:
    assert row(usage([at(0, clients=bad)]))["clients_ms"] == 0


def test_an_ap_that_moved_has_its_time_told_apart() -> None:
    readings = [at(0, site="s2", clients=5, rx_bytes=1), at(6, site="s1", clients=1, rx_bytes=9)]
    bounds = np.array([T, T + 2 * WINDOW_MS])
    found = both([*readings, at(12, clients=3, rx_bytes=29)], windows=2).aps.over(
        bounds, ["s1", "s2"]
    )
    here, there = found.to_dict("records")
    assert (here["site"], here["ap"], there["site"], there["ap"]) == ("s1", "a1", "s2", "a1")
    assert (here["end_ms"], there["end_ms"]) == (T + 2 * WINDOW_MS, T + 2 * WINDOW_MS)
    assert (here["user_ms"], there["user_ms"]) == ((6 + 3 * 7.5) * MINUTE, 5 * 6 * MINUTE)
    assert (here["peak_clients"], there["peak_clients"]) == (3, 5)
    # Nobody knows at which of its sites the traffic of the move was.
    assert (here["rx_bytes"], pd.isna(there["rx_bytes"])) == (20, True)
    assert (here["expected_ms"], there["expected_ms"]) == (24 * MINUTE, 6 * MINUTE)


def test_access_points_are_told_of_some_sites_and_of_whole_periods_of_them_only() -> None:
    readings = [at(m, ap, clients=1) for m in range(0, 45, 5) for ap in ("a2", "a1")]
    found = both(readings, aps=("a2", "a1"), windows=3).aps
    bounds = np.array([T - WINDOW_MS, T + WINDOW_MS, T + 2 * WINDOW_MS])
    told = found.over(bounds, ["s1"])
    # In the order of names; what is before the grid is not in the sum, what is after not told.
    assert told["ap"].tolist() == ["a1", "a1", "a2", "a2"]
    assert told["start_ms"].tolist() == [T - WINDOW_MS, T + WINDOW_MS] * 2
    assert told["user_ms"].tolist() == [15 * MINUTE] * 4
    assert found.over(bounds, ["s2", "nowhere"]).empty
    assert found.over(bounds + 10 * WINDOW_MS, ["s1"]).empty


wandering = st.builds(
    at,
    minutes,
    ap=st.sampled_from(["a1", "a2", "stray"]),
    site=st.sampled_from(["s1", "s1", "s2", "gone"]),
    up=st.sampled_from([None, 0, 1]),
    clients=st.none() | st.integers(0, 50),
    rx_bytes=st.none() | st.integers(0, 10**9),
    interval_s=st.sampled_from([120, 600, 1800]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(wandering, min_size=1, max_size=25))
def test_access_points_add_up_to_their_site(readings: list[Reading]) -> None:
    sites, aps = both(readings, aps=("a1", "a2"), windows=4, maintenance=((5, 25),))
    bounds = T + WINDOW_MS * np.arange(5)
    by_ap = aps.over(bounds, ["s1", "s2", "gone"])
    served = sites[(sites["expected_ms"] > 0) | sites["rx_bytes"].notna()]
    told = by_ap.groupby(["site", "start_ms"])
    for name in SAMPLED.keys() - {"aps", "peak_clients"}:
        whole = served.set_index(["site", "start_ms"])[name].sort_index()
        parts = told[name].sum(min_count=1).sort_index()
        pd.testing.assert_series_equal(parts, whole, check_exact=True)
    assert told.size().tolist() == served.sort_values(["site", "start_ms"])["aps"].tolist()
