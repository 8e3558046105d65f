"""What people read: means, shares and sums of usage over any period; unknown is null, never 0."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.usage.periods import HOUR_MS


@dataclass(frozen=True, slots=True)
class Figures:
    """Usage of one site over one period."""

    site: str
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


def figures(usage: pd.DataFrame) -> list[Figures]:
    """Figures of each row of usage that has `known_ms` too."""
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

    known, used = float(row["known_ms"]), total("user_ms")
    up, down = total("up_ms"), total("down_ms")
    return Figures(
        site=str(row["site"]),
        start_ms=total("start_ms"),
        end_ms=total("end_ms"),
        aps=total("aps"),
        clients_mean=share(used, known),
        clients_peak=number("peak_clients"),
        user_hours=used / HOUR_MS if known else None,
        rx_bytes=number("rx_bytes"),
        tx_bytes=number("tx_bytes"),
        availability=share(up, up + down),
        coverage=share(total("covered_ms"), total("expected_ms")),
    )
