"""When invented places are open: as a weekly rule, and as people write it.

Who is there follows from the rule and not from the text, so that a mistake in reading opening hours
shows as a wrong verdict.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from collectors.fleet.trial.season import Bools, Season
from config.deployment import SiteKind

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Spell:
    """Open on these days of the week, from an hour to another of the local day."""

    days: tuple[str, ...]
    opens: int
    closes: int

    @property
    def text(self) -> str:
        """In OpenStreetMap's syntax."""
        first, last = self.days[0], self.days[-1]
        run = DAYS[DAYS.index(first) : DAYS.index(last) + 1] == self.days and len(self.days) > 2
        days = f"{first}-{last}" if run else ",".join(self.days)
        return f"{days} {self.opens:02}:00-{self.closes:02}:00"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Weekly hours, closed on public holidays. Without spells: open around the clock."""

    spells: tuple[Spell, ...] = ()

    @property
    def text(self) -> str | None:
        """In OpenStreetMap's syntax; None: nothing to write."""
        if not self.spells:
            return None
        return "; ".join([*(spell.text for spell in self.spells), "PH off"])

    def open_in(self, season: Season) -> Bools:
        """Whether the place is open, quarter by quarter."""
        weekday = season.day % 7
        found = self.usually_open(weekday, season.hour)
        return found & ~season.public_holiday if self.spells else found

    def usually_open(self, weekday: np.ndarray, hour: np.ndarray) -> Bools:
        """The same of days (0: Monday) that are no public holidays."""
        if not self.spells:
            return np.ones(len(hour), dtype=np.bool_)
        found = np.zeros(len(hour), dtype=np.bool_)
        for spell in self.spells:
            days = [DAYS.index(day) for day in spell.days]
            found |= np.isin(weekday, days) & (hour >= spell.opens) & (hour < spell.closes)
        return found


def _hours(*spells: tuple[str, int, int]) -> Timetable:
    return Timetable(tuple(Spell(tuple(days.split()), a, b) for days, a, b in spells))


_WORKDAYS: Final = "Mo Tu We Th Fr"
_OFFICE: Final = (
    _hours((_WORKDAYS, 9, 17)),
    _hours((_WORKDAYS, 8, 16)),
    _hours(("Mo Tu Th Fr", 9, 16), ("We", 9, 19)),
)
_AFTERNOON: Final = (
    _hours(("Tu We Th Fr", 10, 18), ("Sa", 10, 17)),
    _hours(("Tu Th", 13, 18), ("We", 10, 18), ("Sa", 9, 13)),
    _hours((_WORKDAYS, 13, 18)),
)
_EVENING: Final = (
    _hours((_WORKDAYS, 14, 22), ("Sa Su", 9, 18)),
    _hours(("We Fr Sa", 14, 21)),
    _hours((" ".join(DAYS), 10, 22)),
)
FOUR_HOURS: Final = (
    _hours(("We", 14, 18)),
    _hours(("Sa", 9, 13)),
    _hours(("Tu Th", 16, 18)),
)
"""A week."""
ROUND_THE_CLOCK: Final = Timetable()
USUAL: Final[dict[SiteKind, tuple[Timetable, ...]]] = {
    "library": _AFTERNOON,
    "senior_centre": _OFFICE + _AFTERNOON,
    "sports_centre": _EVENING,
    "social_antenna": _OFFICE,
    "town_hall": _OFFICE,
    "epn": _OFFICE + _AFTERNOON,
    "youth_centre": _EVENING,
    "neighbourhood_house": _OFFICE + _AFTERNOON,
    "social_housing": (_hours((" ".join(DAYS), 7, 23)),),
    "school": (_hours((_WORKDAYS, 8, 17)),),
    "museum": (_hours(("Tu We Th Fr Sa Su", 10, 18)),),
    "park": (ROUND_THE_CLOCK,),
    "street": (ROUND_THE_CLOCK,),
    "other": _OFFICE,
}
