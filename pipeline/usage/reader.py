"""Usage of any span at any period, read from the longest stored periods that fit."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.compute import Computer, service_of
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import (
    DAY_MS,
    HOUR_MS,
    WINDOW_MS,
    Period,
    bounds,
    sites_by_zone,
    window_floor,
)
from pipeline.usage.rollup import KEYS, emptied, merged, roll_up, with_known_time
from pipeline.usage.sessions import SessionSource, with_sessions

By = Literal["15min", Period, "total"]
MAX_ROWS: Final = 200_000
"""Stored rows of usage read at a time: about 60 MB."""


class UsageReader:
    """Reads stored usage, and computes what was not stored yet.

    Time after the last closed window is computed from samples, so that time without a daemon shows
    as not covered. `closed_until_ms`: end of the last closed window, None if there is none.
    `sessions`: who counts them after it; what is stored has them.
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

    def windows(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """15-minute usage of [start, end), both on the window, sorted by (`site`, `start_ms`)."""
        closed = min(max(self._closed, start_ms), end_ms)
        stored = self._store.read_usage("15min", start_ms, closed, sites=sites)
        return joined([stored, *self._computed(closed, end_ms, sites)])

    def windows_in_parts(
        self, start_ms: int, end_ms: int, sites: Sequence[str]
    ) -> Iterator[pd.DataFrame]:
        """The same of some sites at a time, so that memory stays bounded however long it is."""
        closed = min(max(self._closed, start_ms), end_ms)
        latest = joined([self._nothing(), *self._computed(closed, end_ms, sites)])
        for some in in_parts(sites, (closed - start_ms) // WINDOW_MS):
            stored = self._store.read_usage("15min", start_ms, closed, sites=some)
            yield joined([stored, latest[latest["site"].isin(some)]])

    def periods(
        self, start_ms: int, end_ms: int, by: By, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Usage of each site and period that meets [start, end), sorted by (`site`, `start_ms`).

        With the columns of `rollup.with_known_time`. Whole 15-minute windows count. Days and longer
        periods are those of each site's zone; one that the span cuts has the span's bounds. `sites`
        None: those of the files. A site without any usage in the span has rows all the same, in
        which nothing is expected and nothing known.
        """
        start_ms, end_ms = window_floor(start_ms), window_floor(end_ms)
        chosen = list(self._deployment.sites if sites is None else sites)
        zones = sites_by_zone(self._deployment, chosen)
        edges = {zone: edges_of(by, start_ms, end_ms, zone) for zone in zones}
        parts = [with_known_time(self._nothing())]
        if by == "15min":
            parts.append(with_known_time(self.windows(start_ms, end_ms, sites=chosen)))
        else:
            for zone, members in zones.items():
                stored = self._stored(start_ms, min(self._closed, end_ms), by, zone, members)
                parts += [roll_up(usage, edges[zone]) for usage in stored]
            for usage in self._computed(max(self._closed, start_ms), end_ms, chosen):
                for zone, members in zones.items():
                    here = with_known_time(usage[usage["site"].isin(members)])
                    parts.append(roll_up(here, edges[zone]))
        heard = {str(site) for part in parts for site in part["site"].unique()}
        for zone, members in zones.items():
            silent = [{"site": site} for site in members if site not in heard]
            parts.append(with_known_time(unheard(self._nothing(), silent, edges[zone])))
        return clipped(merged(joined(parts)), start_ms, end_ms)

    def _nothing(self) -> pd.DataFrame:
        return self._store.read_usage("15min", 0, 0, sites=())

    def _computed(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None
    ) -> Iterator[pd.DataFrame]:
        """15-minute usage of time that is not stored, in parts."""
        if start_ms >= end_ms:
            return
        computer = Computer(self._deployment, self._store)
        watched = self._sessions.span() if self._sessions else None
        service = service_of(self._deployment, self._store, watched)
        for sampled in computer.chunks(start_ms, end_ms, service):
            usage = with_sessions(sampled, self._sessions, self._deployment).usage
            yield usage if sites is None else usage[usage["site"].isin(list(sites))]

    def _stored(
        self, start_ms: int, end_ms: int, by: By, zone: ZoneInfo, sites: Sequence[str]
    ) -> Iterator[pd.DataFrame]:
        """Stored usage of sites of a zone, in whole hours or days and windows around them."""
        if start_ms >= end_ms:
            return
        level: Literal["hour", "day"] = "hour" if by == "hour" else "day"
        first, last = whole_within(level, start_ms, end_ms, zone)
        edges = (first - start_ms + end_ms - last) // WINDOW_MS
        for some in in_parts(
            sites, edges + (last - first) // (HOUR_MS if by == "hour" else DAY_MS)
        ):
            usage = joined(
                [
                    self._store.read_usage("15min", start_ms, first, sites=some),
                    *self._whole(level, first, last, some),
                    self._store.read_usage("15min", last, end_ms, sites=some),
                ]
            )
            yield with_known_time(usage)

    def _whole(
        self, level: Literal["hour", "day"], start_ms: int, end_ms: int, sites: Collection[str]
    ) -> Iterator[pd.DataFrame]:
        """Stored periods; those in which APs came or went in windows, so that each has its own."""
        stored = self._store.read_usage(level, start_ms, end_ms, sites=sites)
        whole = stored["expected_ms"] == stored["aps"] * (stored["end_ms"] - stored["start_ms"])
        yield stored[whole]
        mixed = stored[~whole]
        changing: dict[tuple[int, int], list[str]] = {}
        spans = zip(mixed["start_ms"].tolist(), mixed["end_ms"].tolist(), strict=True)
        for span, site in zip(spans, mixed["site"].tolist(), strict=True):
            changing.setdefault(span, []).append(site)
        for (start, end), some in changing.items():
            yield self._store.read_usage("15min", start, end, sites=some)


def edges_of(by: By, start_ms: int, end_ms: int, zone: ZoneInfo) -> Ints:
    """Bounds of the periods that meet [start, end), both on the window."""
    if by == "total":
        return np.array([start_ms, end_ms], dtype=np.int64)
    if by == "15min":
        return np.arange(start_ms, end_ms + 1, WINDOW_MS, dtype=np.int64)
    return bounds(by, start_ms, end_ms, zone)


def whole_within(period: Period, start_ms: int, end_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """Start and end of the whole periods in [start, end); where there are none, `start` twice."""
    edges = bounds(period, start_ms, end_ms, zone)
    inside = edges[(edges >= start_ms) & (edges <= end_ms)]
    return (int(inside[0]), int(inside[-1])) if len(inside) > 1 else (start_ms, start_ms)


def in_parts(sites: Sequence[str], rows_each: int) -> Iterator[Sequence[str]]:
    """Some sites after others, whose rows are about MAX_ROWS together."""
    some = max(1, MAX_ROWS // max(rows_each, 1))
    for at in range(0, len(sites), some):
        yield sites[at : at + some]


def unheard(like: pd.DataFrame, subjects: Sequence[Mapping[str, str]], edges: Ints) -> pd.DataFrame:
    """Rows of every period, of whom nothing was ever heard. `like`: a frame of the same columns."""
    periods = len(edges) - 1
    count = len(subjects) * periods
    rows = like.reindex(range(count))
    for name in subjects[0] if subjects else ():
        names = pd.Series([subject[name] for subject in subjects], dtype="str")
        rows[name] = names.repeat(periods).reset_index(drop=True)
    rows["start_ms"], rows["end_ms"] = (np.tile(e, len(subjects)) for e in (edges[:-1], edges[1:]))
    return emptied(rows).astype(like.dtypes)


def clipped(usage: pd.DataFrame, start_ms: int, end_ms: int) -> pd.DataFrame:
    """Usage whose periods are cut as the span cuts them."""
    starts, ends = usage["start_ms"].clip(lower=start_ms), usage["end_ms"].clip(upper=end_ms)
    return usage.assign(start_ms=starts, end_ms=ends)


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames of the same columns as one, sorted by whom they are of and when."""
    filled = [frame for frame in frames if not frame.empty] or frames[:1]
    found = pd.concat(filled, ignore_index=True)
    return found.sort_values([name for name in KEYS[:-1] if name in found], ignore_index=True)
