from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.deployment import Site, SiteKind, SitePeriod
from pipeline.open_hours import hours_assumed, open_hours
from tests.pipeline.memory_store import city

HOUR = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def hours_open(
    expression: str | None,
    start: str,
    end: str,
    *,
    closures: tuple[tuple[str, str], ...] = (),
    **more: float,
) -> float:
    site = Site(site="s", kind="library", opening_hours=expression, **more)
    deployment = city(
        [site],
        [],
        closures=[
            SitePeriod(site="s", start=datetime.fromisoformat(a), end=datetime.fromisoformat(b))
            for a, b in closures
        ],
    )
    found = open_hours(deployment, ms(start), ms(end))["s"]
    total = found.within(np.array([ms(start)]), np.array([ms(end)]))
    return float(total[0] / HOUR)


@pytest.mark.parametrize(
    ("expression", "start", "end", "hours"),
    [
        ("Mo-Fr 09:00-17:00", "2026-03-02T00:00+01:00", "2026-03-09T00:00+01:00", 40),
        ("Mo-Fr 09:00-17:00; PH off", "2026-07-20T00:00+02:00", "2026-07-27T00:00+02:00", 32),
        ("24/7", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("24/7", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        (None, "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("Sa 22:00-06:00", "2026-03-28T00:00+01:00", "2026-03-30T00:00+02:00", 7),
        ("Mo 09:00-17:00 unknown", "2026-03-02T00:00+01:00", "2026-03-03T00:00+01:00", 0),
        ("Mo 09:10-09:20", "2026-03-02T00:00+01:00", "2026-03-03T00:00+01:00", 1 / 6),
        ("Mo 09:00-17:00", "2026-03-02T10:00+01:00", "2026-03-02T12:00+01:00", 2),
    ],
)
def test_open_hours_of_a_span(expression: str | None, start: str, end: str, hours: float) -> None:
    assert hours_open(expression, start, end) == pytest.approx(hours)


def test_announced_closures_are_taken_out_once() -> None:
    closed = (
        ("2026-03-02T08:00+01:00", "2026-03-02T10:00+01:00"),
        ("2026-03-02T09:30+01:00", "2026-03-02T11:00+01:00"),
    )
    day = ("2026-03-02T00:00+01:00", "2026-03-03T00:00+01:00")
    assert hours_open("Mo 09:00-17:00", *day, closures=closed) == 6


def test_hours_that_follow_the_sun_follow_the_place() -> None:
    day = ("2026-06-21T00:00+02:00", "2026-06-22T00:00+02:00")
    north = hours_open("sunrise-sunset", *day, lat=60.2, lon=24.9)
    south = hours_open("sunrise-sunset", *day, lat=37.0, lon=-4.0)
    assert north > 18 > south


@pytest.mark.parametrize(
    ("kind", "hours", "assumed"),
    [("library", None, True), ("park", None, False), ("library", "24/7", False)],
)
def test_only_a_place_with_a_door_needs_opening_hours(
    kind: SiteKind, hours: str | None, assumed: bool
) -> None:
    assert hours_assumed(Site(site="s", kind=kind, opening_hours=hours)) is assumed


def test_each_site_has_the_hours_of_its_own_zone() -> None:
    sites = [
        Site(site="here", kind="library", opening_hours="Mo 09:00-10:00"),
        Site(site="there", kind="library", opening_hours="Mo 09:00-10:00", timezone="Asia/Tokyo"),
    ]
    found = open_hours(city(sites, []), ms("2026-03-01T00:00+00:00"), ms("2026-03-03T00:00+00:00"))
    opens = {s: datetime.fromtimestamp(f.starts[0] / 1000, UTC) for s, f in found.items()}
    assert opens["here"] == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert opens["there"] == datetime(2026, 3, 2, 0, tzinfo=UTC)


CHANGES = [
    # Zone, the local day on which its clocks change, the first and the last hour of the change.
    ("Europe/Brussels", date(2026, 3, 29), 2, 3),
    ("Europe/Brussels", date(2026, 10, 25), 2, 3),
    ("Europe/London", date(2026, 3, 29), 1, 2),
    ("America/New_York", date(2026, 11, 1), 1, 2),
    ("Australia/Lord_Howe", date(2026, 4, 5), 1, 3),  # By half an hour.
    ("Africa/Cairo", date(2026, 4, 24), 0, 1),  # At midnight: the day begins at one.
]


def minutes_by_the_clock(zone: ZoneInfo, opens: int, closes: int, start: int, end: int) -> int:
    """Minutes of a span in which a clock on the wall shows a time within the hours, one by one."""
    shown = (datetime.fromtimestamp(at, zone) for at in range(start, end, 60))
    wall = (moment.hour * 60 + moment.minute for moment in shown)
    if opens < closes:
        return sum(opens <= at < closes for at in wall)
    return sum(at >= opens or at < closes for at in wall)


@given(st.sampled_from(CHANGES), st.tuples(st.integers(0, 1439), st.integers(0, 1439)))
def test_when_the_clocks_change_open_time_is_what_the_clock_on_the_wall_shows(
    change: tuple[str, date, int, int], hours: tuple[int, int]
) -> None:
    name, day, first, last = change
    # A door that moves within the hour that comes twice, or never, may do so at either instant.
    opens, closes = (last * 60 if first * 60 <= at < last * 60 else at for at in hours)
    if opens == closes:
        return
    zone = ZoneInfo(name)
    start, end = (
        round(datetime.combine(day + timedelta(days=d), time(), zone).timestamp()) for d in (-1, 2)
    )
    expression = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    site = Site(site="s", kind="library", opening_hours=expression, timezone=name)
    found = open_hours(city([site], []), start * 1000, end * 1000)["s"]
    minutes = found.within(np.array([start * 1000]), np.array([end * 1000]))[0] / 60_000
    assert minutes == minutes_by_the_clock(zone, opens, closes, start, end)


@given(st.sampled_from(CHANGES), st.integers(1, 1439))
def test_when_the_clocks_change_no_minute_is_lost_or_counted_twice(
    change: tuple[str, date, int, int], at: int
) -> None:
    name, day, _, _ = change
    zone = ZoneInfo(name)
    start, end = (
        round(datetime.combine(day + timedelta(days=d), time(), zone).timestamp() * 1000)
        for d in (-1, 2)
    )
    clock = f"{at // 60:02}:{at % 60:02}"
    sites = [
        Site(site=s, kind="library", opening_hours=hours, timezone=name)
        for s, hours in {
            "before": f"00:00-{clock}",
            "after": f"{clock}-24:00",
            "always": "24/7",
        }.items()
    ]
    found = open_hours(city(sites, []), start, end)
    total = {s: int((f.ends - f.starts).sum()) for s, f in found.items()}
    assert total["before"] + total["after"] == total["always"] == end - start
