"""Which verdict stands: the first at once, after that what two weeks in a row agree on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.deployment import Deployment
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import worded
from pipeline.underuse.replay import Replay, verdict_after
from pipeline.underuse.weeks import city_week_span
from tests.pipeline.underuse.cities import AS_OF, PEERS, Users, deployment, steady, usage

WEEK_MS = 7 * 86_400_000
SHORT: dict[str, Any] = {"window_weeks": 4, "min_weeks": 2, "resamples": 200}
"""Settings under which a week more or less changes a lot."""


class Recorded:
    """A reader that remembers what it was asked for."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._rows = rows
        self.spans: list[tuple[int, int]] = []

    def __call__(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        self.spans.append((start_ms, end_ms))
        starts = self._rows["start_ms"]
        return self._rows[(starts >= start_ms) & (starts < end_ms)]


def replayed(
    users: Users, *, peers: int | None = None, as_of: datetime = AS_OF, **rule: Any
) -> tuple[Replay, Recorded]:
    """The weeks of lib0 among six busy libraries, watched for as long or longer."""
    of = deployment(["lib0", *PEERS], underuse=SHORT | rule)
    read = Recorded(pd.concat([usage(of, {"lib0": users}), busy(peers or len(users))]))
    return Replay(of, read, as_of), read


@cache
def busy(weeks: int) -> pd.DataFrame:
    """What is used of the other six."""
    of = deployment(list(PEERS))
    return usage(of, {site: steady(level, weeks) for site, level in PEERS.items()})


def lib0(found: Sequence[Assessment]) -> Assessment:
    return next(a for a in found if a.site == "lib0")


def stood(users: Users, *, peers: int | None = None) -> str:
    replay, _ = replayed(users, peers=peers)
    return lib0(replay.standing()).verdict


def forwards(replay: Replay, weeks: int) -> str:
    """The rule as the definition words it, from the first week on."""
    verdicts = [lib0(list(replay.alone(back).values())).verdict for back in reversed(range(weeks))]
    standing = verdicts[0]
    for before, now in pairwise(verdicts):
        if before == now or standing == "not_assessable":
            standing = now
    return standing


LEVEL = st.sampled_from([0.0, 1.0, 4.0, 5.5, 7.0, 12.0, 30.0, None])


@settings(max_examples=20, deadline=None)
@given(st.lists(LEVEL, min_size=1, max_size=12))
def test_what_stands_is_what_the_definition_replayed_forwards_gives(users: list[Any]) -> None:
    replay, _ = replayed(users, peers=16)
    assert lib0(replay.standing()).verdict == forwards(replay, len(users))


def test_one_week_that_says_otherwise_changes_nothing() -> None:
    steadily = [12.0] * 10
    assert stood(steadily) == "ok"
    # The window of four weeks turns when its third poor week comes; the week after agrees.
    turning = next(n for n in range(1, 6) if alone([*steadily, *[0.5] * n]) != "ok")
    assert stood([*steadily, *[0.5] * turning]) == "ok"
    assert alone([*steadily, *[0.5] * (turning + 3)]) == "underused"
    assert stood([*steadily, *[0.5] * (turning + 3)]) == "underused"


def alone(users: Users) -> str:
    return lib0(list(replayed(users)[0].alone().values())).verdict


def test_the_figures_are_the_latest_and_a_reason_tells_what_they_alone_say() -> None:
    replay, _ = replayed([12.0] * 8 + [0.5] * 2)
    shown, latest = lib0(replay.standing()), replay.alone()["lib0"]
    assert (shown.verdict, latest.verdict) == ("ok", "watch")
    assert (shown.ratio, shown.ratio_low, shown.ratio_high, shown.intensity) == (
        latest.ratio, latest.ratio_low, latest.ratio_high, latest.intensity,
    )  # fmt: skip
    *same, added = shown.reasons
    assert tuple(same) == latest.reasons
    assert worded(added, "en") == (
        "This week's figures alone would say watch; a verdict changes when two weeks in a row "
        "agree."
    )
    assert "à suivre" in worded(added, "fr")
    assert "op te volgen" in worded(added, "nl")


def test_last_weeks_verdicts_come_from_the_same_reading() -> None:
    replay, read = replayed(steady(12, 8))
    this_week, before = replay.standing(), replay.standing(1)
    assert lib0(this_week).verdict == lib0(before).verdict == "ok"
    # Four weeks of the window and one before it, and one more for the week before's own neighbour.
    assert len(read.spans) == len(set(read.spans)) == 6
    assert all(end - start == WEEK_MS for start, end in read.spans)


def test_usage_is_read_further_back_for_as_long_as_weeks_disagree() -> None:
    of = deployment(["lib0", *PEERS], underuse=SHORT)
    for users in (
        steady(12, 16),
        [12.0] * 6 + [12.0, 4.0, 0.1, 12.0, 4.0, 0.1, 12.0, 4.0, 0.1, 9.0],
    ):
        replay, read = replayed(users)
        history = replay.history()["lib0"]
        replay.standing()
        assert history[-1] == history[-2]
        assert all(a != b for a, b in pairwise(history[:-1]))
        assert read.spans == [
            city_week_span(of, AS_OF, back) for back in range(4 + len(history) - 1)
        ]


def test_the_first_assessment_is_that_of_the_first_monday_with_usage() -> None:
    replay, _ = replayed([12.0, 12.0], peers=8)
    # One week says too little, and that is no verdict: what two weeks say stands at once.
    assert replay.history()["lib0"] == ("ok", "not_assessable")
    assert stood([12.0], peers=8) == "not_assessable"
    assert stood([12.0] * 2, peers=8) == "ok"


@pytest.mark.parametrize(
    ("latest_first", "stands"),
    [
        (["underused"], "underused"),
        (["watch", "ok", "ok"], "ok"),
        (["not_assessable", "ok", "ok"], "ok"),
        (["ok", "not_assessable", "not_assessable"], "ok"),
        (["watch", "ok", "not_assessable", "not_assessable"], "ok"),
        (["ok", "not_assessable", "underused", "underused"], "underused"),
        (["underused", "ok", "watch"], "watch"),
    ],
)
def test_what_could_not_be_assessed_need_not_be_outvoted(
    latest_first: list[Any], stands: str
) -> None:
    assert verdict_after(latest_first) == stands


def test_a_site_that_was_never_heard_is_asked_for_once() -> None:
    of = deployment(["lib0", *PEERS], underuse=SHORT)
    replay = Replay(of, Recorded(busy(8)), AS_OF)
    assert replay.history()["lib0"] == ("not_assessable",)
    assert [r.code for r in lib0(replay.standing()).reasons] == ["never_heard"]


def test_a_retired_site_is_no_longer_judged_from_that_week_on() -> None:
    of = deployment(["lib0", *PEERS], underuse=SHORT)
    sites = dict(of.sites)
    sites["lib0"] = sites["lib0"].model_copy(update={"out_of_service_since": date(2026, 6, 25)})
    of = of.model_copy(update={"sites": sites})
    users = {site: steady(level, 8) for site, level in ({"lib0": 12.0} | dict(PEERS)).items()}
    replay = Replay(of, Recorded(usage(of, users)), AS_OF)
    assert lib0(replay.standing()).verdict == "not_assessable"
    assert lib0(replay.standing(1)).verdict == "ok"


@pytest.mark.parametrize("hour", [0, 23])
def test_weeks_are_counted_by_the_local_calendar_across_a_clock_change(hour: int) -> None:
    of = deployment(["lib0", *PEERS], timezone="Europe/Brussels", underuse=SHORT)
    as_of = datetime(2026, 4, 5, 22, tzinfo=UTC) + timedelta(hours=hour)
    ends = [city_week_span(of, as_of, back)[1] for back in range(4)]
    mondays = [
        datetime(2026, *monday, tzinfo=UTC) for monday in ((4, 5, 22), (3, 29, 22), (3, 22, 23))
    ]
    assert ends[:3] == [round(monday.timestamp() * 1000) for monday in mondays]
    users = {s: steady(level, 8) for s, level in ({"lib0": 12.0} | dict(PEERS)).items()}
    read = Recorded(usage(of, users, as_of))
    assert lib0(Replay(of, read, as_of).standing()).verdict == "ok"


def test_nothing_to_judge() -> None:
    empty: Deployment = deployment([])
    replay = Replay(empty, Recorded(usage(deployment(["x"]), {"x": [1.0]}).iloc[:0]), AS_OF)
    assert replay.standing() == []
