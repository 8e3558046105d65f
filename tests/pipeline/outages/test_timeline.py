"""What samples show of an outage: the last answer, the polls that failed, whether it restarted."""

from collections.abc import Iterable

import pytest

from collectors.reading import Reading
from pipeline.outages.incident import Spell
from pipeline.outages.timeline import Seen, seen
from tests.pipeline.memory_store import frame

MINUTE = 60_000
T = 1_772_400_000_000


def answer(minute: int, uptime_s: int | None = None, clients: int | None = None) -> Reading:
    return Reading("ap", "s", T + minute * MINUTE, up=1, uptime_s=uptime_s, clients=clients)


def failures(minutes: Iterable[float]) -> list[Reading]:
    return [Reading("ap", "s", T + round(m * MINUTE), up=0) for m in minutes]


def only(readings: Iterable[Reading], end: int | None = 20) -> Seen:
    end_ms = None if end is None else T + end * MINUTE
    other = Reading("other", "s", T + 7 * MINUTE, up=0)
    spell = Spell(T + 5 * MINUTE, T + 12 * MINUTE, end_ms)
    (found,) = seen(frame([*readings, other]), "ap", [spell])
    return found


def test_the_last_answer_and_every_failed_poll() -> None:
    found = only([answer(-5), answer(0, clients=4), *failures((5, 5.5, 6, 12)), answer(20)])
    assert (found.answered_ms, found.clients, found.failed) == (T, 4, 4)
    assert found.started_ms is found.restarted is None


@pytest.mark.parametrize(("uptime_s", "restarted"), [(120, True), (900, True), (86_400, False)])
def test_its_uptime_afterwards_tells_whether_it_had_stopped(uptime_s: int, restarted: bool) -> None:
    found = only([answer(0, 1000), *failures((5, 10, 15)), answer(20, uptime_s)])
    assert found.started_ms == T + 20 * MINUTE - uptime_s * 1000
    assert found.restarted is restarted


def test_one_that_goes_on_and_one_that_never_answered() -> None:
    found = only(failures((5, 10, 15, 20, 25)), end=None)
    assert found == Seen(found.spell, None, None, 5, None)
