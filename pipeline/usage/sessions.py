"""Sessions and devices beside what samples tell: what their source counts joins usage."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.usage.compute import Chunk
from pipeline.usage.periods import WINDOW_MS, bounds, sites_by_zone
from pipeline.usage.rollup import SESSION_COLUMNS

NOBODY_KNOWS_WHERE: Final = ""
"""In place of the AP, where only the site of a session is known."""


class SessionSource(Protocol):
    """Who keeps sessions."""

    def counts(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        """Count by `site`, `ap` and `start_ms` of each 15-minute window in [start, end), both on
        the window: `watched_ms` int64, the others of `rollup.SESSION_COLUMNS` Int64, NA where
        unknown. Each site, AP and window at most once; no row where nothing watched.
        """

    def expired_until_ms(self) -> int | None:
        """Sessions of windows before this instant are gone, on the hour; None: none expired."""

    def lengths(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """How long the sessions lasted that began in [start, end), passers-by left out. Columns
        `site`, `start_ms` and `length_ms`.
        """

    def span(self) -> Mapping[str, tuple[int, int]]:
        """First and last time that each site was watched at, also what has expired. UTC ms."""


def with_sessions(
    chunk: Chunk, source: SessionSource | None, deployment: Deployment, stored: Store | None = None
) -> Chunk:
    """Join the counts of the chunk's time with its usage by site and by AP.

    A site counts what its APs do, and what is known of it without the AP; no AP counts that.
    `stored`: has the counts of time whose sessions have expired.
    """
    if source is None:
        return chunk
    expired = min(max(source.expired_until_ms() or 0, chunk.start_ms), chunk.end_ms)
    counts = source.counts(expired, chunk.end_ms)
    by_site = _summed(counts, ["site", "start_ms"])
    by_ap = _by_period(counts[counts["ap"] != NOBODY_KNOWS_WHERE], chunk, deployment)
    if stored and chunk.start_ms < expired:
        before = stored.read_usage("15min", chunk.start_ms, expired)
        by_site = pd.concat([before[by_site.columns], by_site])
        before = stored.read_ap_usage("hour", chunk.start_ms, expired)
        by_ap = pd.concat([before[by_ap.columns], by_ap[by_ap["start_ms"] >= expired]])
    if by_site.empty:
        return chunk
    usage = chunk.usage.drop(columns=list(SESSION_COLUMNS)).merge(by_site, "left")
    aps = chunk.aps.drop(columns=list(SESSION_COLUMNS)).merge(by_ap, "outer")
    return replace(chunk, usage=_typed(usage, USAGE_COLUMNS), aps=_typed(aps, AP_USAGE_COLUMNS))


def _by_period(counts: pd.DataFrame, chunk: Chunk, deployment: Deployment) -> pd.DataFrame:
    """Counts of APs by the periods of the chunk's usage of APs."""
    start = counts["start_ms"].to_numpy()
    first, end = start, start + WINDOW_MS
    if chunk.aps_by == "hour":
        first, end = np.empty_like(start), np.empty_like(start)
        for zone, sites in sites_by_zone(deployment, counts["site"].unique()).items():
            here = counts["site"].isin(sites).to_numpy()
            hours = bounds("hour", chunk.start_ms, chunk.end_ms, zone)
            hour = np.searchsorted(hours, start[here], side="right") - 1
            first[here], end[here] = hours[hour], hours[hour + 1]
    return _summed(counts.assign(start_ms=first, end_ms=end), ["site", "ap", "start_ms", "end_ms"])


def _summed(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return counts.groupby(keys, as_index=False)[list(SESSION_COLUMNS)].sum(min_count=1)


def _typed(usage: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """In the columns' order and types, sorted; time that nobody watched was not watched."""
    found = usage[list(types)].fillna({n: 0 for n, dtype in types.items() if dtype == "int64"})
    keys = [name for name in ("site", "ap", "start_ms") if name in types]
    return found.astype(types).sort_values(keys, ignore_index=True)
