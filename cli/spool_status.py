"""How the spool is, as `status` and `doctor` tell it."""

from typing import Final

from cli.spool import summary
from pipeline.spool.reader import SpoolHealth
from pipeline.state import CollectorHealth

LATE_S: Final = 15 * 60
"""What waits longer is late for the usage of its window."""
NEARLY_FULL: Final = 0.8


def well(spool: SpoolHealth, now_ms: int) -> bool:
    """Does it empty, and is there room?"""
    return spool.age_s(now_ms) < LATE_S and spool.used_bytes < NEARLY_FULL * spool.max_bytes


def spool_health(spool: SpoolHealth, trouble: str | None, now_ms: int) -> CollectorHealth:
    """The spool among the collectors: targets are the lines that wait, failed those refused.

    `last_seen_ms`: up to when the store had everything.
    """
    return CollectorHealth(
        collector="influxdb",
        kind="store",
        last_seen_ms=spool.oldest_ms or now_ms,
        ok=trouble is None and well(spool, now_ms),
        targets=spool.lines,
        failed=spool.rejected,
        detail=summary(spool, now_ms) + (f" {trouble}" if trouble else ""),
    )
