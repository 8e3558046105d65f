"""The periods that usage is kept and shown at: 15-minute windows, and what a site's clock says."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from config.deployment import Deployment, local_day_ms
from pipeline.usage.intervals import Ints

WINDOW_MS: Final = 15 * 60_000
"""Windows start on the UTC quarter of an hour; so do local days and hours, in every zone in use."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
"""Of a day without a change of the clock."""

Span = tuple[str, int, int]
"""Site, start and end in UTC milliseconds."""
Period = Literal["hour", "day", "week", "month", "quarter", "year"]
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
"""How many make each of the periods that begin with a month."""


def window_floor(ms: int) -> int:
    """Start of the 15-minute window that an instant lies in."""
    return ms - ms % WINDOW_MS


def window_ceil(ms: int) -> int:
    """Start of the first window at or after an instant."""
    return -window_floor(-ms)


def local_date(ms: int, zone: ZoneInfo) -> date:
    """The local day that an instant lies in."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date()


@lru_cache(maxsize=1024)
def bounds(period: Period, start_ms: int, end_ms: int, zone: ZoneInfo) -> Ints:
    """Bounds of the local periods that meet [start, end): n + 1 instants for n periods.

    A day of a clock change has 23 or 25 hours. Weeks start on Monday.
    """
    day = _period_start(local_date(start_ms, zone), period)
    days = [local_day_ms(day, zone)]
    while days[-1] < end_ms:
        day = _next(day, period)
        days.append(local_day_ms(day, zone))
    found = np.array(days, dtype=np.int64)
    if period == "hour":
        hours = [np.arange(a, b, HOUR_MS) for a, b in pairwise(days)]
        every = np.concatenate([*hours, found[-1:]])
        first = np.searchsorted(every, start_ms, side="right") - 1
        found = every[first : np.searchsorted(every, end_ms) + 1]
    found.setflags(write=False)
    return found


def sites_by_zone(deployment: Deployment, sites: Iterable[str]) -> dict[ZoneInfo, list[str]]:
    """Sites by the time zone that their days and hours are told in, in the order given."""
    zones: dict[ZoneInfo, list[str]] = {}
    for site in sites:
        zones.setdefault(deployment.zone(site), []).append(site)
    return zones


def week_start_ms(at_ms: int, zone: ZoneInfo, weeks_before: int = 0) -> int:
    """The last local Monday's midnight at or before an instant, or some weeks before it."""
    monday = _period_start(local_date(at_ms, zone), "week")
    return local_day_ms(monday - timedelta(weeks=weeks_before), zone)


def _period_start(day: date, period: Period) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period in MONTHS:
        months = MONTHS[period]
        return day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return day


def _next(day: date, period: Period) -> date:
    if period in MONTHS:
        return (day + timedelta(days=31 * MONTHS[period])).replace(day=1)
    return day + timedelta(days=7 if period == "week" else 1)
