"""What is stored, also for those who judge it."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from collectors.reading import Reading
from collectors.sink import NotDurableError, Sink

log = structlog.get_logger(__name__)

MOST: Final = 500_000
"""Readings that wait to be judged, should judging fail again and again; they are stored."""


class WatchedSink:
    """A `collectors.sink.Sink` that remembers what has become durable, and since when nothing."""

    def __init__(self, sink: Sink, now_ms: Callable[[], int]) -> None:
        self._sink = sink
        self._now_ms = now_ms
        self.readings: list[Reading] = []
        """Stored, for somebody to take."""
        self.refusing_ms: int | None = None
        """Since when the store takes nothing; None: it does."""

    async def write(self, readings: Sequence[Reading]) -> None:
        """Return once the readings are durable; raise NotDurableError if they are not."""
        try:
            await self._sink.write(readings)
        except NotDurableError:
            if self.refusing_ms is None:
                self.refusing_ms = self._now_ms()
            raise
        self.refusing_ms = None
        self.readings += readings
        if (surplus := len(self.readings) - MOST) > 0:
            del self.readings[:surplus]
            log.warning("readings not judged", oldest=surplus)
