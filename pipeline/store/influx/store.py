"""The store on InfluxDB: what a deployment with Grafana runs on."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from collectors.reading import Reading
from pipeline.spool.forwarder import Forwarder
from pipeline.spool.spool import Spool, Waiting
from pipeline.store.base import ApLevel, Level
from pipeline.store.influx.line_protocol import SiteTags, sample_line
from pipeline.store.influx.samples import Samples
from pipeline.store.influx.server import InfluxServer
from pipeline.store.influx.usage import PATIENCE_S, UsageTable
from pipeline.store.schema import AP_USAGE, SITE_USAGE


class InfluxStore:
    """Implements `pipeline.store.base.Store`. Safe to use from several threads.

    Samples are durable in the spool when `write_samples` returns, and read from there and from
    the server as one. Somebody must empty the spool: `forwarder.start()` in a daemon,
    `forwarder.drain()` at the end of a command.
    """

    def __init__(
        self,
        server: InfluxServer,
        spool: Spool,
        *,
        raw_bucket: str,
        usage_bucket: str,
        site_tags: SiteTags,
        patience_s: float = PATIENCE_S,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        """`site_tags`: each site's kind and commune. The store closes `server` and `spool`."""
        self._server = server
        self._now_ms = now_ms
        self.spool = spool
        self._samples = Samples(server, raw_bucket, spool)
        self._usage, self._ap_usage = (
            UsageTable(schema, server, usage_bucket, site_tags, patience_s=patience_s)
            for schema in (SITE_USAGE, AP_USAGE)
        )
        self.forwarder = Forwarder(spool, self._samples, now_ms=now_ms)

    def write_samples(self, readings: Sequence[Reading]) -> None:
        """See the protocol. Does not need the server; raises SpoolFullError without room."""
        waiting = [Waiting(r.ap, r.site, r.ts_ms, sample_line(r)) for r in readings]
        self.spool.append(waiting, self._now_ms())
        self.forwarder.wake()

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol. Raises UnavailableError while the server is away."""
        return self._samples.window(start_ms, end_ms, sites)

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """See the protocol."""
        return self._samples.last(before_ms, since_ms, sites, with_counters=with_counters)

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        """See the protocol."""
        return self._samples.next_counter_ms(ap, after_ms, until_ms)

    def moved_aps(self) -> Mapping[str, Collection[str]]:
        """See the protocol."""
        return self._samples.moved_aps()

    def span(self) -> Mapping[str, tuple[int, int]]:
        """See the protocol."""
        return self._samples.span()

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        """See the protocol. On the server on return."""
        self._usage.write(level, usage)

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        return self._usage.read(level, start_ms, end_ms, sites)

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        """See the protocol. On the server on return."""
        self._ap_usage.write(level, usage)

    def read_ap_usage(
        self, level: ApLevel, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        return self._ap_usage.read(level, start_ms, end_ms, sites)

    def close(self) -> None:
        """Stop sending and release files and connections; what waits stays in the spool."""
        self.forwarder.stop()
        self.spool.close()
        self._server.close()
