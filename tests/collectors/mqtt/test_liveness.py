"""Who is silent, as time passes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.mqtt.liveness import BLINK_MS, Liveness, Publisher, Sign
from collectors.reading import HOLD

T = 1_772_705_040_000
STEP_MS = 10_000
"""Between two looks."""
HALL_S, ATTIC_S = 60, 120


class Watched:
    """Two access points, and a look every STEP_MS."""

    def __init__(self, **hall: Any) -> None:
        publishers = {
            "hall": Publisher("library", HALL_S, **hall),
            "attic": Publisher("a", ATTIC_S),
        }
        self.liveness = Liveness(publishers)
        self.now_ms = T
        self.failed: list[tuple[str, int]] = []
        """AP and seconds since T."""

    def wait(self, seconds: float) -> None:
        until_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < until_ms:
            self.now_ms += min(STEP_MS, until_ms - self.now_ms)
            failed = self.liveness.silent(self.now_ms)
            self.liveness.note(failed)
            assert all((r.up, r.clients) == (0, None) for r in failed)
            self.failed += [(r.ap, (r.ts_ms - T) // 1000) for r in failed]

    def hear(self, ap: str, **sign: Any) -> list[tuple[int, int | None]]:
        taken_back = self.liveness.hear(Sign(ap, self.now_ms, **sign))
        return [((r.ts_ms - T) // 1000, r.up) for r in taken_back]


def test_silence_is_a_missed_message_each_interval_after_one_and_a_half() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.hear("hall")
    watched.wait(300)
    assert [at for ap, at in watched.failed if ap == "hall"] == [90, 150, 210, 270]
    assert [at for ap, at in watched.failed if ap == "attic"] == [180, 300]
    watched.failed.clear()
    watched.hear("hall")
    watched.wait(80)
    assert watched.failed == []


def test_what_said_offline_is_down_each_interval_until_it_speaks() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.hear("hall", offline=True)
    watched.hear("attic")
    watched.wait(170)
    assert watched.failed == [("hall", 60), ("hall", 120)]
    watched.hear("hall")
    watched.wait(80)
    assert [ap for ap, _ in watched.failed[2:]] == ["attic"]


def test_without_a_connection_nothing_is_known_and_then_all_have_time_to_speak() -> None:
    watched = Watched()
    watched.wait(1000)
    watched.liveness.listens(watched.now_ms)
    watched.hear("hall", offline=True)
    watched.wait(50)
    watched.liveness.is_deaf()
    watched.wait(1000)
    assert watched.failed == []
    watched.liveness.listens(watched.now_ms)
    watched.wait(80)
    assert watched.failed == []
    watched.wait(10)
    assert watched.failed == [("hall", 2140)]


def test_the_broker_says_again_who_is_offline_when_it_is_back() -> None:
    watched = Watched()
    # What it kept may be read before we know that it has taken our subscriptions.
    watched.hear("hall", offline=True, retained=True)
    watched.hear("hall", retained=True, ts_ms=T - 3_600_000)
    watched.liveness.listens(T)
    watched.wait(60)
    assert watched.failed == [("hall", 60)]


def test_what_the_broker_kept_is_no_sign_of_life() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.wait(50)
    watched.hear("hall", retained=True)
    watched.wait(40)
    assert watched.failed == [("hall", 90)]


def test_messages_that_had_to_wait_for_us_give_all_time_to_speak() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.wait(80)
    watched.liveness.was_delayed(watched.now_ms)
    watched.wait(80)
    assert watched.failed == []


def test_who_slept_or_set_the_clock_begins_anew() -> None:
    for jump_ms in (BLINK_MS + 1, 3_600_000, -3_600_000):
        watched = Watched()
        watched.liveness.listens(T)
        watched.wait(80)
        watched.now_ms += jump_ms
        watched.wait(90)
        assert watched.failed == []
        watched.wait(20)
        assert [ap for ap, _ in watched.failed] == ["hall"]


def test_an_ap_out_of_service_is_not_missed() -> None:
    watched = Watched(service_ms=(T + 200_000, T + 300_000))
    watched.liveness.listens(T)
    watched.wait(600)
    assert [at for ap, at in watched.failed if ap == "hall"] == [200, 260]


def test_a_message_that_comes_late_with_its_own_time_is_right() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.hear("hall")
    watched.wait(280)
    assert [at for ap, at in watched.failed if ap == "hall"] == [90, 150, 210, 270]
    # It served at 100 s, so until 190 s; and now, so that nothing more is missed for a while.
    assert watched.hear("hall", ts_ms=T + 100_000) == [(150, 1)]
    assert watched.hear("hall", ts_ms=T + 100_000) == []
    assert watched.hear("hall", ts_ms=T + 60_000) == [(90, 1)]
    assert watched.hear("hall", ts_ms=watched.now_ms) == []
    watched.failed.clear()
    watched.wait(80)
    assert [ap for ap, _ in watched.failed if ap == "hall"] == []


def test_those_that_said_offline_can_be_told_again_at_once() -> None:
    watched = Watched()
    watched.liveness.listens(T)
    watched.hear("hall", offline=True)
    watched.wait(20)
    again = watched.liveness.still_offline(["hall", "attic", "lobby"], watched.now_ms)
    assert [(r.ap, r.up, r.ts_ms) for r in again] == [("hall", 0, T + 20_000)]
    watched.liveness.is_deaf()
    assert watched.liveness.still_offline(["hall"], watched.now_ms) == []


@given(st.lists(st.tuples(st.floats(1, 200), st.sampled_from(["speaks", "lost", "back"]))))
def test_nobody_is_silent_who_spoke_or_while_nobody_listened(
    course: list[tuple[float, str]],
) -> None:
    watched = Watched()
    deaf_until = heard = T
    listening = True
    watched.liveness.listens(T)
    for seconds, what in course:
        before = len(watched.failed)
        watched.wait(seconds)
        new = [T + at * 1000 for ap, at in watched.failed[before:] if ap == "hall"]
        quiet_ms = HOLD * HALL_S * 1000
        assert listening or not new
        assert all(at + 1000 > max(heard, deaf_until) + quiet_ms for at in new)
        match what:
            case "speaks":
                watched.hear("hall")
                heard = watched.now_ms
            case "lost":
                watched.liveness.is_deaf()
                listening = False
            case "back":
                watched.liveness.listens(watched.now_ms)
                deaf_until, listening = watched.now_ms, True
