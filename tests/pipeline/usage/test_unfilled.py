"""What an older version did not keep, or the files have made longer, is computed once."""

import pandas as pd
import pytest

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from pipeline.store.base import ApLevel
from pipeline.usage import compute
from pipeline.usage.aggregator import Aggregator
from tests.pipeline.memory_store import MemoryState, MemoryStore, city

# Monday 2 November 2026, 23:10 in Brussels.
T = 1_793_657_400_000
HOUR = 3_600_000
SAMPLES = [Reading("a1", "s1", T + i * 300_000, clients=i % 5) for i in range(40 * 12)]
LATER = T + 41 * HOUR


class Full(Exception):  # noqa: N818 - not an error of ours
    pass


class Writing(MemoryStore):
    """Counts what is written, and takes only so much of it."""

    def __init__(self, room: int = 10**6) -> None:
        super().__init__()
        self.room = room
        self.written = 0

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        self.written += len(usage)
        if self.written > self.room:
            raise Full
        super().write_ap_usage(level, usage)


def deployment() -> Deployment:
    sites = [Site(site="s1", kind="library"), Site(site="bare", kind="park")]
    return city(sites, [AccessPoint(ap="a1", site="s1", source="import")])


def kept(store: MemoryStore) -> list[pd.DataFrame]:
    return [store.read_ap_usage(level, 0, 2**60) for level in ("hour", "day")]


@pytest.fixture
def whole() -> list[pd.DataFrame]:
    store = MemoryStore()
    store.write_samples(SAMPLES)
    Aggregator(deployment(), store, MemoryState()).close_windows(LATER)
    return kept(store)


def of_an_older_version(store: MemoryStore, state: MemoryState) -> None:
    store.write_samples(SAMPLES)
    Aggregator(deployment(), store, state).close_windows(LATER - 20 * HOUR)
    for rows in store.ap_usage.values():
        rows.clear()


def test_the_past_of_access_points_is_filled_in_once(whole: list[pd.DataFrame]) -> None:
    store, state = Writing(), MemoryState()
    of_an_older_version(store, state)
    Aggregator(deployment(), store, state).close_windows(LATER)
    for found, wanted in zip(kept(store), whole, strict=True):
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    store.written = 0
    Aggregator(deployment(), store, state).close_windows(LATER)
    assert store.written == 0


def test_filling_in_goes_on_after_a_crash(
    monkeypatch: pytest.MonkeyPatch, whole: list[pd.DataFrame]
) -> None:
    monkeypatch.setattr(compute, "MAX_CELLS", 30)
    store, state = Writing(), MemoryState()
    of_an_older_version(store, state)
    store.written, store.room = 0, 25
    with pytest.raises(Full):
        Aggregator(deployment(), store, state).close_windows(LATER)
    assert not kept(store)[0].empty
    store.room = 10**6
    Aggregator(deployment(), store, state).close_windows(LATER)
    for found, wanted in zip(kept(store), whole, strict=True):
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)


def test_a_day_that_was_kept_in_part_is_made_whole(whole: list[pd.DataFrame]) -> None:
    """As a version between the two left it, which began at some hour to keep access points."""
    store, state = MemoryStore(), MemoryState()
    store.write_samples(SAMPLES)
    Aggregator(deployment(), store, state).close_windows(LATER)
    for key in [key for key in store.ap_usage["hour"] if key[2] < T + 9 * HOUR]:
        del store.ap_usage["hour"][key]
    days = store.ap_usage["day"]
    del days[min(days)]
    days[min(days)]["user_ms"] //= 2
    Aggregator(deployment(), store, state).close_windows(LATER)
    for found, wanted in zip(kept(store), whole, strict=True):
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
