"""The people of a trial city are as many as the truth has it."""

from dataclasses import replace

import numpy as np
import pytest

from collectors.fleet.trial import people
from collectors.fleet.trial.draw import TrialCity, draw_city
from collectors.fleet.trial.people import expected, present


@pytest.fixture(scope="module")
def city() -> TrialCity:
    return draw_city(5, 40, 12)


def test_in_a_usual_week_the_mean_of_the_open_hours_is_the_level(
    city: TrialCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "KIND_WEEK_SD", 0.0)
    even = [replace(p, week_sd=0.0, day_sd=0.0, festival=None) for p in city.places]
    season = city.season
    means = expected(replace(city, places=tuple(even)))
    odd = season.public_holiday | season.school_holiday
    hours_of_day = np.bincount(season.day) / 4
    usual_weeks = [
        week
        for week in range(season.weeks)
        if not odd[season.day // 7 == week].any()
        and set(hours_of_day[7 * week : 7 * week + 7]) == {24}
    ]
    assert len(usual_weeks) > 3
    for place, users in zip(even, means, strict=True):
        for week in usual_weeks:
            here = (season.day // 7 == week) & place.open_in(season)
            whole = not place.closed or not (
                place.closed[0] < 7 * week + 7 and 7 * week < place.closed[1]
            )
            if whole:
                assert users[here].mean() == pytest.approx(place.level)


def test_a_closure_and_a_festival_are_seen(city: TrialCity) -> None:
    season = city.season
    for place, users in zip(city.places, expected(city), strict=True):
        if place.closed:
            shut = (season.day >= place.closed[0]) & (season.day < place.closed[1])
            assert users[shut].max() <= place.outside
        if place.festival is not None:
            day = users[season.day == place.festival]
            assert day.max() > 10 * place.level


def test_a_school_holiday_is_shared_by_the_kind() -> None:
    schools = 0
    for seed in range(10):
        city = draw_city(seed, 60, 14)
        season = city.season
        for place, users in zip(city.places, expected(city), strict=True):
            opened = place.open_in(season)
            away = opened & season.school_holiday
            if place.kind == "school" and place.festival is None and away.any():
                schools += 1
                assert users[away].mean() < 0.5 * users[opened & ~season.school_holiday].mean()
    assert schools > 5


def test_people_come_as_expected_and_stay(city: TrialCity) -> None:
    means, counts = expected(city), present(city)
    assert counts.min() >= 0
    np.testing.assert_allclose(counts.mean(axis=1), means.mean(axis=1), rtol=0.15)
    assert counts.sum() == pytest.approx(means.sum(), rel=0.01)
    # What is left of the numbers without what is expected: much the same a quarter later.
    busy = means.mean(axis=1) > 3
    rest = (counts - means)[busy]
    alike = np.corrcoef(rest[:, 1:].ravel(), rest[:, :-1].ravel())[0, 1]
    assert 0.5 < alike < people.STAY + 0.05
