from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from config.deployment import AccessPoint, Deployment, Site, SiteKind, SitePeriod
from pipeline.store.schema import USAGE_COLUMNS
from pipeline.underuse.assess import Assessment, worst_first
from pipeline.underuse.assess import assess as assess_on
from pipeline.underuse.evidence import gather
from pipeline.underuse.weeks import usage_span
from tests.pipeline.memory_store import city

WEEKS, WINDOWS, QUARTER = 13, 672, 900_000
AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOURS = "Mo-Fr 09:00-17:00"
Users = Sequence[float]


def make(kinds: Mapping[str, SiteKind], *, hours: str | None = HOURS, **more: Any) -> Deployment:
    return city(
        [Site(site=s, kind=k, opening_hours=hours) for s, k in kinds.items()],
        [AccessPoint(ap=f"{s}-ap", site=s, source="import") for s in kinds],
        timezone="UTC",
        **more,
    )


def used(deployment: Deployment, users: Mapping[str, Users]) -> pd.DataFrame:
    """Usage of one AP a site, fully covered; `users` at a time, one number per week."""
    start, end = usage_span(deployment, AS_OF)
    starts = np.arange(start, end, QUARTER)
    assert len(starts) == WEEKS * WINDOWS
    frames = []
    for site, weekly in users.items():
        data: dict[str, Any] = dict.fromkeys(USAGE_COLUMNS, 0)
        data |= {"site": site, "start_ms": starts, "end_ms": starts + QUARTER, "aps": 1}
        for name in ("expected_ms", "covered_ms", "up_ms", "clients_ms"):
            data[name] = np.full(len(starts), QUARTER)
        data["user_ms"] = (np.repeat(weekly, WINDOWS) * QUARTER).astype(np.int64)
        frames.append(pd.DataFrame(data))
    return pd.concat(frames, ignore_index=True).astype(USAGE_COLUMNS)


def steady(level: float) -> Users:
    """About so many users, with the ups and downs of weeks."""
    return [level * (0.9 + 0.05 * (week % 5)) for week in range(WEEKS)]


LIBRARIES: dict[str, SiteKind] = {f"lib{i}": "library" for i in range(7)}
BUSY = {f"lib{i}": steady(9 + i) for i in range(1, 7)}


def assess(deployment: Deployment, usage: pd.DataFrame, as_of: datetime) -> list[Assessment]:
    """What one window alone says."""
    evidence = gather(deployment, usage, as_of)
    return worst_first(assess_on(deployment, evidence, as_of).values())


def judged(found: list[Assessment], site: str) -> Assessment:
    return next(a for a in found if a.site == site)


def codes(found: Assessment) -> list[str]:
    return [reason.code for reason in found.reasons]


def verdict_of(
    users: Users, change: Callable[[pd.DataFrame], None] = lambda _: None, **settings: Any
) -> Assessment:
    """The verdict on a library among six busy ones."""
    deployment = make(LIBRARIES, **settings)
    usage = used(deployment, {"lib0": users} | BUSY)
    usage = usage.sort_values(["site", "start_ms"], ignore_index=True)
    change(usage)
    return judged(assess(deployment, usage, AS_OF), "lib0")


def test_a_spot_far_under_its_peers_is_underused() -> None:
    found = verdict_of(steady(2))
    assert found.verdict == "underused"
    # The peers' levels are 10 to 15; ups and downs are the same share of each.
    assert found.ratio == pytest.approx(2 / 12.5)
    assert found.ratio_high is not None
    assert found.ratio_low is not None
    assert found.ratio_low <= 2 / 12.5 <= found.ratio_high < 0.5
    assert found.peer_median == pytest.approx(found.intensity * 12.5 / 2 if found.intensity else 0)


def test_a_spot_without_a_single_user_is_underused_with_ratio_zero() -> None:
    found = verdict_of([0] * WEEKS)
    assert (found.verdict, found.ratio, found.ratio_low, found.ratio_high) == ("underused", 0, 0, 0)
    assert codes(found) == ["unused"]


def test_a_spot_like_its_peers_is_ok() -> None:
    assert verdict_of(steady(11)).verdict == "ok"


def test_a_spot_that_may_be_as_good_as_the_limit_is_watched() -> None:
    found = verdict_of([1, 12, 2, 11, 1, 13, 1, 12, 2, 1, 12, 1, 2])
    assert found.ratio is not None
    assert found.ratio_high is not None
    assert found.ratio < 0.5 <= found.ratio_high
    assert found.verdict == "watch"


def test_one_festival_does_not_rescue_an_idle_spot() -> None:
    found = verdict_of([1] * 6 + [500] + [1] * 6)
    assert found.verdict == "underused"
    assert found.intensity == 1


def test_use_outside_the_open_hours_does_not_count() -> None:
    def only_at_night(usage: pd.DataFrame) -> None:
        night = (usage["start_ms"] // 3_600_000 % 24 < 9) & (usage["site"] == "lib0")
        usage["user_ms"] = usage["user_ms"].where(night | (usage["site"] != "lib0"), 0)

    assert verdict_of(steady(50), only_at_night).ratio == 0


def blind(usage: pd.DataFrame, rows: "pd.Series[bool]") -> None:
    for name in ("covered_ms", "up_ms", "clients_ms", "user_ms"):
        usage[name] = usage[name].mask(rows, 0)


def test_too_little_coverage_of_the_open_hours_is_not_assessable() -> None:
    def afternoons_unseen(usage: pd.DataFrame) -> None:
        blind(usage, (usage["site"] == "lib0") & (usage["start_ms"] // 3_600_000 % 24 >= 13))

    found = verdict_of(steady(2), afternoons_unseen)
    assert found.verdict == "not_assessable"
    assert found.coverage == 0.5
    assert codes(found) == ["low_coverage"]
    assert found.ratio is None


def test_a_young_spot_is_not_assessable() -> None:
    def seven_weeks(usage: pd.DataFrame) -> None:
        young = usage["start_ms"] < usage["start_ms"].max() - 7 * WINDOWS * QUARTER
        blind(usage, young & (usage["site"] == "lib0"))
        usage["expected_ms"] = usage["expected_ms"].mask(young & (usage["site"] == "lib0"), 0)

    found = verdict_of(steady(2), seven_weeks)
    assert (found.verdict, codes(found)) == ("not_assessable", ["few_weeks"])


def test_a_spot_hardly_ever_open_is_not_assessable() -> None:
    found = verdict_of(steady(2), underuse={"min_open_days": 66})
    assert (found.verdict, codes(found)) == ("not_assessable", ["few_open_days"])
    assert found.reasons[0].figures == {"days": 65, "limit": 66}


def test_an_unknown_number_of_users_is_not_none() -> None:
    def says_no_clients(usage: pd.DataFrame) -> None:
        mine = usage["site"] == "lib0"
        usage["clients_ms"] = usage["clients_ms"].mask(mine, 0)
        usage["user_ms"] = usage["user_ms"].mask(mine, 0)

    found = verdict_of(steady(2), says_no_clients)
    assert (found.verdict, codes(found)) == ("not_assessable", ["clients_unknown"])


def test_broken_is_not_unwanted() -> None:
    def often_down(usage: pd.DataFrame) -> None:
        down = (usage["site"] == "lib0") & (usage["start_ms"] // 3_600_000 % 24 >= 15)
        usage["down_ms"] = usage["up_ms"].where(down, 0)
        usage["up_ms"] = usage["up_ms"].mask(down, 0)
        usage["user_ms"] = usage["user_ms"].mask(down, 0)

    found = verdict_of(steady(1), often_down)
    assert (found.verdict, found.availability) == ("repair_first", 0.75)


def test_announced_closures_and_maintenance_are_not_judged() -> None:
    away = SitePeriod(
        site="lib0", start=datetime(2026, 4, 1, tzinfo=UTC), end=datetime(2026, 5, 13, tzinfo=UTC)
    )

    def empty_while_away(usage: pd.DataFrame) -> None:
        start, end = (t.timestamp() * 1000 for t in (away.start, away.end))
        gone = (usage["site"] == "lib0") & usage["start_ms"].between(start, end - 1)
        usage["user_ms"] = usage["user_ms"].mask(gone, 0)

    assert verdict_of(steady(8), empty_while_away).verdict == "watch"
    assert verdict_of(steady(8), empty_while_away, closures=[away]).verdict == "ok"
    assert verdict_of(steady(8), empty_while_away, maintenance=[away]).verdict == "ok"


def test_a_retired_spot_is_not_assessable() -> None:
    deployment = make(LIBRARIES)
    sites = dict(deployment.sites)
    sites["lib0"] = sites["lib0"].model_copy(update={"out_of_service_since": date(2026, 6, 1)})
    deployment = deployment.model_copy(update={"sites": sites})
    found = assess(deployment, used(deployment, {"lib0": steady(1)} | BUSY), AS_OF)
    assert codes(judged(found, "lib0")) == ["out_of_service"]


def test_with_few_peers_the_city_counts_in() -> None:
    deployment = make({**LIBRARIES, "park": "park", "green": "park"}, hours=None)
    usage = used(deployment, {"lib0": steady(10), "park": steady(2), "green": steady(4)} | BUSY)
    park = judged(assess(deployment, usage, AS_OF), "park")
    green = 4.0
    city_median = np.median([10, 10, 11, 12, 13, 14, 15, 4])
    assert park.peer_median == pytest.approx(0.2 * green + 0.8 * city_median, rel=0.02)
    assert "few_peers" in codes(park)
    assert "hours_assumed" not in codes(park)
    assert "hours_assumed" in codes(judged(assess(deployment, usage, AS_OF), "lib0"))


def without_hours(usage: pd.DataFrame) -> Assessment:
    """The verdict on lib0, nobody having written down when it is open."""
    deployment = make(LIBRARIES)
    sites = {**deployment.sites}
    sites["lib0"] = sites["lib0"].model_copy(update={"opening_hours": None})
    return judged(assess(deployment.model_copy(update={"sites": sites}), usage, AS_OF), "lib0")


def by_day(users: Users, *, at_night: float = 0) -> pd.DataFrame:
    """lib0 used on working days from 9 to 17 like a place that keeps these hours."""
    usage = used(make(LIBRARIES), {"lib0": users} | BUSY)
    hour = usage["start_ms"] // 3_600_000
    day = hour // 24 % 7  # 1970 began on a Thursday
    opened = (hour % 24).between(9, 16) & ~day.isin([2, 3])
    closed = (usage["site"] == "lib0") & ~opened
    usage["user_ms"] = usage["user_ms"].mask(closed, round(at_night * QUARTER))
    return usage


def test_a_well_used_place_is_not_idle_because_its_hours_are_unknown() -> None:
    found = without_hours(by_day(steady(12), at_night=0.6))
    assert found.verdict == "ok"
    # As with its hours known: its peers' levels are 10 to 15.
    assert found.ratio == pytest.approx(12 / 12.5)
    assert codes(found) == ["used", "hours_by_kind"]
    assert found.reasons[-1].figures == {"hours": 40}


def test_an_idle_place_stays_idle_when_its_hours_are_unknown() -> None:
    found = without_hours(by_day(steady(2), at_night=0.1))
    assert found.verdict == "underused"
    assert found.ratio == pytest.approx(2 / 12.5)
    nobody = without_hours(by_day([0] * WEEKS))
    assert (nobody.verdict, codes(nobody)) == ("underused", ["unused", "hours_by_kind"])


def test_people_who_pass_by_at_night_do_not_make_it_an_evening_place() -> None:
    """Nobody knows its hours; its peers keep theirs by day, when hardly anybody comes."""
    found = without_hours(by_day(steady(1), at_night=12))
    assert found.verdict == "underused"
    assert found.ratio == pytest.approx(1 / 12.5)
    assert codes(found)[-1] == "hours_by_kind"


def test_where_no_peer_keeps_hours_those_in_which_it_is_used_count() -> None:
    deployment = make(LIBRARIES, hours=None)
    usage = by_day(steady(12), at_night=0.6)
    found = judged(assess(deployment, usage, AS_OF), "lib0")
    assert codes(found)[-1] == "hours_by_use"
    assert found.reasons[-1].figures == {"hours": 40}


def test_hours_that_nobody_watched_are_not_closed_hours() -> None:
    usage = by_day(steady(12))
    mine, hour = usage["site"] == "lib0", usage["start_ms"] // 3_600_000 % 24
    blind(usage, mine & ~hour.between(9, 12))
    found = without_hours(usage)
    assert (found.verdict, codes(found)[0]) == ("not_assessable", "low_coverage")


def test_alone_in_the_city_nothing_can_be_said() -> None:
    deployment = make({"only": "museum"})
    (found,) = assess(deployment, used(deployment, {"only": steady(3)}), AS_OF)
    assert (found.verdict, codes(found)) == ("not_assessable", ["no_peers"])


def test_where_nobody_is_used_nobody_is_singled_out() -> None:
    deployment = make(LIBRARIES)
    usage = used(deployment, {site: [0] * WEEKS for site in LIBRARIES} | {"lib1": steady(1)})
    found = assess(deployment, usage, AS_OF)
    assert {a.verdict for a in found if a.site != "lib1"} == {"watch"}
    assert judged(found, "lib1").verdict == "ok"
    assert {a.ratio for a in found} == {None}


def test_without_any_usage_every_site_is_listed() -> None:
    deployment = make(LIBRARIES)
    found = assess(deployment, used(deployment, {"lib0": [0] * WEEKS}).iloc[:0], AS_OF)
    assert [a.site for a in found] == sorted(LIBRARIES)
    assert {a.verdict for a in found} == {"not_assessable"}


def test_an_absent_site_is_told_from_one_that_never_spoke() -> None:
    deployment = make(LIBRARIES)
    later = deployment.sites["lib1"].model_copy(update={"in_service_since": date(2026, 7, 6)})
    aps = {ap: a for ap, a in deployment.access_points.items() if ap != "lib2-ap"}
    deployment = deployment.model_copy(
        update={"sites": {**deployment.sites, "lib1": later}, "access_points": aps}
    )
    users = {site: level for site, level in BUSY.items() if site not in ("lib1", "lib2")}
    found = assess(deployment, used(deployment, users), AS_OF)
    assert {site: codes(judged(found, site)) for site in ("lib0", "lib1", "lib2")} == {
        "lib0": ["never_heard"],
        "lib1": ["not_in_service"],
        "lib2": ["no_access_points"],
    }


def test_worst_first_and_fit_for_json() -> None:
    deployment = make(LIBRARIES)
    usage = used(deployment, {"lib0": steady(3)} | BUSY | {"lib3": [0] * WEEKS})
    found = assess(deployment, usage, AS_OF)
    assert [a.site for a in found[:2]] == ["lib3", "lib0"]
    assert found[-1].verdict == "ok"
    text = orjson.dumps(found)
    assert b"NaN" not in text
    numbers = [a.ratio_high for a in found] + [a.peer_median for a in found]
    assert all(n is not None and np.isfinite(n) for n in numbers)


def test_the_same_week_gives_the_same_answer_whatever_the_order_of_rows() -> None:
    deployment = make(LIBRARIES)
    usage = used(deployment, {"lib0": [1, 12, 2, 11, 1, 13, 1, 12, 2, 1, 12, 1, 2]} | BUSY)
    monday = datetime(2026, 6, 29, tzinfo=UTC)
    blocks = [usage[usage["site"] == site] for site in sorted(LIBRARIES, reverse=True)]
    assert assess(deployment, usage, AS_OF) == assess(
        deployment, pd.concat(blocks, ignore_index=True), monday
    )


def test_the_window_ends_on_the_last_local_monday() -> None:
    deployment = city([Site(site="s", kind="park")], [], timezone="Europe/Brussels")
    start, end = usage_span(deployment, datetime(2026, 6, 28, 22, 30, tzinfo=UTC))
    assert datetime.fromtimestamp(end / 1000, UTC) == datetime(2026, 6, 28, 22, tzinfo=UTC)
    assert datetime.fromtimestamp(start / 1000, UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def down_in(usage: pd.DataFrame, rows: "pd.Series[bool]") -> None:
    usage["down_ms"] = usage["up_ms"].where(rows, 0)
    for name in ("up_ms", "user_ms"):
        usage[name] = usage[name].mask(rows, 0)


def test_hours_in_which_nobody_could_use_it_are_not_hours_in_which_nobody_did() -> None:
    """Down for one open hour of eight; while it is up it has 7 users, its peers 12.5."""

    def down_at_nine(usage: pd.DataFrame) -> None:
        hour = usage["start_ms"] // 3_600_000 % 24
        down_in(usage, (usage["site"] == "lib0") & (hour == 9))

    found = verdict_of(steady(7), down_at_nine)
    assert found.availability == 7 / 8
    assert found.ratio == pytest.approx(7 / 12.5)
    assert found.verdict == "ok"


def test_one_dead_access_point_of_several_does_not_count_in_favour_of_a_site() -> None:
    """Its people use the other one."""

    def two_points(usage: pd.DataFrame) -> None:
        mine = usage["site"] == "lib0"
        for name in ("expected_ms", "covered_ms", "clients_ms"):
            usage[name] = usage[name].mask(mine, 2 * QUARTER)
        usage["aps"] = usage["aps"].mask(mine, 2)
        dead = mine & (usage["start_ms"] // 3_600_000 % 24 == 9)
        usage["up_ms"] = usage["up_ms"].mask(mine & ~dead, 2 * QUARTER)
        usage["down_ms"] = usage["down_ms"].mask(dead, QUARTER)

    found = verdict_of(steady(7), two_points)
    assert found.availability == 15 / 16
    assert found.ratio == pytest.approx(7 / 12.5)


def test_what_was_down_all_the_time_is_repaired_first() -> None:
    def always(usage: pd.DataFrame) -> None:
        down_in(usage, usage["site"] == "lib0")

    found = verdict_of(steady(7), always)
    assert (found.verdict, found.availability, codes(found)) == (
        "repair_first", 0, ["low_availability"],
    )  # fmt: skip
    assert (found.intensity, found.ratio) == (None, None)


def lost(usage: pd.DataFrame, days: "pd.Series[bool]") -> None:
    blind(usage, (usage["site"] == "lib0") & days)


@pytest.mark.parametrize(("level", "verdict"), [(2, "underused"), (11, "ok")])
def test_a_lost_day_in_nine_changes_no_verdict(level: float, verdict: str) -> None:
    """Polling failed on every ninth day; unknown is not unused."""

    def every_ninth(usage: pd.DataFrame) -> None:
        lost(usage, usage["start_ms"] // 86_400_000 % 9 == 4)

    found = verdict_of(steady(level), every_ninth)
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(level / 12.5)
    assert found.coverage == pytest.approx(8 / 9, abs=0.03)


@pytest.mark.parametrize(
    ("weeks_blind", "verdict"), [(4, "underused"), (5, "underused"), (6, "not_assessable")]
)
def test_weeks_of_blindness_are_bridged_and_months_are_not(weeks_blind: int, verdict: str) -> None:
    def first_weeks(usage: pd.DataFrame) -> None:
        start = usage["start_ms"].min()
        lost(usage, usage["start_ms"] < start + weeks_blind * WINDOWS * QUARTER)

    found = verdict_of(steady(2), first_weeks)
    assert found.verdict == verdict
    assert found.coverage == pytest.approx((13 - weeks_blind) / 13)
    if verdict == "underused":
        assert found.ratio == pytest.approx(2 / 12.5, rel=0.05)


@pytest.mark.parametrize(("level", "verdict"), [(2, "underused"), (13, "ok")])
def test_four_open_hours_a_week_are_enough_to_judge(level: float, verdict: str) -> None:
    """Nobody is there in the other 164 hours, which say nothing."""
    deployment = make(LIBRARIES)
    sites = dict(deployment.sites)
    sites["lib0"] = sites["lib0"].model_copy(update={"opening_hours": "We 14:00-18:00"})
    deployment = deployment.model_copy(update={"sites": sites})
    usage = used(deployment, {"lib0": steady(level)} | BUSY)
    hour = usage["start_ms"] // 3_600_000
    wednesday = (hour // 24 % 7 == 6) & (hour % 24).between(14, 17)  # 1970 began on a Thursday
    usage["user_ms"] = usage["user_ms"].mask((usage["site"] == "lib0") & ~wednesday, 0)
    found = judged(assess(deployment, usage, AS_OF), "lib0")
    assert (found.verdict, found.coverage) == (verdict, 1)
    assert found.ratio == pytest.approx(level / 12.5)


@pytest.mark.parametrize(("level", "verdict"), [(2, "underused"), (11, "ok")])
def test_a_five_week_closure_is_judged_on_the_rest(level: float, verdict: str) -> None:
    closed = SitePeriod(
        site="lib0", start=datetime(2026, 4, 27, tzinfo=UTC), end=datetime(2026, 6, 1, tzinfo=UTC)
    )

    def empty(usage: pd.DataFrame) -> None:
        start, end = (t.timestamp() * 1000 for t in (closed.start, closed.end))
        gone = (usage["site"] == "lib0") & usage["start_ms"].between(start, end - 1)
        usage["user_ms"] = usage["user_ms"].mask(gone, 0)

    found = verdict_of(steady(level), empty, closures=[closed])
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(level / 12.5, rel=0.05)


def test_a_school_holiday_that_all_share_accuses_nobody_and_excuses_nobody() -> None:
    def holiday(usage: pd.DataFrame) -> None:
        weeks = usage["start_ms"].min() + np.array([4, 6]) * WINDOWS * QUARTER
        away = usage["start_ms"].between(weeks[0], weeks[1] - 1)
        usage["user_ms"] = usage["user_ms"].mask(away, usage["user_ms"] // 10)

    for level, verdict in ((2.0, "underused"), (11.0, "ok")):
        found = verdict_of(steady(level), holiday)
        assert found.verdict == verdict
        assert found.ratio_low == pytest.approx(level / 12.5, rel=0.05)
        assert found.ratio_high == pytest.approx(level / 12.5, rel=0.05)
