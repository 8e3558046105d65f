"""A trial city is the same for ever, and has every trap in it."""

from collections import Counter
from datetime import timedelta

import pytest

from collectors.fleet.trial.draw import MIN_SITES, MIN_WEEKS, SHARES, draw_city
from collectors.fleet.trial.season import CLOCK_CHANGES


def test_the_same_seed_draws_the_same_city_and_another_another() -> None:
    assert draw_city(7, 120, 14) == draw_city(7, 120, 14)
    assert draw_city(7, 120, 14).places != draw_city(8, 120, 14).places


@pytest.mark.parametrize("seed", range(5))
def test_every_trap_is_in_a_city_of_120(seed: int) -> None:
    places = draw_city(seed, 120, 14).places
    assert len({place.site for place in places}) == len(places) == 120
    befell = Counter(place.circumstance for place in places)
    for circumstance, share in SHARES.items():
        assert 120 * share - 1 <= befell[circumstance] <= 120 * share + 1
    kinds = Counter(place.kind for place in places)
    assert min(kinds.values()) <= 5, "a site of some kind has fewer than five peers"
    assert sorted(kinds.values())[3] > 5, "and most have more"


@pytest.mark.parametrize("seed", range(8))
def test_the_clocks_change_in_the_weeks_judged(seed: int) -> None:
    season = draw_city(seed, 20, 14).season
    assert season.monday.weekday() == 0
    judged_from = season.monday - timedelta(weeks=13)
    assert any(judged_from < change < season.monday for change in CLOCK_CHANGES)
    hours = (season.end_ms - season.start_ms) / 3_600_000
    assert abs(hours - 14 * 7 * 24) == 1


@pytest.mark.parametrize("seed", range(30))
def test_the_smallest_city_can_be_drawn(seed: int) -> None:
    city = draw_city(seed, MIN_SITES, MIN_WEEKS)
    assert len(city.places) == MIN_SITES
    days = 7 * MIN_WEEKS
    for place in city.places:
        for span in (place.closed, place.blind):
            assert span is None or 0 <= span[0] < span[1] <= days
        assert place.since is None or 0 <= place.since < days


def test_what_needs_opening_hours_befalls_no_park() -> None:
    for seed in range(10):
        for place in draw_city(seed, 120, 14).places:
            if place.circumstance in {"passers_by", "four_hours", "closure", "no_hours"}:
                assert place.timetable.spells
