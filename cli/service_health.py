"""How the parts of the service are, as the state keeps it for `status` and `doctor`."""

import time
from collections.abc import Sequence
from typing import Final

from collectors.mqtt.health import MqttHealth
from collectors.snmp.poller import Job, RoundReport
from pipeline.state import CollectorHealth

SHOWN: Final = 3
"""Failed devices named in a collector's detail."""


def of_round(report: RoundReport, jobs: Sequence[Job] | None) -> CollectorHealth:
    """Of the devices that were polled in a round."""
    failed = [failure.device for failure in report.failed]
    interval = f" every {jobs[0].poll_seconds} s" if jobs else ""
    detail = f"{report.ok} of {report.targets} answered in {report.duration_s:.1f} s"
    if failed:
        more = f" and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
        detail += f"; not: {', '.join(failed[:SHOWN])}{more}"
    return CollectorHealth(
        collector=f"snmp{interval}",
        kind="snmp",
        last_seen_ms=time.time_ns() // 1_000_000 if report.ok else None,
        ok=report.is_durable and (report.ok > 0 or not report.targets),
        targets=report.targets,
        failed=len(failed),
        detail=detail,
    )


def of_listening(seen: MqttHealth) -> CollectorHealth:
    """Of the connection to the broker."""
    return CollectorHealth(
        collector="mqtt",
        kind="mqtt",
        last_seen_ms=seen.last_seen_ms,
        ok=seen.ok,
        targets=seen.targets,
        failed=seen.silent,
        detail=seen.detail,
    )
