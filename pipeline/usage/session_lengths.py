"""How long sessions last: the usual length, and how far it spreads."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from config.deployment import Deployment
from pipeline.usage.distribution import SHARES, Key
from pipeline.usage.periods import DAY_MS, sites_by_zone
from pipeline.usage.reader import By, edges_of
from pipeline.usage.sessions import SessionSource

MINUTE_MS: Final = 60_000
AT_A_TIME_MS: Final = 7 * DAY_MS
"""Time whose sessions are read at once."""


@dataclass(frozen=True, slots=True)
class SessionMinutes:
    """Lengths of the sessions that began in a period, in whole minutes; passers-by left out."""

    p10: int
    """Nine tenths of them last at least so long."""
    median: int
    p90: int


def session_minutes(
    deployment: Deployment,
    source: SessionSource,
    span: tuple[int, int],
    by: By,
    sites: Collection[str],
) -> dict[Key, SessionMinutes]:
    """Lengths by site and period of the span, [start, end); none where no session began."""
    start_ms, end_ms = span
    found: dict[Key, SessionMinutes] = {}
    for zone, members in sites_by_zone(deployment, sites).items():
        edges = edges_of(by, start_ms, end_ms, zone)
        tally = pd.Series(dtype="int64")
        for at in range(start_ms, end_ms, AT_A_TIME_MS):
            lengths = source.lengths(at, min(at + AT_A_TIME_MS, end_ms), members)
            period = edges.searchsorted(lengths["start_ms"].to_numpy(), side="right") - 1
            counted = lengths.groupby(
                [lengths["site"], edges[period], lengths["length_ms"] // MINUTE_MS]
            ).size()
            tally = counted if tally.empty else tally.add(counted, fill_value=0)
        groups: Iterable[tuple[Any, pd.Series[int]]] = tally.groupby(level=[0, 1])
        for (site, start), counts in groups:
            reached = counts.cumsum().to_numpy()
            minutes = counts.index.get_level_values(2)
            usual = (int(minutes[reached.searchsorted(s * reached[-1])]) for s in SHARES)
            found[site, None, max(int(start), start_ms)] = SessionMinutes(*usual)
    return found
