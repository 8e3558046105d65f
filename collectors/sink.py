"""Where collectors hand over what they read."""

from collections.abc import Sequence
from typing import Protocol

from collectors.reading import Reading


class NotDurableError(Exception):
    """The readings could not be made durable; whoever can, keeps them and tries again."""


class Sink(Protocol):
    """Takes readings; wired to the pipeline by the composition root."""

    async def write(self, readings: Sequence[Reading]) -> None:
        """Return once the readings are durable; raise NotDurableError if they are not."""
