"""Usage computed by two worker processes, against what this one computes."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from distributed import LocalCluster
from pydantic import SecretStr

from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.cluster import computer
from pipeline.cluster.computer import ClusterComputer, ClusterError, connected
from pipeline.cluster.influx import InfluxPartitions
from pipeline.cluster.job import Partitions, Source
from pipeline.cluster.parquet import ParquetFolder, ParquetPartitions
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.aggregator import Aggregator
from tests.pipeline.cluster.week import END, HOUR_MS, START, deployment, samples
from tests.pipeline.memory_store import MemoryState
from tests.pipeline.stored_usage import StoredUsage, assert_same_usage, stored_usage


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of samples whose usage was not computed yet."""
    path = tmp_path_factory.mktemp("store") / "spotwatch.db"
    with closing(SqliteStore(path)) as found:
        found.write_samples(list(samples()))
    return path


@pytest.fixture
def store(file: Path, tmp_path: Path) -> Iterator[SqliteStore]:
    shutil.copy(file, tmp_path)
    with closing(SqliteStore(tmp_path / file.name)) as found:
        yield found


@pytest.fixture(scope="module")
def local(file: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredUsage:
    """What this process alone computes and writes."""
    path = Path(shutil.copy(file, tmp_path_factory.mktemp("local")))
    with closing(SqliteStore(path)) as store:
        Aggregator(deployment(), store, state()).recompute(START, END)
        return stored_usage(store)


@pytest.fixture
def partitions(store: SqliteStore, tmp_path: Path) -> ParquetPartitions:
    (tmp_path / "partitions").mkdir()
    return ParquetPartitions(deployment(), store, tmp_path / "partitions")


def state() -> MemoryState:
    found = MemoryState()
    found.closed = END
    return found


def recomputed(
    cluster: LocalCluster, store: SqliteStore, partitions: Partitions, city: Deployment
) -> int:
    with connected(cluster.scheduler_address) as client:
        spread = ClusterComputer(city, client, partitions)
        return Aggregator(city, store, state(), spread).recompute(START, END)


def test_a_cluster_writes_what_one_machine_writes(
    cluster: LocalCluster, store: SqliteStore, local: StoredUsage, partitions: ParquetPartitions
) -> None:
    rows = recomputed(cluster, store, partitions, deployment())
    assert rows == len(local["15min"])
    assert_same_usage(stored_usage(store), local)


class Murderous:
    """Kills a worker while it has work."""

    def __init__(self, inner: Partitions, cluster: LocalCluster) -> None:
        self.inner = inner
        self.workers = iter(list(cluster.workers.values()))
        self.asked = 0

    def ready(self, start_ms: int, end_ms: int) -> Source:
        self.asked += 1
        if self.asked == 3:
            os.kill(next(self.workers).process.pid, signal.SIGKILL)
        return self.inner.ready(start_ms, end_ms)


def test_the_work_of_a_worker_that_dies_is_done_again(
    cluster: LocalCluster, store: SqliteStore, local: StoredUsage, partitions: ParquetPartitions
) -> None:
    recomputed(cluster, store, Murderous(partitions, cluster), deployment())
    assert_same_usage(stored_usage(store), local)


class Unmounted:
    """From some day on, in a folder that no worker sees."""

    def __init__(self, inner: ParquetPartitions, folder: Path) -> None:
        self.inner = inner
        self.folder = folder

    def ready(self, start_ms: int, end_ms: int) -> ParquetFolder:
        found = self.inner.ready(start_ms, end_ms)
        return (
            found if start_ms < START + 72 * HOUR_MS else ParquetFolder(self.folder, found.bounds)
        )


def test_a_task_that_fails_is_named_and_all_can_be_done_again(
    cluster: LocalCluster,
    store: SqliteStore,
    local: StoredUsage,
    partitions: ParquetPartitions,
    tmp_path: Path,
) -> None:
    failing = Unmounted(partitions, tmp_path / "not mounted")
    with pytest.raises(ClusterError, match=r"2026-10-24 22:00 .*not mounted.* same command again"):
        recomputed(cluster, store, failing, deployment())
    written, whole = stored_usage(store)["15min"], local["15min"]
    before = whole[whole["start_ms"] < START + 72 * HOUR_MS].reset_index(drop=True)
    pd.testing.assert_frame_equal(written, before)
    assert recomputed(cluster, store, partitions, deployment()) == len(local["15min"])
    assert_same_usage(stored_usage(store), local)


def test_no_secret_shows_in_the_logs_of_a_cluster(
    cluster: LocalCluster, store: SqliteStore, capfd: pytest.CaptureFixture[str]
) -> None:
    server = InfluxdbStore(
        kind="influxdb", url="http://127.0.0.1:9", org="city", token=SecretStr("the-token")
    )
    away = InfluxPartitions(server, settle=lambda: None)
    with pytest.raises(ClusterError, match="cannot be reached") as failed:
        recomputed(cluster, store, away, deployment())
    with connected(cluster.scheduler_address) as client:
        logs = str(client.get_worker_logs()) + str(client.get_scheduler_logs())
    assert "cannot be reached" in logs
    assert "the-token" not in logs + str(failed.value) + "".join(capfd.readouterr())


def test_another_version_on_a_worker_is_refused(
    cluster: LocalCluster,
    store: SqliteStore,
    partitions: ParquetPartitions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.cluster.job.version", lambda _: "0.0.1")
    with pytest.raises(ClusterError, match=r"Spotwatch .*, the coordinator 0\.0\.1; install"):
        recomputed(cluster, store, partitions, deployment())


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer, "CONNECT_S", 0.5)
    with (
        pytest.raises(ClusterError, match="no Dask scheduler answers"),
        connected("tcp://127.0.0.1:9"),
    ):
        pytest.fail("it answered")


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ClusterError, match="tcp://10"), connected("carrier-pigeon://roof"):
        pytest.fail("it answered")
