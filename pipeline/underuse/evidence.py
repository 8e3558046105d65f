"""What is known of each site's use in its open hours, week by week. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed, open_hours
from pipeline.underuse.intensity import Floats
from pipeline.underuse.rhythm import hour_of_week, hours_in_use
from pipeline.usage.figures import share
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.periods import WINDOW_MS, bounds, week_start_ms
from pipeline.usage.service import maintenance_of

MIN_WEEK_KNOWN: Final = 0.2
"""A week with less than this share of its open AP time known says nothing of the week."""
WEEK_MS: Final = 7 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """A site in its open hours over a window, announced maintenance taken out."""

    by_week: Floats
    """Users at a time over the whole site: user-hours / hours with the client count known. One
    value a week of the window, NaN where the week is not known well enough."""
    weeks_in_service: float
    open_days: int
    """Local days with open hours and any observation in them."""
    open_hours: float
    """In service; 0: the site never was open."""
    coverage: float | None
    clients_known: float | None
    """Share of the expected open AP time with the client count known."""
    availability: float | None
    in_service_at_end: bool

    @property
    def weekly(self) -> Floats:
        """The weeks that are known, in their order."""
        return self.by_week[~np.isnan(self.by_week)]

    hours_in_use: int | None
    """Where no opening hours are known: the hours of the week that count as open."""


def assessment_span(deployment: Deployment, site: str, as_of: datetime) -> tuple[int, int]:
    """The whole weeks that a site is assessed over: they end on the last local Monday, 00:00."""
    at_ms = round(as_of.timestamp() * 1000)
    zone = deployment.zone(site)
    weeks = deployment.settings.underuse.window_weeks
    return week_start_ms(at_ms, zone, weeks), week_start_ms(at_ms, zone)


def usage_span(deployment: Deployment, as_of: datetime) -> tuple[int, int]:
    """The span of usage that the assessments of all sites need."""
    spans = [assessment_span(deployment, site, as_of) for site in deployment.sites]
    if not spans:
        end = week_start_ms(round(as_of.timestamp() * 1000), deployment.settings.zone)
        return end, end
    return min(start for start, _ in spans), max(end for _, end in spans)


def gather(deployment: Deployment, usage: pd.DataFrame, as_of: datetime) -> dict[str, Evidence]:
    """Evidence of every site of the files from 15-minute usage, in any order of sites."""
    start_ms, end_ms = usage_span(deployment, as_of)
    opened = open_hours(deployment, start_ms, end_ms)
    announced = maintenance_of(deployment)
    rows = usage.groupby("site").indices
    found = {}
    for site in deployment.sites:
        judged = opened[site].minus(announced.get(site, Intervals.of([])))
        here = usage.iloc[rows[site]] if site in rows else usage.iloc[:0]
        found[site] = _of_site(deployment, site, here, judged, as_of)
    return found


def _of_site(
    deployment: Deployment, site: str, usage: pd.DataFrame, judged: Intervals, as_of: datetime
) -> Evidence:
    start_ms, end_ms = assessment_span(deployment, site, as_of)
    usage = usage[(usage["start_ms"] >= start_ms) & (usage["start_ms"] < end_ms)]
    starts = usage["start_ms"].to_numpy()
    weight = judged.within(starts, starts + WINDOW_MS) / WINDOW_MS
    columns = ("expected_ms", "covered_ms", "up_ms", "down_ms", "clients_ms", "user_ms", "aps")
    amounts = {name: usage[name].to_numpy(dtype=np.float64) for name in columns}
    served = amounts["expected_ms"] > 0
    zone = deployment.zone(site)
    mondays = bounds("week", start_ms, end_ms, zone)
    week = np.searchsorted(mondays, starts, side="right") - 1
    day = np.searchsorted(bounds("day", start_ms, end_ms, zone), starts, side="right")
    in_use = None
    if hours_assumed(deployment.sites[site]):
        hour, whole = hour_of_week(starts, zone), weight == 1
        site_time = _site_time(amounts["clients_ms"], amounts["aps"])
        watched = (hour[whole], week[whole], amounts["user_ms"][whole], site_time[whole])
        in_use = hours_in_use(*watched)
        weight = weight * in_use[hour]
    open_amounts: Mapping[str, Floats] = {name: weight * amounts[name] for name in columns}
    total = {name: float(open_amounts[name].sum()) for name in columns}
    return Evidence(
        by_week=_by_week(open_amounts, amounts["aps"], week, len(mondays) - 1),
        weeks_in_service=float(served.sum() * WINDOW_MS / WEEK_MS),
        open_days=len(np.unique(day[open_amounts["covered_ms"] > 0])),
        open_hours=float(weight[served].sum() / 4),
        coverage=share(total["covered_ms"], total["expected_ms"]),
        clients_known=share(total["clients_ms"], total["expected_ms"]),
        availability=share(total["up_ms"], total["up_ms"] + total["down_ms"]),
        in_service_at_end=_in_service(deployment, site, end_ms),
        hours_in_use=None if in_use is None else int(in_use.sum()),
    )


def _in_service(deployment: Deployment, site: str, end_ms: int) -> bool:
    ends = [
        deployment.service_ms(ap)[1] for ap in deployment.access_points.values() if ap.site == site
    ]
    return any(end is None or end >= end_ms for end in ends)


def _site_time(ap_time: Floats, aps: Floats) -> Floats:
    """Time of the site as a whole."""
    return np.divide(ap_time, aps, out=np.zeros_like(aps), where=aps > 0)


def _by_week(amounts: Mapping[str, Floats], aps: Floats, week: Ints, weeks: int) -> Floats:
    def per_week(values: Floats) -> Floats:
        total = np.zeros(weeks)
        np.add.at(total, week, values)
        return total

    site_time = _site_time(amounts["clients_ms"], aps)
    users, known_time = per_week(amounts["user_ms"]), per_week(site_time)
    known, expected = per_week(amounts["clients_ms"]), per_week(amounts["expected_ms"])
    enough = (expected > 0) & (known >= MIN_WEEK_KNOWN * expected) & (known_time > 0)
    by_week: Floats = np.divide(users, known_time, out=np.full(weeks, np.nan), where=enough)
    return by_week
