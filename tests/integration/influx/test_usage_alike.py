"""The usage computed from InfluxDB is that computed from the embedded store, to the last bit."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle
from random import Random

import pandas as pd

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from pipeline.store.base import ApLevel, Level, Store
from pipeline.store.influx.store import InfluxStore
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.aggregator import Aggregator
from tests.integration.influx.conftest import City
from tests.pipeline.memory_store import MemoryState, city

START = 1_792_839_600_000  # 24 October 2026, 11:00 UTC: summer time ends in the night after
POLL_S = 300
HOUR_MS = 3_600_000
LEVELS: tuple[Level, ...] = ("15min", "hour", "day")
AP_LEVELS: tuple[ApLevel, ...] = ("hour", "day")
EVER = (0, 2**45)


def deployment() -> Deployment:
    sites = {"lib-1": "library", "senior, 2": "senior_centre", "park=3": "park"}
    return city(
        [Site(site=site, kind=kind) for site, kind in sites.items()],
        [
            AccessPoint(ap=f"{site}/{n}".replace("/", "-"), site=site, source="import")
            for site in sites
            for n in range(3)
        ],
    )


def samples(random: Random) -> Iterator[Reading]:
    """Thirty hours: outages, gaps, a counter that wraps, an AP that says little."""
    for ap in deployment().access_points.values():
        counter, says_little = random.randrange(2**32), ap.ap == "park=3-2"
        for ts_ms in range(START, START + 30 * HOUR_MS, POLL_S * 1000):
            counter = (counter + random.randrange(10**9)) % 2**32
            if random.random() < 0.05:
                continue
            up = int(random.random() > 0.03)
            yield Reading(
                ap.ap,
                ap.site,
                ts_ms + random.randrange(1000),
                up=up,
                clients=random.randrange(30) if up and not says_little else None,
                rx_bytes=counter if up and not says_little else None,
                tx_bytes=2 * counter % 2**32 if up else None,
                counter_bits=32,
                channel_utilisation=random.random() * 100,
                interval_s=POLL_S,
            )


def usage_of(store: Store, feed: Callable[[list[Reading]], None]) -> dict[str, pd.DataFrame]:
    """As a daemon would: windows closed every hour, a part of the samples late."""
    random = Random(7)
    ordered = sorted(samples(random), key=lambda r: (r.ts_ms, r.ap))
    late = [r for r in ordered if random.random() < 0.1]
    in_time = sorted(set(ordered) - set(late), key=lambda r: (r.ts_ms, r.ap))
    state = MemoryState()
    aggregator = Aggregator(deployment(), store, state)
    for hour in range(31):
        now = START + hour * HOUR_MS
        feed([r for r in in_time if now - HOUR_MS <= r.ts_ms < now])
        aggregator.close_windows(now)
    feed(late)
    aggregator.recompute(START, START + 30 * HOUR_MS)
    of_sites = {str(level): store.read_usage(level, *EVER) for level in LEVELS}
    of_aps = {f"AP {level}": store.read_ap_usage(level, *EVER) for level in AP_LEVELS}
    return {**of_sites, **of_aps}


def test_usage_from_both_stores_is_equal(city: City, store: InfluxStore) -> None:
    gets_through = cycle([False, True])

    def feed(readings: list[Reading]) -> None:
        store.write_samples(readings)
        if next(gets_through):
            store.forwarder.drain()

    ours = usage_of(store, feed)
    with closing(SqliteStore(city.folder / "spotwatch.db")) as embedded:
        theirs = usage_of(embedded, embedded.write_samples)
    for kind, frame in ours.items():
        assert len(frame) > 0
        pd.testing.assert_frame_equal(frame, theirs[kind])
    assert len(ours["15min"]) == 3 * 30 * 4 - 3 * 1  # the grace keeps the last window open
    assert ours["15min"]["rx_bytes"].sum() > 0
