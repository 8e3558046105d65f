"""The weeks that a trial plays in, and what the local clock and calendar say in them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.fleet.clock import QUARTER_MS
from config.deployment import local_day_ms

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ZONE: Final = ZoneInfo("Europe/Brussels")
CLOCK_CHANGES: Final = (
    date(2024, 3, 31), date(2024, 10, 27), date(2025, 3, 30), date(2025, 10, 26),
)  # fmt: skip
MOST_WEEKS_AFTER: Final = 9
"""So long after a clock change a trial ends at the latest: it always lies in the weeks judged."""

PUBLIC_HOLIDAYS: Final = frozenset(
    date.fromisoformat(day)
    for day in (
        "2023-11-01", "2023-11-11", "2023-12-25",
        "2024-01-01", "2024-04-01", "2024-05-01", "2024-05-09", "2024-05-20", "2024-07-21",
        "2024-08-15", "2024-11-01", "2024-11-11", "2024-12-25",
        "2025-01-01", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09", "2025-07-21",
        "2025-08-15", "2025-11-01", "2025-11-11", "2025-12-25",
    )
)  # fmt: skip
"""Of Belgium, written down and not computed, so that they check those of the judgement."""
SCHOOL_HOLIDAYS: Final = tuple(
    (date.fromisoformat(first), date.fromisoformat(last))
    for first, last in (
        ("2023-10-23", "2023-11-03"), ("2023-12-25", "2024-01-05"), ("2024-02-26", "2024-03-08"),
        ("2024-04-29", "2024-05-10"),
        ("2024-07-06", "2024-08-25"), ("2024-10-21", "2024-11-01"), ("2024-12-23", "2025-01-03"),
        ("2025-02-24", "2025-03-07"), ("2025-04-28", "2025-05-09"), ("2025-07-05", "2025-08-24"),
        ("2025-10-20", "2025-10-31"), ("2025-12-22", "2026-01-02"),
    )
)  # fmt: skip
"""Of the Fédération Wallonie-Bruxelles, both days included."""


@dataclass(frozen=True)
class Season:
    """Whole local weeks before a Monday, on a grid of quarters of an hour in UTC."""

    monday: date
    """The day on which the city is judged: the samples end as it begins."""
    weeks: int

    @property
    def first_day(self) -> date:
        """The Monday on which the samples begin."""
        return self.monday - timedelta(weeks=self.weeks)

    @property
    def start_ms(self) -> int:
        """UTC."""
        return local_day_ms(self.first_day, ZONE)

    @property
    def end_ms(self) -> int:
        """UTC."""
        return local_day_ms(self.monday, ZONE)

    @property
    def as_of(self) -> datetime:
        """The moment of judgement."""
        return datetime.fromtimestamp(self.end_ms / 1000, UTC)

    @property
    def quarters(self) -> int:
        """Length of the grid."""
        return (self.end_ms - self.start_ms) // QUARTER_MS

    @cached_property
    def ts_ms(self) -> Ints:
        """Start of each quarter."""
        return self.start_ms + QUARTER_MS * np.arange(self.quarters, dtype=np.int64)

    @cached_property
    def hour(self) -> Floats:
        """Of the local day, with its fraction."""
        local = self._local
        return np.asarray(local.hour + local.minute / 60, dtype=np.float64)

    @cached_property
    def day(self) -> Ints:
        """Local days since the first."""
        days = self._local.tz_localize(None).normalize() - pd.Timestamp(self.first_day)
        return np.asarray(days.days, dtype=np.int64)

    @cached_property
    def public_holiday(self) -> Bools:
        """Whether the local day is one."""
        days = [self.day_at(i) in PUBLIC_HOLIDAYS for i in range(7 * self.weeks)]
        return np.array(days)[self.day]

    @cached_property
    def school_holiday(self) -> Bools:
        """Whether the local day lies in one."""
        days = [
            any(first <= self.day_at(i) <= last for first, last in SCHOOL_HOLIDAYS)
            for i in range(7 * self.weeks)
        ]
        return np.array(days)[self.day]

    def day_at(self, index: int) -> date:
        """The local day with an index of `day`."""
        return self.first_day + timedelta(days=index)

    def day_ms(self, index: int) -> int:
        """When it begins, UTC."""
        return local_day_ms(self.day_at(index), ZONE)

    @cached_property
    def _local(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(pd.to_datetime(self.ts_ms, unit="ms", utc=True)).tz_convert(ZONE)


def draw_season(rng: np.random.Generator, weeks: int) -> Season:
    """Draw a spring or an autumn in which the clocks change while the city is watched."""
    change = CLOCK_CHANGES[rng.integers(len(CLOCK_CHANGES))]
    after = int(rng.integers(2, min(MOST_WEEKS_AFTER, weeks - 2) + 1))
    return Season(change + timedelta(days=1, weeks=after), weeks)
