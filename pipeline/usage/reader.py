"""Usage of any span at any period, read from the longest stored periods that fit."""

from collections.abc import Collection
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.compute import read_windows
from pipeline.usage.periods import bounds, window_floor
from pipeline.usage.rollup import roll_up

By = Literal["15min", "hour", "day", "week", "month", "total"]


def read_usage(
    deployment: Deployment,
    store: Store,
    closed_until_ms: int | None,
    start_ms: int,
    end_ms: int,
    by: By,
    *,
    sites: Collection[str] | None = None,
) -> pd.DataFrame:
    """Usage of each site and period that meets [start, end), sorted by (`site`, `start_ms`).

    Whole 15-minute windows count. A period that the span cuts has the span's bounds; days, weeks
    and months are those of each site's zone.
    """
    start_ms, end_ms = window_floor(start_ms), window_floor(end_ms)
    chosen = deployment.sites.keys() if sites is None else sites
    if by == "15min":
        return read_windows(
            deployment, store, closed_until_ms, start_ms, end_ms, sites=list(chosen)
        )
    zones: dict[ZoneInfo, list[str]] = {}
    for site in chosen:
        zones.setdefault(deployment.zone(site), []).append(site)
    found = [
        _read_zone(deployment, store, closed_until_ms, start_ms, end_ms, by, zone, members)
        for zone, members in zones.items()
    ]
    joined = pd.concat([f for f in found if not f.empty] or found[:1], ignore_index=True)
    return joined.sort_values(["site", "start_ms"], ignore_index=True)


def _read_zone(
    deployment: Deployment,
    store: Store,
    closed_until_ms: int | None,
    start_ms: int,
    end_ms: int,
    by: Literal["hour", "day", "week", "month", "total"],
    zone: ZoneInfo,
    sites: list[str],
) -> pd.DataFrame:
    closed = min(closed_until_ms or start_ms, end_ms)
    first, last = start_ms, start_ms
    if by != "hour" and start_ms < closed:
        days = bounds("day", start_ms, closed, zone)
        whole = days[(days >= start_ms) & (days <= closed)]
        if len(whole) > 1:
            first, last = int(whole[0]), int(whole[-1])
    parts = [
        read_windows(deployment, store, closed_until_ms, start_ms, first, sites=sites),
        store.read_usage("day", first, last, sites=sites),
        read_windows(deployment, store, closed_until_ms, last, end_ms, sites=sites),
    ]
    rows = pd.concat([p for p in parts if not p.empty] or parts[:1], ignore_index=True)
    rows = rows.sort_values(["site", "start_ms"], ignore_index=True)
    whole_span = np.array([start_ms, end_ms], dtype=np.int64)
    usage = roll_up(rows, whole_span if by == "total" else bounds(by, start_ms, end_ms, zone))
    usage["start_ms"] = usage["start_ms"].clip(lower=start_ms)
    usage["end_ms"] = usage["end_ms"].clip(upper=end_ms)
    return usage
