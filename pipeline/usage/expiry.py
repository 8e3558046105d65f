"""From when on there are samples: some stores let them expire, and usage outlives them."""

from collections.abc import Mapping

import pandas as pd

from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.usage.periods import DAY_MS, window_ceil
from pipeline.usage.samples import MAX_HOLD_MS

Seen = Mapping[str, tuple[int, int]]
"""First and last sample time of each site, UTC milliseconds."""


def samples_kept_since_ms(deployment: Deployment, now_ms: int) -> int | None:
    """Samples from here on are kept; None: all of them are."""
    store = deployment.settings.store
    if not isinstance(store, InfluxdbStore):
        return None
    return now_ms - store.raw_days * DAY_MS


def computable_since_ms(deployment: Deployment, now_ms: int) -> int | None:
    """Usage from this window on follows from samples that are kept; None: all usage does.

    A window needs the samples before it too.
    """
    kept = samples_kept_since_ms(deployment, now_ms)
    return None if kept is None else window_ceil(kept + look_back_ms(deployment))


def look_back_ms(deployment: Deployment) -> int:
    """How far before a window the samples go that it needs: those that hold into it, and the
    counters that its first ones are compared with.
    """
    gap_ms = round(deployment.settings.usage.max_counter_gap_hours * 3_600_000)
    return max(gap_ms, MAX_HOLD_MS)


def at_the_edge(kept_ms: int) -> tuple[int, int]:
    """The window of stored days that tell which sites were in service when samples begin."""
    return kept_ms - 2 * DAY_MS, kept_ms


def with_expired(seen: Seen, days: pd.DataFrame) -> Seen:
    """When each site was first seen, where the first samples of some have expired.

    A site whose stored usage expects something of the last days before its samples begin was in
    service by then, however long it was silent afterwards. `days`: stored days of `at_the_edge`.
    """
    served = days[days["expected_ms"] > 0].groupby("site")["start_ms"].min()
    found = dict(seen)
    for site, start in served.items():
        first, last = found.get(str(site), (int(start), int(start)))
        found[str(site)] = (min(first, int(start)), last)
    return found
