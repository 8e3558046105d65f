"""Computing on a Dask cluster: an extra, so nothing imports this module before it is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.options import fail
from cli.stores import settle
from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.cluster.computer import ClusterComputer, ClusterError, connected
from pipeline.cluster.influx import InfluxPartitions
from pipeline.cluster.job import Partitions
from pipeline.cluster.parquet import ParquetPartitions, partition_folder
from pipeline.store.base import Store
from pipeline.usage.compute import Chunks


@contextmanager
def on_cluster(
    deployment: Deployment, store: Store, address: str, folder: Path | None
) -> Iterator[Chunks]:
    """Compute on the workers of a scheduler; what it cannot do is one message and exit code 1.

    `folder`: where the samples of an embedded store are put meanwhile; by default in `state_dir`.
    """
    try:
        with (
            connected(address) as client,
            _partitions(deployment, store, folder) as partitions,
        ):
            yield ClusterComputer(deployment, client, partitions)
    except ClusterError as error:
        raise fail(str(error)) from error


@contextmanager
def _partitions(deployment: Deployment, store: Store, folder: Path | None) -> Iterator[Partitions]:
    chosen = deployment.settings.store
    if isinstance(chosen, InfluxdbStore):
        yield InfluxPartitions(chosen, lambda: settle(store))
        return
    with partition_folder(folder or deployment.state_dir / "partitions") as made:
        yield ParquetPartitions(deployment, store, made)
