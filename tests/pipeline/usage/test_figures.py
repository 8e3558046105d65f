"""What is unknown is null, and the reason is the right one."""

from typing import Any

import pandas as pd
import pytest

from pipeline.usage.figures import Figures, figures
from pipeline.usage.missing import NOT_HEARD, NOT_IN_SERVICE
from pipeline.usage.periods import HOUR_MS
from pipeline.usage.rollup import with_known_time
from tests.pipeline.memory_store import usage_frame

ALL_KNOWN = {
    "site": "s", "start_ms": 0, "end_ms": HOUR_MS, "aps": 2, "expected_ms": 2 * HOUR_MS,
    "covered_ms": 2 * HOUR_MS, "up_ms": 2 * HOUR_MS, "down_ms": 0, "maintenance_ms": 0,
    "clients_ms": 2 * HOUR_MS, "user_ms": 6 * HOUR_MS, "peak_clients": 9, "rx_bytes": 5,
    "tx_bytes": 0, "watched_ms": HOUR_MS, "sessions": 4, "passers_by": 1, "device_days": 4,
    "randomised_device_days": 3,
}  # fmt: skip


def told(**changed: Any) -> Figures:
    (found,) = figures(with_known_time(usage_frame([{**ALL_KNOWN, **changed}])))
    return found


def test_nothing_is_missing_of_what_is_known() -> None:
    found = told()
    assert found.missing == {}
    assert (found.clients_mean, found.user_hours) == (6, 6)
    assert (found.tx_bytes, found.randomised_share, found.session_coverage) == (0, 0.75, 0.5)


def test_the_share_of_randomised_addresses_is_of_those_of_which_it_is_known() -> None:
    rows = [ALL_KNOWN, {**ALL_KNOWN, "start_ms": HOUR_MS, "randomised_device_days": pd.NA}]
    known = with_known_time(usage_frame(rows))
    total = known.sum(numeric_only=True).to_frame().T.assign(site="s")
    (found,) = figures(total)
    assert found.device_days == 8
    assert found.randomised_share == 0.75


def test_what_an_import_covers_beyond_the_time_in_service_is_no_more_than_all() -> None:
    assert told(watched_ms=3 * HOUR_MS).session_coverage == 1


NO_CLIENTS = {"clients_ms": 0, "user_ms": 0, "peak_clients": pd.NA}
SILENT = {**NO_CLIENTS, "covered_ms": 0, "up_ms": 0, "rx_bytes": pd.NA, "tx_bytes": pd.NA}
UNWATCHED = {
    "watched_ms": 0, "sessions": pd.NA, "passers_by": pd.NA, "device_days": pd.NA,
    "randomised_device_days": pd.NA,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "figure", "reason"),
    [
        ({"peak_clients": pd.NA}, "clients_peak", "four fifths"),
        (NO_CLIENTS, "clients_mean", "do not tell how many clients"),
        (NO_CLIENTS, "clients_peak", "do not tell how many clients"),
        (SILENT, "user_hours", NOT_HEARD),
        (SILENT, "availability", NOT_HEARD),
        (SILENT, "rx_bytes", NOT_HEARD),
        ({**SILENT, "expected_ms": 0}, "user_hours", NOT_IN_SERVICE),
        ({**SILENT, "expected_ms": 0}, "coverage", NOT_IN_SERVICE),
        ({"expected_ms": 0}, "session_coverage", NOT_IN_SERVICE),
        ({"rx_bytes": pd.NA}, "rx_bytes", "no two traffic counters"),
        ({"up_ms": 0, "maintenance_ms": HOUR_MS}, "availability", "announced maintenance"),
        (UNWATCHED, "sessions", "no client table was read and no session records"),
        (UNWATCHED, "passers_by", "no client table was read and no session records"),
        (UNWATCHED, "randomised_share", "no client table was read and no session records"),
        ({"passers_by": pd.NA}, "passers_by", "durations to the minute"),
        ({"device_days": pd.NA, "randomised_device_days": pd.NA}, "device_days", "one device from"),
        ({"randomised_device_days": pd.NA}, "randomised_share", "which addresses were made up"),
        ({"device_days": 0, "randomised_device_days": 0}, "randomised_share", "no device was seen"),
    ],
)
def test_the_reason_of_what_is_missing(changed: dict[str, Any], figure: str, reason: str) -> None:
    found = told(**changed)
    assert getattr(found, figure) is None
    assert reason in found.missing[figure]
