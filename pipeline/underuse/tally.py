"""A week of each site's open hours, added up: all that judging needs of it. Pure.

The weeks of a window are tallied one by one, so that no more than a week of usage is held at a
time, and an assessment of the week before shares all but one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed, open_hours
from pipeline.underuse.intensity import Floats
from pipeline.underuse.rhythm import WEEK_HOURS, hour_of_week
from pipeline.underuse.weeks import city_week_span, week_span
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.service import maintenance_of

_SUMS: Final = ("expected_ms", "covered_ms", "up_ms", "down_ms", "clients_ms", "user_ms")
AMOUNTS: Final = (*_SUMS, "site_ms", "open_ms", "habit_user_ms", "habit_site_ms")
"""What is added up, in milliseconds of open time: columns of the usage; time of the site as a whole
in which it could be used and the number of its users is known; open time in service. And, of
windows that are open from end to end, users and that time again: from which habits are learnt.
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """A week of a site, announced closures and maintenance taken out."""

    amounts: Floats
    """[AMOUNTS, day of the week], or [AMOUNTS, hour of the week] where no opening hours are known
    and those that count are found later."""
    served_ms: int
    """In service, open or not."""
    rows: int
    """Windows with usage."""


def tally(
    deployment: Deployment, usage: pd.DataFrame, as_of: datetime, back: int
) -> dict[str, Tally]:
    """Tally a week of every site of the files.

    `usage`: 15-minute usage of `weeks.city_week_span` or more, in any order.
    """
    start_ms, end_ms = city_week_span(deployment, as_of, back)
    usage = usage[(usage["start_ms"] >= start_ms) & (usage["start_ms"] < end_ms)]
    grid = np.arange(start_ms, end_ms, WINDOW_MS, dtype=np.int64)
    shares = _shares_open(deployment, grid)
    hours = {zone: hour_of_week(grid, zone) for zone in _zones(deployment)}
    found = {}
    rows = {str(site): np.asarray(at) for site, at in usage.groupby("site").indices.items()}
    columns = {name: usage[name].to_numpy(dtype=np.float64) for name in (*_SUMS, "aps")}
    starts = usage["start_ms"].to_numpy()
    for site in deployment.sites:
        first, end = week_span(deployment, site, as_of, back)
        here = rows.get(site, np.empty(0, dtype=np.int64))
        here = here[(starts[here] >= first) & (starts[here] < end)]
        window = (starts[here] - start_ms) // WINDOW_MS
        by_hour = hours_assumed(deployment.sites[site])
        hour = hours[deployment.zone(site)][window]
        found[site] = _of_site(
            {name: values[here] for name, values in columns.items()},
            share=shares[site][window],
            slot=hour if by_hour else hour // 24,
            slots=WEEK_HOURS if by_hour else 7,
        )
    return found


def _zones(deployment: Deployment) -> set[ZoneInfo]:
    return {deployment.zone(site) for site in deployment.sites}


def _shares_open(deployment: Deployment, grid: Ints) -> dict[str, Floats]:
    """How much of each window is to be judged at each site; the many that share hours share it."""
    if not len(grid):
        return {site: np.empty(0) for site in deployment.sites}
    opened = open_hours(deployment, int(grid[0]), int(grid[-1]) + WINDOW_MS)
    announced = maintenance_of(deployment)
    known: dict[int, Floats] = {}
    found = {}
    for site, hours in opened.items():
        if site in announced:
            found[site] = _share(hours.minus(announced[site]), grid)
            continue
        if id(hours) not in known:
            known[id(hours)] = _share(hours, grid)
        found[site] = known[id(hours)]
    return found


def _share(judged: Intervals, grid: Ints) -> Floats:
    share: Floats = judged.within(grid, grid + WINDOW_MS) / WINDOW_MS
    return share


def _of_site(usage: Mapping[str, Floats], *, share: Floats, slot: Ints, slots: int) -> Tally:
    aps, served = usage["aps"], usage["expected_ms"] > 0
    # Broken is not unwanted: while all of a site is down nobody can be there. Where one access
    # point of several is, people use the others.
    all_down = (aps == 1) | (usage["up_ms"] == 0)
    usable = np.maximum(usage["clients_ms"] - usage["down_ms"] * all_down, 0)
    site_ms = np.divide(usable, aps, out=np.zeros_like(aps), where=aps > 0)
    whole = share == 1
    values = [
        *(usage[name] * share for name in _SUMS),
        site_ms * share,
        served * share * WINDOW_MS,
        usage["user_ms"] * whole,
        site_ms * whole,
    ]
    return Tally(
        amounts=np.stack([np.bincount(slot, weights=v, minlength=slots) for v in values]),
        served_ms=int(served.sum()) * WINDOW_MS,
        rows=len(slot),
    )
