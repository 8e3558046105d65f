"""Messages of months, beside what the real listener makes of the same ones."""

import pytest

from collectors.fleet.faults.polls import FAILED, GOOD, NOTHING
from collectors.fleet.faults.publishing import Messages, Publishing
from collectors.fleet.faults.troubles import Blind, Shift, Troubles
from collectors.mqtt.liveness import Liveness, Publisher, Sign
from tests.collectors.fleet.faults.networks import (
    C1,
    C2,
    HOUR,
    MINUTE,
    ROUND,
    SMALL,
    T,
    fault,
    troubles,
    world,
)

LOOK_MS = 1_000


def publishing(happens: Troubles, loss: float = 0.0) -> Publishing:
    return world(happens, loss=loss).publishing


def failed(one: Messages) -> list[int]:
    found: list[int] = one.arrived[one.codes == FAILED].tolist()
    return found


def good(one: Messages) -> list[int]:
    found: list[int] = one.arrived[one.codes == GOOD].tolist()
    return found


def as_the_listener_has_it(one: Messages, happens: Troubles) -> list[int]:
    """When polls fail as `Liveness` says, told of the same messages and the first last will."""
    life = Liveness({"c1": Publisher("c", 300)})
    life.listens(T)
    wills = {start for start, _ in one.offline}
    signs = sorted([(at, False) for at in good(one)] + [(at, True) for at in wills])
    # What the broker told of its own accord is stored as it comes.
    found = sorted(wills)
    deaf = {b.start_ms: b.end_ms for b in happens.blind}
    end_ms = 0
    for now in range(T, happens.end_ms, LOOK_MS):
        for start, end in deaf.items():
            if start <= now < start + LOOK_MS:
                life.is_deaf()
                end_ms = end
        if end_ms and now >= end_ms:
            life.listens(end_ms)
            end_ms = 0
        while signs and signs[0][0] <= now:
            at, offline = signs.pop(0)
            life.hear(Sign("c1", at, offline=offline))
        silent = life.silent(now)
        life.note(silent)
        found += [reading.ts_ms for reading in silent]
    return sorted(found)


@pytest.mark.parametrize("minutes", [2, 8, 47, 200])
def test_silence_is_found_as_the_listener_finds_it(minutes: int) -> None:
    start = T + 3 * HOUR
    happens = troubles(fault("ap", "c1", start, start + minutes * MINUTE, C1), hours=12)
    one = publishing(happens).messages[C1]
    expected = as_the_listener_has_it(one, happens)
    assert len(failed(one)) == len(expected) > 0
    assert all(0 <= b - a <= 30 * LOOK_MS for a, b in zip(failed(one), expected, strict=True))


def test_after_a_broker_that_was_down_only_silence_tells() -> None:
    broker = Blind("broker", T + 3 * HOUR, T + 4 * HOUR)
    down = fault("ap", "c1", T + 3 * HOUR + ROUND, T + 6 * HOUR, C1)
    happens = troubles(down, blind=(broker,), hours=12)
    one = publishing(happens).messages[C1]
    assert one.offline == []
    expected = as_the_listener_has_it(one, happens)
    assert failed(one)[0] == broker.end_ms + 450_000
    assert len(expected) == len(failed(one))
    assert all(0 <= b - a <= 30 * LOOK_MS for a, b in zip(failed(one), expected, strict=True))


def test_one_that_is_up_is_heard_each_interval() -> None:
    one = publishing(troubles()).messages[C1]
    assert failed(one) == []
    steps = [b - a for a, b in zip(good(one), good(one)[1:], strict=False)]
    assert ROUND - 3_000 <= min(steps) <= max(steps) <= ROUND + 3_000


def test_the_last_will_comes_when_the_keep_alive_is_over() -> None:
    start, end = T + 3 * HOUR, T + 4 * HOUR
    one = publishing(troubles(fault("ap", "c1", start, end, C1))).messages[C1]
    assert start + 45_000 <= failed(one)[0] <= start + 90_000
    assert failed(one)[-1] < end <= min(at for at in good(one) if at > failed(one)[-1])
    assert not [at for at in good(one) if start <= at < end]


def test_messages_are_delayed_by_loss_and_not_lost() -> None:
    sound, lossy = (publishing(troubles(), loss).messages[C1] for loss in (0.0, 0.2))
    assert len(good(sound)) == len(good(lossy))
    assert max(b - a for a, b in zip(good(sound), good(lossy), strict=True)) >= 3_000


def test_while_we_are_away_the_broker_keeps_what_is_published_and_a_dead_broker_does_not() -> None:
    for kind, kept in (("stopped", True), ("poller", True), ("store", True), ("broker", False)):
        blind = Blind(kind, T + 3 * HOUR, T + 4 * HOUR)  # type: ignore[arg-type]
        happens = troubles(blind=(blind,))
        one = publishing(happens).messages[C2]
        within = (one.ts >= blind.start_ms) & (one.ts < blind.end_ms)
        assert within.any() == kept
        assert not ((one.arrived >= blind.start_ms) & (one.arrived < blind.end_ms)).any()


def test_what_says_that_it_is_from_the_future_is_refused() -> None:
    ahead = Shift(C2, T + 3 * HOUR, T + 4 * HOUR, 10 * MINUTE)
    behind = Shift(C2, T + 6 * HOUR, T + 7 * HOUR, -10 * MINUTE)
    ours = Shift(-1, T + 9 * HOUR, T + 10 * HOUR, -10 * MINUTE)
    one = publishing(troubles(shifts=(ahead, behind, ours))).messages[C2]
    refused = one.arrived[one.codes == NOTHING]
    assert SMALL.spots[C2].own_clock
    assert {int(at - T) // HOUR for at in refused} == {3, 9}
    assert len(refused) in (23, 24, 25)
