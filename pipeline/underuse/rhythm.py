"""When a place whose opening hours nobody wrote down is open: in the hours that people use it."""

from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.underuse.intensity import Floats, midmean
from pipeline.usage.intervals import Ints

Hours = npt.NDArray[np.bool_]

WEEK_HOURS: Final = 7 * 24
IN_USE: Final = 1 / 3
"""Of the users that a user usually finds there. Less is passers-by, or devices left switched on."""


def hour_of_week(instants: Ints, zone: ZoneInfo) -> Ints:
    """The local hour that each instant (UTC milliseconds) lies in: 0 is Monday from midnight."""
    local = pd.to_datetime(instants, unit="ms", utc=True).tz_convert(zone)
    return np.asarray(local.day_of_week * 24 + local.hour, dtype=np.int64)


def hours_in_use(users: Floats, known: Floats) -> Hours:
    """Which of the 168 hours of the week a site is usually used in.

    Of each week and hour of the week: the users integrated over it and the time with their number
    known. An hour that was never known counts as used, or else a site that was watched in a few
    hours only would seem to be watched whenever it is open. So does every hour where a typical week
    has no user at all.
    """
    typical = np.full(WEEK_HOURS, np.nan)
    for at in range(WEEK_HOURS):
        there = known[:, at] > 0
        if there.any():
            typical[at] = midmean(users[there, at] / known[there, at])
    total = np.nansum(typical)
    # What a user finds: the mean of the hours, each counted as often as it has users.
    found = np.nansum(typical**2) / total if total > 0 else 0.0
    used: Hours = np.isnan(typical) | (typical >= IN_USE * found)
    return used
