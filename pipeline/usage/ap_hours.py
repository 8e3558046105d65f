"""Keeps the stored usage of access points: hours as chunks of usage complete them, and days."""

from collections.abc import Collection, Iterator

import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.store.schema import AP_USAGE
from pipeline.usage.compute import Chunk
from pipeline.usage.periods import HOUR_MS, bounds, sites_by_zone
from pipeline.usage.rollup import emptied, merged, roll_up


class ApHours:
    """Writes what the chunks of one stretch of time, in order, say of access points.

    Hours that lie in the stretch; where it goes up to the last closed window also that of now, as
    far as it is. Days once they are over.
    """

    def __init__(
        self, deployment: Deployment, store: Store, *, start_ms: int, closed_ms: int
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._start = self._done = start_ms
        self._closed = closed_ms
        self._cut: pd.DataFrame | None = None
        """Of hours that go on after the last chunk."""
        self._sites: set[str] = set()

    def add(self, chunk: Chunk, sites: Collection[str]) -> None:
        """Write the hours of these sites that end in the chunk."""
        self._sites |= set(sites)
        # Those that this chunk has the rest of, first.
        hours = chunk.aps if self._cut is None else merged(pd.concat([self._cut, chunk.aps]))
        until = chunk.end_ms
        if until == self._closed:
            until += HOUR_MS
        over = hours["end_ms"] <= until
        self._cut = None if over.all() else hours[~over]
        self._write(hours[over & (hours["start_ms"] >= self._start)], until)
        self._done = chunk.end_ms

    def _write(self, hours: pd.DataFrame, until_ms: int) -> None:
        hours = hours[hours["site"].isin(self._sites)]
        hours = pd.concat([hours, self._stale(hours, until_ms)], ignore_index=True)
        if hours.empty:
            return
        hours = hours.sort_values(AP_USAGE.key, ignore_index=True)
        self._store.write_ap_usage("hour", hours)
        for days in self._days(hours):
            self._store.write_ap_usage("day", days)

    def _stale(self, hours: pd.DataFrame, until_ms: int) -> pd.DataFrame:
        """Hours stored of APs that are not there any more, emptied: they were told to be elsewhere
        since.
        """
        stored = self._store.read_ap_usage(
            "hour", max(self._start, self._done - HOUR_MS), until_ms, sites=self._sites
        )
        stored = stored[(stored["end_ms"] > self._done) & (stored["end_ms"] <= until_ms)]
        told = pd.MultiIndex.from_frame(hours[AP_USAGE.key])
        return emptied(stored[~pd.MultiIndex.from_frame(stored[AP_USAGE.key]).isin(told)])

    def _days(self, hours: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Days that these hours are of, as far as they are over."""
        for zone, sites in sites_by_zone(self._deployment, hours["site"].unique()).items():
            here = hours[hours["site"].isin(sites)]
            start, end = int(here["start_ms"].min()), int(here["end_ms"].max())
            days = bounds("day", start, end, zone)
            days = days[days <= self._closed]
            if len(days) < 2:
                continue
            first, last = int(days[0]), int(days[-1])
            around = [
                self._store.read_ap_usage("hour", a, b, sites=sites)
                for a, b in ((first, start), (end, last))
                if a < b
            ]
            whole = pd.concat([here[here["start_ms"] < last], *around], ignore_index=True)
            yield roll_up(whole.sort_values(AP_USAGE.key, ignore_index=True), days)
