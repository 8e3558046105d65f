"""What people read: means, shares and sums of usage over any period; unknown is null, never 0."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.usage.missing import why
from pipeline.usage.periods import HOUR_MS


@dataclass(frozen=True, slots=True)
class Figures:
    """Usage of one site, or of one AP at a site, over one period."""

    site: str
    ap: str | None
    """None: of the whole site."""
    start_ms: int
    end_ms: int
    aps: int
    """The most APs in service at a time."""
    clients_mean: float | None
    """Clients at a time over the whole site: user-hours / hours with their number known."""
    clients_peak: int | None
    user_hours: float | None
    rx_bytes: int | None
    tx_bytes: int | None
    availability: float | None
    """up / (up + down), maintenance taken out."""
    coverage: float | None
    """Observed / expected AP time; null where nothing was in service."""
    sessions: int | None
    """Begun in the period, passers-by apart."""
    passers_by: int | None
    device_days: int | None
    randomised_share: float | None
    """Of the device-days of which it is known: those with an address that the device makes up."""
    session_coverage: float | None
    """AP time in which something tells sessions / expected AP time."""
    missing: Mapping[str, str]
    """Why each figure that is None is unknown, by its name."""


def figures(usage: pd.DataFrame) -> list[Figures]:
    """Figures of each row of usage that has the columns of `rollup.with_known_time` too."""
    return [_of_row(row) for row in usage.to_dict("records")]


def share(part: float, whole: float) -> float | None:
    """A quotient, or None where there is nothing to divide by."""
    quotient = part / whole if whole else math.nan
    return quotient if math.isfinite(quotient) else None


def _of_row(row: Mapping[Hashable, Any]) -> Figures:
    def number(name: str) -> int | None:
        return None if pd.isna(row[name]) else int(row[name])

    def total(name: str) -> int:
        return number(name) or 0

    known, used, expected = float(row["known_ms"]), total("user_ms"), total("expected_ms")
    up, down = total("up_ms"), total("down_ms")
    watched = share(total("watched_ms"), expected)
    told: dict[str, Any] = {
        "clients_mean": share(used, known),
        "clients_peak": number("peak_clients"),
        "user_hours": used / HOUR_MS if known else None,
        "rx_bytes": number("rx_bytes"),
        "tx_bytes": number("tx_bytes"),
        "availability": share(up, up + down),
        "coverage": share(total("covered_ms"), expected),
        "sessions": number("sessions"),
        "passers_by": number("passers_by"),
        "device_days": number("device_days"),
        "randomised_share": share(total("randomised_device_days"), total("told_device_days")),
        # What an import covers may be more than what was in service.
        "session_coverage": None if watched is None else min(watched, 1.0),
    }
    return Figures(
        site=str(row["site"]),
        ap=str(row["ap"]) if "ap" in row else None,
        start_ms=total("start_ms"),
        end_ms=total("end_ms"),
        aps=total("aps") if "aps" in row else int(expected > 0),
        missing={name: why(row, name) for name, value in told.items() if value is None},
        **told,
    )
