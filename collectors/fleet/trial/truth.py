"""The right verdict on every place of a trial, from what was drawn and from nothing that was seen.

The definition is the published one, applied to the parameters: the level that was drawn stands for
the intensity, and the interval is that in which 95 % of the ratios would lie if the same city were
watched again and again for as long. So a ratio close to the limit has one right verdict like every
other, and the luck of the weeks that were watched can make it be missed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from collectors.fleet.trial.draw import JUDGED_WEEKS, TrialCity
from collectors.fleet.trial.people import STAY
from collectors.fleet.trial.place import Circumstance, Place
from collectors.fleet.trial.season import Bools, Floats, Season
from config.deployment import SiteKind
from config.settings import Underuse

REPEATS: Final = 4000
MIDMEAN: Final = 1.19
"""Variance of the mean of the middle half of a normal sample, compared with the plain mean's."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A place and its right verdict."""

    site: str
    kind: SiteKind
    circumstance: Circumstance
    verdict: str
    level: float
    """Users at a time in the open hours of a typical week."""
    reference: float
    """The true median of its true peers."""
    ratio: float
    low: float
    high: float
    """Of the interval that weeks like these give."""


def truths(city: TrialCity, rule: Underuse) -> list[Truth]:
    """The right verdicts, in the order of the places."""
    grounds = [_grounds(place, city.season, rule) for place in city.places]
    judged = np.array([verdict is None for verdict in grounds])
    levels = np.array([place.level for place in city.places])
    spread = np.array([_spread(place, city.season) for place in city.places])
    rng = np.random.default_rng([city.seed, 4])
    seen = levels[:, None] * np.exp(rng.normal(size=(len(levels), REPEATS)) * spread[:, None])
    everything = np.column_stack([levels, seen])
    found = []
    for row, place in enumerate(city.places):
        reference = _reference(row, everything, [p.kind for p in city.places], judged, rule)
        ratios = everything[row] / reference
        low, high = np.quantile(ratios[1:], (0.025, 0.975))
        verdict = grounds[row] or _by_use(float(ratios[0]), float(high), rule)
        found.append(
            Truth(
                site=place.site,
                kind=place.kind,
                circumstance=place.circumstance,
                verdict=verdict,
                level=place.level,
                reference=float(reference[0]),
                ratio=float(ratios[0]),
                low=float(low),
                high=float(high),
            )
        )
    return found


def _by_use(ratio: float, high: float, rule: Underuse) -> str:
    if ratio >= rule.ratio:
        return "ok"
    return "underused" if high < rule.ratio else "watch"


def _judged(season: Season) -> Bools:
    return np.asarray(season.day >= 7 * (season.weeks - JUDGED_WEEKS), dtype=np.bool_)


def _grounds(place: Place, season: Season, rule: Underuse) -> str | None:
    """Why the use of a place does not decide; None: it does."""
    served = _judged(season) & place.in_service(season)
    opened = served & place.open_in(season)
    watched = opened & place.watched(season)
    weeks = len(np.unique(season.day[served])) / 7
    if (
        weeks < min(rule.min_weeks, rule.window_weeks)
        or watched.sum() < rule.min_coverage * opened.sum()
        or len(np.unique(season.day[watched])) < rule.min_open_days
    ):
        return "not_assessable"
    return "repair_first" if place.availability < rule.min_availability else None


def _spread(place: Place, season: Season) -> float:
    """Standard deviation of the logarithm of a typical week out of those that can be seen.

    What all places of a kind have in common cancels out and is not in it.
    """
    seen = _judged(season) & place.open_in(season) & place.watched(season)
    quarters = int(seen.sum())
    if not quarters:
        return 0.0
    days = len(np.unique(season.day[seen]))
    # A week counts by how much of its open time is seen.
    usual = place.timetable.usually_open(np.arange(672) // 96, np.arange(672) % 96 / 4).sum()
    weeks = quarters / int(usual)
    # People stay: neighbouring quarters tell little more than one of them.
    arrivals = (1 + STAY) / (1 - STAY) / (place.level * quarters)
    return float(np.sqrt(MIDMEAN * (place.week_sd**2 / weeks + place.day_sd**2 / days + arrivals)))


def _reference(
    row: int, everything: Floats, kinds: list[SiteKind], judged: Bools, rule: Underuse
) -> Floats:
    """The median of the others of its kind; the city's stands in for peers that are missing."""
    others = judged.copy()
    others[row] = False
    same = others & np.array([kind == kinds[row] for kind in kinds])
    weight = min(int(same.sum()) / rule.min_peers, 1.0)
    mixed: Floats = np.zeros(everything.shape[1])
    if weight > 0:
        mixed += weight * np.median(everything[same], axis=0)
    if weight < 1:
        mixed += (1 - weight) * np.median(everything[others], axis=0)
    return mixed
