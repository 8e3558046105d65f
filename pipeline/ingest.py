"""From readings to durable samples; marks the usage that late ones change."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import structlog

from collectors.reading import Reading
from pipeline.batching import Batching
from pipeline.state import State
from pipeline.store.base import Store, StoreError
from pipeline.usage.periods import WINDOW_MS, Span, window_ceil, window_floor

log = structlog.get_logger(__name__)

MAX_BATCH: Final = 20_000
"""Readings per transaction."""


class Ingest:
    """Writes samples. A sample of a closed window marks what it changes for another computation."""

    def __init__(self, store: Store, state: State, max_counter_gap_ms: int) -> None:
        self._store = store
        self._state = state
        self._max_counter_gap_ms = max_counter_gap_ms

    def write(self, readings: Sequence[Reading]) -> None:
        """Write; durable on return. Raises StoreError, and then nothing of it is written.

        Marked before and after: before, so that a crash in between leaves a mark too many and not
        one too few; after, because a window may be closed while we write.
        """
        closed = self._mark_late(readings, since_ms=0)
        self._store.write_samples(readings)
        self._mark_late(readings, since_ms=closed)

    def _mark_late(self, readings: Sequence[Reading], since_ms: int) -> int:
        closed = self._state.closed_until_ms() or 0
        late = [r for r in readings if since_ms <= r.ts_ms < closed]
        if late:
            spans = {span for r in late for span in self._held(r)}
            counted = [r for r in late if r.rx_bytes is not None or r.tx_bytes is not None]
            spans |= {span for r in _last_of_each_window(counted) for span in self._compared(r)}
            self._state.mark_dirty(sorted(spans))
            log.info("late samples", samples=len(late))
        return closed

    def _held(self, reading: Reading) -> Iterator[Span]:
        """What a late sample changes by its hold, which may end a former one."""
        start = window_floor(reading.ts_ms)
        hold_end = window_ceil(reading.ts_ms + reading.interval_s * 1500)
        yield reading.site, start, max(start + 2 * WINDOW_MS, hold_end)

    def _compared(self, reading: Reading) -> Iterator[Span]:
        """Where its counters are compared: with the AP's next sample that has some."""
        until = reading.ts_ms + self._max_counter_gap_ms + 1
        try:
            following = self._store.next_counter_ms(reading.ap, reading.ts_ms, until)
        except StoreError:
            # Nobody can look it up now. A mark too many costs a computation, one too few a figure.
            yield reading.site, window_floor(reading.ts_ms), window_floor(until) + WINDOW_MS
            return
        if following is not None:
            yield reading.site, window_floor(following), window_floor(following) + WINDOW_MS


def _last_of_each_window(readings: Sequence[Reading]) -> Iterable[Reading]:
    """Of each AP and window the last sample: for the others the next one lies in the window."""
    ordered = sorted(readings, key=lambda r: r.ts_ms)
    return {(r.ap, window_floor(r.ts_ms)): r for r in ordered}.values()


class AsyncIngest:
    """A `collectors.sink.Sink`: what many collectors write at once becomes one transaction."""

    def __init__(self, ingest: Ingest) -> None:
        self._batching = Batching(ingest.write, "samples", MAX_BATCH)

    async def write(self, readings: Sequence[Reading]) -> None:
        """Return once the readings are durable; raise NotDurableError if they are not."""
        await self._batching.hand_over(readings)

    async def close(self) -> None:
        """Write what was handed over, then take nothing more."""
        await self._batching.close()
