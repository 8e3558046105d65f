"""One thread that writes: what many collectors hand over at once becomes one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from collectors.sink import NotDurableError
from pipeline.store.base import StoreError

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Batching(Generic[T]):
    """Waits for what it is handed to be written. Belongs to one event loop.

    Nothing queues up without bound, since every collector waits for its own.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], what: str, most: int) -> None:
        """`write`: durable on return, raises StoreError; called in a thread, never beside itself.

        `what`: what is written, as the log calls it; `most`: of it in one transaction, or as many
        as one collector hands over.
        """
        self._write = write
        self._what = what
        self._most = most
        self._waiting: list[tuple[Sequence[T], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    async def hand_over(self, items: Sequence[T]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""
        if not items:
            return
        if self._closing:
            raise NotDurableError("stopping")
        if self._writer is None:
            self._writer = asyncio.create_task(self._run(), name=f"write {self._what}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, done))
        self._wake.set()
        await done

    async def close(self) -> None:
        """Write what was handed over, then take nothing more."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await self._writer

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._write_batch(self._take())

    def _take(self) -> list[tuple[Sequence[T], asyncio.Future[None]]]:
        """What waits, oldest first, up to a batch."""
        size, count = 0, 0
        for items, _ in self._waiting:
            size += len(items)
            count += 1
            if size >= self._most:
                break
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _write_batch(self, taken: list[tuple[Sequence[T], asyncio.Future[None]]]) -> None:
        batch = [item for items, _ in taken for item in items]
        writing = asyncio.to_thread(self._write, batch)
        (failure,) = await asyncio.gather(writing, return_exceptions=True)
        if isinstance(failure, StoreError):
            log.error(f"{self._what} not stored", count=len(batch), error=str(failure))
            failure = NotDurableError(str(failure))
        for _, done in taken:
            if done.done():
                continue  # whoever waited has gone; it is written all the same
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
