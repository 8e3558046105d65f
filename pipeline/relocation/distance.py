"""Distances over ground."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from pipeline.underuse.intensity import Floats

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius (IUGG). A sphere is right to 0.5 %, which is less than a position is."""

Position = tuple[float, float] | None
"""Latitude and longitude in degrees, WGS 84; None: unknown."""


def position(lat: float | None, lon: float | None) -> Position:
    """A position, where both of its parts are known."""
    return None if lat is None or lon is None else (lat, lon)


def distances_m(here: Sequence[Position], there: Sequence[Position]) -> Floats:
    """Great-circle distances in metres, one row for each of `here`; NaN where one is unknown."""
    lat, lon = _radians(here)
    other_lat, other_lon = _radians(there)
    haversine = (
        np.sin((other_lat[None, :] - lat[:, None]) / 2) ** 2
        + np.cos(lat)[:, None]
        * np.cos(other_lat)[None, :]
        * np.sin((other_lon[None, :] - lon[:, None]) / 2) ** 2
    )
    found: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))
    return found


def _radians(positions: Sequence[Position]) -> tuple[Floats, Floats]:
    known = [(np.nan, np.nan) if at is None else at for at in positions]
    columns = np.radians(np.array(known, dtype=np.float64).reshape(-1, 2))
    return columns[:, 0], columns[:, 1]
