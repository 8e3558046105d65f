"""Sessions counted per site, AP and 15-minute window. Pure; integers throughout.

However a span is cut up, its windows get the same counts: each follows from the sessions of its
local day up to itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.deployment import local_day_ms
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import WINDOW_MS, bounds, local_date

Mask = npt.NDArray[np.bool_]
Table = npt.NDArray[np.void]
"""A structured array, one row a record."""

UNKNOWN: Final = -1
_AP_BITS: Final = 31
SESSION_ROW: Final = np.dtype(
    [
        ("site", np.int64),
        ("ap", np.int64),
        ("known", np.int64),  # 1: the device is, 0: it is not
        ("device", np.int64),
        ("last_device", np.int64),
        ("randomised", np.int64),  # 1, 0 or UNKNOWN
        ("start_ms", np.int64),
        ("end_ms", np.int64),
        ("exact", np.int64),  # 1: start and end are what they say, 0: to a poll interval
    ]
)
RUN_ROW: Final = np.dtype(
    [
        ("site", np.int64),
        ("ap", np.int64),
        ("start_ms", np.int64),
        ("end_ms", np.int64),
        ("aps", np.int64),
        ("durations", np.int64),
        ("devices", np.int64),
        ("randomised", np.int64),
    ]
)
"""Sites and APs are numbers in both."""
COUNTS: Final = {
    "watched_ms": "int64",  # AP-milliseconds with a source that tells sessions
    "sessions": "Int64",  # begun in the window, passers-by apart; NA where nothing watched
    "passers_by": "Int64",  # sessions too short for a stay; NA where no source tells durations
    "device_days": "Int64",  # devices first there on their local day in the window
    "randomised_device_days": "Int64",  # of them, with an address that the device made up
}
"""What is counted, with its types; the sum over any grouping is exact."""


def needed_since_ms(start_ms: int, zones: Mapping[int, ZoneInfo]) -> int:
    """Sessions that end before this instant change no count from `start_ms` on."""
    days = {local_day_ms(local_date(start_ms, zone), zone) for zone in set(zones.values())}
    return min(days, default=start_ms)


def count(
    sessions: Table,
    runs: Table,
    zones: Mapping[int, ZoneInfo],
    start_ms: int,
    end_ms: int,
    *,
    passer_by_ms: int,
) -> pd.DataFrame:
    """Count what began in [start, end), both on the window.

    `sessions` (SESSION_ROW): those that meet [`needed_since_ms`, `end_ms`); others change nothing.
    `runs` (RUN_ROW): those that meet [start, end). `zones`: of each site. Columns `site`, `ap`,
    `start_ms` and COUNTS, sorted by the first three; no row where nothing watched and nobody came,
    and none of a site in a window in which nothing watched it.
    """
    grid = _Grid.of(sessions, runs, start_ms, end_ms)
    watch = _watch(runs, grid)
    began = _within(sessions, start_ms, end_ms)
    short = (began["exact"] == 1) & (began["end_ms"] - began["start_ms"] < passer_by_ms)
    found = {
        "sessions": grid.tally(began[~short], began["start_ms"][~short]),
        "passers_by": grid.tally(began[short], began["start_ms"][short]),
    }
    devices, at = _first_there(sessions, zones, start_ms, end_ms)
    made_up = devices["randomised"] == 1
    found["device_days"] = grid.tally(devices, at)
    found["randomised_device_days"] = grid.tally(devices[made_up], at[made_up])
    return _frame(grid, watch, found)


class _Grid(NamedTuple):
    """A cell for each place (AP at a site) and window."""

    places: Ints
    """Sorted, each once; see `_places`."""
    start_ms: int
    windows: int

    @classmethod
    def of(cls, sessions: Table, runs: Table, start_ms: int, end_ms: int) -> "_Grid":
        places = np.unique(np.concatenate([_places(sessions), _places(runs)]))
        return cls(places, start_ms, (end_ms - start_ms) // WINDOW_MS)

    @property
    def size(self) -> int:
        return len(self.places) * self.windows

    @property
    def sites(self) -> Ints:
        return self.places >> _AP_BITS

    @property
    def aps(self) -> Ints:
        return self.places & ((1 << _AP_BITS) - 1)

    def place(self, rows: Table) -> Ints:
        at: Ints = np.searchsorted(self.places, _places(rows))
        return at

    def tally(self, rows: Table, at_ms: Ints) -> Ints:
        cells = self.place(rows) * self.windows + (at_ms - self.start_ms) // WINDOW_MS
        return np.bincount(cells, minlength=self.size).astype(np.int64)


def _places(rows: Table) -> Ints:
    """Site and AP as one number."""
    places: Ints = rows["site"] << _AP_BITS | rows["ap"]
    return places


@dataclass(frozen=True, slots=True)
class _Watch:
    """What is watched in each cell, and what those who watch it know."""

    ms: Ints
    knows: Mapping[str, Mask]
    """Whether `durations`, `devices`, `randomised` are known."""
    site: Mask
    """Whether anything watches the cell's site."""


def _watch(runs: Table, grid: _Grid) -> _Watch:
    end_ms = grid.start_ms + grid.windows * WINDOW_MS
    starts = np.maximum(runs["start_ms"], grid.start_ms) - grid.start_ms
    ends = np.minimum(runs["end_ms"], end_ms) - grid.start_ms
    meets = starts < ends
    runs, starts, ends = runs[meets], starts[meets], ends[meets]
    first = starts // WINDOW_MS
    times = -(-ends // WINDOW_MS) - first
    of_run = np.repeat(np.arange(len(runs)), times)
    window = np.arange(len(of_run)) - np.repeat(np.cumsum(times) - times, times) + first[of_run]
    part = np.minimum(ends[of_run], (window + 1) * WINDOW_MS)
    part -= np.maximum(starts[of_run], window * WINDOW_MS)
    cell = grid.place(runs)[of_run] * grid.windows + window

    ms = np.zeros(grid.size, dtype=np.int64)
    np.add.at(ms, cell, part * runs["aps"][of_run])
    knows = {}
    for name in ("durations", "devices", "randomised"):
        knows[name] = np.zeros(grid.size, dtype=bool)
        knows[name][cell[runs[name][of_run] == 1]] = True
    sites, of_place = np.unique(grid.sites, return_inverse=True)
    watched = np.zeros((len(sites), grid.windows), dtype=bool)
    np.logical_or.at(watched, of_place, (ms > 0).reshape(len(of_place), grid.windows))
    return _Watch(ms, knows, watched[of_place].ravel())


def _first_there(
    sessions: Table, zones: Mapping[int, ZoneInfo], start_ms: int, end_ms: int
) -> tuple[Table, Ints]:
    """Of each device and local day the session that it is first there in, and when; in the span.

    A session that goes past midnight is there on both days, on the second one from midnight on. It
    is known by its first and by its last hash, so that a change of keys makes no second device.
    """
    row, day, at = _days(sessions, zones, start_ms, end_ms)
    rows = sessions[row]
    order = np.lexsort((rows["device"], rows["ap"], rows["end_ms"], rows["start_ms"], at))
    rows, day, at = rows[order], day[order], at[order]
    rank = np.arange(len(rows))
    earliest = rank
    hashes = pd.DataFrame(
        {
            "site": np.tile(rows["site"], 2),
            "day": np.tile(day, 2),
            "hash": np.concatenate([rows["device"], rows["last_device"]]),
            "rank": np.tile(rank, 2),
        }
    )
    ranks = hashes.groupby(["site", "day", "hash"], sort=False)["rank"].transform("min").to_numpy()
    earliest = np.minimum(ranks[: len(rows)], ranks[len(rows) :])
    first = (earliest == rank) & (at >= start_ms) & (at < end_ms)
    return rows[first], at[first]


def _days(
    sessions: Table, zones: Mapping[int, ZoneInfo], start_ms: int, end_ms: int
) -> tuple[Ints, Ints, Ints]:
    """Rows of `sessions`, once for each local day that they meet; the day's start; since when."""
    rows, days, since = [], [], []
    by_zone: dict[ZoneInfo, list[int]] = {}
    for site, zone in zones.items():
        by_zone.setdefault(zone, []).append(site)
    ends = np.maximum(sessions["end_ms"], sessions["start_ms"] + 1)
    for zone, sites in by_zone.items():
        midnights = bounds("day", start_ms, end_ms, zone)
        here = np.isin(sessions["site"], sites) & (sessions["known"] == 1)
        here &= (ends > midnights[0]) & (sessions["start_ms"] < end_ms)
        at = np.flatnonzero(here)
        first = np.searchsorted(midnights, sessions["start_ms"][at], side="right") - 1
        first = np.maximum(first, 0)
        last = np.searchsorted(midnights, np.minimum(ends[at], end_ms) - 1, side="right") - 1
        times = last - first + 1
        row = np.repeat(at, times)
        start = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        day = midnights[np.repeat(first, times) + start]
        rows.append(row)
        days.append(day)
        since.append(np.maximum(sessions["start_ms"][row], day))
    if not rows:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing
    return np.concatenate(rows), np.concatenate(days), np.concatenate(since)


def _within(sessions: Table, start_ms: int, end_ms: int) -> Table:
    at = sessions["start_ms"]
    return sessions[(at >= start_ms) & (at < end_ms)]


def _frame(grid: _Grid, watch: _Watch, found: Mapping[str, Ints]) -> pd.DataFrame:
    """Rows of the cells that say something. What no source knows is NA, unless somebody came."""
    came = np.logical_or.reduce([amount > 0 for amount in found.values()])
    cells = np.flatnonzero(watch.site & ((watch.ms > 0) | came))
    watched = watch.ms[cells] > 0
    knows = {
        "sessions": watched,
        "passers_by": watch.knows["durations"][cells],
        "device_days": watch.knows["devices"][cells],
        "randomised_device_days": watch.knows["randomised"][cells],
    }
    place, window = cells // grid.windows, cells % grid.windows
    data: dict[str, object] = {
        "site": grid.sites[place],
        "ap": grid.aps[place],
        "start_ms": grid.start_ms + window * WINDOW_MS,
        "watched_ms": watch.ms[cells],
    }
    for name, amounts in found.items():
        amount = amounts[cells]
        data[name] = pd.arrays.IntegerArray(amount, ~(knows[name] | (amount > 0)))
    return pd.DataFrame(data)
