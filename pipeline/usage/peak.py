"""The most clients at one instant over a whole site."""

import numpy as np

from pipeline.usage.grid import Grid, Pieces
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import WINDOW_MS
from pipeline.usage.samples import UNKNOWN


def peaks(pieces: Pieces, aps: Ints, grid: Grid) -> Ints:
    """Peak of each cell of the grid of sites: the largest sum of held client counts over the
    instants at which at least four fifths of the site's APs have one; UNKNOWN where there is none.
    """
    known = np.flatnonzero(pieces.clients != UNKNOWN)
    cell = pieces.site[known] * grid.windows + pieces.window[known]
    clients = pieces.clients[known]
    origin = grid.start_ms + pieces.window[known] * WINDOW_MS
    # Each piece begins and ends within its window, so that every cell starts from nothing.
    span = WINDOW_MS + 1
    instant = np.concatenate(
        (cell * span + pieces.start[known] - origin, cell * span + pieces.end[known] - origin)
    )
    order = np.argsort(instant, kind="stable")
    instant = instant[order]
    now = np.cumsum(np.concatenate((clients, -clients))[order])
    told = np.cumsum(np.repeat(np.array([1, -1]), len(known))[order])
    # What ends and what begins at one instant count together.
    settled = np.ones(len(instant), dtype=bool)
    settled[:-1] = instant[1:] != instant[:-1]
    cells = instant // span
    enough = settled & (told > 0) & (told * 5 >= aps[cells] * 4)
    peak = np.full(grid.size, UNKNOWN, dtype=np.int64)
    np.maximum.at(peak, cells[enough], now[enough])
    return peak
