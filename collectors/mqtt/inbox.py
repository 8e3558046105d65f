"""Where messages change hands from paho's thread to the event loop, in batches."""

import asyncio
import contextlib
from collections import deque

from collectors.mqtt.connection import Message


class Inbox:
    """Keeps order and stays bounded: what does not fit is left to the broker, unacknowledged."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._messages: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._told = False
        self._closed = False

    def put(self, message: Message) -> None:
        """Take a message; called on paho's thread."""
        if self._closed:
            return
        if len(self._messages) < self._most:
            self._messages.append(message)
        else:
            message.connection.left_behind += 1
        if not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._arrived.set)

    @property
    def is_empty(self) -> bool:
        """Whether everything that came was taken."""
        return not self._messages

    def close(self) -> None:
        """Take nothing more; `wait` returns at once from now on."""
        self._closed = True
        self._arrived.set()

    async def wait(self) -> None:
        """Return when there may be something to take."""
        await self._arrived.wait()
        if not self._closed:
            self._arrived.clear()
        # Only after this may a message that is not taken by the next `take` wake us again.
        self._told = False

    def take(self, most: int) -> list[Message]:
        """Take the oldest messages off."""
        batch: list[Message] = []
        while self._messages and len(batch) < most:
            batch.append(self._messages.popleft())
        return batch
