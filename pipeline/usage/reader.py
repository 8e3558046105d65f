"""Usage of any span at any period, read from the longest stored periods that fit."""

from collections.abc import Collection, Iterator
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.compute import Computer, service_of
from pipeline.usage.periods import bounds, window_floor
from pipeline.usage.rollup import roll_up, with_known_time

LongPeriod = Literal["hour", "day", "week", "month", "total"]
By = Literal["15min", "hour", "day", "week", "month", "total"]


class UsageReader:
    """Reads stored usage, and computes what was not stored yet.

    Time after the last closed window is computed from samples, so that time without a daemon shows
    as not covered. `closed_until_ms`: end of the last closed window, None if there is none.
    """

    def __init__(self, deployment: Deployment, store: Store, closed_until_ms: int | None) -> None:
        self._deployment = deployment
        self._store = store
        self._closed = closed_until_ms or 0

    def windows(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """15-minute usage of [start, end), both on the window, sorted by (`site`, `start_ms`)."""
        closed = min(max(self._closed, start_ms), end_ms)
        frames = [self._store.read_usage("15min", start_ms, closed, sites=sites)]
        if closed < end_ms:
            computer = Computer(self._deployment, self._store)
            service = service_of(self._deployment, self._store)
            for chunk in computer.chunks(closed, end_ms, service):
                usage = chunk.usage
                frames.append(usage if sites is None else usage[usage["site"].isin(sites)])
        return _joined(frames)

    def periods(
        self, start_ms: int, end_ms: int, by: By, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Usage of each site and period that meets [start, end), sorted by (`site`, `start_ms`).

        With the column `known_ms` of `rollup.with_known_time`. Whole 15-minute windows count.
        Days, weeks and months are those of each site's zone; one that the span cuts has the span's
        bounds. `sites` None: those of the files.
        """
        start_ms, end_ms = window_floor(start_ms), window_floor(end_ms)
        chosen = list(self._deployment.sites if sites is None else sites)
        if by == "15min":
            return with_known_time(self.windows(start_ms, end_ms, sites=chosen))
        zones: dict[ZoneInfo, list[str]] = {}
        for site in chosen:
            zones.setdefault(self._deployment.zone(site), []).append(site)
        found = []
        for zone, members in zones.items():
            rows = self._rows(start_ms, end_ms, by, zone, members)
            whole = np.array([start_ms, end_ms], dtype=np.int64)
            edges = whole if by == "total" else bounds(by, start_ms, end_ms, zone)
            usage = roll_up(with_known_time(rows), edges)
            usage["start_ms"] = usage["start_ms"].clip(lower=start_ms)
            usage["end_ms"] = usage["end_ms"].clip(upper=end_ms)
            found.append(usage)
        return _joined(found or [with_known_time(self.windows(start_ms, start_ms))])

    def _rows(
        self, start_ms: int, end_ms: int, by: LongPeriod, zone: ZoneInfo, sites: list[str]
    ) -> pd.DataFrame:
        """The usage of a span, in whole days where they are stored, else in windows."""
        closed = min(self._closed, end_ms)
        first = last = start_ms
        if by != "hour" and start_ms < closed:
            days = bounds("day", start_ms, closed, zone)
            whole = days[(days >= start_ms) & (days <= closed)]
            if len(whole) > 1:
                first, last = int(whole[0]), int(whole[-1])
        return _joined(
            [
                self.windows(start_ms, first, sites=sites),
                *self._days(first, last, sites),
                self.windows(last, end_ms, sites=sites),
            ]
        )

    def _days(self, start_ms: int, end_ms: int, sites: list[str]) -> Iterator[pd.DataFrame]:
        """Stored days; in windows those in which APs came or went, so that each counts its own."""
        days = self._store.read_usage("day", start_ms, end_ms, sites=sites)
        whole = days["expected_ms"] == days["aps"] * (days["end_ms"] - days["start_ms"])
        yield days[whole]
        mixed = days[~whole]
        changing: dict[tuple[int, int], list[str]] = {}
        spans = zip(mixed["start_ms"].tolist(), mixed["end_ms"].tolist(), strict=True)
        for span, site in zip(spans, mixed["site"].tolist(), strict=True):
            changing.setdefault(span, []).append(site)
        for (start, end), some in changing.items():
            yield self.windows(start, end, sites=some)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty] or frames[:1]
    joined = pd.concat(filled, ignore_index=True)
    return joined.sort_values(["site", "start_ms"], ignore_index=True)
