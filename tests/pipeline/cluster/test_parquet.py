"""Partitions in Parquet answer as the store that they were written from."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cluster.parquet import ParquetFolder, ParquetPartitions, partition_folder
from pipeline.store.base import StoreError
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.expiry import look_back_ms
from tests.pipeline.cluster.week import DAY_MS, DAYS, END, HOUR_MS, START, deployment, samples


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path_factory.mktemp("store") / "spotwatch.db")) as found:
        found.write_samples(list(samples()))
        yield found


@pytest.fixture(scope="module")
def partitions(store: SqliteStore, tmp_path_factory: pytest.TempPathFactory) -> ParquetFolder:
    folder = tmp_path_factory.mktemp("partitions")
    return ParquetPartitions(deployment(), store, folder).ready(START, END)


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["ap", "ts_ms"], ignore_index=True)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, END),
        (START + 5 * HOUR_MS + 1, START + 5 * HOUR_MS + 2_000_000),
        (START + 3 * DAY_MS, START + 5 * DAY_MS),  # the clocks change in between
        (START + DAY_MS, START + DAY_MS),
    ],
)
def test_samples_of_a_window_are_those_of_the_store(
    store: SqliteStore, partitions: ParquetFolder, start: int, end: int
) -> None:
    expected = store.read_samples(start, end)
    pd.testing.assert_frame_equal(ordered(partitions.read_samples(start, end)), expected)
    assert start == end or len(expected)


@pytest.mark.parametrize("with_counters", [False, True])
@pytest.mark.parametrize("day", range(DAYS + 1))
def test_last_samples_are_those_of_the_store(
    store: SqliteStore, partitions: ParquetFolder, day: int, *, with_counters: bool
) -> None:
    before = START + day * DAY_MS
    since = before - look_back_ms(deployment())
    expected = store.last_samples(before, since, with_counters=with_counters)
    found = partitions.last_samples(before, since, with_counters=with_counters)
    pd.testing.assert_frame_equal(ordered(found), expected)


def test_a_partition_that_a_worker_cannot_reach_is_not_taken_for_a_day_without_samples(
    partitions: ParquetFolder, tmp_path: Path
) -> None:
    elsewhere = ParquetFolder(tmp_path / "not mounted", partitions.bounds)
    with pytest.raises(StoreError, match="every worker must reach"):
        elsewhere.read_samples(START, END)
    with pytest.raises(StoreError, match="not in its partitions"):
        partitions.read_samples(START, END + 10 * DAY_MS)


def test_only_the_days_that_are_needed_are_written(store: SqliteStore, tmp_path: Path) -> None:
    partitions = ParquetPartitions(deployment(), store, tmp_path)
    partitions.ready(START + 5 * DAY_MS, START + 6 * DAY_MS)
    first = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert (
        len(first) == 3
    )  # an hour off midnight: two days that it meets, and the one 36 hours before
    partitions.ready(START + 6 * DAY_MS, START + 7 * DAY_MS)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(after) == len(first) + 1
    assert first.items() <= after.items()


def test_the_folder_goes_and_what_was_beside_it_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with partition_folder(tmp_path) as made:
        (made / "1.parquet").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"), partition_folder(tmp_path / "file"):
        pytest.fail("it was made")
