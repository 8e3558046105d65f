"""Notes the silence of access points as polls that failed."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

import structlog

from collectors.mqtt.health import Counters
from collectors.mqtt.liveness import Liveness
from collectors.reading import Reading
from collectors.sink import NotDurableError, Sink

_LOOKS: Final = 10
"""In the shortest poll interval."""
_MOST_LOOK_S: Final = 5.0

log = structlog.get_logger(__name__)


class Silence:
    """Looks again and again for who is silent, while there is nothing left to hear."""

    def __init__(
        self,
        liveness: Liveness,
        sink: Sink,
        hears_all: Callable[[], bool],
        counters: Counters,
        now_ms: Callable[[], int],
    ) -> None:
        """`hears_all`: whether nothing waits to be read, here or at the broker."""
        self._liveness = liveness
        self._sink = sink
        self._hears_all = hears_all
        self._counters = counters
        self._now_ms = now_ms

    async def watch(self) -> None:
        """Go on until cancelled."""
        look_s = min(_MOST_LOOK_S, self._liveness.shortest_interval_s / _LOOKS)
        while True:
            await asyncio.sleep(look_s)
            if self._hears_all():
                await self._note(self._liveness.silent(self._now_ms()))

    async def repeat(self, aps: Collection[str]) -> None:
        """Say again of those of some APs that are offline that they are."""
        if self._hears_all():
            await self._note(self._liveness.still_offline(aps, self._now_ms()))

    async def _note(self, failed: Sequence[Reading]) -> None:
        if not failed:
            return
        # First, so that a message that comes meanwhile can take it back.
        self._liveness.note(failed)
        try:
            await self._sink.write(failed)
        except NotDurableError as error:
            # Of no use later: what is not stored now is time that nobody watched.
            log.warning("mqtt silence not stored", aps=len(failed), reason=str(error))
        else:
            self._counters.silent += len(failed)
