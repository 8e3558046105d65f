from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.usage.intervals import Intervals
from pipeline.usage.periods import Period, bounds, week_start_ms, window_ceil, window_floor

BRUSSELS = ZoneInfo("Europe/Brussels")
HOUR = 3_600_000


def ms(text: str, zone: ZoneInfo = BRUSSELS) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_of_a_clock_change(day: str, hours: int) -> None:
    start = ms(day)
    assert (bounds("day", start, start + 1, BRUSSELS) - start).tolist() == [0, hours * HOUR]
    assert len(bounds("hour", start, start + hours * HOUR, BRUSSELS)) == hours + 1


def test_months_and_weeks_begin_on_the_local_midnight() -> None:
    months = bounds("month", ms("2026-01-31T23:59"), ms("2026-04-01"), BRUSSELS)
    assert months.tolist() == [ms(f"2026-0{m}-01") for m in (1, 2, 3, 4)]
    weeks = bounds("week", ms("2026-03-25"), ms("2026-03-31"), BRUSSELS)
    assert weeks.tolist() == [ms("2026-03-23"), ms("2026-03-30"), ms("2026-04-06")]


def test_the_week_start_is_the_last_monday_at_or_before() -> None:
    assert week_start_ms(ms("2026-03-30"), BRUSSELS) == ms("2026-03-30")
    assert week_start_ms(ms("2026-03-29T23:59"), BRUSSELS) == ms("2026-03-23")
    assert week_start_ms(ms("2026-03-30"), BRUSSELS, 13) == ms("2025-12-29")


zones = st.sampled_from(
    ["Europe/Brussels", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]
).map(ZoneInfo)
instants = st.integers(ms("2000-01-01", ZoneInfo("UTC")), ms("2040-01-01", ZoneInfo("UTC")))
periods: st.SearchStrategy[Period] = st.sampled_from(
    ["hour", "day", "week", "month", "quarter", "year"]
)


@given(periods, instants, st.integers(1, 90 * 24 * HOUR), zones)
def test_periods_enclose_the_span_and_lie_on_windows(
    period: Period, start: int, length: int, zone: ZoneInfo
) -> None:
    found = bounds(period, start, start + length, zone)
    assert found[0] <= start < found[1]
    assert found[-2] < start + length <= found[-1]
    assert (found % (15 * 60_000) == 0).all()
    if period != "hour":
        midnights = {datetime.fromtimestamp(t / 1000, UTC).astimezone(zone).hour for t in found}
        assert midnights == {0}


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("month", ["2026-02-01", "2026-03-01", "2026-04-01"]),
        ("quarter", ["2026-01-01", "2026-04-01"]),
        ("year", ["2026-01-01", "2027-01-01"]),
    ],
)
def test_long_periods_are_those_of_the_calendar(period: Period, expected: list[str]) -> None:
    zone = ZoneInfo("Europe/Brussels")
    found = bounds(period, ms("2026-02-20", zone), ms("2026-03-30", zone), zone)
    assert found.tolist() == [ms(day, zone) for day in expected]


def test_windows_lie_on_the_utc_quarter() -> None:
    assert (window_floor(900_001), window_ceil(900_001)) == (900_000, 1_800_000)
    assert (window_floor(900_000), window_ceil(900_000)) == (900_000, 900_000)


pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


@given(pairs, pairs, st.integers(-5, 65), st.integers(0, 30))
def test_intervals_are_sets_of_instants(
    one: list[tuple[int, int]], other: list[tuple[int, int]], start: int, length: int
) -> None:
    def instants(found: list[tuple[int, int]]) -> set[int]:
        return {t for a, b in found for t in range(a, b)}

    left = Intervals.of(one).minus(Intervals.of(other))
    expected = (instants(one) - instants(other)) & set(range(start, start + length))
    within = left.within(np.array([start]), np.array([start + length]))
    assert within.tolist() == [len(expected)]
