"""Longer periods as exact sums of shorter ones."""

from typing import Final

import numpy as np
import pandas as pd

from pipeline.store.schema import USAGE_COLUMNS
from pipeline.usage.intervals import Ints

SUBJECT: Final = ("site", "ap")
"""Whom usage is of: columns that it has or has not."""
KEYS: Final = (*SUBJECT, "start_ms", "end_ms")
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
    """Usage with what figures are divided by, taken before a roll-up, which adds it up.

    `known_ms`: time of the site as a whole, or of the AP, with its clients known; APs come and go
    within a longer period. `told_device_days`: those of `device_days` of which it is known which
    are randomised.
    """
    told = usage["device_days"].where(usage["randomised_device_days"].notna(), 0)
    clients = usage["clients_ms"].to_numpy(np.float64)
    aps = np.ones_like(clients) if "ap" in usage else usage["aps"].to_numpy(np.float64)
    known = np.divide(clients, aps, out=np.zeros_like(aps), where=aps > 0)
    return usage.assign(known_ms=known, told_device_days=told.fillna(0).astype("int64"))


def roll_up(usage: pd.DataFrame, bounds: Ints) -> pd.DataFrame:
    """Usage of the periods between consecutive `bounds`, of sites that share a time zone.

    `usage` is of sites or of APs, with or without the columns of `with_known_time`, sorted by whom
    it is of and `start_ms`; each row belongs to the period that it starts in, none lies outside. A
    period with no row of a site has none either; one that is partly in the rows sums those.
    """
    if usage.empty:
        return usage
    start = usage["start_ms"].to_numpy()
    period = np.searchsorted(bounds, start, side="right") - 1
    return _added_up(usage, bounds[period], bounds[period + 1])


def merged(usage: pd.DataFrame) -> pd.DataFrame:
    """Add up rows of the same subject and period, which several parts of it gave; sorted."""
    keys = [name for name in KEYS if name in usage]
    ordered = usage.sort_values(keys, ignore_index=True)
    if ordered.empty:
        return ordered
    return _added_up(ordered, ordered["start_ms"].to_numpy(), ordered["end_ms"].to_numpy())


def emptied(usage: pd.DataFrame) -> pd.DataFrame:
    """The same rows, in which nothing is expected and nothing known any more."""
    amounts = {
        name: pd.Series(pd.NA if dtype == "Int64" else 0, usage.index, dtype)
        for name, dtype in AMOUNTS.items()
        if name in usage
    }
    return usage.assign(**amounts)


def _added_up(usage: pd.DataFrame, start_ms: Ints, end_ms: Ints) -> pd.DataFrame:
    """One row of each subject and `start_ms`, in whose order the rows are."""
    subject = [name for name in SUBJECT if name in usage]
    first = np.ones(len(usage), dtype=bool)
    first[1:] = start_ms[1:] != start_ms[:-1]
    for name in subject:
        codes, _ = pd.factorize(usage[name])
        first[1:] |= codes[1:] != codes[:-1]
    groups = np.flatnonzero(first)
    data: dict[str, object] = {
        name: usage[name].iloc[groups].reset_index(drop=True) for name in subject
    }
    data |= {"start_ms": start_ms[groups], "end_ms": end_ms[groups]}
    for name in usage.columns.drop([*subject, "start_ms", "end_ms"]):
        reduce = np.maximum.reduceat if name in LARGEST else np.add.reduceat
        if AMOUNTS.get(name) == "Int64":
            known = usage[name].notna().to_numpy()
            values = usage[name].to_numpy(np.int64, na_value=0)
            missing = ~np.logical_or.reduceat(known, groups)
            data[name] = pd.arrays.IntegerArray(reduce(values, groups), missing)
        else:
            data[name] = reduce(usage[name].to_numpy(), groups)
    return pd.DataFrame(data)
