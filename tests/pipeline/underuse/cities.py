"""Small cities and their usage, written down week by week."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from config.deployment import AccessPoint, Deployment, Site, SiteKind
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.underuse.weeks import week_span
from tests.pipeline.memory_store import city

AS_OF: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOURS: Final = "Mo-Fr 09:00-17:00"
QUARTER: Final = 900_000
HOUR: Final = 4 * QUARTER
Users = Sequence[float | None]
"""At a time, week by week, the latest last; None: nobody watched."""
PEERS: Final[Mapping[str, float]] = {f"lib{i}": 9.0 + i for i in range(1, 7)}


def deployment(
    sites: Sequence[str], *, kind: SiteKind = "library", hours: str | None = HOURS, **more: Any
) -> Deployment:
    """Sites of one AP each, on UTC time."""
    return city(
        [Site(site=s, kind=kind, opening_hours=hours) for s in sites],
        [AccessPoint(ap=f"{s}-ap", site=s, source="import") for s in sites],
        **{"timezone": "UTC"} | more,
    )


def steady(level: float, weeks: int) -> Users:
    """About so many users, with the ups and downs of weeks."""
    return [level * (0.9 + 0.05 * (week % 5)) for week in range(weeks)]


def usage(of: Deployment, users: Mapping[str, Users], as_of: datetime = AS_OF) -> pd.DataFrame:
    """15-minute usage of the last weeks before a moment; a site has as many as are given."""
    frames = []
    for site, weekly in users.items():
        spans = [week_span(of, site, as_of, back) for back in reversed(range(len(weekly)))]
        starts = np.concatenate([np.arange(*span, QUARTER) for span in spans])
        week = np.searchsorted([start for start, _ in spans], starts, side="right") - 1
        seen = np.array([level is not None for level in weekly])[week]
        there = np.array([level or 0.0 for level in weekly])[week]
        data: dict[str, Any] = {
            name: pd.Series(pd.NA if kind == "Int64" else 0, index=range(len(starts)), dtype=kind)
            for name, kind in USAGE_COLUMNS.items()
        }
        data |= {"site": site, "start_ms": starts, "end_ms": starts + QUARTER, "aps": 1}
        data |= dict.fromkeys(("covered_ms", "up_ms", "clients_ms"), seen * QUARTER)
        data |= {"expected_ms": QUARTER, "user_ms": (there * QUARTER).round().astype(np.int64)}
        frames.append(pd.DataFrame(data))
    joined = pd.concat(frames, ignore_index=True).astype(USAGE_COLUMNS)
    return joined.sort_values(["site", "start_ms"], ignore_index=True)


def ap_hours(
    of: Deployment, site: str, users: Mapping[str, Users], as_of: datetime = AS_OF
) -> pd.DataFrame:
    """Hourly usage of access points of a site, by their names, as `usage` has it."""
    count = max(len(weekly) for weekly in users.values())
    start, end = week_span(of, site, as_of, count - 1)[0], week_span(of, site, as_of, 0)[1]
    frames = []
    for ap, weekly in users.items():
        starts = np.arange(end - len(weekly) * (end - start) // count, end, HOUR)
        week = np.arange(len(starts)) // 168
        seen = np.array([level is not None for level in weekly])[week]
        there = np.array([level or 0.0 for level in weekly])[week]
        data: dict[str, Any] = {
            name: pd.Series(pd.NA if kind == "Int64" else 0, index=range(len(starts)), dtype=kind)
            for name, kind in AP_USAGE_COLUMNS.items()
        }
        data |= {"site": site, "ap": ap, "start_ms": starts, "end_ms": starts + HOUR}
        data |= dict.fromkeys(("covered_ms", "up_ms", "clients_ms"), seen * HOUR)
        data |= {"expected_ms": HOUR, "user_ms": (there * HOUR).round().astype(np.int64)}
        frames.append(pd.DataFrame(data))
    return pd.concat(frames, ignore_index=True).astype(AP_USAGE_COLUMNS)
