"""Where collectors hand over what they read."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from collectors.reading import Reading


class NotDurableError(Exception):
    """The readings could not be made durable; whoever can, keeps them and tries again."""


class Sink(Protocol):
    """Takes readings; wired to the pipeline by the composition root."""

    async def write(self, readings: Sequence[Reading]) -> None:
        """Return once the readings are durable; raise NotDurableError if they are not."""


class Refused(NamedTuple):
    """Something received that cannot be used. It is kept aside, for somebody to look at."""

    at_ms: int
    """When it came; UTC milliseconds."""
    source: str
    """The kind of collector: `mqtt`."""
    subject: str
    """What it is about: a topic."""
    reason: str
    """Why it is refused and what is allowed; quotes nothing of the content."""
    content: bytes
    """As received, so it may hold client MAC addresses: scrub it before it reaches a disk."""


class DeadLetterSink(Protocol):
    """Keeps aside what is refused; wired to the state by the composition root."""

    async def set_aside(self, refused: Sequence[Refused]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""


class Announcement(NamedTuple):
    """Maintenance of a site, announced by somebody who may: until it is over nobody is called."""

    site: str
    start_ms: int
    """UTC milliseconds."""
    end_ms: int
    """Excluded."""
    reason: str | None
    source: str
    """The way that it was announced: `mqtt`, `command line`."""
    at_ms: int
    """When it was announced."""


class AnnouncementSink(Protocol):
    """Takes announcements; wired to the state by the composition root."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Return once they are durable; raise NotDurableError if they are not."""
