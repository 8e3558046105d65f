from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from collectors.fleet.trial.draw import TrialCity, draw_city
from collectors.fleet.trial.people import present
from collectors.fleet.trial.season import ZONE as TRIAL_ZONE
from pipeline.outages.stuck import (
    NotJudged,
    Rhythm,
    Run,
    Stuck,
    Windows,
    judge,
    learn,
    missed_by,
    peers_share,
    run_now,
    share_of_usual,
)
from pipeline.underuse.intensity import Floats
from pipeline.usage.periods import WINDOW_MS

ZONE = ZoneInfo("Europe/Brussels")
MONDAY_MS = round(datetime(2026, 1, 5, tzinfo=ZONE).astimezone(UTC).timestamp() * 1000)
DAY = 96
WEEK = 7 * DAY
WEEKS = 8
LIMIT = 1e-6
RULES = (ZONE, 4, LIMIT)
"""How a site is learnt here: its zone, the weeks needed, and what is no accident."""


def library(users: float = 12, weeks: int = WEEKS + 1, seed: int = 1) -> Windows:
    """Open on weekdays from nine to five; people stay an hour on average."""
    random = np.random.default_rng(seed)
    at = np.arange(weeks * WEEK)
    opened = (at % DAY >= 36) & (at % DAY < 68) & (at % WEEK < 5 * DAY)
    there = np.zeros(len(at))
    for i in np.flatnonzero(opened).tolist():
        stay = random.binomial(int(there[i - 1]), 0.75) if opened[i - 1] else 0
        there[i] = stay + random.poisson(users * (0.25 if opened[i - 1] else 1))
    starts = MONDAY_MS + WINDOW_MS * at.astype(np.int64)
    return Windows(starts, there, opened, np.zeros(len(at), dtype=np.bool_))


def nobody(windows: Windows, start: int) -> Windows:
    """From a window on."""
    users = windows.users.copy()
    users[start:] = 0
    return windows._replace(users=users)


def learnt(windows: Windows) -> Rhythm:
    rhythm = learn(windows.part(0, WEEKS * WEEK), *RULES)
    assert isinstance(rhythm, Rhythm)
    return rhythm


def told(windows: Windows, rhythm: Rhythm, end: int, peers: float | None = 1.0) -> Stuck | None:
    run = run_now(windows.part(0, end), rhythm, ZONE)
    if run is None:
        return None
    return judge("library", run, rhythm, peers=peers, limit=LIMIT, now_ms=run.end_ms)


def first_told(windows: Windows, rhythm: Rhythm, start: int) -> tuple[int, Stuck] | None:
    for end in range(start + 1, len(windows.start_ms) + 1):
        found = told(windows, rhythm, end)
        if found:
            return end, found
    return None


TUESDAY_TEN = WEEKS * WEEK + DAY + 40


def test_a_busy_site_that_is_empty_is_told_within_hours_with_its_figures() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    rhythm = learnt(windows)
    found = first_told(windows, rhythm, TUESDAY_TEN)
    assert found
    end, stuck = found
    assert end - TUESDAY_TEN <= 12  # three hours
    assert stuck.start_ms == windows.start_ms[TUESDAY_TEN]
    assert stuck.known_ms == windows.start_ms[end - 1] + WINDOW_MS
    assert stuck.users == pytest.approx(12, rel=0.15)
    assert stuck.weeks == WEEKS
    assert stuck.longest_minutes == 0
    assert 0 < stuck.chance < LIMIT


def test_the_fewer_people_the_longer_it_takes() -> None:
    delays = []
    for users in (4, 12, 40):
        windows = nobody(library(users), TUESDAY_TEN)
        found = first_told(windows, learnt(windows), TUESDAY_TEN)
        assert found
        delays.append(found[0] - TUESDAY_TEN)
    assert delays == sorted(delays, reverse=True)
    assert delays[0] > delays[-1]


def test_what_is_closed_or_unknown_is_not_held_against_it() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    rhythm = learnt(windows)
    closing = WEEKS * WEEK + DAY + 68
    at_night = [run_now(windows.part(0, closing + more), rhythm, ZONE) for more in (0, 20, 60)]
    assert len({run.hours.tobytes() for run in at_night if run}) == 1
    # Blind from half an hour on: no more is known next Monday than was then.
    unknown = windows._replace(
        users=np.where(np.arange(len(windows.users)) >= TUESDAY_TEN + 2, np.nan, windows.users),
        counts=windows.counts & (np.arange(len(windows.users)) < TUESDAY_TEN + 2),
    )
    assert first_told(unknown, rhythm, TUESDAY_TEN) is None


def test_it_ends_when_somebody_is_seen_or_it_goes_down() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    rhythm = learnt(windows)
    end = TUESDAY_TEN + 20
    assert told(windows, rhythm, end)
    users = windows.users.copy()
    users[end - 1] = 0.2
    assert told(windows._replace(users=users), rhythm, end) is None
    down = windows.down.copy()
    down[end - 1] = True
    assert told(windows._replace(down=down), rhythm, end) is None
    # And of the time before an outage nothing is carried over it.
    assert told(windows._replace(down=down), rhythm, end + 1) is None


def test_a_day_that_empties_all_is_not_told_of_one() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    rhythm = learnt(windows)
    end = TUESDAY_TEN + 20
    run = run_now(windows.part(0, end), rhythm, ZONE)
    assert run
    others = [nobody(library(seed=seed), TUESDAY_TEN) for seed in (2, 3)] + [library(seed=4)]
    shares = [share_of_usual(one, run, learnt(one), ZONE) for one in others]
    assert [round(share or 0) for share in shares] == [0, 0, 1]
    found = [share for share in shares if share is not None]
    assert told(windows, rhythm, end, peers_share(found, found)) is None
    assert told(windows, rhythm, end, peers_share([], [])) is not None
    # Too few of the kind: the whole city counts.
    assert peers_share([0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0]) == 1.0


def test_a_peer_with_hardly_anybody_at_these_hours_says_nothing() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    run = run_now(windows.part(0, TUESDAY_TEN + 1), learnt(windows), ZONE)
    assert run
    assert share_of_usual(windows, run, learnt(library(2)), ZONE) is None


def test_of_few_weeks_or_of_a_site_that_is_often_empty_nothing_is_concluded() -> None:
    windows = library(weeks=3)
    assert learn(windows, *RULES) == NotJudged("few_weeks", 3, 4)
    assert learn(windows.part(0, 0), *RULES) == NotJudged("few_weeks", 0, 4)
    seldom = learn(library(0.4, WEEKS), *RULES)
    assert isinstance(seldom, NotJudged)
    assert seldom.why == "often_empty"
    assert 0.4 < seldom.figure < 0.7  # exp(-0.4), less in the hours that look most used


def test_quiet_nights_of_a_place_without_hours_are_not_counted() -> None:
    """A park is open around the clock: that it is empty at night says nothing, by day it does."""
    windows = library()
    windows = windows._replace(counts=np.ones_like(windows.counts))
    found = first_told(nobody(windows, TUESDAY_TEN), learnt(windows), TUESDAY_TEN)
    assert found
    assert found[0] - TUESDAY_TEN <= 12
    assert found[1].longest_minutes == 0
    assert first_told(windows.part(0, WEEKS * WEEK + 2 * DAY), learnt(windows), 0) is None


def test_an_outage_of_the_past_is_no_habit_but_two_are() -> None:
    windows = nobody(library(), TUESDAY_TEN)
    users = windows.users.copy()
    users[2 * WEEK : 2 * WEEK + DAY] = 0
    once = learnt(windows._replace(users=users))
    assert told(windows, once, TUESDAY_TEN + 28)
    users[4 * WEEK : 4 * WEEK + DAY] = 0
    twice = learnt(windows._replace(users=users))
    assert told(windows, twice, TUESDAY_TEN + 28) is None


def test_days_that_differ_make_an_empty_one_less_strange() -> None:
    alike, differing = library(), library()
    factor = np.random.default_rng(5).uniform(0.1, 1.9, 7 * (WEEKS + 1))
    differing = differing._replace(users=differing.users * np.repeat(factor, DAY))
    assert learnt(differing).chance(100) > 100 * learnt(alike).chance(100)


def of_trial(city: TrialCity) -> list[Windows]:
    """The windows of its sites."""
    found = []
    season = city.season
    for place, people in zip(city.places, present(city), strict=True):
        watched = place.watched(season)
        users: Floats = np.where(watched, people, np.nan)
        counts = place.open_in(season) & watched
        down = np.zeros(len(users), dtype=np.bool_)
        found.append(Windows(season.ts_ms, users, counts, down))
    return found


def test_nobody_is_told_of_nothing_in_a_trial_city_and_dead_sites_are_found() -> None:
    city = draw_city(11, 20, 12)
    sites = of_trial(city)
    random = np.random.default_rng(11)
    false, delays, judged_weeks = 0, [], 0
    for week in range(WEEKS, 12):
        since = int(np.searchsorted(city.season.day, 7 * week))
        until = int(np.searchsorted(city.season.day, 7 * (week + 1)))
        for windows in sites:
            rhythm = learn(windows.part(since - WEEKS * WEEK, since), TRIAL_ZONE, 4, LIMIT)
            if not isinstance(rhythm, Rhythm):
                continue
            judged_weeks += 1
            false += _first(windows.part(since - DAY, until), DAY, rhythm) is not None
            busy = since + np.flatnonzero(windows.users[since : until - 3 * DAY] >= 10)
            if len(busy):
                dead = int(random.choice(busy))
                users = windows.users.copy()
                users[dead:] = np.where(np.isnan(users[dead:]), np.nan, 0)
                windows = windows._replace(users=users)  # noqa: PLW2901 - the same site, dead
                delay = _first(windows.part(dead - 1, until), 1, rhythm)
                delays.append(float("inf") if delay is None else delay)
    assert judged_weeks > 40
    assert false == 0
    assert len(delays) > 20
    assert np.median(delays) <= 12  # windows of open time: three hours


def _first(windows: Windows, start: int, rhythm: Rhythm) -> int | None:
    """How many open windows after `start` it is told."""
    for end in range(start + 1, len(windows.start_ms) + 1):
        if not (windows.counts[end - 1] and windows.users[end - 1] == 0):
            continue
        run: Run | None = run_now(windows.part(0, end), rhythm, TRIAL_ZONE)
        if run and not rhythm.explains(missed_by(run, rhythm), LIMIT):
            return int(windows.counts[start:end].sum())
    return None
