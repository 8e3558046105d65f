"""Usage of every site and access point in every 15-minute window, from samples. Pure; integers
throughout, so that the same samples give the same bits however the work is cut up."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.usage.ap_windows import ApWindows, frame_of
from pipeline.usage.counters import flows
from pipeline.usage.grid import Grid, Mask, Pieces, cut, run_heads
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.peak import peaks
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.placements import Placements
from pipeline.usage.rollup import SAMPLED
from pipeline.usage.samples import DOWN, UNKNOWN, UP, Samples, from_frame
from pipeline.usage.service import NEVER, Service


class Aggregated(NamedTuple):
    """Usage by 15-minute windows."""

    sites: pd.DataFrame
    """schema.USAGE_COLUMNS, sorted by (`site`, `start_ms`)."""
    aps: ApWindows
    """The same by access point, of which each period asked for is made."""


def aggregate(
    samples: pd.DataFrame,
    service: Service,
    start_ms: int,
    end_ms: int,
    *,
    maintenance: Mapping[str, Intervals],
    max_counter_gap_ms: int,
) -> Aggregated:
    """Usage of each site, and of each AP, and window in [start, end), both on the window.

    `samples`: those of [start, end), and of each AP the last one before `start` and the last one
    with a counter; older ones and others change nothing. One row per site and window from the
    site's start of service on, observed or not. What adds up is the same by site as by AP.
    Samples know no sessions: those columns stay unknown.
    """
    read = from_frame(samples, service.aps, service.sites)
    placements = Placements.of(service, read)
    grid = Grid(start_ms, (end_ms - start_ms) // WINDOW_MS, len(placements))
    since, until = (times[placements.of_sample] for times in (placements.since, placements.until))
    # A sample from before its AP was in service holds nothing.
    ends = np.where(read.ts < since, read.ts, np.minimum(read.hold_ends(), until))
    pieces = cut(read, ends, placements, grid)
    expected, present = _expected(placements, pieces, grid)
    columns = _observed(pieces, grid, _inside(maintenance, read.site_names, pieces))
    columns |= {"expected_ms": expected, "peak_clients": _most_clients(pieces, grid)}
    columns |= _bytes(read, placements, grid, max_counter_gap_ms)
    by_ap = ApWindows(read.ap_names, read.site_names, placements, grid, columns)
    return Aggregated(_sites(by_ap, present, pieces, service), by_ap)


def _expected(placements: Placements, pieces: Pieces, grid: Grid) -> tuple[Ints, Mask]:
    """AP-milliseconds in service, and whether the AP is in service there, of each cell.

    An AP's time in a window is its site's as observed; what is left goes to the site that it was
    last heard from in the window, else to the configured one.
    """
    placed = np.repeat(placements.home[:, None], grid.windows, axis=1)
    # Pieces are in order of time: of several placements in a window the last stays.
    placed[pieces.ap, pieces.window] = pieces.placement
    flat = placed.ravel()
    known = np.flatnonzero(flat >= 0)
    since, until = (times[flat[known]] for times in (placements.since, placements.until))
    window = grid.starts[known % grid.windows]
    span = np.clip(np.minimum(until, window + WINDOW_MS) - np.maximum(since, window), 0, None)
    served = np.zeros(flat.size, dtype=np.int64)
    served[known] = span

    observed = np.flatnonzero(pieces.state != UNKNOWN)
    at = (pieces.ap * grid.windows + pieces.window)[observed]
    since, until = (times[flat[at]] for times in (placements.since, placements.until))
    within = np.minimum(pieces.end[observed], until) - np.maximum(pieces.start[observed], since)
    seen = np.zeros(flat.size, dtype=np.int64)
    np.add.at(seen, at, np.clip(within, 0, None))
    cell = flat[known] * grid.windows + known % grid.windows
    expected = grid.sum(pieces.cell[observed], pieces.length[observed])
    expected[cell] += np.clip(served - seen, 0, None)[known]

    present = np.zeros(grid.size, dtype=bool)
    present[cell] = served[known] > 0
    present[pieces.cell[observed]] = True
    return expected, present


def _observed(pieces: Pieces, grid: Grid, announced: Ints) -> dict[str, Ints]:
    plain = pieces.length - announced
    observed, known = pieces.state != UNKNOWN, pieces.clients != UNKNOWN
    cells = pieces.cell[pieces.heads]

    def total(mask: Mask, amounts: Ints) -> Ints:
        if not len(cells):
            return np.zeros(grid.size, dtype=np.int64)
        # Pieces of a cell come in a row, but for an AP that went to and fro.
        return grid.sum(cells, np.add.reduceat(np.where(mask, amounts, 0), pieces.heads))

    return {
        "covered_ms": total(observed, pieces.length),
        "up_ms": total(pieces.state == UP, plain),
        "down_ms": total(pieces.state == DOWN, plain),
        "maintenance_ms": total(observed, announced),
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


def _most_clients(pieces: Pieces, grid: Grid) -> Ints:
    """The most clients of each AP at one instant; UNKNOWN where none of its samples tells."""
    peak = np.full(grid.size, UNKNOWN, dtype=np.int64)
    if len(pieces.heads):
        most = np.maximum.reduceat(pieces.clients, pieces.heads)
        np.maximum.at(peak, pieces.cell[pieces.heads], most)
    return peak


def _bytes(
    samples: Samples, placements: Placements, grid: Grid, max_counter_gap_ms: int
) -> dict[str, Ints]:
    found = flows(samples, max_counter_gap_ms)
    placement = placements.of_sample[found.sample]
    counts = (found.previous_ts >= placements.since[placement]) & grid.covers(found.ts)
    counts &= found.ts < placements.until[placement]
    cell = grid.cell(placement, found.ts)
    columns = {}
    for name, flow in (("rx_bytes", found.rx_bytes), ("tx_bytes", found.tx_bytes)):
        known = counts & (flow != UNKNOWN)
        total = np.full(grid.size, UNKNOWN, dtype=np.int64)
        total[cell[known]] = 0
        np.add.at(total, cell[known], flow[known])
        columns[name] = total
    return columns


def _sites(by_ap: ApWindows, present: Mask, pieces: Pieces, service: Service) -> pd.DataFrame:
    """What the APs at each site add up to, and the peak of the whole site."""
    grid = by_ap.grid
    sites = len(by_ap.site_names)
    heads = run_heads(by_ap.placements.site)
    held = by_ap.placements.site[heads]

    def total(amounts: Ints) -> Ints:
        found = np.zeros((sites, grid.windows), dtype=np.int64)
        if len(heads):
            found[held] = np.add.reduceat(amounts.reshape(-1, grid.windows), heads, axis=0)
        return found.ravel()

    columns = {}
    for name, amounts in by_ap.columns.items():
        if SAMPLED[name] == "Int64":
            known = total((amounts != UNKNOWN).astype(np.int64)) > 0
            columns[name] = np.where(known, total(np.maximum(amounts, 0)), UNKNOWN)
        else:
            columns[name] = total(amounts)
    columns["aps"] = total(present.astype(np.int64))
    by_site = Grid(grid.start_ms, grid.windows, sites)
    columns["peak_clients"] = peaks(pieces, columns["aps"], by_site)

    new = sites - len(service.sites)
    rows_since = np.pad(service.rows_since, (0, new), constant_values=-NEVER)
    names = by_ap.site_names
    by_name = np.array(sorted(range(sites), key=names.__getitem__), dtype=np.int64)
    cells = (by_name[:, None] * grid.windows + np.arange(grid.windows)).ravel()
    start = grid.starts[cells % grid.windows]
    kept = start >= rows_since[cells // grid.windows]
    cells, start = cells[kept], start[kept]
    keys = {"site": pd.Series(names, dtype="str").take(cells // grid.windows)}
    taken = {name: values[cells] for name, values in columns.items()}
    return frame_of(keys, start, start + WINDOW_MS, taken)
