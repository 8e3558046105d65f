"""Samples as arrays, in order, each with what it says about its AP and how long it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from collectors.reading import HOLD
from pipeline.usage.intervals import Ints

UNKNOWN: Final = -1
"""Stands for NA in arrays: every quantity of a sample is at least 0."""
UP: Final = 1
DOWN: Final = 0
MAX_INTERVAL_S: Final = 86_400
"""The longest poll interval that a deployment may set."""
HOLD_MS_PER_S: Final = round(HOLD * 1000)
"""How long a sample holds at most, for each second of its poll interval."""
MAX_HOLD_MS: Final = MAX_INTERVAL_S * HOLD_MS_PER_S

_ANSWERS: Final = (
    "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes", "tx_bytes", "uptime_s",
    "channel_utilisation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples sorted by AP and time, one per AP and instant. UNKNOWN stands for NA."""

    ap: Ints
    """Index into `ap_names`."""
    site: Ints
    """Index into `site_names`: the site that the AP had when read."""
    ts: Ints
    interval_s: Ints
    state: Ints
    """UP, DOWN or UNKNOWN. An AP that says anything and not that it is down, is up."""
    clients: Ints
    """A down AP serves nobody, whatever it says: 0."""
    rx_bytes: Ints
    tx_bytes: Ints
    counter_bits: Ints
    uptime_s: Ints
    ap_names: tuple[str, ...]
    site_names: tuple[str, ...]

    def hold_ends(self) -> Ints:
        """Until when each sample holds: its AP's next one, at most HOLD poll intervals."""
        end = self.ts + np.minimum(self.interval_s * HOLD_MS_PER_S, MAX_HOLD_MS)
        same = self.ap[1:] == self.ap[:-1]
        end[:-1][same] = np.minimum(end[:-1], self.ts[1:])[same]
        return end


def from_frame(frame: pd.DataFrame, aps: Sequence[str] = (), sites: Sequence[str] = ()) -> Samples:
    """Read a frame of samples in any order; of two of one AP and instant the later row wins.

    `aps` and `sites` come first in `ap_names` and `site_names`, in their order.
    """
    ap, ap_names = _indexed(frame["ap"], aps)
    site, site_names = _indexed(frame["site"], sites)
    ts = _ints(frame["ts_ms"])
    state = _ints(frame["up"])
    answered = np.zeros(len(frame), dtype=bool)
    for column in _ANSWERS:
        answered |= frame[column].notna().to_numpy()
    state[(state > UP) | ((state == UNKNOWN) & answered)] = UP
    clients = _ints(frame["clients"])
    clients[clients < 0] = UNKNOWN
    clients[state == DOWN] = 0

    order = np.lexsort((ts, ap))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (ap[order][1:] != ap[order][:-1]) | (ts[order][1:] != ts[order][:-1])
    kept = order[last]
    return Samples(
        ap=ap[kept],
        site=site[kept],
        ts=ts[kept],
        interval_s=_ints(frame["interval_s"])[kept],
        state=state[kept],
        clients=clients[kept],
        rx_bytes=_ints(frame["rx_bytes"])[kept],
        tx_bytes=_ints(frame["tx_bytes"])[kept],
        counter_bits=_ints(frame["counter_bits"])[kept],
        uptime_s=_ints(frame["uptime_s"])[kept],
        ap_names=ap_names,
        site_names=site_names,
    )


def _ints(column: "pd.Series[int]") -> Ints:
    numbers = column.astype("Int64").to_numpy(np.int64, na_value=UNKNOWN)
    return np.array(numbers, dtype=np.int64)


def _indexed(column: "pd.Series[str]", first: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    codes, found = pd.factorize(column)
    names = [str(name) for name in found]
    index = {name: i for i, name in enumerate(first)}
    for name in sorted(names):
        index.setdefault(name, len(index))
    # An empty column has no codes to look up; the array then keeps its integer type.
    places = np.array([index[name] for name in names], dtype=np.int64)
    return places[codes].astype(np.int64), tuple(index)
