"""Use in open hours and outside, and how many clients are usual."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.deployment import Deployment, Site, SitePeriod
from pipeline.usage.distribution import NEVER_OPEN, NO_HOURS, NOT_KNOWN_THEN, distributions
from pipeline.usage.periods import DAY_MS, HOUR_MS
from pipeline.usage.reader import By
from tests.pipeline.memory_store import city, usage_frame

# Monday midnight in Brussels.
START = round(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp() * 1000)
UNKNOWN = dict.fromkeys(
    ("peak_clients", "rx_bytes", "tx_bytes", "sessions", "passers_by", "device_days",
     "randomised_device_days"), pd.NA,
)  # fmt: skip
NAUGHT = dict.fromkeys(("up_ms", "down_ms", "maintenance_ms", "watched_ms"), 0)
OPEN = "Mo-Fr 09:00-17:00"


def hours(clients: Sequence[int | None], site: str = "lib") -> pd.DataFrame:
    """Usage of two access points by the hour, from START on; None: clients unknown."""
    return usage_frame(
        [
            {
                "site": site, "start_ms": START + i * HOUR_MS, "end_ms": START + (i + 1) * HOUR_MS,
                "aps": 2, "expected_ms": 2 * HOUR_MS, "covered_ms": 2 * HOUR_MS,
                "clients_ms": 0 if n is None else 2 * HOUR_MS, "user_ms": (n or 0) * HOUR_MS,
                **UNKNOWN, **NAUGHT,
            }
            for i, n in enumerate(clients)
        ]
    )  # fmt: skip


def library(opening_hours: str | None = OPEN, closures: Sequence[SitePeriod] = ()) -> Deployment:
    site = Site(site="lib", kind="library", opening_hours=opening_hours)
    return city([site], [], closures=closures)


DAY: Final = (*[1] * 9, 10, 20, 30, 40, 50, 60, 70, 80, *[2] * 7)


def test_user_hours_in_open_hours_and_outside() -> None:
    found = distributions(library(), [hours(DAY)], START, START + DAY_MS, "day")
    day = found["lib", None, START]
    assert day.user_hours_open == 360
    assert day.user_hours_closed == 9 + 2 * 7
    assert (day.clients_p10, day.clients_median, day.clients_p90) == (10, 40, 80)
    assert day.in_open_hours
    assert day.missing == {}


def test_what_is_open_for_half_an_hour_counts_for_half() -> None:
    half = library("Mo-Fr 09:30-17:00")
    day = distributions(half, [hours(DAY)], START, START + DAY_MS, "day")["lib", None, START]
    assert day.user_hours_open == 355
    assert day.user_hours_closed == 23 + 5


def test_without_opening_hours_it_is_the_whole_day_and_said() -> None:
    found = distributions(library(None), [hours(DAY)], START, START + DAY_MS, "day")
    day = found["lib", None, START]
    assert day.user_hours_open is day.user_hours_closed is None
    assert day.missing == {"user_hours_open": NO_HOURS, "user_hours_closed": NO_HOURS}
    assert day.clients_median == 2
    assert not day.in_open_hours


def test_a_day_on_which_it_is_closed_has_no_usual_number_of_clients() -> None:
    shut = SitePeriod(
        site="lib", start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 4, tzinfo=UTC)
    )
    found = distributions(
        library(closures=[shut]), [hours(DAY)], START, START + DAY_MS, "day"
    )["lib", None, START]  # fmt: skip
    assert (found.user_hours_open, found.user_hours_closed) == (0, 383)
    assert found.clients_median is None
    assert found.missing["clients_median"] == NEVER_OPEN


def test_unknown_hours_are_not_empty_ones() -> None:
    blind = (*[1] * 9, *[None] * 8, *[2] * 7)
    day = distributions(library(), [hours(blind)], START, START + DAY_MS, "day")["lib", None, START]
    assert day.user_hours_open is None
    assert day.user_hours_closed == 23
    assert set(day.missing.values()) == {NOT_KNOWN_THEN}
    assert set(day.missing) == {"user_hours_open", "clients_p10", "clients_median", "clients_p90"}


def test_each_period_has_its_own_and_one_that_is_cut_begins_with_the_span() -> None:
    since, until = START + 9 * HOUR_MS, START + 2 * DAY_MS
    days = hours([*DAY, *DAY])
    found = distributions(library(), [days[days["start_ms"] >= since]], since, until, "day")
    assert sorted(start for _, _, start in found) == [since, START + DAY_MS]
    assert found["lib", None, since].user_hours_closed == 14


@given(st.lists(st.integers(0, 500), min_size=24, max_size=24))
def test_a_tenth_of_the_time_lies_beyond_either_end(clients: list[int]) -> None:
    found = distributions(library(None), [hours(clients)], START, START + DAY_MS, "total")
    day = found["lib", None, START]
    values = np.array(clients)
    for share, value in ((0.1, day.clients_p10), (0.5, day.clients_median), (0.9, day.clients_p90)):
        assert value is not None
        assert np.mean(values <= value) >= share
        assert np.mean(values < value) < share or value == values.min()


@pytest.mark.parametrize("by", ["hour", "week", "total"])
def test_sites_that_no_file_has_are_left_out(by: By) -> None:
    gone = hours(DAY, "gone")
    assert distributions(library(), [gone], START, START + DAY_MS, by) == {}
