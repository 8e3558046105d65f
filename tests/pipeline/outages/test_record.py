"""What the live watch keeps for the next start, and of its own blindness."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.outages.record import Kept, Record
from pipeline.state import State


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with closing(State(tmp_path / "state.db")) as state:
        yield Record(state)


def test_the_last_memory_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(State(path)) as state:
        assert Record(state).kept() is None
        Record(state).keep(Kept(1, {"engine": {"tracks": {}}}))
        Record(state).keep(Kept(2, {"engine": {"tracks": {"a": [1, None, "x"]}}, "lost": {}}))
    with closing(State(path)) as state:
        kept = Record(state).kept()
    assert kept == Kept(2, {"engine": {"tracks": {"a": [1, None, "x"]}}, "lost": {}})


def test_times_of_blindness_are_those_that_meet_the_span(record: Record) -> None:
    record.went_blind("mqtt", 100)
    record.sees_again("mqtt", 200)
    record.sees_again("mqtt", 999)  # it does already
    record.went_blind("snmp", 150)
    record.sees_again("snmp", 120)  # the clock was set
    record.went_blind("mqtt", 500)
    assert record.blindness(0, 1000) == {"mqtt": [(100, 200), (500, 1000)]}
    assert record.blindness(120, 160) == {"mqtt": [(120, 160)]}
    assert record.blindness(200, 500) == {}
