"""How many people usually are there at this hour."""

from zoneinfo import ZoneInfo

import pandas as pd

from pipeline.alerts.usual import span_ms, usual_users
from tests.pipeline.alerts.town import HOUR, MINUTE, THURSDAY

ZONES = {"bib": ZoneInfo("Europe/Brussels")}
WEEK = 7 * 24 * HOUR
TEN = THURSDAY - 4 * MINUTE
"""10:00."""


def hours(*rows: tuple[int, float, float]) -> pd.DataFrame:
    """Start, users at a time, share of the hour that is known; of a site with two APs."""
    return pd.DataFrame(
        {
            "site": "bib",
            "start_ms": [start for start, _, _ in rows],
            "end_ms": [start + HOUR for start, _, _ in rows],
            "expected_ms": 2 * HOUR,
            "clients_ms": [round(2 * HOUR * known) for _, _, known in rows],
            "user_ms": [round(users * HOUR * known) for _, users, known in rows],
        }
    )


def test_the_median_of_the_same_hour_of_the_same_weekday() -> None:
    found = hours(
        (TEN - WEEK, 12, 1.0),
        (TEN - 2 * WEEK, 40, 1.0),
        (TEN - 3 * WEEK, 14, 0.8),
        (TEN - 4 * WEEK, 10, 1.0),
        (TEN - WEEK + HOUR, 99, 1.0),
        (TEN - 24 * HOUR, 99, 1.0),
    )
    assert usual_users(found, ZONES, THURSDAY) == {"bib": 13.0}


def test_what_is_not_known_well_enough_does_not_count() -> None:
    found = hours((TEN - WEEK, 12, 1.0), (TEN - 2 * WEEK, 12, 0.4), (TEN - 3 * WEEK, 0, 0.0))
    assert usual_users(found, ZONES, THURSDAY) == {}
    assert usual_users(hours(), ZONES, THURSDAY) == {}
    assert usual_users(found, {}, THURSDAY) == {}


def test_the_hour_is_that_of_the_clock_across_a_change() -> None:
    """On 29 March 2026 the clocks went forward."""
    april = THURSDAY + 4 * WEEK - HOUR
    found = hours((TEN + 2 * WEEK, 20, 1.0), (TEN + 3 * WEEK, 20, 1.0))
    assert usual_users(found, ZONES, april) == {"bib": 20.0}
    assert span_ms(april)[0] <= TEN + 2 * WEEK
