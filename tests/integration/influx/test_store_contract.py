"""Both stores keep the promises of `pipeline.store.base.Store`, and answer alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.reading import MAX_COUNTER, Reading
from pipeline.store.base import ApLevel, Level, Store
from pipeline.store.influx.frames import SAMPLE_TYPES
from pipeline.store.influx.store import InfluxStore
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.store.sqlite import SqliteStore
from tests.integration.influx.conftest import City
from tests.integration.influx.influxd import Influxd
from tests.integration.influx.proxy import Proxy
from tests.integration.influx.rows import ap_usage, ap_usage_row, usage, usage_row

T = 1_790_000_000_000
EVER = (0, 2**50)
STORES = ("sqlite", "influx, sent", "influx, still in the spool")


@pytest.fixture(params=STORES)
def settled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Gives the store; what was written before has arrived where the parameter says."""
    if request.param == "sqlite":
        sqlite = SqliteStore(tmp_path / "spotwatch.db")
        yield lambda: sqlite
        sqlite.close()
        return
    influx: InfluxStore = request.getfixturevalue("store")

    def settle() -> Store:
        if request.param == "influx, sent":
            influx.forwarder.drain()
        return influx

    yield settle


def readings(frame: pd.DataFrame) -> list[Reading]:
    """A frame as readings; NA is None."""
    rows = frame.astype(object).itertuples(index=False)
    return [Reading._make(None if value is pd.NA else value for value in row) for row in rows]


def test_samples_come_back_as_written_typed_and_sorted(settled: Callable[[], Store]) -> None:
    written = [
        Reading("b", "lib-1", T + 1, up=0),
        Reading("a, =1\\2", "senior, 2", T, 1, 3, 1, 2, 0, MAX_COUNTER, 2**53 + 1, 64, 7, 12.5, 60),
        Reading("a, =1\\2", "senior, 2", T - 1, clients=0, channel_utilisation=0.0),
    ]
    settled().write_samples(written)
    frame = settled().read_samples(T - 1, T + 2)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == SAMPLE_TYPES
    assert isinstance(frame.index, pd.RangeIndex)
    assert readings(frame) == [written[2], written[1], written[0]]


def test_a_window_holds_its_start_and_not_its_end(settled: Callable[[], Store]) -> None:
    settled().write_samples([Reading("a", "lib-1", T + i, clients=i) for i in range(4)])
    assert settled().read_samples(T + 1, T + 3)["ts_ms"].tolist() == [T + 1, T + 2]


def test_nothing_stored_reads_as_typed_empty_frames(settled: Callable[[], Store]) -> None:
    store = settled()
    for frame in (store.read_samples(*EVER), store.last_samples(T, 0), store.read_samples(T, T)):
        assert frame.empty
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == SAMPLE_TYPES
    empty = store.read_usage("hour", *EVER)
    assert empty.empty
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == USAGE_COLUMNS
    empty = store.read_ap_usage("hour", *EVER)
    assert empty.empty
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == AP_USAGE_COLUMNS
    assert store.span() == {}
    assert store.next_counter_ms("a", 0, T) is None


def test_a_rewrite_overwrites_what_it_carries_and_keeps_the_rest(
    settled: Callable[[], Store],
) -> None:
    settled().write_samples([Reading("a", "lib-1", T, up=1, clients=3, rx_bytes=10)])
    settled().write_samples([Reading("a", "lib-1", T, clients=4, tx_bytes=20, interval_s=60)])
    (sample,) = readings(settled().read_samples(*EVER))
    assert sample == Reading(
        "a", "lib-1", T, up=1, clients=4, rx_bytes=10, tx_bytes=20, interval_s=60
    )


def test_a_sample_whose_site_changed_is_one_sample_at_the_new_site(
    settled: Callable[[], Store],
) -> None:
    settled().write_samples([Reading("a", "lib-1", T + i, clients=i) for i in range(3)])
    settled().write_samples([Reading("a", "park=3", T + 1, up=1)])
    store = settled()
    assert store.read_samples(*EVER, sites=["lib-1"])["ts_ms"].tolist() == [T, T + 2]
    assert readings(store.read_samples(*EVER, sites=["park=3"])) == [
        Reading("a", "park=3", T + 1, up=1, clients=1)
    ]
    assert len(store.read_samples(*EVER)) == 3


def test_the_last_sample_of_an_ap_that_moved_is_at_its_new_site(
    settled: Callable[[], Store],
) -> None:
    settled().write_samples([Reading("a", "lib-1", T), Reading("b", "lib-1", T)])
    settled().write_samples([Reading("a", "park=3", T + 1)])
    store = settled()
    assert store.last_samples(T + 9, T, sites=["lib-1"])["ap"].tolist() == ["b"]
    assert store.last_samples(T + 9, T)["ts_ms"].tolist() == [T + 1, T]


def test_usage_comes_back_as_written_typed_and_sorted(settled: Callable[[], Store]) -> None:
    rows = usage(
        usage_row("senior, 2", T, aps=2, user_ms=2**60, rx_bytes=2**53 + 1),
        usage_row("lib-1", T + 900_000, peak_clients=3),
        usage_row("lib-1", T, covered_ms=5),
        usage_row("in no file", T, covered_ms=5),
    )
    settled().write_usage("15min", rows)
    expected = rows.sort_values(["site", "start_ms"], ignore_index=True)
    pd.testing.assert_frame_equal(settled().read_usage("15min", *EVER), expected)
    assert settled().read_usage("hour", *EVER).empty
    only = settled().read_usage("15min", T, T + 1, sites=["lib-1", "park=3"])
    assert only["covered_ms"].tolist() == [5]


def test_usage_that_became_unknown_is_unknown(settled: Callable[[], Store]) -> None:
    """A store that merges rows would keep the old peak for ever."""
    known = [usage_row("lib-1", T + i, peak_clients=i, rx_bytes=i, tx_bytes=i) for i in range(4)]
    settled().write_usage("15min", usage(*known))
    again = [
        usage_row("lib-1", T + 1, rx_bytes=9, tx_bytes=1),
        usage_row("lib-1", T + 2, peak_clients=2, rx_bytes=2, tx_bytes=2),
    ]
    settled().write_usage("15min", usage(*again))
    expected = usage(known[0], *again, known[3])
    pd.testing.assert_frame_equal(settled().read_usage("15min", *EVER), expected)


def test_who_was_there_is_known_where_it_was_watched_and_else_unknown(
    settled: Callable[[], Store],
) -> None:
    rows = usage(
        usage_row("lib-1", T, watched_ms=900_000, sessions=4, passers_by=2, device_days=3,
                  randomised_device_days=1),
        usage_row("lib-1", T + 900_000, watched_ms=900_000, sessions=0, device_days=0),
        usage_row("lib-1", T + 1_800_000),
    )  # fmt: skip
    settled().write_usage("15min", rows)
    pd.testing.assert_frame_equal(settled().read_usage("15min", *EVER), rows)


def test_usage_of_access_points_comes_back_as_written_typed_and_sorted(
    settled: Callable[[], Store],
) -> None:
    """An AP that moved has rows at both sites; two sites' APs may share a name with neither."""
    rows = ap_usage(
        ap_usage_row("senior, 2", "ap 2, =1", T, expected_ms=5, user_ms=2**60),
        ap_usage_row("lib-1", "b", T + 3_600_000, peak_clients=3, rx_bytes=2**53 + 1),
        ap_usage_row("lib-1", "b", T, sessions=2, passers_by=0, device_days=1),
        ap_usage_row("lib-1", "ap 2, =1", T + 3_600_000, covered_ms=7, up_ms=7),
        ap_usage_row("in no file", "c", T, watched_ms=8),
    )
    settled().write_ap_usage("hour", rows)
    expected = rows.sort_values(["site", "ap", "start_ms"], ignore_index=True)
    pd.testing.assert_frame_equal(settled().read_ap_usage("hour", *EVER), expected)
    only = settled().read_ap_usage("hour", T, T + 1, sites=["lib-1", "park=3"])
    assert only["ap"].tolist() == ["b"]
    assert settled().read_ap_usage("day", *EVER).empty
    assert settled().read_usage("hour", *EVER).empty
    assert settled().span() == {}


def test_a_row_of_an_access_point_is_replaced_whole_and_its_neighbours_stay(
    settled: Callable[[], Store],
) -> None:
    known = [
        ap_usage_row("lib-1", ap, T + i, peak_clients=i, rx_bytes=i, sessions=i, device_days=i)
        for ap in ("a", "b")
        for i in range(4)
    ]
    settled().write_ap_usage("day", ap_usage(*known))
    again = ap_usage_row("lib-1", "b", T + 1, peak_clients=9, sessions=5)
    settled().write_ap_usage("day", ap_usage(again))
    expected = ap_usage(*known[:5], again, *known[6:])
    pd.testing.assert_frame_equal(settled().read_ap_usage("day", *EVER), expected)


APS, SITES = ("a", "b"), ("lib-1", "senior, 2", "park=3")
quantity = st.none() | st.integers(0, 3)
a_reading = st.builds(
    Reading,
    ap=st.sampled_from(APS),
    site=st.sampled_from(SITES),
    ts_ms=st.integers(T, T + 4),
    up=st.none() | st.integers(0, 1),
    clients=quantity,
    clients_2g=quantity,
    clients_5g=st.none(),
    clients_6g=st.none(),
    counter_bits=st.none(),
    uptime_s=st.none(),
    interval_s=st.just(300),
    rx_bytes=quantity,
    tx_bytes=quantity,
    channel_utilisation=st.none() | st.floats(0, 100),
)
a_round = st.tuples(st.lists(a_reading, max_size=6), st.booleans())


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rounds=st.lists(a_round, min_size=1, max_size=5))
def test_any_writes_read_alike_from_both(
    rounds: list[tuple[list[Reading], bool]],
    influxd: Influxd,
    proxy: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rewrites, moves between sites and unknown values, each sent or still in the spool."""
    folder = tmp_path_factory.mktemp("alike")
    influx = City(influxd, proxy, folder).store()
    sqlite = SqliteStore(folder / "spotwatch.db")
    try:
        for written, sent in rounds:
            influx.write_samples(written)
            sqlite.write_samples(written)
            if sent:
                influx.forwarder.drain()
            assert_alike(influx, sqlite)
        influx.forwarder.drain()
        assert_alike(influx, sqlite)
        assert influx.span() == sqlite.span()
    finally:
        influx.close()
        sqlite.close()


def assert_alike(one: Store, other: Store) -> None:
    for sites in (None, SITES[:1], SITES[1:]):
        for start, end in ((T, T + 5), (T + 1, T + 3)):
            pd.testing.assert_frame_equal(
                one.read_samples(start, end, sites=sites),
                other.read_samples(start, end, sites=sites),
            )
            for with_counters in (False, True):
                pd.testing.assert_frame_equal(
                    one.last_samples(end, start, sites=sites, with_counters=with_counters),
                    other.last_samples(end, start, sites=sites, with_counters=with_counters),
                )
    for ap in APS:
        assert one.next_counter_ms(ap, T, T + 4) == other.next_counter_ms(ap, T, T + 4)


@pytest.mark.parametrize("level", ["15min", "hour", "day"])
def test_usage_under_a_new_kind_or_commune_replaces_the_old_row(
    level: Level, open_store: Callable[..., InfluxStore]
) -> None:
    """Kind and commune are tags in InfluxDB: another tag would be another row."""
    before = open_store(site_tags={"lib-1": ("library", None), "park=3": ("park", "Mons")})
    rows = [usage_row(site, T + i, aps=1) for site in ("lib-1", "park=3") for i in range(3)]
    before.write_usage(level, usage(*rows))
    after = open_store(site_tags={"lib-1": ("school", "Charleroi"), "park=3": ("park", "Mons")})
    mended = usage_row("lib-1", T + 1, aps=2)
    after.write_usage(level, usage(mended))
    expected = usage(rows[0], mended, *rows[2:])
    for store in (before, after):
        pd.testing.assert_frame_equal(store.read_usage(level, *EVER), expected)


@pytest.mark.parametrize("level", ["hour", "day"])
def test_usage_of_access_points_under_a_new_kind_or_commune_replaces_the_old_row(
    level: ApLevel, open_store: Callable[..., InfluxStore]
) -> None:
    before = open_store(site_tags={"lib-1": ("library", None), "park=3": ("park", "Mons")})
    rows = [
        ap_usage_row(site, ap, T + i, user_ms=1)
        for site in ("lib-1", "park=3")
        for ap in ("a", "b")
        for i in range(2)
    ]
    before.write_ap_usage(level, ap_usage(*rows))
    after = open_store(site_tags={"lib-1": ("school", "Charleroi"), "park=3": ("park", "Mons")})
    mended = ap_usage_row("lib-1", "b", T + 1, user_ms=2)
    after.write_ap_usage(level, ap_usage(mended))
    expected = ap_usage(*rows[:3], mended, *rows[4:])
    for store in (before, after):
        pd.testing.assert_frame_equal(store.read_ap_usage(level, *EVER), expected)


def test_points_from_before_a_field_came_to_be_lack_it(city: City, store: InfluxStore) -> None:
    """Usage that an earlier Spotwatch wrote, as it wrote it."""
    head = "usage_hour,commune=Charleroi,kind=library,site=lib-1"
    fields = (
        "end_ms=1790003600000i,aps=2i,expected_ms=7200000i,covered_ms=7200000i,up_ms=7200000i,"
        "down_ms=0i,maintenance_ms=0i,clients_ms=7200000i,user_ms=9i,peak_clients=3i,rx_bytes=1i,"
        "tx_bytes=2i"
    )
    city.server().write(city.usage, [f"{head} {fields} {T}".encode()])
    old = usage_row(
        "lib-1", T, end_ms=T + 3_600_000, aps=2, expected_ms=7_200_000, covered_ms=7_200_000,
        up_ms=7_200_000, clients_ms=7_200_000, user_ms=9, peak_clients=3, rx_bytes=1, tx_bytes=2,
    )  # fmt: skip
    pd.testing.assert_frame_equal(store.read_usage("hour", *EVER), usage(old))
    later = usage_row("lib-1", T + 3_600_000, watched_ms=5, sessions=1)
    store.write_usage("hour", usage(later))
    pd.testing.assert_frame_equal(store.read_usage("hour", *EVER), usage(old, later))
