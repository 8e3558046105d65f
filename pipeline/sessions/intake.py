"""Takes presences in: durable, merged into sessions, the usage that late ones change marked."""

from collections.abc import Sequence
from typing import Final

import structlog

from collectors.presence import Presence
from config.deployment import Deployment
from pipeline.batching import Batching
from pipeline.sessions.ledger import Noted, SessionLedger
from pipeline.sessions.touched import touched
from pipeline.state import State

log = structlog.get_logger(__name__)

MAX_BATCH: Final = 20_000
"""Presences per transaction."""


class Intake:
    """Notes presences. One of a closed window marks what it changes for another computation."""

    def __init__(self, deployment: Deployment, ledger: SessionLedger, state: State) -> None:
        self._zone = deployment.zone
        self._ledger = ledger
        self._state = state

    def note(self, presences: Sequence[Presence]) -> None:
        """Note; durable on return. Raises StoreError, and then nothing of it is noted.

        Marked before and after: before, so that a crash in between leaves a mark too many and not
        one too few; after, because a window may be closed while we write.
        """
        closed = self._state.closed_until_ms() or 0
        noted = self._ledger.note(presences, lambda noted: self._mark(noted, 0, closed))
        self._mark(noted, closed, self._state.closed_until_ms() or 0)

    def _mark(self, noted: Noted, since_ms: int, closed_ms: int) -> None:
        spans = touched(noted, self._zone, since_ms, closed_ms)
        if spans:
            self._state.mark_dirty(spans)
            log.info("late sessions", sites=len(spans))


class AsyncIntake:
    """A `collectors.presence.PresenceSink`: what comes at once becomes one transaction."""

    def __init__(self, intake: Intake) -> None:
        self._batching = Batching(intake.note, "presences", MAX_BATCH)

    async def note(self, presences: Sequence[Presence]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""
        await self._batching.hand_over(presences)

    async def close(self) -> None:
        """Note what was handed over, then take nothing more."""
        await self._batching.close()
