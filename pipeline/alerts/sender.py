"""Sends what is in the outbox, each target by a thread of its own: a dead one holds up nobody."""

import threading
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import structlog

from pipeline.alerts.message import Message
from pipeline.alerts.notifiers.base import Notifier, RefusedError, UndeliveredError
from pipeline.alerts.outbox import Outbox, Queued
from pipeline.store.base import StoreError
from pipeline.store.lock import alone

FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 300.0
"""Between attempts while a target takes nothing."""
IDLE_WAIT_S: Final = 5.0
BESIDE_WAIT_S: Final = 5.0
"""Between attempts while another process sends to a target."""
NO_LONGER: Final = "the notifier is no longer in the settings"

log = structlog.get_logger(__name__)


class Sender:
    """Retries until a message is delivered, refused, or `give_up_ms` old."""

    def __init__(
        self,
        outbox: Outbox,
        targets: Mapping[str, Notifier],
        *,
        give_up_ms: int,
        random: Random | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._outbox = outbox
        self._give_up_ms = give_up_ms
        self._random = random or Random()  # noqa: S311 - spreads retries, guards no secret
        self._now_ms = now_ms
        self._stop = threading.Event()
        self._lanes = {name: _Lane(name, notifier) for name, notifier in targets.items()}

    def start(self) -> None:
        """Send until `stop`; what waits for targets that are no more is given up."""
        lost = self._outbox.give_up_others(list(self._lanes), self._now_ms(), NO_LONGER)
        if lost:
            log.error("alerts given up", messages=lost, reason=NO_LONGER)
        for lane in self._lanes.values():
            lane.thread = threading.Thread(
                target=self._run, args=(lane,), name=f"alerts {lane.target}", daemon=True
            )
            lane.thread.start()

    def stop(self, patience_s: float) -> None:
        """End the threads; an attempt under way has so long to come to an end of its own.

        What it was about is sent again after the next start, if it had none.
        """
        self._stop.set()
        self.wake()
        end = time.monotonic() + patience_s
        for lane in self._lanes.values():
            if lane.thread:
                lane.thread.join(max(0.0, end - time.monotonic()))

    def wake(self) -> None:
        """Say that there are new messages. Does not shorten a wait for a target that is away."""
        for lane in self._lanes.values():
            lane.new.set()

    def stands(self, messages: Mapping[str, Message]) -> None:
        """What is still down, by target, for those that want to hear of it again and again."""
        for lane in self._lanes.values():
            lane.standing = messages.get(lane.target)

    def step(self, target: str) -> float:
        """Send one message to a target. Returns the seconds to wait before the next."""
        lane = self._lanes[target]
        lock = self._outbox.path.with_name(f"{self._outbox.path.name}-sending-{target}")
        try:
            with alone(lock, wait=False) as held:
                return self._step_alone(lane) if held else BESIDE_WAIT_S
        except StoreError as error:
            # The outbox itself. What was delivered and could not be struck off is sent again.
            return self._failed(lane, str(error))

    def _step_alone(self, lane: "_Lane") -> float:
        now_ms = self._now_ms()
        queued = self._outbox.next(lane.target, now_ms)
        if queued is None:
            self._renew(lane, now_ms)
            next_ms = self._outbox.next_ms(lane.target)
            wait_s = IDLE_WAIT_S if next_ms is None else (next_ms - now_ms) / 1000
            return min(max(wait_s, 0.05), IDLE_WAIT_S)
        if now_ms - queued.message.at_ms >= self._give_up_ms:
            self._give_up(queued, queued.reason or "it waited for too long")
            return 0.0
        self._outbox.begin(queued)
        try:
            lane.notifier.send(queued.message, now_ms)
        except RefusedError as error:
            self._give_up(queued, str(error))
            return 0.0
        except UndeliveredError as error:
            wait_s = self._failed(lane, str(error))
            again_ms = self._now_ms() + round(wait_s * 1000)
            self._outbox.postpone(queued, again_ms, str(error))
            return wait_s
        self._outbox.finish(queued, "delivered", self._now_ms())
        self._recovered(lane)
        log.info("alert delivered", to=lane.target, **queued.message.about)
        return 0.0

    def _renew(self, lane: "_Lane", now_ms: int) -> None:
        """Idempotent, so it needs no outbox; if it fails it is done again soon."""
        every_ms = lane.notifier.renew_s * 1000
        standing = lane.standing
        if standing is None or not every_ms or now_ms - lane.renewed_ms < every_ms:
            return
        lane.renewed_ms = now_ms
        try:
            lane.notifier.send(standing, now_ms)
        except UndeliveredError as error:
            self._failed(lane, str(error))
        else:
            self._recovered(lane)

    def _give_up(self, queued: Queued, reason: str) -> None:
        self._outbox.finish(queued, "undeliverable", self._now_ms(), reason)
        log.error("alert undeliverable", to=queued.target, reason=reason, **queued.message.about)

    def _failed(self, lane: "_Lane", reason: str) -> float:
        lane.failures += 1
        if reason != lane.trouble:
            log.warning("alerts cannot be delivered for now", to=lane.target, reason=reason)
            lane.trouble = reason
        # Doubling, and spread, so that many senders do not come back in step.
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(lane.failures - 1, 10))
        wait: float = longest * (0.5 + self._random.random() / 2)
        return wait

    def _recovered(self, lane: "_Lane") -> None:
        if lane.trouble is not None:
            log.info("alerts are delivered again", to=lane.target)
        lane.failures, lane.trouble = 0, None

    def _run(self, lane: "_Lane") -> None:
        while not self._stop.is_set():
            lane.new.clear()
            wait_s = self.step(lane.target)
            if lane.trouble is not None:
                self._stop.wait(wait_s)
            elif wait_s and not self._stop.is_set():
                lane.new.wait(wait_s)


class _Lane:
    """One target and how sending to it goes."""

    def __init__(self, target: str, notifier: Notifier) -> None:
        self.target = target
        self.notifier = notifier
        self.failures = 0
        self.trouble: str | None = None
        self.new = threading.Event()
        self.thread: threading.Thread | None = None
        self.standing: Message | None = None
        self.renewed_ms = 0
