"""Longer periods as exact sums of shorter ones."""

from typing import Final

import numpy as np
import pandas as pd

from pipeline.store.schema import USAGE_COLUMNS
from pipeline.usage.intervals import Ints

KEYS: Final = ("site", "start_ms", "end_ms")
AMOUNTS: Final = {name: dtype for name, dtype in USAGE_COLUMNS.items() if name not in KEYS}
"""The columns of usage that say how much, with their types."""
SESSION_COLUMNS: Final = (
    "watched_ms", "sessions", "passers_by", "device_days", "randomised_device_days",
)  # fmt: skip
"""What samples do not tell."""
SAMPLED: Final = {name: dtype for name, dtype in AMOUNTS.items() if name not in SESSION_COLUMNS}
LARGEST: Final = ("aps", "peak_clients")
"""Not additive: of a longer period they are the largest of the shorter ones."""


def with_known_time(usage: pd.DataFrame) -> pd.DataFrame:
    """Usage with a column `known_ms`: time of the site as a whole with its clients known.

    Taken before a roll-up, which adds it up: APs come and go within a longer period.
    """
    aps = usage["aps"].to_numpy(np.float64)
    clients = usage["clients_ms"].to_numpy(np.float64)
    known = np.divide(clients, aps, out=np.zeros_like(aps), where=aps > 0)
    return usage.assign(known_ms=known)


def roll_up(usage: pd.DataFrame, bounds: Ints) -> pd.DataFrame:
    """Usage of the periods between consecutive `bounds`, of sites that share a time zone.

    `usage` has schema.USAGE_COLUMNS and may have `known_ms`, sorted by (`site`, `start_ms`); each
    row belongs to the period that it starts in, none lies outside. A period with no row of a site
    has none either; one that is partly in the rows sums those.
    """
    if usage.empty:
        return usage
    start = usage["start_ms"].to_numpy()
    period = np.searchsorted(bounds, start, side="right") - 1
    codes, _ = pd.factorize(usage["site"])
    first = np.ones(len(usage), dtype=bool)
    first[1:] = (period[1:] != period[:-1]) | (codes[1:] != codes[:-1])
    groups = np.flatnonzero(first)
    data: dict[str, object] = {
        "site": usage["site"].iloc[groups].reset_index(drop=True),
        "start_ms": bounds[period[groups]],
        "end_ms": bounds[period[groups] + 1],
    }
    for name in usage.columns.drop(list(KEYS)):
        reduce = np.maximum.reduceat if name in LARGEST else np.add.reduceat
        if AMOUNTS.get(name) == "Int64":
            known = usage[name].notna().to_numpy()
            values = usage[name].to_numpy(np.int64, na_value=0)
            missing = ~np.logical_or.reduceat(known, groups)
            data[name] = pd.arrays.IntegerArray(reduce(values, groups), missing)
        else:
            data[name] = reduce(usage[name].to_numpy(), groups)
    return pd.DataFrame(data)
