"""The store in memory answers as the one on disk does."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from config.settings import Settings
from pipeline.evaluation.memory import ApSamples, MemoryStore, by_column
from pipeline.state import State
from pipeline.store.base import StoreError
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.reader import UsageReader

START = 1_742_770_800_000  # Monday 24 March 2025, midnight in Brussels
STEP = 900_000
N = 400


@pytest.fixture(scope="module")
def heard() -> list[ApSamples]:
    random = np.random.default_rng(1)
    found = []
    for ap, site in (("b", "lib"), ("a", "park"), ("c", "lib")):
        kept = np.flatnonzero(random.random(N) < 0.9)
        ts_ms = START + STEP * kept + 1000 * random.integers(0, 60, len(kept))
        up = random.random(len(kept)) < 0.8
        found.append(ApSamples(ap, site, ts_ms, up, random.poisson(3, len(kept))))
    return found


@pytest.fixture(scope="module")
def memory(heard: list[ApSamples]) -> MemoryStore:
    return MemoryStore(by_column(heard, 900))


@pytest.fixture(scope="module")
def disk(heard: list[ApSamples], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path_factory.mktemp("store") / "samples.db")) as store:
        store.write_samples(
            [
                Reading(one.ap, one.site, int(ts), int(up), int(n) if up else None, interval_s=900)
                for one in heard
                for ts, up, n in zip(one.ts_ms, one.up, one.clients, strict=True)
            ]
        )
        yield store


def deployment(folder: Path) -> Deployment:
    aps = {"a": "park", "b": "lib", "c": "lib"}
    return Deployment(
        folder=folder,
        settings=Settings(city="Testville", timezone="Europe/Brussels"),
        sites={s: Site(site=s, kind="library") for s in ("lib", "park")},
        access_points={
            ap: AccessPoint(ap=ap, site=site, source="import", poll_seconds=900)
            for ap, site in aps.items()
        },
    )


def test_samples(memory: MemoryStore, disk: SqliteStore) -> None:
    middle = START + 200 * STEP
    for sites in (None, ["lib"], ["park"], []):
        pd.testing.assert_frame_equal(
            memory.read_samples(START, middle, sites=sites),
            disk.read_samples(START, middle, sites=sites),
        )
        pd.testing.assert_frame_equal(
            memory.last_samples(middle, START, sites=sites),
            disk.last_samples(middle, START, sites=sites),
        )
    assert memory.last_samples(middle, START, with_counters=True).empty
    assert memory.next_counter_ms("a", START, middle) is None
    assert memory.span() == disk.span()
    assert memory.moved_aps() == disk.moved_aps() == {}


def test_usage_is_the_aggregators(memory: MemoryStore, disk: SqliteStore, tmp_path: Path) -> None:
    city = deployment(tmp_path)
    until = memory.aggregate(city)
    assert until == START + N * STEP
    with closing(State(tmp_path / "state.db")) as state:
        Aggregator(city, disk, state).close_windows(until + 120_000)
        assert state.closed_until_ms() == until
        ours = UsageReader(city, memory, until).windows(START, until)
        theirs = UsageReader(city, disk, until).windows(START, until)
    assert len(ours) == 2 * N
    pd.testing.assert_frame_equal(ours, theirs)


def test_it_takes_nothing_and_keeps_no_days(memory: MemoryStore) -> None:
    with pytest.raises(StoreError, match="takes none"):
        memory.write_samples([])
    with pytest.raises(StoreError, match="takes none"):
        memory.write_usage("15min", memory.read_usage("15min", 0, 1))
    with pytest.raises(StoreError, match="15 minutes only"):
        memory.read_usage("day", 0, 1)
