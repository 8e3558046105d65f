"""When a place whose opening hours nobody wrote down is open: in the hours that people use it.

But where other places of its kind keep hours, not in those in which hardly any of them is open:
people who pass by a dark library at night do not make it an evening library.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed, open_hours
from pipeline.underuse.intensity import Floats, midmean
from pipeline.underuse.weeks import assessment_span
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import bounds

Hours = npt.NDArray[np.bool_]

WEEK_HOURS: Final = 7 * 24
OPEN_OF_KIND: Final = 1 / 4
"""Of the places of a kind that keep hours; with fewer open it is no hour for such a place."""
IN_USE: Final = 1 / 3
"""Of the users that a user usually finds there. Less is passers-by, or devices left switched on."""


def hour_of_week(instants: Ints, zone: ZoneInfo) -> Ints:
    """The local hour that each instant (UTC milliseconds) lies in: 0 is Monday from midnight."""
    local = pd.to_datetime(instants, unit="ms", utc=True).tz_convert(zone)
    return np.asarray(local.day_of_week * 24 + local.hour, dtype=np.int64)


def hours_of_kind(deployment: Deployment, as_of: datetime, back: int = 0) -> dict[str, Hours]:
    """The hours of the week in which places of a kind are open, of each kind that needs them.

    Those are the kinds with a place whose hours nobody knows, and enough others that keep hours,
    which count if they are open in any week of the window.
    """
    sites = deployment.sites.values()
    asked = {site.kind for site in sites if hours_assumed(site)}
    keeping = {s.site: s for s in sites if s.kind in asked and s.opening_hours}
    opened: dict[str, list[Hours]] = {}
    timed = deployment.model_copy(update={"sites": keeping, "closures": ()})
    spans = [assessment_span(deployment, site, as_of, back) for site in keeping]
    if not spans:
        return {}
    start_ms, end_ms = min(start for start, _ in spans), max(end for _, end in spans)
    for site, hours in open_hours(timed, start_ms, end_ms).items():
        starts = bounds("hour", start_ms, end_ms, deployment.zone(site))
        open_ms = hours.within(starts[:-1], starts[1:])
        of_week = hour_of_week(starts[:-1], deployment.zone(site))
        ever = np.bincount(of_week, weights=open_ms, minlength=WEEK_HOURS) > 0
        opened.setdefault(keeping[site].kind, []).append(ever)
    return {
        kind: np.mean(those, axis=0) >= OPEN_OF_KIND
        for kind, those in opened.items()
        if len(those) >= deployment.settings.underuse.min_peers
    }


def hours_in_use(users: Floats, known: Floats, allowed: Hours | None = None) -> Hours:
    """Which of the 168 hours of the week a site is usually used in.

    Of each week and hour of the week: the users integrated over it and the time with their number
    known. An hour that was never known counts as used, or else a site that was watched in a few
    hours only would seem to be watched whenever it is open. So does every hour where a typical week
    has no user at all. `allowed`: the hours that may count; None: all.
    """
    typical = np.full(WEEK_HOURS, np.nan)
    for at in range(WEEK_HOURS):
        there = known[:, at] > 0
        if there.any():
            typical[at] = midmean(users[there, at] / known[there, at])
    if allowed is not None:
        typical[~allowed] = 0
    total = np.nansum(typical)
    # What a user finds: the mean of the hours, each counted as often as it has users.
    found = np.nansum(typical**2) / total if total > 0 else 0.0
    used: Hours = np.isnan(typical) | (typical >= IN_USE * found)
    return used if allowed is None else used & allowed
