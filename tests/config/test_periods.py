"""Closures and maintenance: local days and times become instants, also when the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.deployment import local_day_ms
from config.loader import load
from tests.config.conftest import Told, Write

HEADER = "site,from,to,reason\n"


@pytest.mark.parametrize(
    ("row", "start", "end"),
    [
        # One day is from midnight to midnight, in winter, summer, and when the clocks change.
        ("bib,2026-01-15,2026-01-15,", "2026-01-14T23:00Z", "2026-01-15T23:00Z"),
        ("bib,2026-07-15,2026-07-15,", "2026-07-14T22:00Z", "2026-07-15T22:00Z"),
        ("bib,2026-03-29,2026-03-29,", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("bib,2026-10-25,2026-10-25,", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("bib,2026-07-01,2026-08-31,", "2026-06-30T22:00Z", "2026-08-31T22:00Z"),
        ("bib,2026-07-15 09:00,2026-07-15 11:30,", "2026-07-15T07:00Z", "2026-07-15T09:30Z"),
        ("bib,2026-07-15T09:00:30,2026-07-15T11:30,", "2026-07-15T07:00:30Z", "2026-07-15T09:30Z"),
        ("bib,2026-07-15T09:00Z,2026-07-15T11:30+02:00,", "2026-07-15T09:00Z", "2026-07-15T09:30Z"),
        ("bib,2026-07-15 12:00,2026-07-15,", "2026-07-15T10:00Z", "2026-07-15T22:00Z"),
        ("bib,2026-10-25 02:30+02:00,2026-10-25 02:30+01:00,", "2026-10-25T00:30Z",
         "2026-10-25T01:30Z"),
        ("bib,2026-03-29 01:30,2026-03-29 03:30,", "2026-03-29T00:30Z", "2026-03-29T01:30Z"),
        # A site of another time zone has days of its own.
        ("azores,2026-07-15,2026-07-15,", "2026-07-15T00:00Z", "2026-07-16T00:00Z"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["closures", "maintenance"])
def test_periods_are_those_of_the_site(
    write: Write, name: str, row: str, start: str, end: str
) -> None:
    sites = "site,kind,timezone\nbib,library,\nparc,park,\nazores,library,Atlantic/Azores\n"
    deployment = load(write({"sites.csv": sites, f"{name}.csv": HEADER + row + "\n"}))
    (period,) = getattr(deployment, name)
    assert period.start == datetime.fromisoformat(start)
    assert period.end == datetime.fromisoformat(end)
    assert period.start.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("bib,2026-07-16,2026-07-15,", "from: 2026-07-16 is not before to, 2026-07-15; allowed: "),
        ("bib,2026-07-15 10:00,2026-07-15 10:00,", "from: 2026-07-15 10:00:00 is not before to"),
        ("bib,2026-07-15,,", "to: is empty; a value is required"),
        (",2026-07-15,2026-07-15,", "site: is empty; a value is required"),
        ("bob,2026-07-15,2026-07-15,", "site: no site 'bob' in sites.csv; did you mean 'bib'?"),
        (
            "bib,15/07/2026,2026-07-16,",
            "from: '15/07/2026' is neither a date nor a date-time; write",
        ),
        ("bib,2026-07-15,2026-07-32,", "to: '2026-07-32' is no day of the calendar"),
        ("bib,2026-07-15,9999-12-31,", "to: '9999-12-31' is no day of the calendar from 1970 to "),
        ("bib,2026-07-15 25:00,2026-07-16,", "from: '2026-07-15 25:00' is no time of the calendar"),
        (
            "bib,2026-03-29 02:30,2026-03-30,",
            "from: 2026-03-29 02:30:00 does not exist on that day, when the clocks of "
            "Europe/Brussels change; write the offset",
        ),
        (
            "bib,2026-10-24,2026-10-25 02:30,",
            "to: 2026-10-25 02:30:00 comes twice on that day, when the clocks of Europe/Brussels "
            "change; write the offset from UTC too: 2026-10-25 02:30:00+02:00 or "
            "2026-10-25 02:30:00+01:00",
        ),
    ],
)
def test_a_period_that_is_wrong_is_told(write: Write, told: Told, row: str, problem: str) -> None:
    (line,) = told(write({"closures.csv": HEADER + row + "\n"}))
    assert line.startswith(f"closures.csv:2: {problem}")


def test_an_unknown_column_and_a_missing_one_are_told(write: Write, told: Told) -> None:
    lines = told(write({"maintenance.csv": "site,from,until\nbib,2026-07-15,2026-07-16\n"}))
    assert lines == [
        "maintenance.csv:1: until: unknown column; allowed: site, from, to, reason",
        "maintenance.csv:1: to: the column is missing; required: site, from, to",
    ]


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["Europe/Brussels", "Africa/Cairo", "America/Havana", "Pacific/Apia"]),
)
def test_local_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    """Also where midnight itself is skipped or repeated, and a day never was (Apia, 2011)."""
    start, end = (local_day_ms(d, ZoneInfo(zone)) for d in (day, day + timedelta(days=1)))
    assert 0 <= end - start <= 26 * 3_600_000
    last_second = datetime.fromtimestamp(end / 1000 - 1, UTC).astimezone(ZoneInfo(zone))
    assert last_second.date() <= day
