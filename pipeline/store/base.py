"""What the pipeline asks of a store; `sqlite.py` is the embedded one."""

from __future__ import annotations  # so that what a store is can be named without pandas

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from collectors.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["15min", "hour", "day"]
"""The periods that usage is kept at. Hours and days are those of the site's time zone."""
ApLevel = Literal["hour", "day"]
"""The periods that the usage of each access point is kept at."""


class StoreError(Exception):
    """The store cannot do what was asked; the message says why and what to do."""


class Store(Protocol):
    """Samples and what is computed from them. Times are UTC milliseconds; windows are [start, end).

    Frames of samples have the columns of `Reading`, in its order: `ap` and `site` strings, `ts_ms`
    and `interval_s` int64, `channel_utilisation` Float64, everything else Int64 (nullable), sorted
    by (`ap`, `ts_ms`), with a fresh RangeIndex. Frames of usage have `schema.USAGE_COLUMNS`,
    those of access points `schema.AP_USAGE_COLUMNS`. Usage stored before a column came to be has
    NA in it, or 0 where the column is never NA.
    """

    def write_samples(self, readings: Sequence[Reading]) -> None:
        """Write; durable on return. The key is (`ap`, `ts_ms`): a rewrite overwrites the fields
        that it carries and keeps the rest, so that writing twice changes nothing.
        """

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Read the samples of a window, of all sites or some."""

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """Read each AP's last sample in [since, before), with_counters: the last that has
        `rx_bytes` or `tx_bytes`. At most one row per AP. With `sites`, without the APs that
        were last read elsewhere.
        """

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        """Time of the AP's first sample with a counter in (after, until), or None."""

    def moved_aps(self) -> Mapping[str, Collection[str]]:
        """The APs that were read at more than one site, and these sites; also a site whose samples
        of the AP were all rewritten to another, for as long as this store is open.
        """

    def span(self) -> Mapping[str, tuple[int, int]]:
        """First and last sample time of each site that has samples."""

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        """Replace the rows of the same (`site`, `start_ms`)."""

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Read the periods that start in the window, sorted by (`site`, `start_ms`)."""

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        """Replace the rows of the same (`site`, `ap`, `start_ms`)."""

    def read_ap_usage(
        self, level: ApLevel, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Read the periods that start in the window, sorted by (`site`, `ap`, `start_ms`)."""

    def close(self) -> None:
        """Release files and connections."""
