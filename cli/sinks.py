"""Where collectors hand over what is kept in the state; each is one of `collectors.sink`'s."""

import asyncio
from collections.abc import Sequence

from collectors.sink import Announcement, NotDurableError, Refused
from pipeline.maintenance import Announced
from pipeline.scrub import readable
from pipeline.state import DeadLetter, State
from pipeline.store.base import StoreError


class DeadLetters:
    """Keeps refused messages aside in the state; a `DeadLetterSink`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def set_aside(self, refused: Sequence[Refused]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""
        letters = [
            DeadLetter(r.at_ms, r.source, r.subject, r.reason, readable(r.content)) for r in refused
        ]
        try:
            await asyncio.to_thread(self._state.add_dead_letters, letters)
        except StoreError as error:
            raise NotDurableError(str(error)) from error


class Announcements:
    """Keeps announced maintenance in the state; an `AnnouncementSink`."""

    def __init__(self, announced: Announced) -> None:
        self._announced = announced

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""
        try:
            await asyncio.to_thread(self._announced.add, announcements)
        except StoreError as error:
            raise NotDurableError(str(error)) from error
