from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from config.deployment import AccessPoint, Deployment, Site
from pipeline.relocation.outcomes import Outcome, outcomes
from pipeline.state import Move
from pipeline.underuse.evidence import WEEK_MS
from tests.pipeline.memory_store import city
from tests.pipeline.relocation.small_city import AS_OF, used

# The weeks assessed begin on 30 March; the move is three weeks later.
MONDAY = datetime(2026, 4, 20, tzinfo=UTC)
MOVE = Move("gare", "clos", "clos-1", MONDAY.date(), 12.0, 480.0, 300.0, 700.0)


def became(
    move: Move,
    users: float,
    *,
    since_week: int = 3,
    unseen_until_week: int = 0,
    before: float = 0,
    site: str = "clos-1",
) -> Outcome:
    """What becomes of a move to where so many users are, and so many others were before it."""
    deployment: Deployment = city(
        [Site(site=site, kind="social_housing", opening_hours="24/7")],
        [AccessPoint(ap="ap", site=site, source="import")],
        timezone="UTC",
    )
    usage = used({site: users}, since_week)
    unseen = usage["start_ms"] < usage["start_ms"].min() + unseen_until_week * WEEK_MS
    for name in ("covered_ms", "up_ms", "clients_ms", "user_ms"):
        usage[name] = usage[name].mask(unseen, 0)
    moved_ms = MONDAY.timestamp() * 1000
    if before:
        earlier = used({site: before})
        old, new = earlier["start_ms"] < moved_ms, usage["start_ms"] >= moved_ms
        usage = pd.concat([earlier[old], usage[new]], ignore_index=True)
    (found,) = outcomes(deployment, [move], usage, AS_OF)
    return found


@pytest.mark.parametrize(
    ("users", "result"), [(20, "as_expected"), (8, "worse"), (35, "better"), (0, "worse")]
)
def test_what_was_expected_is_held_beside_what_is_observed(users: float, result: str) -> None:
    found = became(MOVE, users)
    assert found.result == result
    assert found.observed == pytest.approx(24 * users, rel=1e-2)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 24 * users <= found.high or users == 0
    assert [reason.code for reason in found.reasons] == [result, "before"]


def test_use_before_the_move_does_not_count() -> None:
    found = became(MOVE, 20, before=500)
    assert found.result == "as_expected"
    assert found.observed == pytest.approx(480, rel=1e-2)


def test_a_few_weeks_say_nothing_yet() -> None:
    for found in (
        became(MOVE, 20, since_week=6),
        became(replace(MOVE, on=datetime(2026, 5, 18, tzinfo=UTC).date()), 20),
    ):
        assert (found.result, found.observed) == ("too_early", None)


def test_weeks_that_nobody_watched_say_nothing() -> None:
    found = became(MOVE, 20, unseen_until_week=8)
    assert (found.result, found.observed) == ("unobserved", None)


def test_a_new_spot_that_is_in_no_file_is_said_to_be_missing() -> None:
    assert became(MOVE, 20, site="elsewhere").result == "no_new_site"


def test_without_an_expectation_on_record_the_observation_stands_alone() -> None:
    move = replace(MOVE, before=None, expected=None, low=None, high=None)
    found = became(move, 20)
    assert found.result == "no_expectation"
    assert found.observed == pytest.approx(480, rel=1e-2)
    assert [reason.code for reason in found.reasons] == ["no_expectation"]
