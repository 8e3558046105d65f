from datetime import UTC, datetime

import numpy as np
import pytest

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
