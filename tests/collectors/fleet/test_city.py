"""The demo city: always the same, and with the trouble in it that it is meant to have."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collectors.fleet import trouble
from collectors.fleet.city import City, Course
from collectors.fleet.clock import DAY_MS, HOUR_MS, QUARTER_MS
from collectors.fleet.fleet import Plan
from collectors.fleet.history import write_history
from config import demo
from config.deployment import Deployment
from config.loader import load

BEGAN = datetime(2026, 11, 18, 10, 5, tzinfo=UTC)
"""A Wednesday morning."""
BEGAN_MS = int(BEGAN.timestamp() * 1000)
DAYS = 70


@cache
def deployment() -> Deployment:
    return load(demo.FOLDER)


def nine_to_five(site: str) -> list[tuple[int, int]]:
    """Open every day from 9 to 17, UTC; where the demo says 24/7, always."""
    first = BEGAN_MS // DAY_MS * DAY_MS - (DAYS + 2) * DAY_MS
    if deployment().sites[site].opening_hours == "24/7":
        return [(first, first + 2 * DAYS * DAY_MS)]
    days = range(first, first + (DAYS + 9) * DAY_MS, DAY_MS)
    return [(day + 9 * HOUR_MS, day + 17 * HOUR_MS) for day in days]


def make_city(seed: int = 1) -> City:
    hours = {site: nine_to_five(site) for site in deployment().sites}
    return Plan(began_ms=BEGAN_MS, days=DAYS, seed=seed).city(deployment(), hours)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city()


@pytest.fixture(scope="module")
def past(city: City) -> dict[str, Course]:
    return {course.ap: course for course in city.history(city.start_ms, BEGAN_MS)}


def aps_of(site: str) -> list[str]:
    return [ap.ap for ap in deployment().access_points.values() if ap.site == site]


def ago_ms(ago: trouble.Ago) -> tuple[int, int]:
    zone = deployment().settings.zone
    return ago.window_ms(BEGAN.astimezone(zone).date(), zone)


def within(course: Course, window: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return (course.ts_ms >= window[0]) & (course.ts_ms < window[1])


def same(one: Course, other: Course) -> bool:
    return one.ap == other.ap and all(
        np.array_equal(getattr(one, field), getattr(other, field))
        for field in Course.__slots__
        if field != "ap"
    )


def test_the_city_is_as_large_and_as_mixed_as_promised() -> None:
    sites = deployment().sites.values()
    kinds = pd.Series([site.kind for site in sites]).value_counts()
    assert len(sites) >= 64
    assert len(deployment().access_points) >= 160
    assert (kinds >= 6).sum() >= 10
    assert {ap.source for ap in deployment().access_points.values()} == {"snmp", "mqtt"}


def test_a_seed_makes_one_city_and_another_seed_another(past: dict[str, Course]) -> None:
    again = list(make_city().history(BEGAN_MS - 3 * DAY_MS, BEGAN_MS))
    other = list(make_city(seed=2).history(BEGAN_MS - 3 * DAY_MS, BEGAN_MS))
    for course in again:
        part = past[course.ap].ts_ms >= BEGAN_MS - 3 * DAY_MS
        cut = Course(
            course.ap,
            *(getattr(past[course.ap], f)[part] for f in Course.__slots__ if f != "ap"),
        )
        assert same(course, cut)
    assert not any(same(one, two) for one, two in zip(again, other, strict=True))


def test_the_live_devices_go_on_where_the_history_ends(past: dict[str, Course]) -> None:
    """A second process, that knows nothing of the first, shows the same counters."""
    fresh = make_city()
    for course in list(past.values())[::11]:
        last = int(course.ts_ms[-1])
        now = fresh.at(last)[course.ap]
        assert (now.rx_bytes, now.tx_bytes) == (course.rx_bytes[-1], course.tx_bytes[-1])
        assert now.uptime_s == course.uptime_s[-1]
        assert now.up == course.up[-1]


def test_live_client_counts_change_within_the_minute_and_stay_near_the_drawn(city: City) -> None:
    counts = [
        sum(ap.clients for ap in city.at(BEGAN_MS + s * 1000).values()) for s in range(0, 60, 10)
    ]
    assert len(set(counts)) > 2
    assert max(counts) < 1.2 * min(counts)
    assert min(counts) > 100


def test_every_ap_is_polled_each_quarter_of_an_hour(past: dict[str, Course]) -> None:
    course = past["mc-valmont-1"]
    gap = ago_ms(trouble.GAP)
    steps = np.diff(course.ts_ms)
    assert set(steps) == {QUARTER_MS, QUARTER_MS * (1 + (gap[1] - gap[0]) // QUARTER_MS)}


def test_nobody_was_polled_in_the_gap(past: dict[str, Course]) -> None:
    assert not any(within(course, ago_ms(trouble.GAP)).any() for course in past.values())


def test_a_site_was_out_for_two_days_and_a_controller_for_one(past: dict[str, Course]) -> None:
    site, when = trouble.OUTAGE
    for ap in aps_of(site):
        out = within(past[ap], ago_ms(when))
        assert out.sum() == 2 * 96
        assert not past[ap].up[out].any()
    controller, when = trouble.DEAD_CONTROLLER
    behind = [a.ap for a in deployment().access_points.values() if a.controller == controller]
    assert len(behind) >= 20
    for ap in behind:
        assert not past[ap].up[within(past[ap], ago_ms(when))].any()
    assert past["mc-valmont-1"].up[within(past["mc-valmont-1"], ago_ms(when))].all()


def test_the_broken_site_is_up_about_half_of_the_time(past: dict[str, Course]) -> None:
    for ap in aps_of(trouble.BROKEN):
        assert 0.3 < past[ap].up.mean() < 0.7


def test_the_new_site_has_no_older_past(past: dict[str, Course]) -> None:
    site, days = trouble.NEW
    for ap in aps_of(site):
        assert BEGAN_MS - past[ap].ts_ms[0] < (days + 1) * DAY_MS


def test_people_come_when_it_is_open(past: dict[str, Course]) -> None:
    course = past["bib-fonderies-1"]
    hour = course.ts_ms % DAY_MS // HOUR_MS
    assert course.clients[(hour >= 10) & (hour < 16)].mean() > 3
    assert course.clients[(hour < 8) | (hour > 18)].mean() < 0.5


def test_passers_by_come_when_it_is_closed(past: dict[str, Course]) -> None:
    for ap in aps_of(trouble.PASSERS_BY):
        hour = past[ap].ts_ms % DAY_MS // HOUR_MS
        inside = past[ap].clients[(hour >= 10) & (hour < 16)].mean()
        assert past[ap].clients[(hour >= 18) & (hour < 22)].mean() > 4 * inside


def test_a_festival_fills_an_idle_park_for_one_day(past: dict[str, Course]) -> None:
    site, when, _ = trouble.FESTIVAL
    assert site in trouble.IDLE
    for ap in aps_of(site):
        day = within(past[ap], ago_ms(when))
        assert past[ap].clients[day].mean() > 15 * past[ap].clients[~day].mean()


@pytest.mark.parametrize(("ap", "bits"), [("bib-grand-place-1", 32), ("piscine-grands-pres-1", 64)])
def test_counters_fall_only_when_they_wrap_or_the_ap_starts_anew(
    past: dict[str, Course], ap: str, bits: int
) -> None:
    course = past[ap]
    fallen = np.flatnonzero(np.diff(course.tx_bytes) < 0)
    restarted = np.flatnonzero(np.diff(course.uptime_s) < 0)
    wrapped = set(fallen) - set(restarted)
    assert (len(wrapped) > 50) == (bits == 32)
    assert course.tx_bytes.max() < 2**bits
    assert course.tx_bytes.min() >= 0


def test_an_ap_that_lost_power_starts_counting_anew(past: dict[str, Course]) -> None:
    ap, when = trouble.REBOOT
    _, end = ago_ms(when)
    after = np.flatnonzero(past[ap].ts_ms >= end)[0]
    assert past[ap].uptime_s[after] < 900
    assert past[ap].tx_bytes[after] < past[ap].tx_bytes[after - 2]


def test_the_history_is_a_file_that_a_user_could_have_written(city: City, tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    start = BEGAN_MS - 2 * DAY_MS
    rows = write_history(city, file, start, BEGAN_MS, uncounted={"place-grand-place-3"})
    table = pd.read_parquet(file)
    assert list(table) == [
        "ts", "ap", "up", "clients", "clients_2g", "clients_5g", "rx_bytes", "tx_bytes", "uptime_s",
    ]  # fmt: skip
    assert len(table) == rows > 2 * 96 * 160
    assert table["ts"].min() >= start // 1000
    assert table["ts"].max() < BEGAN_MS // 1000
    down = table[table["up"] == 0]
    assert not down.empty
    assert down[["clients", "rx_bytes", "uptime_s"]].isna().all(axis=None)
    answered = table[table["up"] == 1]
    assert answered["rx_bytes"].notna().all()
    silent = answered["ap"] == "place-grand-place-3"
    assert answered[silent]["clients"].isna().all()
    assert answered[~silent]["clients"].notna().all()
