"""Usage of access points over any span, from stored days and hours; the rest from samples."""

from collections.abc import Collection, Iterator, Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import ApLevel, Store
from pipeline.usage.compute import Computer, service_of
from pipeline.usage.periods import DAY_MS, HOUR_MS, sites_by_zone, window_floor
from pipeline.usage.reader import (
    By,
    clipped,
    edges_of,
    in_parts,
    joined,
    unheard,
    whole_within,
)
from pipeline.usage.rollup import merged, roll_up, with_known_time
from pipeline.usage.sessions import SessionSource, with_sessions


class ApUsageReader:
    """Reads what the aggregator keeps of access points, and computes what it does not.

    15-minute windows, the hours that a span cuts and the time after the last closed window are
    computed from samples. See `UsageReader`.
    """

    def __init__(
        self,
        deployment: Deployment,
        store: Store,
        closed_until_ms: int | None,
        sessions: SessionSource | None = None,
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._closed = closed_until_ms or 0
        self._sessions = sessions

    def periods(
        self,
        start_ms: int,
        end_ms: int,
        by: By,
        *,
        sites: Collection[str],
        aps: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Usage of each AP at each of these sites, and period that meets [start, end), sorted by
        (`site`, `ap`, `start_ms`). `aps` None: all.

        As `UsageReader.periods` in all else; APs that the files have at these sites have rows.
        """
        start_ms, end_ms = window_floor(start_ms), window_floor(end_ms)
        nothing = self._store.read_ap_usage("hour", 0, 0, sites=())
        parts = [with_known_time(nothing)]
        listed = [(ap.site, ap.ap) for ap in self._deployment.access_points.values()]
        for zone, members in sites_by_zone(self._deployment, sites).items():
            edges = edges_of(by, start_ms, end_ms, zone)
            rows = self._rows(start_ms, end_ms, by, zone, members)
            found = [
                roll_up(with_known_time(some if aps is None else some[some["ap"].isin(aps)]), edges)
                for some in rows
            ]
            heard = {key for some in found for key in zip(some["site"], some["ap"], strict=True)}
            silent = [
                {"site": site, "ap": ap}
                for site, ap in listed
                if site in members and (aps is None or ap in aps) and (site, ap) not in heard
            ]
            parts += [*found, with_known_time(unheard(nothing, silent, edges))]
        return clipped(merged(joined(parts)), start_ms, end_ms)

    def hours_in_parts(
        self, start_ms: int, end_ms: int, sites: Sequence[str]
    ) -> Iterator[pd.DataFrame]:
        """Usage by local hours of all APs of some sites at a time; of hours that the span cuts, and
        after the last closed window, by 15-minute windows.
        """
        start_ms, end_ms = window_floor(start_ms), window_floor(end_ms)
        for zone, members in sites_by_zone(self._deployment, sites).items():
            yield from self._rows(start_ms, end_ms, "hour", zone, members)

    def _rows(
        self, start_ms: int, end_ms: int, by: By, zone: ZoneInfo, sites: list[str]
    ) -> Iterator[pd.DataFrame]:
        """Rows that make up the span, sorted, of some sites at a time."""
        first = last = start_ms
        if by != "15min" and start_ms < min(end_ms, self._closed):
            first, last = whole_within("hour", start_ms, end_ms, zone)
            # The hour of now is stored as far as it is over.
            last = max(first, min(last, self._closed) if end_ms >= self._closed else last)
        around = [
            self._store.read_ap_usage("hour", 0, 0, sites=()),
            *self._computed(start_ms, first, sites),
            *self._computed(last, end_ms, sites),
        ]
        computed = joined(around)
        middle = whole_within("day", first, last, zone) if by != "hour" else (first, first)
        spans: tuple[tuple[ApLevel, int, int], ...]
        spans = (("hour", first, middle[0]), ("day", *middle), ("hour", middle[1], last))
        each = (middle[0] - first + last - middle[1]) // HOUR_MS + (middle[1] - middle[0]) // DAY_MS
        aps = len(self._deployment.access_points) // max(len(self._deployment.sites), 1) + 1
        for some in in_parts(sites, each * aps):
            stored = [self._store.read_ap_usage(level, a, b, sites=some) for level, a, b in spans]
            yield joined([*stored, computed[computed["site"].isin(some)]])

    def _computed(self, start_ms: int, end_ms: int, sites: list[str]) -> Iterator[pd.DataFrame]:
        if start_ms >= end_ms:
            return
        computer = Computer(self._deployment, self._store, aps_by="15min")
        watched = self._sessions.span() if self._sessions else None
        service = service_of(self._deployment, self._store, watched)
        for sampled in computer.chunks(start_ms, end_ms, service):
            aps = with_sessions(sampled, self._sessions, self._deployment).aps
            yield aps[aps["site"].isin(sites)]
