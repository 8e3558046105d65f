"""A trial city, drawn: what places there are, how much each is used, and what befalls it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from collectors.fleet.habits import HABITS
from collectors.fleet.trial.place import LOSES_ONE_DAY_OF, Circumstance, Place
from collectors.fleet.trial.season import Season, draw_season
from collectors.fleet.trial.timetable import FOUR_HOURS, USUAL
from config.deployment import SiteKind

MIN_SITES: Final = 10
MIN_WEEKS, MAX_WEEKS = 10, 26
JUDGED_WEEKS: Final = 13

SHARES: Final[dict[Circumstance, float]] = {
    "festival": 0.04,
    "passers_by": 0.03,
    "four_hours": 0.03,
    "closure": 0.04,
    "lost_days": 0.06,
    "mostly_blind": 0.03,
    "partly_blind": 0.03,
    "broken": 0.04,
    "flaky": 0.02,
    "new": 0.04,
    "young": 0.01,
    "no_hours": 0.03,
    "small_busy": 0.04,
    "large_idle": 0.03,
    "erratic": 0.02,
}
"""Of the sites; the others are plain."""
INDOORS_ONLY: Final = frozenset({"passers_by", "four_hours", "closure", "no_hours"})
"""What needs opening hours."""

IDLE, BORDERLINE = 0.12, 0.04
"""Shares of the places whose use nothing special decides; the others are ordinary."""
CITY_LOSES_DAYS: Final = 1 / 3
"""Share of the cities in which every place loses one day of nine."""
RARE_KINDS: Final = 3
"""Kinds with two to four places, in a city of thirty places a rare kind or more."""
USUAL_KIND: Final = 7
"""At least so many places, on average, has a kind that is not rare."""
APS: Final = ((1, 0.4), (2, 0.3), (3, 0.18), (4, 0.12))
"""How many access points a place has, and how often."""


@dataclass(frozen=True, slots=True)
class TrialCity:
    """Everything that was drawn, but for the people."""

    seed: int
    season: Season
    places: tuple[Place, ...]


def draw_city(seed: int, sites: int, weeks: int) -> TrialCity:
    """Draw a city of so many sites, watched for so many weeks. The same seed, the same city."""
    rng = np.random.default_rng([seed, 0])
    season = draw_season(rng, weeks)
    kinds = _kinds(rng, sites)
    befalls = _circumstances(rng, kinds)
    city_loses = int(rng.integers(LOSES_ONE_DAY_OF)) if rng.random() < CITY_LOSES_DAYS else None
    numbers: dict[SiteKind, int] = {}
    places = []
    for kind, circumstance in zip(kinds, befalls, strict=True):
        numbers[kind] = numbers.get(kind, 0) + 1
        site = f"{kind.replace('_', '-')}-{numbers[kind]:02}"
        place = _place(rng, season, site, kind=kind, circumstance=circumstance)
        if city_loses is not None:
            place = replace(place, lost_day=city_loses)
        places.append(place)
    return TrialCity(seed, season, tuple(places))


def _kinds(rng: np.random.Generator, sites: int) -> list[SiteKind]:
    """The kind of each site, sorted: many of most kinds, fewer than five others of some."""
    order = [list(HABITS)[i] for i in rng.permutation(len(HABITS))]
    rare = order[: min(RARE_KINDS, sites // 30)]
    found = [kind for kind in rare for _ in range(rng.integers(2, 5))]
    rest = sites - len(found)
    usual = order[len(rare) :][: max(1, rest // USUAL_KIND)]
    # Six of each, so that each has five peers, and the others as they come.
    base = min(6, rest // len(usual))
    more = rng.multinomial(rest - base * len(usual), np.full(len(usual), 1 / len(usual)))
    for kind, count in zip(usual, more, strict=True):
        found += [kind] * (base + int(count))
    return sorted(found)


def _circumstances(rng: np.random.Generator, kinds: list[SiteKind]) -> list[Circumstance]:
    """What befalls each site; at most one thing."""
    found: list[Circumstance] = ["plain"] * len(kinds)
    free = [int(i) for i in rng.permutation(len(kinds))]
    for circumstance, share in SHARES.items():
        count = int(share * len(kinds) + rng.random())
        fit = [i for i in free if circumstance not in INDOORS_ONLY or USUAL[kinds[i]][0].spells]
        for i in fit[:count]:
            found[i] = circumstance
            free.remove(i)
    return found


def _place(
    rng: np.random.Generator,
    season: Season,
    site: str,
    *,
    kind: SiteKind,
    circumstance: Circumstance,
) -> Place:
    usual = HABITS[kind].clients
    timetables = USUAL[kind]
    plain: dict[str, Any] = {
        "site": site,
        "kind": kind,
        "circumstance": circumstance,
        "aps": int(rng.choice([n for n, _ in APS], p=[p for _, p in APS])),
        "timetable": timetables[rng.integers(len(timetables))],
        "hours_written": True,
        "level": usual * _use(rng),
        "week_sd": rng.uniform(0.08, 0.16),
        "day_sd": 0.15,
        "outside": usual * rng.uniform(0.01, 0.05),
    }
    if circumstance == "plain":
        return Place(**plain)
    special = _BEFALLS[circumstance](rng, season, usual)
    return Place(**plain | special)


def _use(rng: np.random.Generator) -> float:
    """How much a place is used, as a share of the usual crowd: there is no gap at the limit."""
    lot = rng.random()
    if lot < IDLE:
        return float(rng.uniform(0.03, 0.42))
    if lot < IDLE + BORDERLINE:
        return float(rng.uniform(0.40, 0.60))
    return float(rng.lognormal(0.05, 0.25))


def _days(rng: np.random.Generator, season: Season, count: int) -> tuple[int, int]:
    """So many days in a row of the weeks judged."""
    first = 7 * max(season.weeks - JUDGED_WEEKS, 0)
    start = int(rng.integers(first, 7 * season.weeks - count + 1))
    return start, start + count


Befalls = Callable[[np.random.Generator, Season, float], dict[str, Any]]
"""What differs from a plain place; takes the usual crowd of its kind."""


def _festival(rng: np.random.Generator, season: Season, usual: float) -> dict[str, Any]:
    idle = rng.random() < 0.75
    level = {"level": usual * rng.uniform(0.04, 0.35)} if idle else {}
    return {"festival": _days(rng, season, 1)[0]} | level


def _passers_by(rng: np.random.Generator, _: Season, usual: float) -> dict[str, Any]:
    return {
        "level": usual * rng.uniform(0.03, 0.3),
        "outside": usual * rng.uniform(0.6, 1.4),
    }


def _four_hours(rng: np.random.Generator, _: Season, __: float) -> dict[str, Any]:
    return {"timetable": FOUR_HOURS[rng.integers(len(FOUR_HOURS))]}


def _closure(rng: np.random.Generator, season: Season, _: float) -> dict[str, Any]:
    return {"closed": _days(rng, season, 35)}


def _lost_days(rng: np.random.Generator, _: Season, __: float) -> dict[str, Any]:
    return {"lost_day": int(rng.integers(LOSES_ONE_DAY_OF))}


def _mostly_blind(rng: np.random.Generator, season: Season, _: float) -> dict[str, Any]:
    days = 7 * min(season.weeks, JUDGED_WEEKS)
    return {"blind": _days(rng, season, int(days * rng.uniform(0.5, 0.85)))}


def _partly_blind(rng: np.random.Generator, season: Season, _: float) -> dict[str, Any]:
    days = 7 * min(season.weeks, JUDGED_WEEKS)
    return {"blind": _days(rng, season, int(days * rng.uniform(0.1, 0.22)))}


def _broken(rng: np.random.Generator, _: Season, __: float) -> dict[str, Any]:
    return {"availability": rng.uniform(0.35, 0.65)}


def _flaky(rng: np.random.Generator, _: Season, __: float) -> dict[str, Any]:
    return {"availability": rng.uniform(0.86, 0.94)}


def _new(rng: np.random.Generator, season: Season, _: float) -> dict[str, Any]:
    age = int(rng.uniform(10, 48))
    return {"since": 7 * season.weeks - age, "since_written": rng.random() < 0.5}


def _young(rng: np.random.Generator, season: Season, _: float) -> dict[str, Any]:
    age = int(rng.uniform(63, 7 * min(season.weeks, JUDGED_WEEKS)))
    return {"since": 7 * season.weeks - age, "since_written": rng.random() < 0.5}


def _no_hours(_: np.random.Generator, __: Season, ___: float) -> dict[str, Any]:
    return {"hours_written": False}


def _small_busy(rng: np.random.Generator, _: Season, usual: float) -> dict[str, Any]:
    return {"aps": 1, "level": usual * rng.uniform(0.9, 1.6)}


def _large_idle(rng: np.random.Generator, _: Season, usual: float) -> dict[str, Any]:
    return {"aps": int(rng.integers(6, 10)), "level": usual * rng.uniform(0.08, 0.38)}


def _erratic(rng: np.random.Generator, _: Season, usual: float) -> dict[str, Any]:
    return {"level": usual * rng.uniform(0.3, 0.5), "week_sd": rng.uniform(0.4, 0.6)}


_BEFALLS: Final[dict[Circumstance, Befalls]] = {
    "festival": _festival,
    "passers_by": _passers_by,
    "four_hours": _four_hours,
    "closure": _closure,
    "lost_days": _lost_days,
    "mostly_blind": _mostly_blind,
    "partly_blind": _partly_blind,
    "broken": _broken,
    "flaky": _flaky,
    "new": _new,
    "young": _young,
    "no_hours": _no_hours,
    "small_busy": _small_busy,
    "large_idle": _large_idle,
    "erratic": _erratic,
}
