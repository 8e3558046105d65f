"""Usage of every site in every 15-minute window, from samples. Pure; integers throughout, so that
the same samples give the same bits however the work is cut up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.usage.counters import flows
from pipeline.usage.grid import Grid, Pieces, cut
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.peak import peaks
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.rollup import AMOUNTS
from pipeline.usage.samples import DOWN, UNKNOWN, UP, Samples, from_frame
from pipeline.usage.service import NEVER, Service


def aggregate(
    samples: pd.DataFrame,
    service: Service,
    start_ms: int,
    end_ms: int,
    *,
    maintenance: Mapping[str, Intervals],
    max_counter_gap_ms: int,
) -> pd.DataFrame:
    """Usage (schema.USAGE_COLUMNS) of each site and window in [start, end), both on the window.

    `samples`: those of [start, end), and of each AP the last one before `start` and the last one
    with a counter; older ones and others change nothing. Sorted by (`site`, `start_ms`), one row
    per site and window from the site's start of service on, observed or not.
    """
    read = from_frame(samples, service.aps, service.sites)
    grid = Grid(start_ms, (end_ms - start_ms) // WINDOW_MS, len(read.site_names))
    times = _Times.of(service, read)
    since, until = times.of_pair(read.ap, read.site)
    # A sample from before its AP was in service holds nothing.
    ends = np.where(read.ts < since, read.ts, np.minimum(read.hold_ends(), until))
    pieces = cut(read, read.ts, ends, grid)
    expected, aps = _expected(times, pieces, grid)
    columns = _observed(pieces, grid, _inside(maintenance, read.site_names, pieces))
    columns |= {"aps": aps, "expected_ms": expected, "peak_clients": peaks(pieces, aps, grid)}
    columns |= _bytes(read, times, grid, max_counter_gap_ms)
    columns |= _unwatched(grid)
    return _frame(columns, read.site_names, times.rows_since, grid)


@dataclass(frozen=True, slots=True)
class _Times:
    """`Service`, continued by APs and sites that samples name and no file does."""

    ap_site: Ints
    ap_since: Ints
    ap_until: Ints
    site_since: Ints
    site_until: Ints
    rows_since: Ints

    @classmethod
    def of(cls, service: Service, samples: Samples) -> "_Times":
        aps = len(samples.ap_names) - len(service.aps)
        sites = len(samples.site_names) - len(service.sites)
        return cls(
            ap_site=np.pad(service.ap_site, (0, aps), constant_values=UNKNOWN),
            ap_since=np.pad(service.ap_since, (0, aps), constant_values=NEVER),
            ap_until=np.pad(service.ap_until, (0, aps), constant_values=NEVER),
            site_since=np.pad(service.site_since, (0, sites), constant_values=-NEVER),
            site_until=np.pad(service.site_until, (0, sites), constant_values=NEVER),
            rows_since=np.pad(service.rows_since, (0, sites), constant_values=-NEVER),
        )

    def of_pair(self, ap: Ints, site: Ints) -> tuple[Ints, Ints]:
        """When an AP counts at a site: its own times where it is configured, else the site's."""
        home = self.ap_site[ap] == site
        return (
            np.where(home, self.ap_since[ap], self.site_since[site]),
            np.where(home, self.ap_until[ap], self.site_until[site]),
        )


def _expected(times: _Times, pieces: Pieces, grid: Grid) -> tuple[Ints, Ints]:
    """AP-milliseconds in service, and APs in service, of each cell.

    An AP's time in a window is its site's as observed; what is left goes to the site that it was
    last heard from in the window, else to the configured one.
    """
    aps = len(times.ap_site)
    site = np.repeat(times.ap_site[:, None], grid.windows, axis=1)
    # Pieces are in order of time: of several sites in a window the last stays.
    site[pieces.ap, pieces.window] = pieces.site
    starts = grid.start_ms + np.arange(grid.windows, dtype=np.int64) * WINDOW_MS
    known = np.flatnonzero(site >= 0)
    since, until = times.of_pair(known // grid.windows, site.ravel()[known])
    window = starts[known % grid.windows]
    span = np.clip(np.minimum(until, window + WINDOW_MS) - np.maximum(since, window), 0, None)
    served = np.zeros(site.size, dtype=np.int64)
    served[known] = span

    observed = np.flatnonzero(pieces.state != UNKNOWN)
    at = (pieces.ap * grid.windows + pieces.window)[observed]
    since, until = times.of_pair(pieces.ap[observed], site.ravel()[at])
    within = np.minimum(pieces.end[observed], until) - np.maximum(pieces.start[observed], since)
    seen = np.zeros(site.size, dtype=np.int64)
    np.add.at(seen, at, np.clip(within, 0, None))
    cell = site.ravel()[known] * grid.windows + known % grid.windows
    expected = grid.sum(cell, np.clip(served - seen, 0, None)[known])
    expected += grid.sum(pieces.cell[observed], pieces.length[observed])

    present = grid.sum(cell, ((served > 0) | (seen > 0))[known].astype(np.int64))
    moved = observed[site.ravel()[at] != pieces.site[observed]]
    visits = np.unique(pieces.cell[moved] * aps + pieces.ap[moved]) // max(aps, 1)
    return expected, present + grid.sum(visits, np.ones(len(visits), dtype=np.int64))


def _observed(pieces: Pieces, grid: Grid, announced: Ints) -> dict[str, Ints]:
    plain = pieces.length - announced
    known = pieces.clients != UNKNOWN

    def total(mask: npt.NDArray[np.bool_], amounts: Ints) -> Ints:
        return grid.sum(pieces.cell[mask], amounts[mask])

    return {
        "covered_ms": total(pieces.state != UNKNOWN, pieces.length),
        "up_ms": total(pieces.state == UP, plain),
        "down_ms": total(pieces.state == DOWN, plain),
        "maintenance_ms": total(pieces.state != UNKNOWN, announced),
        "clients_ms": total(known, pieces.length),
        "user_ms": total(known, pieces.length * pieces.clients),
    }


def _inside(maintenance: Mapping[str, Intervals], sites: tuple[str, ...], pieces: Pieces) -> Ints:
    """Milliseconds of each piece inside its site's announced maintenance."""
    inside = np.zeros(len(pieces.site), dtype=np.int64)
    for i, site in enumerate(sites):
        if site in maintenance:
            here = np.flatnonzero(pieces.site == i)
            inside[here] = maintenance[site].within(pieces.start[here], pieces.end[here])
    return inside


def _bytes(samples: Samples, times: _Times, grid: Grid, max_counter_gap_ms: int) -> dict[str, Ints]:
    found = flows(samples, max_counter_gap_ms)
    since, until = times.of_pair(found.ap, found.site)
    counts = (found.previous_ts >= since) & (found.ts < until) & grid.covers(found.ts)
    cell = grid.cell(found.site, found.ts)
    columns = {}
    for name, flow in (("rx_bytes", found.rx_bytes), ("tx_bytes", found.tx_bytes)):
        known = counts & (flow != UNKNOWN)
        total = np.full(grid.size, UNKNOWN, dtype=np.int64)
        total[cell[known]] = 0
        np.add.at(total, cell[known], flow[known])
        columns[name] = total
    return columns


def _unwatched(grid: Grid) -> dict[str, Ints]:
    """Samples count clients and know none of them: sessions have a source of their own."""
    nothing = np.full(grid.size, UNKNOWN, dtype=np.int64)
    told = ("sessions", "passers_by", "device_days", "randomised_device_days")
    return {"watched_ms": np.zeros(grid.size, dtype=np.int64), **dict.fromkeys(told, nothing)}


def _frame(
    columns: Mapping[str, Ints], sites: tuple[str, ...], rows_since: Ints, grid: Grid
) -> pd.DataFrame:
    by_name = np.array(sorted(range(len(sites)), key=sites.__getitem__), dtype=np.int64)
    cells = (by_name[:, None] * grid.windows + np.arange(grid.windows)).ravel()
    start = grid.start_ms + cells % grid.windows * WINDOW_MS
    kept = start >= rows_since[cells // grid.windows]
    cells, start = cells[kept], start[kept]
    names = pd.Series(list(sites), dtype="str")
    data: dict[str, object] = {
        "site": names.take(cells // grid.windows).reset_index(drop=True),
        "start_ms": start,
        "end_ms": start + WINDOW_MS,
    }
    for name, dtype in AMOUNTS.items():
        values = columns[name][cells]
        if dtype == "Int64":
            data[name] = pd.arrays.IntegerArray(np.maximum(values, 0), values == UNKNOWN)
        else:
            data[name] = values
    return pd.DataFrame(data)
