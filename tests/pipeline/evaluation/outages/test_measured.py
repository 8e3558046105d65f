"""Availability as incidents have it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from config.deployment import SitePeriod
from pipeline.evaluation.outages.measured import HOUR_MS, by_incidents, by_polls
from pipeline.outages.incident import Incident, Spell
from tests.pipeline.outages.cities import T, deployment

DAY = (T, T + 24 * HOUR_MS)


def incident(scope: Any, subject: str, *hours: tuple[float, float | None]) -> Incident:
    spells = tuple(
        Spell(at(start), at(start), None if end is None else at(end)) for start, end in hours
    )
    return Incident(
        id=subject, scope=scope, subject=subject, site=None, ap=subject if scope == "ap" else None,
        controller=None, start_ms=spells[0].start_ms, end_ms=spells[-1].end_ms,
        confirmed_ms=spells[0].confirmed_ms, cause="no_answer", spells=spells,
    )  # fmt: skip


def at(hours: float) -> int:
    return T + round(hours * HOUR_MS)


def test_every_spell_counts_once_and_blindness_is_unknown() -> None:
    here = deployment({"a1": "a @snmp", "b1": "b @snmp"})
    found = by_incidents(
        [
            incident("ap", "a1", (1, 2), (3, 6)),
            incident("site", "a", (1, 2)),
            incident("poller", "snmp", (5, 10)),
        ],
        here,
        DAY,
        lambda ts_ms: ts_ms,
    )
    assert found == {"a1": pytest.approx((16, 3)), "b1": pytest.approx((19, 0))}


def test_what_is_open_lasts_until_the_end_and_maintenance_does_not_count() -> None:
    works = SitePeriod(
        site="a",
        start=datetime.fromtimestamp(at(20) / 1000, UTC),
        end=datetime.fromtimestamp(at(22) / 1000, UTC),
    )
    here = deployment({"a1": "a @snmp"}, maintenance=[works])
    one = incident("ap", "a1", (19, None))
    assert by_incidents([one], here, DAY, lambda ts: ts) == {"a1": pytest.approx((19, 3))}


def test_times_are_those_of_a_clock_that_is_right() -> None:
    here = deployment({"a1": "a @snmp"})
    one = incident("ap", "a1", (23, 26))
    found = by_incidents([one], here, DAY, lambda ts_ms: ts_ms - 3 * HOUR_MS)
    assert found == {"a1": pytest.approx((21, 3))}


def test_polls_that_overlap_count_once() -> None:
    here = deployment({"a1": "a @snmp", "b1": "b @snmp"})
    found = by_polls({"a1": [(at(1), at(3)), (at(2), at(4))]}, here, DAY)
    assert found == {"a1": pytest.approx((21, 3)), "b1": pytest.approx((24, 0))}
