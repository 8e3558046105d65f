"""How many people usually are there at this hour."""

import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipeline.alerts.usual import reader, usual_users
from pipeline.store.base import StoreError
from pipeline.store.schema import USAGE_COLUMNS
from pipeline.store.sqlite import SqliteStore
from tests.pipeline.alerts.town import HOUR, MINUTE, THURSDAY, town

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


def test_it_is_read_from_stored_usage(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "spotwatch.db")
    rows = hours((TEN - WEEK, 12, 1.0), (TEN - 2 * WEEK, 16, 1.0), (TEN - 5 * WEEK, 90, 1.0))
    store.write_usage("hour", rows.reindex(columns=list(USAGE_COLUMNS)).fillna(0))
    usual = reader(town(), store)
    assert usual(["bib"], THURSDAY) == {"bib": 14.0}
    assert usual(["parc"], THURSDAY) == {}
    store.close()
    with closing(sqlite3.connect(tmp_path / "spotwatch.db")) as db:
        db.execute("DROP TABLE usage")
    with pytest.raises(StoreError):
        store.read_usage("hour", 0, THURSDAY)
    assert usual(["bib"], THURSDAY) == {}, "an alert does not wait for it"
