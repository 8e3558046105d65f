"""Usage of every access point, kept by 15-minute windows until it is known which periods it is
wanted at: a local hour depends on the site's time zone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.usage.grid import Grid, run_heads
from pipeline.usage.intervals import Ints
from pipeline.usage.placements import Placements
from pipeline.usage.rollup import LARGEST
from pipeline.usage.samples import UNKNOWN


@dataclass(frozen=True, slots=True)
class ApWindows:
    """Usage of each placement (row) in each window of the grid."""

    ap_names: tuple[str, ...]
    site_names: tuple[str, ...]
    placements: Placements
    grid: Grid
    columns: Mapping[str, Ints]
    """Values of each cell. UNKNOWN stands for NA."""

    def over(self, bounds: Ints, sites: Collection[str]) -> pd.DataFrame:
        """Usage (schema.AP_USAGE_COLUMNS) of the periods between consecutive `bounds`, of the APs
        at some sites, sorted by (`site`, `ap`, `start_ms`).

        Windows out of the bounds are left; a period that the grid cuts sums its windows that are
        in the grid. No row where an AP was neither expected nor heard.
        """
        starts = self.grid.starts
        within = np.flatnonzero((starts >= bounds[0]) & (starts < bounds[-1]))
        period = np.searchsorted(bounds, starts[within], side="right") - 1
        heads = run_heads(period)
        rows = self._rows(sites)
        if not len(rows) or not len(heads):
            return frame_of(
                dict.fromkeys(("site", "ap"), pd.Series(dtype="str")),
                starts[:0],
                starts[:0],
                {name: values[:0] for name, values in self.columns.items()},
            )
        columns = {name: self._reduced(name, rows, within, heads).ravel() for name in self.columns}
        there = (columns["expected_ms"] > 0) | (columns["covered_ms"] > 0)
        there |= (columns["rx_bytes"] != UNKNOWN) | (columns["tx_bytes"] != UNKNOWN)
        kept = np.flatnonzero(there)
        placement, nth = rows[kept // len(heads)], period[heads][kept % len(heads)]
        names = {
            "site": pd.Series(self.site_names, dtype="str").take(self.placements.site[placement]),
            "ap": pd.Series(self.ap_names, dtype="str").take(self.placements.ap[placement]),
        }
        amounts = {name: values[kept] for name, values in columns.items()}
        return frame_of(names, bounds[nth], bounds[nth + 1], amounts)

    def _rows(self, sites: Collection[str]) -> Ints:
        """Placements at these sites, in the order of their sites' and APs' names."""
        chosen = set(sites)
        ap, site = self.placements.ap.tolist(), self.placements.site.tolist()
        named = [
            (self.site_names[s], self.ap_names[a], i)
            for i, (s, a) in enumerate(zip(site, ap, strict=True))
            if self.site_names[s] in chosen
        ]
        return np.array([i for _, _, i in sorted(named)], dtype=np.int64)

    def _reduced(self, name: str, rows: Ints, windows: Ints, heads: Ints) -> Ints:
        cells = self.columns[name].reshape(-1, self.grid.windows)
        cells = cells[rows, windows[0] : windows[-1] + 1]
        if name in LARGEST:
            # UNKNOWN is less than any value.
            return np.maximum.reduceat(cells, heads, axis=1)
        if AP_USAGE_COLUMNS[name] == "int64":
            return np.add.reduceat(cells, heads, axis=1)
        known = np.logical_or.reduceat(cells != UNKNOWN, heads, axis=1)
        return np.where(known, np.add.reduceat(np.maximum(cells, 0), heads, axis=1), UNKNOWN)


def frame_of(
    names: Mapping[str, "pd.Series[str]"],
    start_ms: Ints,
    end_ms: Ints,
    columns: Mapping[str, Ints],
) -> pd.DataFrame:
    """A frame of usage of whom `names` name, in the order of the schema; what samples do not tell
    is unknown. UNKNOWN in `columns` stands for NA.
    """
    types = AP_USAGE_COLUMNS if "ap" in names else USAGE_COLUMNS
    data: dict[str, object] = {name: who.reset_index(drop=True) for name, who in names.items()}
    data |= {"start_ms": start_ms, "end_ms": end_ms}
    for name in types.keys() - data.keys():
        nullable = types[name] == "Int64"
        values = columns.get(name)
        if values is None:
            values = np.full(len(start_ms), UNKNOWN if nullable else 0, dtype=np.int64)
        if nullable:
            data[name] = pd.arrays.IntegerArray(np.maximum(values, 0), values == UNKNOWN)
        else:
            data[name] = values
    return pd.DataFrame(data)[list(types)]
