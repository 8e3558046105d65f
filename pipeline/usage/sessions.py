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
from pipeline.usage.periods import DAY_MS, HOUR_MS, WINDOW_MS, bounds, sites_by_zone
from pipeline.usage.rollup import SESSION_COLUMNS

NOBODY_KNOWS_WHERE: Final = ""
"""In place of the AP, where only the site of a session is known."""
LONGEST_DAY_MS: Final = DAY_MS + HOUR_MS
_NOTHING: Final = pd.DataFrame(
    {"site": pd.Series(dtype="str"), "ap": pd.Series(dtype="str")}
    | {n: pd.Series(dtype=AP_USAGE_COLUMNS[n]) for n in ("start_ms", *SESSION_COLUMNS)}
)
"""What is counted without a source."""


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
    `stored`: has what was counted before. Of time that the source knows nothing of, since its
    sessions have expired or its file was lost, or since there is no source, those counts stay.
    """
    counts = _NOTHING
    if source:
        expired = min(max(source.expired_until_ms() or 0, chunk.start_ms), chunk.end_ms)
        counts = source.counts(expired, chunk.end_ms)
    by_site = _summed(counts, ["site", "start_ms"])
    of_aps = _with_period(counts[counts["ap"] != NOBODY_KNOWS_WHERE], chunk, deployment)
    by_ap = _summed(of_aps, ["site", "ap", "start_ms", "end_ms"])
    if stored:
        sites, aps = _kept(stored, chunk, by_site, deployment)
        by_site = pd.concat([by_site, sites[by_site.columns]])
        # Of an hour that is gone in part too: all of it was counted before.
        by_ap = pd.concat([by_ap[~_in(by_ap, aps)], aps[by_ap.columns]])
    if by_site.empty:
        return chunk
    usage = chunk.usage.drop(columns=list(SESSION_COLUMNS)).merge(by_site, "left")
    aps = chunk.aps.drop(columns=list(SESSION_COLUMNS)).merge(by_ap, "outer")
    return replace(chunk, usage=_typed(usage, USAGE_COLUMNS), aps=_typed(aps, AP_USAGE_COLUMNS))


def _kept(
    stored: Store, chunk: Chunk, counted: pd.DataFrame, deployment: Deployment
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is stored of sessions in windows that are not counted, of sites and of their APs' hours.

    `counted`: by `site` and `start_ms`. Sites without any are found by their days, which are few.
    """
    days = stored.read_usage("day", chunk.start_ms - LONGEST_DAY_MS, chunk.end_ms)
    watched = set(days["site"][days["watched_ms"] > 0])
    windows = stored.read_usage("15min", chunk.start_ms, chunk.end_ms, sites=watched)
    gone = windows[(windows["watched_ms"] > 0) & ~_in(windows, counted)]
    hours = stored.read_ap_usage("hour", chunk.start_ms, chunk.end_ms, sites=set(gone["site"]))
    kept = _in(hours, _with_period(gone, chunk, deployment)) & (hours["watched_ms"] > 0)
    return gone, hours[kept]


def _in(rows: pd.DataFrame, others: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows have the site and the start of one of the others."""
    key = ["site", "start_ms"]
    there = pd.MultiIndex.from_frame(rows[key]).isin(pd.MultiIndex.from_frame(others[key]))
    return pd.Series(there, rows.index)


def _with_period(windows: pd.DataFrame, chunk: Chunk, deployment: Deployment) -> pd.DataFrame:
    """Windows with start and end of the periods of the chunk's usage of APs that they are in."""
    start = windows["start_ms"].to_numpy()
    first, end = start, start + WINDOW_MS
    if chunk.aps_by == "hour":
        first, end = np.empty_like(start), np.empty_like(start)
        for zone, sites in sites_by_zone(deployment, windows["site"].unique()).items():
            here = windows["site"].isin(sites).to_numpy()
            hours = bounds("hour", chunk.start_ms, chunk.end_ms, zone)
            hour = np.searchsorted(hours, start[here], side="right") - 1
            first[here], end[here] = hours[hour], hours[hour + 1]
    return windows.assign(start_ms=first, end_ms=end)


def _summed(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return counts.groupby(keys, as_index=False)[list(SESSION_COLUMNS)].sum(min_count=1)


def _typed(usage: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """In the columns' order and types, sorted; time that nobody watched was not watched."""
    found = usage[list(types)].fillna({n: 0 for n, dtype in types.items() if dtype == "int64"})
    keys = [name for name in ("site", "ap", "start_ms") if name in types]
    return found.astype(types).sort_values(keys, ignore_index=True)
