"""How telling goes, for `status` and `doctor`."""

from collections.abc import Sequence
from typing import Final

from pipeline.alerts.outbox import Health
from pipeline.diagnosis import Finding
from pipeline.state import CollectorHealth

LATE_MS: Final = 15 * 60_000
"""What waits longer will hardly be of use."""
RECENT_MS: Final = 86_400_000
"""For so long it is told that something was given up."""
MINUTE_MS: Final = 60_000


def is_well(target: Health, now_ms: int) -> bool:
    """Whether messages get through."""
    late = target.oldest_ms is not None and now_ms - target.oldest_ms > LATE_MS
    lost = target.given_up_ms is not None and now_ms - target.given_up_ms < RECENT_MS
    return not late and not lost


def said_of(target: Health, now_ms: int) -> str:
    """One target in a few words."""
    parts = []
    if target.oldest_ms is not None:
        minutes = (now_ms - target.oldest_ms) // MINUTE_MS
        parts.append(f"{target.waiting} waiting, the oldest for {minutes} minutes")
    if target.undeliverable:
        parts.append(f"{target.undeliverable} undeliverable")
    if not parts:
        return f"{target.target}: all delivered"
    return f"{target.target}: {', '.join(parts)}" + (f" ({target.reason})" if target.reason else "")


def collector_health(targets: Sequence[Health], now_ms: int) -> CollectorHealth:
    """All targets as one row of `status`: `failed` are those that do not get through."""
    failed = [target for target in targets if not is_well(target, now_ms)]
    troubled = [target for target in targets if target.waiting or not is_well(target, now_ms)]
    return CollectorHealth(
        collector="alerts",
        kind="alerts",
        last_seen_ms=max((t.delivered_ms for t in targets if t.delivered_ms), default=None),
        ok=not failed,
        targets=len(targets),
        failed=len(failed),
        detail="; ".join(said_of(target, now_ms) for target in troubled) or "all delivered",
    )


def diagnosed(targets: Sequence[Health], now_ms: int) -> Finding:
    """Does what is told arrive?"""
    if not targets:
        return Finding(
            "alerts",
            "warning",
            "nobody is told of outages",
            "Name a notifier under alerts: notifiers: in spotwatch.yaml.",
        )
    failed = [target for target in targets if not is_well(target, now_ms)]
    if failed:
        seen = "; ".join(said_of(target, now_ms) for target in failed)
        return Finding(
            "alerts",
            "error",
            seen,
            "Try `spotwatch alerts test`; `spotwatch alerts log` lists what was not delivered.",
        )
    return Finding("alerts", "ok", f"{len(targets)} targets, all delivered or under way")
