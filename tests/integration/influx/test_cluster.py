"""Workers of a cluster that read InfluxDB themselves."""

from contextlib import closing

from pydantic import SecretStr

from config.settings import InfluxdbStore
from pipeline.cluster.computer import ClusterComputer, connected
from pipeline.cluster.influx import InfluxPartitions
from pipeline.store.influx.store import InfluxStore
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.aggregator import Aggregator
from tests.integration.influx.conftest import TOKEN, City
from tests.pipeline.cluster.two_workers import two_workers
from tests.pipeline.cluster.week import END, START, deployment, samples
from tests.pipeline.memory_store import MemoryState
from tests.pipeline.stored_usage import assert_same_usage, stored_usage


def test_a_cluster_computes_from_influxdb_what_one_machine_computes(
    city: City, store: InfluxStore
) -> None:
    state = MemoryState()
    state.closed = END
    readings = list(samples())
    # The half of them waits in this machine's spool, where no worker can read it.
    store.write_samples(readings[::2])
    store.forwarder.drain()
    store.write_samples(readings[1::2])
    with closing(SqliteStore(city.folder / "spotwatch.db")) as embedded:
        embedded.write_samples(readings)
        Aggregator(deployment(), embedded, state).recompute(START, END)
        expected = stored_usage(embedded)
    server = InfluxdbStore(
        kind="influxdb",
        url=city.proxy.url,
        org="city",
        token=SecretStr(TOKEN),
        bucket=city.name,
    )
    with two_workers() as cluster, connected(cluster.scheduler_address) as client:
        partitions = InfluxPartitions(server, store.forwarder.drain)
        spread = ClusterComputer(deployment(), client, partitions)
        Aggregator(deployment(), store, state, spread).recompute(START, END)
    assert_same_usage(stored_usage(store), expected)
