"""Rows by 15-minute windows, and the pieces of held samples that lie in them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.usage.intervals import Ints
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.placements import Placements
from pipeline.usage.samples import Samples

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `rows` x `windows`, numbered row by row. A row is a site, or an AP at a site."""

    start_ms: int
    windows: int
    rows: int

    @property
    def end_ms(self) -> int:
        """End of the last window."""
        return self.start_ms + self.windows * WINDOW_MS

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.windows

    @property
    def starts(self) -> Ints:
        """Start of each window."""
        return self.start_ms + np.arange(self.windows, dtype=np.int64) * WINDOW_MS

    def covers(self, ts: Ints) -> Mask:
        """Which instants lie in a window of the grid."""
        return (ts >= self.start_ms) & (ts < self.end_ms)

    def cell(self, row: Ints, ts: Ints) -> Ints:
        """Cell of each row and instant."""
        return row * self.windows + (ts - self.start_ms) // WINDOW_MS

    def sum(self, cells: Ints, amounts: Ints) -> Ints:
        """Sum amounts by cell, exactly."""
        total = np.zeros(self.size, dtype=np.int64)
        np.add.at(total, cells, amounts)
        return total


@dataclass(frozen=True, slots=True)
class Pieces:
    """Held samples cut at the windows' bounds, in the order of AP and time."""

    ap: Ints
    site: Ints
    placement: Ints
    window: Ints
    cell: Ints
    """Of the grid of placements."""
    heads: Ints
    """Where runs of pieces of one cell begin."""
    start: Ints
    end: Ints
    state: Ints
    clients: Ints

    @property
    def length(self) -> Ints:
        """Milliseconds of each piece."""
        return self.end - self.start


def cut(samples: Samples, ends: Ints, placements: Placements, grid: Grid) -> Pieces:
    """Cut each sample's time until `ends` at the windows' bounds; what is off the grid is left.

    `grid`: that of the placements.
    """
    starts = np.maximum(samples.ts, grid.start_ms)
    ends = np.minimum(ends, grid.end_ms)
    held = np.flatnonzero(starts < ends)
    starts, ends = starts[held], ends[held]
    first = (starts - grid.start_ms) // WINDOW_MS
    count = (ends - 1 - grid.start_ms) // WINDOW_MS - first + 1
    which = np.repeat(np.arange(len(held)), count)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    window = first[which] + nth
    window_start = grid.start_ms + window * WINDOW_MS
    sample = held[which]
    placement = placements.of_sample[sample]
    cell = placement * grid.windows + window
    return Pieces(
        ap=samples.ap[sample],
        site=samples.site[sample],
        placement=placement,
        window=window,
        cell=cell,
        heads=run_heads(cell),
        start=np.maximum(starts[which], window_start),
        end=np.minimum(ends[which], window_start + WINDOW_MS),
        state=samples.state[sample],
        clients=samples.clients[sample],
    )


def run_heads(values: Ints) -> Ints:
    """Where runs of equal values begin."""
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1]))[: len(values)])
