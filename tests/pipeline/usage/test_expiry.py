"""Usage outlives the samples that it was computed from."""

import pandas as pd
from pydantic import SecretStr

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from config.settings import InfluxdbStore
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.expiry import computable_since_ms, samples_kept_since_ms
from pipeline.usage.periods import WINDOW_MS
from tests.pipeline.memory_store import MemoryState, MemoryStore, city

T = 1_790_000_100_000
DAY_MS = 86_400_000
RAW_DAYS = 8


def deployment(*, influxdb: bool) -> Deployment:
    found = city(
        [Site(site=site, kind="library") for site in ("s1", "s2")],
        [AccessPoint(ap=f"a{n}", site=f"s{n}", source="import") for n in (1, 2)],
    )
    if not influxdb:
        return found
    store = InfluxdbStore(
        kind="influxdb", url="http://h:8086", org="o", token=SecretStr("t"), raw_days=RAW_DAYS
    )
    settings = found.settings.model_copy(update={"store": store})
    return found.model_copy(update={"settings": settings})


def samples(since_ms: int, days: int, site: int = 1) -> list[Reading]:
    return [
        Reading(f"a{site}", f"s{site}", since_ms + i * WINDOW_MS, interval_s=900, clients=3)
        for i in range(days * 96)
    ]


def usage(store: MemoryStore) -> pd.DataFrame:
    return store.read_usage("15min", 0, 2**60)


def test_a_late_sample_empties_no_usage_whose_samples_have_expired() -> None:
    here, store, state = deployment(influxdb=True), MemoryStore(), MemoryState()
    store.write_samples(samples(T, 10))
    now_ms = T + 10 * DAY_MS
    Aggregator(here, store, state).close_windows(T + 7 * DAY_MS)
    Aggregator(here, store, state).close_windows(now_ms)
    before = usage(store)
    kept = MemoryStore()
    kept.write_usage("15min", before)
    kept.write_samples([s for s in samples(T, 10) if s.ts_ms >= now_ms - RAW_DAYS * DAY_MS])
    state.mark_dirty([("s1", T, T + 4 * DAY_MS)])
    Aggregator(here, kept, state).close_windows(now_ms)
    after = usage(kept)
    gone = before["end_ms"] <= now_ms - RAW_DAYS * DAY_MS
    assert gone.sum() > 150
    pd.testing.assert_frame_equal(after[gone], before[gone])
    assert after["user_ms"].sum() == before["user_ms"].sum()
    assert state.dirty() == []


def test_a_site_that_fell_silent_stays_in_service_when_its_first_samples_expire() -> None:
    """Else the weeks of silence would turn from not covered into not expected."""
    here, store, state = deployment(influxdb=True), MemoryStore(), MemoryState()
    now_ms = T + 14 * DAY_MS
    heard = [*samples(T, 5), *samples(T + 13 * DAY_MS, 1), *samples(T, 14, site=2)]
    store.write_samples(heard)
    for day in range(1, 15):
        Aggregator(here, store, state).close_windows(T + day * DAY_MS)
    before = usage(store)
    kept = MemoryStore()
    kept.write_usage("15min", before)
    kept.write_usage("day", store.read_usage("day", 0, 2**60))
    kept.write_samples([s for s in heard if s.ts_ms >= now_ms - RAW_DAYS * DAY_MS])
    since = computable_since_ms(here, now_ms)
    assert since is not None
    assert Aggregator(here, kept, state).recompute(since, now_ms) > 0
    silent = usage(kept)
    silent = silent[silent["site"] == "s1"]
    silent = silent[(silent["start_ms"] >= since) & (silent["end_ms"] <= T + 13 * DAY_MS)]
    assert len(silent) > 300
    assert (silent["expected_ms"] == WINDOW_MS).all()
    assert (silent["covered_ms"] == 0).all()
    pd.testing.assert_frame_equal(usage(kept), before)


def test_the_embedded_store_keeps_every_sample() -> None:
    assert samples_kept_since_ms(deployment(influxdb=False), T) is None
    assert computable_since_ms(deployment(influxdb=False), T) is None


def test_what_a_window_needs_of_the_time_before_it_is_kept_too() -> None:
    here = deployment(influxdb=True)
    kept, computable = samples_kept_since_ms(here, T), computable_since_ms(here, T)
    assert kept == T - RAW_DAYS * DAY_MS
    assert computable is not None
    # A sample may hold for 1.5 poll intervals of a day; a counter be compared over 24 hours.
    assert 1.5 * DAY_MS <= computable - kept < 1.5 * DAY_MS + WINDOW_MS
    assert computable % WINDOW_MS == 0
