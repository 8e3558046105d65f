"""What polls over a line that loses packets come to."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from collectors.fleet.faults.network import draw_network
from collectors.fleet.faults.polls import FAILED, GOOD, NOTHING, TRIES, VAGUE, unanswered
from collectors.fleet.faults.troubles import Blind
from collectors.fleet.faults.world import World
from collectors.snmp.engine import Session, SnmpTimeout, Target, Value
from config.secrets import Secret
from config.settings import CommunityCredential, Snmp
from tests.collectors.fleet.faults.networks import (
    A1,
    B1,
    B2,
    D1,
    HOUR,
    MINUTE,
    ROUND,
    T,
    fault,
    troubles,
    world,
)


class DeadWire:
    """Answers nothing, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def open(self) -> None:
        raise AssertionError

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        self.asked += 1
        raise TimeoutError

    def rows(self, root: str, repetitions: int) -> AsyncIterator[tuple[str, Value]]:
        raise AssertionError


async def test_a_request_is_made_as_often_as_the_real_engine_makes_it() -> None:
    wire = DeadWire()
    settings = Snmp()
    credential = CommunityCredential(community=Secret("public"))
    target = Target("a", "127.0.0.1", credential, retries=settings.retries)
    with pytest.raises(SnmpTimeout):
        await Session(target, wire).get(["1.3.6.1.2.1.1.1.0"])
    assert wire.asked == TRIES


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_as_many_polls_fail_as_so_much_loss_makes_fail(loss: float) -> None:
    network = draw_network(3, 30)
    polls = World(3, network, troubles(hours=24 * 28), loss, ()).polls
    sound = [i for i, spot in enumerate(polls.lone) if not network.spots[spot].slow]
    share = 1 - polls.answered[:, sound].mean()
    assert share == pytest.approx((1 - (1 - loss) ** 2) ** TRIES, rel=0.1)


def test_without_loss_nothing_fails_that_is_up() -> None:
    polls = world(troubles()).polls
    assert (polls.codes == GOOD).all()
    assert polls.answered.all()


def test_what_is_down_fails_and_is_late() -> None:
    polls = world(troubles(fault("ap", "a1", T + 2 * HOUR, T + 3 * HOUR, A1))).polls
    down = (polls.starts >= T + 2 * HOUR) & (polls.starts < T + 3 * HOUR)
    assert (polls.codes[down, A1] == FAILED).all()
    assert (polls.codes[~down, A1] == GOOD).all()
    took = polls.ended[:, A1] - polls.starts
    assert took[down].min() >= TRIES * 2000 > 1000 > took[~down].max()


def test_a_controller_notices_after_a_while_and_knows_at_once_who_is_back() -> None:
    start, end = T + 2 * HOUR, T + 5 * HOUR
    polls = world(troubles(fault("ap", "b1", start, end, B1))).polls
    failed = polls.starts[polls.codes[:, B1] == FAILED]
    assert start + 30_000 <= failed.min() <= start + 75_000 + ROUND + 30_000
    assert end - ROUND - 30_000 <= failed.max() < end
    assert (polls.codes[:, B2] == GOOD).all()


def test_a_dead_controller_takes_all_behind_it_with_it() -> None:
    start, end = T + 2 * HOUR, T + 3 * HOUR
    polls = world(troubles(fault("controller", "wlc", start, end, B1, B2))).polls
    dead = (polls.starts >= start) & (polls.starts < end)
    assert (polls.codes[dead][:, [B1, B2]] == FAILED).all()
    assert not polls.answered[dead, -1].any()
    assert polls.answered[:, :-1].all()


def test_a_controller_that_forgets_says_so_unless_it_was_never_listed_since_our_start() -> None:
    start, end = T + 2 * HOUR, T + 8 * HOUR
    gone = fault("ap", "b1", start, end, B1)
    stop = Blind("stopped", T + 4 * HOUR, T + 4 * HOUR + MINUTE)
    polls = world(troubles(gone, blind=(stop,)), forgetful=True).polls
    before = (polls.starts > start + 2 * MINUTE) & (polls.starts < stop.start_ms)
    after = (polls.starts > stop.end_ms) & (polls.starts < end)
    assert (polls.codes[before, B1] == FAILED).all()
    assert (polls.codes[after, B1] == NOTHING).all()
    assert polls.codes[-1, B1] == GOOD


def test_a_long_table_is_read_in_part_when_packets_are_lost() -> None:
    network = draw_network(3, 60)
    polls = World(3, network, troubles(hours=24 * 7), 0.2, ()).polls
    through = [i for i, s in enumerate(polls.spots) if network.spots[s].controller]
    shares = [(polls.codes[:, through] == code).mean() for code in (NOTHING, VAGUE)]
    assert min(shares) > 0.01
    assert (World(3, network, troubles(), 0.0, ()).polls.codes == GOOD).mean() > 0.99


def test_a_poll_in_between_sees_the_same_world() -> None:
    start, end = T + 2 * HOUR, T + 3 * HOUR
    polls = world(troubles(fault("ap", "d1", start, end, D1))).polls
    device = polls.lone.index(D1)
    assert polls.poll(device, start - 1)[1:] == (True, [(D1, GOOD)])
    assert polls.poll(device, start)[1:] == (False, [(D1, FAILED)])
    assert polls.poll(device, start) == polls.poll(device, start)
    controller = len(polls.lone)
    assert polls.poll(controller, start)[1:] == (True, [(B1, GOOD), (B2, GOOD)])


def test_nobody_answers_while_our_own_line_is_dead() -> None:
    blind = Blind("poller", T + HOUR, T + 2 * HOUR)
    polls = world(troubles(blind=(blind,))).polls
    dead = (polls.starts >= blind.start_ms) & (polls.starts < blind.end_ms)
    assert (polls.codes[dead] == FAILED).all()
    assert (polls.codes[~dead] == GOOD).all()


def test_rounds_stop_while_our_daemon_does() -> None:
    stop = Blind("stopped", T + HOUR, T + 2 * HOUR)
    starts = world(troubles(blind=(stop,))).polls.starts
    assert not ((starts >= stop.start_ms) & (starts < stop.end_ms)).any()
    assert stop.end_ms in starts
    steps = np.diff(starts[starts > stop.end_ms])
    assert ROUND - MINUTE <= steps.min() < steps.max() <= ROUND + MINUTE


def test_one_request_is_lost_on_the_way_there_or_back_or_comes_too_late() -> None:
    assert unanswered(0.0) == 0
    assert unanswered(0.1) == pytest.approx(0.19)
    assert unanswered(0.1, 0.5) == pytest.approx(1 - 0.81 / 2)
