"""Empties the spool into the remote store, for as long as it takes."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

import structlog

from pipeline.spool.delivery import Delivery, deliver
from pipeline.spool.destination import (
    Destination,
    MisconfiguredError,
    SpooledLine,
    UnavailableError,
)
from pipeline.spool.spool import Spool
from pipeline.store.base import StoreError
from pipeline.store.lock import alone

BATCH_LINES: Final = 10_000
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
"""Between attempts while the store is away: short enough to be back soon, long enough to let a
store that comes back breathe. A Retry-After may ask for longer."""
MISCONFIGURED_WAIT_S: Final = 60.0
IDLE_WAIT_S: Final = 5.0
"""Longest wait for new lines: another process may have spooled them."""
BESIDE_WAIT_S: Final = 1.0
"""Between attempts while another process sends."""

log = structlog.get_logger(__name__)


class Forwarder:
    """Sends batches, oldest first; while it is behind, every other batch is the newest.

    So a long backlog empties, and what is collected now shows at once. One at a time, of all
    processes: who read a line before it was corrected could send it after the correction.
    """

    def __init__(
        self,
        spool: Spool,
        destination: Destination,
        *,
        batch_lines: int = BATCH_LINES,
        random: Random | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        self._spool = spool
        self._destination = destination
        self._lock = spool.path.with_name(f"{spool.path.name}-sending")
        self._batch_lines = batch_lines
        self._random = random or Random()  # noqa: S311 - spreads retries, guards no secret
        self._now_ms = now_ms
        self._newest_next = False
        self._failures = 0
        self._beside = False
        self._trouble: str | None = None
        self._new_lines = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent now, in words; None where all is well."""
        return self._trouble

    def step(self) -> float:
        """Send one batch. Returns the seconds to wait before the next: 0 while there is more."""
        return self._send(only_one=True, wait=False)

    def _send(self, *, only_one: bool = False, wait: bool) -> float:
        """Send what there is, or one batch of it.

        `wait`: for another process that sends now; else leave it all to that one.
        """
        try:
            with alone(self._lock, wait=wait) as held:
                self._tell_of(beside=not held)
                return self._send_alone(only_one=only_one) if held else BESIDE_WAIT_S
        except StoreError as error:
            # The spool itself: a full disk may keep even sent lines from being struck off. They
            # are sent again then, which changes nothing in the store.
            return self._failed(error)

    def _send_alone(self, *, only_one: bool) -> float:
        """While one batch is on its way, the one before is struck off and the next one is read.

        A line of the next one that is corrected meanwhile is sent as it was, and the correction
        after it: one batch is on its way at a time.
        """
        batch, newest = self._read(newest=self._newest_next), self._newest_next
        if not batch:
            self._newest_next = False
            return IDLE_WAIT_S
        delivery = Delivery()
        with ThreadPoolExecutor(1, "spool-sender") as sender:
            while batch:
                sending = sender.submit(deliver, batch, self._destination)
                self._spool.forget(delivery.stored)
                # A full batch: there is probably more, so the other end has its turn.
                full = len(batch) == self._batch_lines
                following = (
                    self._read(newest=not newest, beside=batch) if full and not only_one else []
                )
                delivery = sending.result()
                self._set_aside_refused(delivery)
                if delivery.error is not None:
                    self._spool.forget(delivery.stored)
                    return self._failed_to_send(delivery.error)
                self._recovered()
                newest = self._newest_next = full and not newest
                batch = [] if self._stop.is_set() else following
        self._spool.forget(delivery.stored)
        return 0.0

    def _read(self, *, newest: bool, beside: Sequence[SpooledLine] = ()) -> list[SpooledLine]:
        """The next batch from one end of the queue, beside one from the other end."""
        seqs = [line.seq for line in beside]
        if newest:
            return self._spool.newest(self._batch_lines, after_seq=max(seqs, default=None))
        return self._spool.oldest(self._batch_lines, before_seq=min(seqs, default=None))

    def _set_aside_refused(self, delivery: Delivery) -> None:
        rejected = delivery.rejected
        if rejected:
            # First what makes room, on a disk that may be full.
            self._spool.forget(delivery.stored)
            delivery.stored.clear()
            self._spool.reject(rejected, self._now_ms())
            log.error(
                "lines refused",
                lines=len(rejected),
                reason=rejected[0][1],
                listed_by="spotwatch spool --rejected",
            )

    def _tell_of(self, *, beside: bool) -> None:
        if beside and not self._beside:
            log.info("another process sends", waiting_lines=self._spool.health().lines)
        self._beside = beside

    def _failed_to_send(self, error: StoreError) -> float:
        health = self._spool.health()
        waiting_s = round(health.age_s(self._now_ms()))
        return self._failed(error, waiting_lines=health.lines, waiting_s=waiting_s)

    def _failed(self, error: StoreError, **facts: int) -> float:
        self._failures += 1
        said = str(error)
        if said != self._trouble:
            log.error("cannot send for now", reason=said, **facts)
            self._trouble = said
        if isinstance(error, MisconfiguredError):
            return MISCONFIGURED_WAIT_S
        # Doubling, and spread, so that many senders do not come back in step.
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._failures - 1, 10))
        wait: float = longest * (0.5 + self._random.random() / 2)
        asked = error.retry_after_s if isinstance(error, UnavailableError) else None
        return max(wait, asked or 0.0)

    def _recovered(self) -> None:
        if self._trouble is not None:
            log.info("sending again", waiting_lines=self._spool.health().lines)
        self._failures = 0
        self._trouble = None

    def wake(self) -> None:
        """Say that there are new lines. Does not shorten a wait for a store that is away."""
        self._new_lines.set()

    def start(self) -> None:
        """Send from a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="spool-forwarder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread once its present batch is through; what waits stays in the spool."""
        self._stop.set()
        self._new_lines.set()
        if self._thread is not None:
            self._thread.join()

    def drain(self) -> None:
        """Send until nothing waits. Raises what stops it, as StoreError."""
        while self._spool.health().lines:
            self._send(wait=True)
            if self._trouble is not None:
                raise StoreError(self._trouble)

    def _run(self) -> None:
        self._trouble = None
        try:
            while not self._stop.is_set():
                self._new_lines.clear()
                wait_s = self._send(wait=False)
                if self._trouble is not None:
                    self._stop.wait(wait_s)
                elif wait_s and not self._stop.is_set():
                    self._new_lines.wait(wait_s)
        finally:
            if not self._stop.is_set():
                self._trouble = "sending ended by an error of our own, see the log; restart"
