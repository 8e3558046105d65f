from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.deployment import Site
from pipeline.underuse.intensity import Floats
from pipeline.underuse.rhythm import WEEK_HOURS, Hours, hour_of_week, hours_of_kind
from pipeline.underuse.rhythm import hours_in_use as of_weeks
from pipeline.usage.intervals import Ints
from tests.pipeline.memory_store import city

WEEKS = 13
HOURS: Ints = np.tile(np.arange(WEEK_HOURS), WEEKS)
WEEK: Ints = np.repeat(np.arange(WEEKS), WEEK_HOURS)
KNOWN = np.ones(len(HOURS))
OPEN = (HOURS % 24 >= 9) & (HOURS % 24 < 17) & (HOURS < 5 * 24)


def hours_in_use(users: Floats, known: Floats = KNOWN) -> Hours:
    return of_weeks(users.reshape(WEEKS, WEEK_HOURS), known.reshape(WEEKS, WEEK_HOURS))


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        ("2026-03-01T23:00:00+00:00", 0),  # Monday midnight in Brussels
        ("2026-03-29T00:59:00+00:00", 6 * 24 + 1),
        ("2026-03-29T01:00:00+00:00", 6 * 24 + 3),  # the clock went forward
        ("2026-10-25T01:00:00+00:00", 6 * 24 + 2),  # for the second time
    ],
)
def test_the_hour_of_the_week_is_the_local_one(moment: str, hour: int) -> None:
    instant = int(datetime.fromisoformat(moment).astimezone(UTC).timestamp() * 1000)
    assert hour_of_week(np.array([instant]), ZoneInfo("Europe/Brussels")).tolist() == [hour]


def test_hours_with_few_users_are_left_out() -> None:
    users = np.where(OPEN, 9.0, 1.0)
    assert (hours_in_use(users) == OPEN[:WEEK_HOURS]).all()


def test_four_hours_a_week_are_found() -> None:
    users = np.where((HOURS >= 62) & (HOURS < 66), 9.0, 0.1)
    assert np.flatnonzero(hours_in_use(users)).tolist() == [62, 63, 64, 65]


def test_one_festival_night_is_no_rhythm() -> None:
    users = np.where(OPEN, 9.0, 0.0) + np.where((WEEK == 5) & (HOURS % 24 == 23), 500, 0)
    assert (hours_in_use(users) == OPEN[:WEEK_HOURS]).all()


def test_around_the_clock_with_no_users_or_always_some() -> None:
    assert hours_in_use(np.zeros(len(HOURS))).all()
    assert hours_in_use(np.full(len(HOURS), 3.0)).all()
    assert of_weeks(np.zeros((0, WEEK_HOURS)), np.zeros((0, WEEK_HOURS))).all()


def test_an_hour_that_was_never_known_counts() -> None:
    known = np.where(HOURS % 24 < 12, 1.0, 0.0)
    users = np.where(OPEN, 9.0, 0.0) * known
    found = hours_in_use(users, known)
    assert (found == ((HOURS % 24 >= 12) | OPEN)[:WEEK_HOURS]).all()


def test_only_allowed_hours_count_and_all_of_them_where_nobody_comes() -> None:
    night = (HOURS % 24 >= 20).reshape(WEEKS, WEEK_HOURS)
    users, known = np.where(night, 9.0, 0.5), np.ones((WEEKS, WEEK_HOURS))
    day = OPEN[:WEEK_HOURS]
    assert (of_weeks(users, known) == night[0]).all()
    assert (of_weeks(users, known, day) == day).all()
    assert (of_weeks(np.zeros_like(users), known, day) == day).all()


def test_an_hour_of_a_kind_is_one_in_which_a_quarter_of_its_places_are_open() -> None:
    def kinds(*hours: str | None, **rule: int) -> dict[str, Hours]:
        of = city(
            [Site(site=f"s{i}", kind="school", opening_hours=h) for i, h in enumerate(hours)],
            [], underuse=rule,
        )  # fmt: skip
        return hours_of_kind(of, datetime(2026, 7, 1, 12, tzinfo=UTC))

    daily = "Mo-Fr 08:00-17:00; PH off"
    (found,) = kinds(None, *[daily] * 4, "Mo 17:00-22:00").values()
    assert np.flatnonzero(found).tolist() == [d * 24 + h for d in range(5) for h in range(8, 17)]
    (found,) = kinds(None, *[daily] * 4, *["Mo 17:00-22:00"] * 2).values()
    assert np.flatnonzero(found[:24]).tolist() == list(range(8, 22))
    # Too few that keep hours tell nothing of the others, and nobody needs to be told.
    assert kinds(None, *[daily] * 4) == {}
    assert kinds(*[daily] * 6) == {}
    assert kinds(None, None) == {}
