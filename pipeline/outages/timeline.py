"""The evidence of an outage of an AP: what was seen of it before, meanwhile and after. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.outages.incident import Spell
from pipeline.outages.machine import BOOT_TOLERANCE_MS
from pipeline.usage.samples import DOWN, UNKNOWN, UP, from_frame

BEFORE_MS: Final = 86_400_000
"""How long before an outage samples are looked at."""


class Seen(NamedTuple):
    """One time that an AP was down, as its samples show it. UTC milliseconds."""

    spell: Spell
    answered_ms: int | None
    """The last good poll before; None: there was none of late."""
    clients: int | None
    """Who was there then."""
    failed: int
    """Polls that failed, quick ones included."""
    started_ms: int | None
    """When it started, by the uptime that it said afterwards; None: it did not say."""

    @property
    def restarted(self) -> bool | None:
        """Whether it was switched off or restarted meanwhile, or else ran on, out of reach."""
        if self.started_ms is None:
            return None
        return self.started_ms > (self.answered_ms or self.spell.start_ms) - BOOT_TOLERANCE_MS


def seen(samples: pd.DataFrame, ap: str, spells: Sequence[Spell]) -> Iterator[Seen]:
    """What samples of an AP, among others, say of each time that it was down."""
    of_ap = from_frame(samples[samples["ap"] == ap])
    for spell in spells:
        before = np.flatnonzero((of_ap.ts < spell.start_ms) & (of_ap.state == UP))
        after = np.flatnonzero(of_ap.ts == spell.end_ms) if spell.end_ms is not None else before[:0]
        end_ms = of_ap.ts.max(initial=0) + 1 if spell.end_ms is None else spell.end_ms
        meanwhile = (of_ap.ts >= spell.start_ms) & (of_ap.ts < end_ms)
        last = int(before[-1]) if len(before) else None
        uptime_s = int(of_ap.uptime_s[after[0]]) if len(after) else UNKNOWN
        clients = UNKNOWN if last is None else int(of_ap.clients[last])
        yield Seen(
            spell,
            None if last is None else int(of_ap.ts[last]),
            None if clients == UNKNOWN else clients,
            int(np.count_nonzero(meanwhile & (of_ap.state == DOWN))),
            None if uptime_s == UNKNOWN else int(of_ap.ts[after[0]]) - uptime_s * 1000,
        )
