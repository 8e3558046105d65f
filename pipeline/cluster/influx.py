"""Samples that workers of a cluster read from InfluxDB themselves."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from config.settings import InfluxdbStore
from pipeline.spool.spool import Spool
from pipeline.store.influx.server import InfluxServer
from pipeline.store.influx.store import InfluxStore


@dataclass(frozen=True, slots=True)
class InfluxSource:
    """A server, its buckets and the token to them, which no repr shows. A `job.Source`."""

    server: InfluxdbStore

    @contextmanager
    def opened(self) -> Iterator[InfluxStore]:
        """Connect from this machine. Nothing waits in a spool here, and nothing is written."""
        chosen = self.server
        with TemporaryDirectory(prefix="spotwatch-") as name:
            store = InfluxStore(
                InfluxServer(
                    url=chosen.url,
                    org=chosen.org,
                    token=chosen.token,
                    timeout_s=chosen.timeout_s,
                ),
                Spool(Path(name) / "spool.db"),
                raw_bucket=chosen.raw_bucket,
                usage_bucket=chosen.usage_bucket,
                site_tags={},
            )
            with closing(store):
                yield store


class InfluxPartitions:
    """A server that every worker reaches, once this machine's spool is empty. A `job.Partitions`.

    A sample that comes in later marks its windows to be computed again, as ever.
    """

    def __init__(self, server: InfluxdbStore, settle: Callable[[], None]) -> None:
        """`settle`: returns once all that was collected is on the server."""
        self._source = InfluxSource(server)
        self._settle: Callable[[], None] | None = settle

    def ready(self, start_ms: int, end_ms: int) -> InfluxSource:  # noqa: ARG002 - the protocol's
        """See the protocol."""
        if self._settle:
            self._settle()
            self._settle = None
        return self._source
