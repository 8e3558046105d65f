"""An idle access point in a busy site, told from one that is broken, new, unseen or quiet."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from config.deployment import AccessPoint, Deployment
from pipeline.underuse.judgement import Judgement, judge
from pipeline.underuse.reasons import worded
from pipeline.underuse.replay import Replay
from tests.pipeline.underuse.cities import (
    AS_OF,
    HOUR,
    PEERS,
    Users,
    ap_hours,
    deployment,
    steady,
    usage,
)  # fmt: skip

WEEKS = 13
TYPICAL = (3 * 0.95 + 3 * 1.0 + 1 * 1.05) / 7
"""Of the ups and downs of 13 weeks, 0.9 to 1.1 again and again, the mean of the middle seven."""
BUSY: Mapping[str, Users] = {"a1": steady(6, WEEKS), "a2": steady(4, WEEKS), "a3": steady(5, WEEKS)}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def judged(
    aps: Mapping[str, Users],
    change: Change = lambda hours: hours,
    site_users: float = 16,
    **of: Any,
) -> Judgement:
    """The library lib0 with these access points, among six with one each."""
    city = with_aps(deployment(["lib0", *PEERS], **of), aps)
    users = {"lib0": steady(site_users, WEEKS)} | {s: steady(v, WEEKS) for s, v in PEERS.items()}
    rows, hours = usage(city, users), change(ap_hours(city, "lib0", aps))
    asked: list[Collection[str]] = []

    def read(start_ms: int, end_ms: int) -> pd.DataFrame:
        return rows[(rows["start_ms"] >= start_ms) & (rows["start_ms"] < end_ms)]

    def read_aps(start_ms: int, end_ms: int, sites: Collection[str]) -> pd.DataFrame:
        asked.append(tuple(sites))
        assert end_ms - start_ms == 168 * HOUR
        return hours[(hours["start_ms"] >= start_ms) & (hours["start_ms"] < end_ms)]

    found = judge(city, Replay(city, read, AS_OF), read_aps, AS_OF)
    # Of the six others, each with one access point, nothing is read.
    assert set(asked) <= {("lib0",)}
    return found


def with_aps(city: Deployment, aps: Mapping[str, Users]) -> Deployment:
    points = {ap: AccessPoint(ap=ap, site="lib0", source="import") for ap in aps}
    others = {n: a for n, a in city.access_points.items() if a.site != "lib0"}
    return city.model_copy(update={"access_points": others | points})


def test_an_idle_access_point_in_a_busy_site_is_surplus() -> None:
    found = judged({**BUSY, "idle": steady(0.5, WEEKS)})
    (one,) = found.surplus
    assert (one.site, one.ap, one.siblings) == ("lib0", "idle", 3)
    # Its siblings have 5 users in the middle, and the same ups and downs.
    assert one.siblings_median == pytest.approx(5 * TYPICAL)
    assert one.intensity == pytest.approx(0.5 * TYPICAL)
    assert one.ratio == pytest.approx(0.1)
    assert one.ratio_low <= 0.1 <= one.ratio_high < 0.2
    assert (one.coverage, one.availability) == (1, 1)


def test_the_row_of_its_site_names_it_in_every_language() -> None:
    found = judged({**BUSY, "idle": steady(0.5, WEEKS)})
    row = next(a for a in found.assessments if a.site == "lib0")
    assert row.verdict == "ok"
    said = [worded(row.reasons[-1], language) for language in ("fr", "nl", "en")]
    for text, word in zip(said, ("superflue", "overtollig", "surplus"), strict=True):
        assert word in text
        assert "idle" in text
        assert "10" in text
    assert said[2].startswith(
        "Access point idle is surplus: 0.49 users at a time in open hours, 10%"
    )


def test_an_access_point_that_nobody_ever_used_is_surplus_with_ratio_zero() -> None:
    (one,) = judged({**BUSY, "idle": [0.0] * WEEKS}).surplus
    assert (one.ratio, one.ratio_low, one.ratio_high) == (0, 0, 0)


def test_a_quiet_one_is_kept_while_it_may_be_worth_its_place() -> None:
    assert judged({**BUSY, "quiet": steady(1.2, WEEKS)}).surplus == ()
    erratic = [0.0, 0, 3, 0, 0, 4, 0, 0, 3, 0, 0, 3, 0]
    assert judged({**BUSY, "erratic": erratic}).surplus == ()


@pytest.mark.parametrize("verdict_of", [0.5, 3.0])
def test_in_a_site_that_is_not_ok_nothing_is_surplus(verdict_of: float) -> None:
    found = judged({**BUSY, "idle": steady(0.1, WEEKS)}, site_users=verdict_of)
    assert next(a for a in found.assessments if a.site == "lib0").verdict == "underused"
    assert found.surplus == ()


def test_alone_in_its_site_it_has_nothing_to_be_idle_beside() -> None:
    assert judged({"only": steady(0.1, WEEKS)}).surplus == ()


def rows_of(ap: str, columns: Mapping[str, int]) -> Change:
    """Set columns of every third hour of an access point, or of more."""

    def change(hours: pd.DataFrame) -> pd.DataFrame:
        chosen = (hours["ap"] == ap) & (hours["start_ms"] // HOUR % 8 >= 3)
        return hours.assign(**{n: hours[n].mask(chosen, v) for n, v in columns.items()})

    return change


def test_broken_or_unseen_it_is_not_surplus() -> None:
    aps = {**BUSY, "idle": steady(0.5, WEEKS)}
    broken = rows_of("idle", {"up_ms": 0, "down_ms": HOUR, "user_ms": 0})
    unseen = rows_of("idle", dict.fromkeys(("covered_ms", "up_ms", "clients_ms", "user_ms"), 0))
    assert judged(aps, broken).surplus == ()
    assert judged(aps, unseen).surplus == ()


def test_young_it_is_not_surplus_yet() -> None:
    assert judged({**BUSY, "idle": steady(0.5, 7)}).surplus == ()
    assert [s.ap for s in judged({**BUSY, "idle": steady(0.5, 8)}).surplus] == ["idle"]


def test_a_broken_sibling_says_nothing_of_how_wanted_the_others_are() -> None:
    aps = {"a1": steady(6, WEEKS), "broken": [0.0] * WEEKS, "also": [0.0] * WEEKS,
           "quiet": steady(0.5, WEEKS)}  # fmt: skip

    def both(hours: pd.DataFrame) -> pd.DataFrame:
        down = {"up_ms": 0, "down_ms": HOUR}
        return rows_of("also", down)(rows_of("broken", down)(hours))

    (one,) = judged(aps, both).surplus
    assert (one.ap, one.siblings) == ("quiet", 1)
    assert one.siblings_median == pytest.approx(6 * TYPICAL)


def test_only_open_hours_count_and_by_the_share_that_is_open() -> None:
    """Open from half past nine; at night the idle one is the busiest, by its neighbours."""

    def at_night(hours: pd.DataFrame) -> pd.DataFrame:
        hour = hours["start_ms"] // HOUR % 24
        night = (hours["ap"] == "idle") & ((hour < 9) | (hour >= 17))
        half = (hours["ap"] == "idle") & (hour == 9)
        users = hours["user_ms"].mask(night, 50 * HOUR).mask(half, 2 * HOUR)
        return hours.assign(user_ms=users)

    (one,) = judged({**BUSY, "idle": [0.0] * WEEKS}, at_night, hours="Mo-Fr 09:30-17:00").surplus
    # Of seven and a half hours a day, half an hour with two users.
    assert one.intensity == pytest.approx(2 * 0.5 / 7.5)


def test_where_no_hours_are_known_those_of_the_site_count() -> None:
    found = judged({**BUSY, "idle": steady(0.5, WEEKS)}, hours=None)
    assert [s.ap for s in found.surplus] == ["idle"]


def test_what_it_did_at_another_site_is_not_counted() -> None:
    aps = {**BUSY, "idle": steady(0.5, WEEKS)}

    def elsewhere_too(hours: pd.DataFrame) -> pd.DataFrame:
        there = hours[hours["ap"] == "idle"].assign(site="lib1", user_ms=np.int64(90 * HOUR))
        return pd.concat([hours, there], ignore_index=True)

    assert [s.ap for s in judged(aps, elsewhere_too).surplus] == ["idle"]


def test_without_usage_of_access_points_nothing_is_said() -> None:
    assert judged({**BUSY, "idle": steady(0.5, WEEKS)}, lambda hours: hours.iloc[:0]).surplus == ()


def test_the_same_weeks_give_the_same_answer() -> None:
    aps = {**BUSY, "idle": [0.0, 0.9, 0.2, 0.8, 0.1, 0, 0.7, 0.3, 0.9, 0.1, 0.5, 0.2, 0.4]}
    assert judged(aps).surplus == judged(aps, lambda hours: hours.iloc[::-1]).surplus != ()
