"""How telling goes, in the words of `status` and `doctor`."""

from dataclasses import replace

from pipeline.alerts.health import collector_health, diagnosed
from pipeline.alerts.outbox import Health
from tests.pipeline.alerts.town import HOUR, MINUTE, THURSDAY

WELL = Health("oncall", 0, None, 0, THURSDAY - HOUR, None, "")
UNDER_WAY = replace(WELL, waiting=1, oldest_ms=THURSDAY - MINUTE)
LATE = replace(WELL, target="chief", waiting=3, oldest_ms=THURSDAY - HOUR, reason="nobody is there")
LOST = replace(WELL, target="chief", undeliverable=1, given_up_ms=THURSDAY - HOUR, reason="no")


def test_all_is_well() -> None:
    health = collector_health([WELL, UNDER_WAY], THURSDAY)
    assert (health.ok, health.targets, health.failed) == (True, 2, 0)
    assert health.last_seen_ms == THURSDAY - HOUR
    assert diagnosed([WELL, UNDER_WAY], THURSDAY).health == "ok"


def test_what_waits_for_long_or_was_given_up_is_said_with_its_reason() -> None:
    late = collector_health([WELL, LATE], THURSDAY)
    assert (late.ok, late.failed) == (False, 1)
    assert late.detail == "chief: 3 waiting, the oldest for 60 minutes (nobody is there)"
    assert diagnosed([WELL, LATE], THURSDAY).health == "error"
    lost = diagnosed([LOST], THURSDAY)
    assert (lost.health, lost.seen) == ("error", "chief: 1 undeliverable (no)")


def test_what_was_given_up_long_ago_is_over() -> None:
    assert collector_health([LOST], THURSDAY + 48 * HOUR).ok


def test_nobody_is_told() -> None:
    assert diagnosed([], THURSDAY).health == "warning"
