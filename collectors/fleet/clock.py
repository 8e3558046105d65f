"""Spans of time in milliseconds, and the grid that the demo city is drawn on."""

from typing import Final

QUARTER_MS: Final = 900_000
"""A quarter of an hour."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
QUARTERS: Final = DAY_MS // QUARTER_MS
"""Quarters of an hour in a day."""
