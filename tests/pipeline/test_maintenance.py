"""Maintenance that was announced, as the state keeps it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.sink import Announcement
from config.deployment import Site, SitePeriod
from pipeline.maintenance import LONGEST_REASON, Announced, changed, periods
from pipeline.state import State
from tests.pipeline.memory_store import city

HOUR = 3_600_000
T = 1_772_705_040_000


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[Announced]:
    with closing(State(tmp_path / "state.db")) as state:
        yield Announced(state)


def works(
    start_h: float, end_h: float, site: str = "lib", reason: str | None = None
) -> Announcement:
    start_ms, end_ms = (T + round(h * HOUR) for h in (start_h, end_h))
    return Announcement(site, start_ms, end_ms, reason, "mqtt", T)


def hours(announced: Announced) -> list[tuple[str, float, float]]:
    return [(o.site, (o.start_ms - T) / HOUR, (o.end_ms - T) / HOUR) for o in announced.all()]


def test_announced_twice_is_one_and_sites_are_apart(announced: Announced) -> None:
    announced.add([works(1, 2), works(1, 2, site="park"), works(1, 2)])
    announced.add([works(1, 2), works(0, 2)])
    assert hours(announced) == [("lib", 0, 2), ("lib", 1, 2), ("park", 1, 2)]


def test_what_was_ended_stays_so_when_it_is_delivered_again(announced: Announced) -> None:
    announced.add([works(1, 5), works(6, 8)])
    under_way, to_come = (one.id for one in announced.all())
    announced.end(under_way, T + 2 * HOUR)
    announced.end(to_come, T + 2 * HOUR)
    announced.end(under_way, T + 3 * HOUR)  # it is over already
    announced.add([works(1, 5), works(6, 8)])
    assert hours(announced) == [("lib", 1, 2), ("lib", 6, 6)]
    assert [one.is_void for one in announced.all()] == [False, True]
    announced.add([works(6, 8)], anew=True)
    assert hours(announced) == [("lib", 1, 2), ("lib", 6, 8)]


def test_a_reason_is_cut_and_holds_no_address(announced: Announced) -> None:
    announced.add([works(1, 2, reason="b8:27:eb:12:34:56 " + "x" * 500)])
    (one,) = announced.all()
    assert one.reason is not None
    assert "b8:27" not in one.reason
    assert len(one.reason) == LONGEST_REASON


def test_it_counts_as_the_rows_of_the_files_do(announced: Announced) -> None:
    announced.add([works(1, 2, reason="switch"), works(1, 2, site="gone"), works(3, 4)])
    announced.end(announced.all()[-1].id, T)
    where = city([Site(site="lib", kind="library")], [])
    moments = [datetime.fromtimestamp((T + h * HOUR) / 1000, UTC) for h in (1, 2)]
    expected = SitePeriod(site="lib", start=moments[0], end=moments[1], reason="switch")
    assert periods(announced.all(), where) == [expected]
    written = where.with_maintenance([expected.model_copy(update={"reason": "in the files"})])
    both = written.with_maintenance(periods(announced.all(), where))
    assert [period.reason for period in both.maintenance] == ["in the files", "switch"]


def test_usage_changes_where_another_announcement_holds(announced: Announced) -> None:
    def since(before: list[object], until_h: float) -> list[tuple[str, float, float]]:
        spans = changed(before, announced.all(), T + round(until_h * HOUR))  # type: ignore[arg-type]
        return [(site, (a - T) / HOUR, (b - T) / HOUR) for site, a, b in spans]

    announced.add([works(1, 5), works(10, 12)])
    assert since([], 3) == [("lib", 1, 3)]
    before: list[object] = [*announced.all()]
    assert since(before, 20) == []
    announced.end(announced.all()[0].id, T + 4 * HOUR)
    assert since(before, 20) == [("lib", 4, 5)]
    announced.end(announced.all()[1].id, T + 4 * HOUR)
    assert since(before, 20) == [("lib", 4, 5), ("lib", 10, 12)]
    announced.add([works(0, 1)])
    assert since(before, 0.5) == [("lib", 0, 0.5)]
