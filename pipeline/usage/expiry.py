"""From when on there are samples: some stores let them expire, and usage outlives them."""

from typing import Final

from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.usage.periods import window_ceil
from pipeline.usage.samples import MAX_HOLD_MS

DAY_MS: Final = 86_400_000


def samples_kept_since_ms(deployment: Deployment, now_ms: int) -> int | None:
    """Samples from here on are kept; None: all of them are."""
    store = deployment.settings.store
    if not isinstance(store, InfluxdbStore):
        return None
    return now_ms - store.raw_days * DAY_MS


def computable_since_ms(deployment: Deployment, now_ms: int) -> int | None:
    """Usage from this window on follows from samples that are kept; None: all usage does.

    A window needs the samples before it too: those that hold into it, and the counters that its
    first ones are compared with.
    """
    kept = samples_kept_since_ms(deployment, now_ms)
    if kept is None:
        return None
    gap_ms = round(deployment.settings.usage.max_counter_gap_hours * 3_600_000)
    return window_ceil(kept + max(gap_ms, MAX_HOLD_MS))
