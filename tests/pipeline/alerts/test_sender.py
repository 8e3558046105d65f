"""What is decided arrives, however servers behave."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import structlog
from pydantic import SecretStr

from pipeline.alerts.message import Kind, Message
from pipeline.alerts.notifiers.apprise import AppriseNotifier
from pipeline.alerts.notifiers.base import Notifier, RefusedError, UndeliveredError
from pipeline.alerts.outbox import Outbox, Queued
from pipeline.alerts.sender import FIRST_WAIT_S, LONGEST_WAIT_S, Sender
from pipeline.alerts.telling import Desk
from pipeline.store.lock import alone
from tests.pipeline.alerts.endpoint import HANG, RESET, Endpoint, endpoint
from tests.pipeline.alerts.test_outbox import message
from tests.pipeline.alerts.town import HOUR, THURSDAY

GIVE_UP = 24 * HOUR
DEAD_URL = "json://127.0.0.1:1"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(tmp_path / "alerts.db")
    yield found
    found.close()


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


class Clock:
    def __init__(self) -> None:
        self.now_ms = THURSDAY

    def __call__(self) -> int:
        return self.now_ms


class Scripted:
    """Fails as told, then takes everything."""

    renew_s = 0.0

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[tuple[Kind, tuple[str, ...]]] = []

    def send(self, message: Message, now_ms: int) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append((message.kind, message.incidents))


def queue(outbox: Outbox, *messages: Message, targets: tuple[str, ...] = ("oncall",)) -> None:
    outbox.commit(Desk(), messages, {"oncall": targets})


def sender(outbox: Outbox, clock: Clock | None = None, **targets: Notifier) -> Sender:
    now_ms = clock or (lambda: time.time_ns() // 1_000_000)
    return Sender(outbox, targets, give_up_ms=GIVE_UP, random=Random(1), now_ms=now_ms)


def until(reached: Callable[[], bool], patience_s: float = 20) -> None:
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def states(outbox: Outbox) -> list[str]:
    return [queued.state for queued in reversed(outbox.log(100))]


def test_messages_arrive_in_order_and_once(outbox: Outbox, server: Endpoint) -> None:
    now = time.time_ns() // 1_000_000
    queue(outbox, *(message(str(n), at_ms=now - 100 + n) for n in range(20)))
    sending = sender(outbox, oncall=AppriseNotifier(SecretStr(server.url())))
    sending.start()
    server.wait_for(20)
    until(lambda: states(outbox) == ["delivered"] * 20)
    sending.stop(5)
    assert len(server.taken) == 20


def test_after_failures_of_every_sort_it_arrives_once(outbox: Outbox, server: Endpoint) -> None:
    server.answers = [500, RESET, HANG, 401]
    queue(outbox, message("a"))
    clock = Clock()
    sending = sender(outbox, clock, oncall=AppriseNotifier(SecretStr(server.url())))
    waits = []
    for _ in range(5):
        waits.append(sending.step("oncall"))
        clock.now_ms += round(waits[-1] * 1000)
    assert len(server.requests) == 5
    assert len(server.taken) == 1
    assert waits[-1] == 0
    for attempt, wait in enumerate(waits[:-1]):
        assert FIRST_WAIT_S * 2**attempt / 2 <= wait <= FIRST_WAIT_S * 2**attempt
    (queued,) = outbox.log(1)
    assert (queued.state, queued.attempts, queued.reason) == ("delivered", 5, "")


def test_a_dead_notifier_and_one_that_hangs_stop_nobody(outbox: Outbox, server: Endpoint) -> None:
    now = time.time_ns() // 1_000_000
    queue(
        outbox,
        *(message(str(n), at_ms=now - 100 + n) for n in range(5)),
        targets=("dead", "hangs", "well"),
    )
    with endpoint() as hanging:
        hanging.usual = HANG
        patient = hanging.url().replace("rto=0.3", "rto=20")
        sending = sender(
            outbox,
            dead=AppriseNotifier(SecretStr(DEAD_URL)),
            hangs=AppriseNotifier(SecretStr(patient)),
            well=AppriseNotifier(SecretStr(server.url())),
        )
        sending.start()
        server.wait_for(5)
        hanging.wait_for_requests(1)
        until(lambda: outbox.health("dead").reason != "")
        hanging.released.set()
        sending.stop(5)
    assert outbox.health("dead").waiting == 5
    assert outbox.health("hangs").waiting == 5


def test_waiting_is_bounded_and_does_not_end_by_itself(outbox: Outbox) -> None:
    clock, dead = Clock(), Scripted(*[UndeliveredError("no")] * 30)
    queue(outbox, message("a"))
    sending = sender(outbox, clock, oncall=dead)
    waits = [sending.step("oncall") for _ in range(1)]
    for _ in range(29):
        clock.now_ms += round(waits[-1] * 1000)
        waits.append(sending.step("oncall"))
    assert LONGEST_WAIT_S / 2 <= waits[-1] <= LONGEST_WAIT_S
    assert not dead.errors
    clock.now_ms += round(waits[-1] * 1000)
    assert sending.step("oncall") == 0
    assert dead.taken == [("opened", ("a",))]


def test_what_cannot_be_delivered_for_a_day_is_declared_so_and_the_rest_goes_on(
    outbox: Outbox,
) -> None:
    clock, target = Clock(), Scripted(UndeliveredError("the line is cut"))
    queue(outbox, message("a"))
    sending = sender(outbox, clock, oncall=target)
    sending.step("oncall")
    clock.now_ms = THURSDAY + GIVE_UP
    queue(outbox, message("b", at_ms=clock.now_ms))
    with structlog.testing.capture_logs() as logs:
        while sending.step("oncall") == 0:
            pass
    assert [queued.state for queued in outbox.log(9)] == ["delivered", "undeliverable"]
    assert outbox.log(9)[1].reason == "the line is cut"
    assert ("alert undeliverable", "error") in {(e["event"], e["log_level"]) for e in logs}
    assert outbox.health("oncall").undeliverable == 1


def test_what_is_refused_is_not_tried_again(outbox: Outbox) -> None:
    target = Scripted(RefusedError("HTTP 400"))
    queue(outbox, message("a"), message("b", at_ms=THURSDAY + 1))
    clock = Clock()
    clock.now_ms += 10
    sending = sender(outbox, clock, oncall=target)
    while sending.step("oncall") == 0:
        pass
    assert states(outbox) == ["undeliverable", "delivered"]
    assert target.taken == [("opened", ("b",))]


def test_an_attempt_that_was_cut_off_is_made_again(outbox: Outbox) -> None:
    """The process was killed while sending: nobody knows whether it arrived."""
    queue(outbox, message("a"))
    cut = outbox.next("oncall", THURSDAY)
    assert isinstance(cut, Queued)
    outbox.begin(cut)
    target = Scripted()
    sender(outbox, Clock(), oncall=target).step("oncall")
    assert target.taken == [("opened", ("a",))]
    assert outbox.log(1)[0].attempts == 2


def test_only_one_process_sends_to_a_target(outbox: Outbox) -> None:
    queue(outbox, message("a"))
    target = Scripted()
    sending = sender(outbox, Clock(), oncall=target)
    with alone(outbox.path.with_name(f"{outbox.path.name}-sending-oncall"), wait=True):
        assert sending.step("oncall") > 0
    assert target.taken == []
    sending.step("oncall")
    assert len(target.taken) == 1


def test_what_waits_for_who_left_the_settings_is_given_up_and_said(outbox: Outbox) -> None:
    queue(outbox, message("a"), targets=("gone",))
    with structlog.testing.capture_logs() as logs:
        sending = sender(outbox, oncall=Scripted())
        sending.start()
        sending.stop(5)
    assert states(outbox) == ["undeliverable"]
    assert [entry["event"] for entry in logs] == ["alerts given up"]


def test_trouble_is_said_once_and_its_end_too(outbox: Outbox) -> None:
    clock = Clock()
    target = Scripted(*[UndeliveredError("no")] * 3)
    queue(outbox, message("a"))
    sending = sender(outbox, clock, oncall=target)
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):
            clock.now_ms += round(sending.step("oncall") * 1000)
    assert [entry["event"] for entry in logs] == [
        "alerts cannot be delivered for now",
        "alerts are delivered again",
        "alert delivered",
    ]


class Forgetful(Scripted):
    renew_s = 60.0


def test_who_forgets_is_told_again_what_is_still_down(outbox: Outbox) -> None:
    clock, target = Clock(), Forgetful()
    sending = sender(outbox, clock, oncall=target)
    sending.step("oncall")
    assert target.taken == []
    sending.stands({"oncall": message("a", kind="reminder")})
    for _ in range(10):
        sending.step("oncall")
        clock.now_ms += 20_000
    assert target.taken == [("reminder", ("a",))] * 4
    sending.stands({})
    clock.now_ms += HOUR
    sending.step("oncall")
    assert len(target.taken) == 4
    assert states(outbox) == [], "and the outbox has no part in it"
