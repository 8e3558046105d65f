"""Our own blindness, by two clocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.outages.blindness import Blindness, Sight

T = 1_772_705_040_000
SECOND = 1000
PATIENCE = {"snmp": 60 * SECOND, "mqtt": 10 * SECOND}


class Looking:
    """Looks every two seconds, and whenever the clock is set."""

    def __init__(self, lost: dict[str, int] | None = None) -> None:
        self.blindness = Blindness(PATIENCE, lost or {})
        self.now_ms, self.monotonic_ms = T, 0
        self.seen: list[tuple[str, str, float]] = []
        self.look()

    def look(self, **since: int | None) -> None:
        found = self.blindness.look(self.now_ms, self.monotonic_ms, since)
        assert all(isinstance(sight, Sight) for sight in found)
        self.seen += [(s.what, s.collector, (s.at_ms - T) / SECOND) for s in found]

    def wait(self, seconds: float, **since: int | None) -> None:
        for _ in range(round(seconds / 2)):
            self.now_ms += 2 * SECOND
            self.monotonic_ms += 2 * SECOND
            self.look(**since)

    def set_clock(self, seconds: float) -> None:
        self.now_ms += round(seconds * SECOND)


def test_a_short_interruption_is_none() -> None:
    looking = Looking()
    looking.wait(8, mqtt=T)
    looking.wait(100)
    assert looking.seen == []


def test_a_broker_that_stays_away_makes_its_collector_blind_from_then_on() -> None:
    looking = Looking()
    looking.wait(4)
    looking.wait(40, mqtt=T + 4 * SECOND)
    looking.wait(6)
    assert looking.seen == [("lost", "mqtt", 4), ("regained", "mqtt", 46)]


def test_each_collector_has_patience_of_its_own() -> None:
    looking = Looking()
    looking.wait(80, snmp=T, mqtt=T)
    assert looking.seen == [("lost", "mqtt", 0), ("lost", "snmp", 0)]


def test_a_machine_that_slept_saw_nothing_meanwhile() -> None:
    looking = Looking()
    looking.wait(10)
    looking.set_clock(30)
    looking.wait(10)
    assert looking.seen == [("lost", "mqtt", 10), ("regained", "mqtt", 42)]


def test_time_that_comes_twice_is_not_judged() -> None:
    looking = Looking()
    looking.wait(10)
    looking.set_clock(-100)
    looking.wait(90)
    assert looking.seen == [("lost", "snmp", -88), ("lost", "mqtt", -88)]
    looking.wait(20)
    assert looking.seen[2:] == [("regained", "snmp", 12), ("regained", "mqtt", 12)]


def test_after_a_restart_what_was_lost_is_regained() -> None:
    looking = Looking(lost={"mqtt": T - 500 * SECOND, "gone": T})
    assert looking.seen == [("regained", "mqtt", 0)]


@pytest.mark.parametrize("still", [True, False])
def test_blindness_is_said_once_also_over_a_restart(still: bool) -> None:
    before = Looking()
    before.wait(20, mqtt=T)
    after = Blindness(PATIENCE, before.blindness.lost)
    found = after.look(T + 60 * SECOND, 5, {"mqtt": T + 55 * SECOND if still else None})
    assert [sight.what for sight in found] == ([] if still else ["regained"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["wait", "lose", "regain", "set"]), st.integers(-200, 200)),
        max_size=20,
    )
)
def test_whoever_went_blind_sees_again_and_never_twice(course: list[tuple[str, int]]) -> None:
    looking, since = Looking(), None
    for what, seconds in course:
        match what:
            case "wait":
                looking.wait(abs(seconds) / 4, mqtt=since)
            case "lose":
                since = looking.now_ms if since is None else since
            case "regain":
                since = None
            case "set":
                looking.set_clock(seconds)
    looking.wait(10_000)
    for name in PATIENCE:
        words = [what for what, collector, _ in looking.seen if collector == name]
        assert words == ["lost", "regained"] * (len(words) // 2)
    assert looking.blindness.lost == {}
