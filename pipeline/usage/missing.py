"""Why a figure of usage is unknown: null is never left without a reason."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Row = Mapping[Any, Any]
"""A row of usage with the columns of `rollup.with_known_time`."""

NOT_IN_SERVICE: Final = "no access point was in service or ever heard of"
NOT_HEARD: Final = "nothing was heard from its access points"
NO_CLIENT_COUNTS: Final = "its access points do not tell how many clients they have"
NO_SESSIONS: Final = "no client table was read and no session records were imported"


def why(row: Row, figure: str) -> str:
    """The reason why this figure of the row is None."""
    return _REASONS[figure](row)


def _of_clients(row: Row) -> str:
    return NO_CLIENT_COUNTS if _heard(row) else _unheard(row)


def _of_peak(row: Row) -> str:
    if row["clients_ms"] == 0:
        return _of_clients(row)
    return "under four fifths of its access points told their clients at any one time"


def _of_traffic(row: Row) -> str:
    return "no two traffic counters could be compared" if _heard(row) else _unheard(row)


def _of_availability(row: Row) -> str:
    return "all that was observed was announced maintenance" if _heard(row) else _unheard(row)


def _of_sessions(_: Row) -> str:
    return NO_SESSIONS


def _of_passers_by(row: Row) -> str:
    if row["watched_ms"] == 0:
        return NO_SESSIONS
    return "client tables do not give durations to the minute"


def _of_devices(row: Row) -> str:
    if row["watched_ms"] == 0:
        return NO_SESSIONS
    return "the session records do not tell one device from another"


def _of_randomised(row: Row) -> str:
    if row["told_device_days"] > 0 or row["watched_ms"] == 0:
        return _of_devices(row)
    if row["device_days"] == 0:
        return "no device was seen"
    return "the session records do not tell which addresses were made up"


def _heard(row: Row) -> bool:
    return bool(row["covered_ms"] > 0)


def _unheard(row: Row) -> str:
    return NOT_HEARD if row["expected_ms"] > 0 else NOT_IN_SERVICE


_REASONS: Final[Mapping[str, Callable[[Row], str]]] = {
    "clients_mean": _of_clients,
    "clients_peak": _of_peak,
    "user_hours": _of_clients,
    "rx_bytes": _of_traffic,
    "tx_bytes": _of_traffic,
    "availability": _of_availability,
    "coverage": lambda _: NOT_IN_SERVICE,
    "sessions": _of_sessions,
    "passers_by": _of_passers_by,
    "device_days": _of_devices,
    "randomised_share": _of_randomised,
    "session_coverage": lambda _: NOT_IN_SERVICE,
}
