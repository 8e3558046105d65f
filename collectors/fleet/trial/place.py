"""What is drawn of every place of a trial: the parameters that its right verdict follows from."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from collectors.fleet.trial.season import Bools, Season
from collectors.fleet.trial.timetable import Timetable
from config.deployment import SiteKind

Circumstance = Literal[
    "plain", "festival", "passers_by", "four_hours", "closure", "lost_days", "mostly_blind",
    "partly_blind", "broken", "flaky", "new", "young", "no_hours", "small_busy", "large_idle",
    "erratic",
]  # fmt: skip
Days = tuple[int, int]
"""[start, end) in days of the season."""

LOSES_ONE_DAY_OF: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site of a trial."""

    site: str
    kind: SiteKind
    circumstance: Circumstance
    aps: int
    timetable: Timetable
    hours_written: bool
    """Whether its opening hours stand in the files."""
    level: float
    """Users at a time in the open hours of a typical week: what is to be judged."""
    week_sd: float
    """Of the logarithm, from week to week; the median is 1."""
    day_sd: float
    """Likewise from day to day within a week; the mean is 1."""
    outside: float
    """Users at a time by day while the place is closed: staff, machines, passers-by."""
    since: int | None = None
    """First day of the season in service; None: before it."""
    since_written: bool = False
    festival: int | None = None
    """Day of the season on which many times the crowd comes."""
    closed: Days | None = None
    """Announced in the files."""
    blind: Days | None = None
    """Without rows."""
    lost_day: int | None = None
    """Days of the season with this remainder of nine have no rows."""
    availability: float = 1.0
    """Share of the time in which the whole place is up."""

    def open_in(self, season: Season) -> Bools:
        """Whether people can be there, quarter by quarter."""
        return self.timetable.open_in(season) & ~_within(season, self.closed)

    def in_service(self, season: Season) -> Bools:
        """Whether its access points are there."""
        return season.day >= (self.since or 0)

    def watched(self, season: Season) -> Bools:
        """Whether anybody polls them."""
        seen = self.in_service(season) & ~_within(season, self.blind)
        if self.lost_day is not None:
            seen &= season.day % LOSES_ONE_DAY_OF != self.lost_day
        return seen


def _within(season: Season, days: Days | None) -> Bools:
    first, end = days or (0, 0)
    return np.asarray((season.day >= first) & (season.day < end), dtype=np.bool_)
