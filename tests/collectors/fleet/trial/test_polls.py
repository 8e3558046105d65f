"""What the poller of a trial city saw, missed and found down."""

from collections import defaultdict

import numpy as np
import pytest

from collectors.fleet.clock import QUARTER_MS
from collectors.fleet.trial.draw import TrialCity, draw_city
from collectors.fleet.trial.people import present
from collectors.fleet.trial.polls import Polls, polls


@pytest.fixture(scope="module")
def city() -> TrialCity:
    return draw_city(4, 100, 14)


@pytest.fixture(scope="module")
def polled(city: TrialCity) -> dict[str, list[Polls]]:
    found = defaultdict(list)
    for one in polls(city):
        found[one.site].append(one)
    return found


def days(city: TrialCity, one: Polls) -> np.ndarray:
    return city.season.day[(one.ts_ms - city.season.start_ms) // QUARTER_MS]


def test_every_access_point_is_polled_once_a_quarter(
    city: TrialCity, polled: dict[str, list[Polls]]
) -> None:
    names = [one.ap for found in polled.values() for one in found]
    assert len(set(names)) == len(names) == sum(place.aps for place in city.places)
    for found in polled.values():
        for one in found:
            quarters = (one.ts_ms - city.season.start_ms) // QUARTER_MS
            assert (np.diff(quarters) > 0).all()
            assert quarters[0] >= 0
            assert one.ts_ms[-1] < city.season.end_ms


def test_the_access_points_share_their_users(
    city: TrialCity, polled: dict[str, list[Polls]]
) -> None:
    users = present(city)
    for place, here in zip(city.places, users, strict=True):
        seen = np.zeros(city.season.quarters, dtype=np.int64)
        for one in polled[place.site]:
            seen[(one.ts_ms - city.season.start_ms) // QUARTER_MS] += one.clients
        assert (seen <= here).all()
        if place.aps == 1:
            heard = seen > 0
            assert (seen[heard] == here[heard]).all()


def test_what_nobody_watched_has_no_rows(city: TrialCity, polled: dict[str, list[Polls]]) -> None:
    blind = lost = new = 0
    for place in city.places:
        for one in polled[place.site]:
            at = days(city, one)
            if place.blind:
                blind += 1
                assert not ((at >= place.blind[0]) & (at < place.blind[1])).any()
            if place.lost_day is not None:
                lost += 1
                assert not (at % 9 == place.lost_day).any()
            if place.since is not None:
                new += 1
                assert at.min() == place.since
    assert min(blind, lost, new) > 0


def test_the_broken_are_down_half_of_the_time_and_others_hardly(
    city: TrialCity, polled: dict[str, list[Polls]]
) -> None:
    kinds = set()
    for place in city.places:
        up = np.concatenate([one.up for one in polled[place.site]]).mean()
        assert up == pytest.approx(place.availability, abs=0.12)
        if place.circumstance == "broken":
            kinds.add("broken")
            assert up < 0.8
        elif place.circumstance != "flaky":
            kinds.add("sound")
            assert up > 0.95
    assert kinds == {"broken", "sound"}
