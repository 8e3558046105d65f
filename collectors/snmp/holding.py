"""Readings that the store could not take yet. A device cannot be asked again for what it said."""

from collections.abc import Sequence
from typing import Final

import structlog

from collectors.reading import Reading
from collectors.sink import NotDurableError, Sink

log = structlog.get_logger(__name__)

MAX_HELD: Final = 100_000
"""Readings: some 30 MB, or an hour of 8,000 APs polled every five minutes."""


class Holding:
    """Writes to a sink; holds in memory what it refuses, and hands it over with the next."""

    def __init__(self, most: int = MAX_HELD) -> None:
        self._most = most
        self._held: list[Reading] = []

    @property
    def held(self) -> int:
        """Readings that wait."""
        return len(self._held)

    async def write(self, sink: Sink, readings: Sequence[Reading]) -> int:
        """Write what waits and these. Raise NotDurableError where they have to wait.

        Return how many were written.
        """
        # Taken out first: other devices write at the same time, and would write it as well.
        waiting, self._held = [*self._held, *readings], []
        try:
            await sink.write(waiting)
        except NotDurableError:
            self._hold(waiting)
            raise
        return len(waiting)

    def _hold(self, readings: Sequence[Reading]) -> None:
        self._held = [*readings, *self._held]
        if (surplus := len(self._held) - self._most) > 0:
            self._held.sort(key=lambda reading: reading.ts_ms)
            del self._held[:surplus]
            log.error("readings dropped", oldest=surplus, room=self._most)
