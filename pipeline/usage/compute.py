"""Usage computed from a store's samples, chunk by chunk, so that memory stays bounded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.ap_windows import ApWindows
from pipeline.usage.expiry import Seen, at_the_edge, samples_kept_since_ms, with_expired
from pipeline.usage.periods import WINDOW_MS, bounds, sites_by_zone
from pipeline.usage.samples import MAX_HOLD_MS
from pipeline.usage.service import Service, in_service, maintenance_of
from pipeline.usage.windows import aggregate

MAX_CELLS: Final = 1_500_000
"""APs x windows computed at a time: about 300 MB."""
MAX_SAMPLES: Final = 1_500_000
"""Samples read at a time, if they come as the poll intervals of today have it; a chunk may hold
half as many again.
"""
DAY_S: Final = 86_400
ApPeriod = Literal["15min", "hour"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Usage of [start, end) and the samples that it was computed from."""

    start_ms: int
    end_ms: int
    usage: pd.DataFrame
    aps: pd.DataFrame
    """Usage of access points (schema.AP_USAGE_COLUMNS) by windows or local hours; an hour that the
    chunk cuts sums what is in the chunk.
    """
    aps_by: ApPeriod
    heard: pd.DataFrame
    """Columns `ap` and `site`: who was heard where, each pair once."""


class SampleSource(Protocol):
    """The part of a store that computing reads."""

    def read_samples(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        """Read the samples of a window."""

    def last_samples(
        self, before_ms: int, since_ms: int, *, with_counters: bool = False
    ) -> pd.DataFrame:
        """Read each AP's last sample in [since, before), with_counters: the last that has one."""


class Chunks(Protocol):
    """What computes usage, here or on other machines: see `Computer`."""

    def chunks(self, start_ms: int, end_ms: int, service: Service) -> Iterator[Chunk]:
        """Compute [start, end), both on the window, in order of time."""


def service_of(deployment: Deployment, store: Store, sessions: Seen | None = None) -> Service:
    """Who is in service when, by what was seen of each site.

    `sessions`: first and last time at which sessions of each site were watched.
    """
    return in_service(deployment, _seen(deployment, store), sessions or {})


class Computer:
    """Computes usage of any span of 15-minute windows, all sites together.

    All sites, because an AP that moved holds at its old site until its first sample at the new one.
    """

    def __init__(
        self, deployment: Deployment, source: SampleSource, *, aps_by: ApPeriod = "hour"
    ) -> None:
        self._deployment = deployment
        self._aps_by = aps_by
        self._source = source
        self._maintenance = maintenance_of(deployment)
        hours = deployment.settings.usage.max_counter_gap_hours
        self._max_counter_gap_ms = round(hours * 3_600_000)

    def chunks(self, start_ms: int, end_ms: int, service: Service) -> Iterator[Chunk]:
        """Compute [start, end), both on the window, in as few chunks as memory allows."""
        longest = max(1, MAX_CELLS // max(len(service.aps), len(service.sites), 1)) * WINDOW_MS
        step = min(self._read_windows() * WINDOW_MS, longest)
        at = start_ms
        while at < end_ms:
            last = min(at + longest, end_ms)
            until, read, count = at, [], 0
            # By what is there: history may be far sparser than what is polled now.
            while until < last and count <= MAX_SAMPLES // 2:
                read.append(self._source.read_samples(until, min(until + step, last)))
                count += len(read[-1])
                until = min(until + step, last)
            yield self._chunk(at, until, read, service)
            at = until

    def _chunk(
        self, start_ms: int, end_ms: int, read: Sequence[pd.DataFrame], service: Service
    ) -> Chunk:
        source, gap = self._source, self._max_counter_gap_ms
        samples = pd.concat(
            [
                source.last_samples(start_ms, start_ms - gap, with_counters=True),
                source.last_samples(start_ms, start_ms - MAX_HOLD_MS),
                *read,
            ],
            ignore_index=True,
        )
        usage, aps = aggregate(
            samples,
            service,
            start_ms,
            end_ms,
            maintenance=self._maintenance,
            max_counter_gap_ms=gap,
        )
        heard = samples[["ap", "site"]].drop_duplicates(ignore_index=True)
        by_period = self._by_period(aps, start_ms, end_ms)
        return Chunk(start_ms, end_ms, usage, by_period, self._aps_by, heard)

    def _by_period(self, aps: ApWindows, start_ms: int, end_ms: int) -> pd.DataFrame:
        if self._aps_by == "15min":
            return aps.over(np.arange(start_ms, end_ms + 1, WINDOW_MS), aps.site_names)
        zones = sites_by_zone(self._deployment, aps.site_names).items()
        hours = [aps.over(bounds("hour", start_ms, end_ms, zone), sites) for zone, sites in zones]
        return pd.concat(hours, ignore_index=True)

    def _read_windows(self) -> int:
        """Windows in which MAX_SAMPLES come, polled as they are now; at least one."""
        aps = self._deployment.access_points.values()
        per_day = sum(DAY_S / self._deployment.poll_seconds(ap) for ap in aps)
        return max(1, int(MAX_SAMPLES / max(per_day, 1) * DAY_S * 1000 / WINDOW_MS))


def _seen(deployment: Deployment, store: Store) -> Seen:
    seen = store.span()
    newest = max((last for _, last in seen.values()), default=0)
    kept = samples_kept_since_ms(deployment, newest)
    if kept is None:
        return seen
    return with_expired(seen, store.read_usage("day", *at_the_edge(kept)))
