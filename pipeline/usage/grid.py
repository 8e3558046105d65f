"""Sites by 15-minute windows, and the pieces of held samples that lie in them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.usage.intervals import Ints
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.samples import Samples


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `sites` x `windows`, numbered site by site."""

    start_ms: int
    windows: int
    sites: int

    @property
    def end_ms(self) -> int:
        """End of the last window."""
        return self.start_ms + self.windows * WINDOW_MS

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.sites * self.windows

    def covers(self, ts: Ints) -> npt.NDArray[np.bool_]:
        """Which instants lie in a window of the grid."""
        return (ts >= self.start_ms) & (ts < self.end_ms)

    def cell(self, site: Ints, ts: Ints) -> Ints:
        """Cell of each site and instant."""
        return site * self.windows + (ts - self.start_ms) // WINDOW_MS

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
    window: Ints
    cell: Ints
    start: Ints
    end: Ints
    state: Ints
    clients: Ints

    @property
    def length(self) -> Ints:
        """Milliseconds of each piece."""
        return self.end - self.start


def cut(samples: Samples, starts: Ints, ends: Ints, grid: Grid) -> Pieces:
    """Cut each sample's time [start, end) at the windows' bounds; what is off the grid is left."""
    starts = np.maximum(starts, grid.start_ms)
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
    site = samples.site[sample]
    return Pieces(
        ap=samples.ap[sample],
        site=site,
        window=window,
        cell=site * grid.windows + window,
        start=np.maximum(starts[which], window_start),
        end=np.minimum(ends[which], window_start + WINDOW_MS),
        state=samples.state[sample],
        clients=samples.clients[sample],
    )
