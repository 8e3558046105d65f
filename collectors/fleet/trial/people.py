"""The people of a trial city, quarter of an hour by quarter of an hour. Pure and seeded."""

from typing import Final

import numpy as np

from collectors.fleet.habits import HABITS
from collectors.fleet.trial.draw import TrialCity
from collectors.fleet.trial.place import Place
from collectors.fleet.trial.season import Floats, Ints, Season

STAY: Final = 0.75
"""Of the people of a quarter, those still there in the next: they stay an hour on average."""
FESTIVAL: Final = 40.0
"""Times the usual crowd of the kind, from ten in the morning to midnight of one day."""
KIND_WEEK_SD: Final = 0.08
"""Weather and fashion: what all places of a kind have in common in a week."""
SCHOOL_HOLIDAY: Final = {
    "school": 0.15,
    "library": 0.75,
    "epn": 0.8,
    "sports_centre": 0.8,
    "youth_centre": 1.4,
    "museum": 1.3,
    "park": 1.2,
}
"""What a school holiday does to a kind of place; to the others nothing."""
BY_DAY: Final = (7.0, 22.0)
"""Local hours in which somebody is on the street, at home or at work."""


def expected(city: TrialCity) -> Floats:
    """Users at a time, expected: [site, quarter]."""
    season = city.season
    rng = np.random.default_rng([city.seed, 1])
    kinds = sorted({place.kind for place in city.places})
    common = dict(
        zip(kinds, np.exp(rng.normal(0, KIND_WEEK_SD, (len(kinds), season.weeks))), strict=True)
    )
    found = np.empty((len(city.places), season.quarters))
    for row, place in enumerate(city.places):
        week = common[place.kind] * np.exp(rng.normal(0, place.week_sd, season.weeks))
        days = rng.normal(-(place.day_sd**2) / 2, place.day_sd, 7 * season.weeks)
        mood = week[season.day // 7] * np.exp(days)[season.day]
        found[row] = _of_place(place, season, mood)
    return found


def _of_place(place: Place, season: Season, mood: Floats) -> Floats:
    opened = place.open_in(season)
    inside = place.level * _rhythm(place, season) * mood
    inside *= np.where(season.school_holiday, SCHOOL_HOLIDAY.get(place.kind, 1.0), 1.0)
    if place.festival is not None:
        crowd = FESTIVAL * HABITS[place.kind].clients
        there = (season.day == place.festival) & (season.hour >= 10)
        inside = np.where(there, crowd, inside)
        opened = opened | there
    by_day = (season.hour >= BY_DAY[0]) & (season.hour < BY_DAY[1])
    return np.where(opened, inside, np.where(by_day, place.outside, place.outside / 10))


def _rhythm(place: Place, season: Season) -> Floats:
    """How the crowd spreads over the open hours: its mean over those of a usual week is 1."""
    habit = HABITS[place.kind]
    hours = np.arange(7 * 96) % 96 / 4
    weekday = np.arange(7 * 96) // 96
    opened = place.timetable.usually_open(weekday, hours)
    week = np.array(habit.curve)[hours.astype(np.int64)]
    week = week * np.where(weekday >= 5, habit.weekend, 1.0)
    week /= week[opened].mean()
    return np.asarray(week[(season.day % 7) * 96 + (season.hour * 4).astype(np.int64)])


def present(city: TrialCity) -> Ints:
    """Users in each quarter: [site, quarter]. Each comes, stays a while and goes.

    The number is Poisson distributed about what is expected, and neighbouring quarters are alike.
    """
    means = expected(city)
    rng = np.random.default_rng([city.seed, 2])
    counts = np.empty(means.shape, dtype=np.int64)
    counts[:, 0] = rng.poisson(means[:, 0])
    for at in range(1, means.shape[1]):
        before, now = means[:, at - 1], means[:, at]
        # Where fewer are expected than would stay, as at closing time, more of them go.
        stay = np.minimum(STAY, np.divide(now, before, out=np.zeros_like(now), where=before > 0))
        counts[:, at] = rng.binomial(counts[:, at - 1], stay)
        counts[:, at] += rng.poisson(np.maximum(now - stay * before, 0))
    return counts
