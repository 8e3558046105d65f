"""Who is associated to an access point, without saying who: what client tables become.

The pipeline imports this module as it does `collectors.reading`. A client's MAC address ends in the
collector that read it; what leaves is a keyed hash whose key lives for a day.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Device(NamedTuple):
    """A client device, by the hash of its address."""

    key: bytes
    """Under the key of the day, which changes at 04:00 of the site's time; 8 octets."""
    former: bytes | None
    """Also under the key of the day before, for one session gap after the change, so that a
    session that is under way goes on. None: that time is over.
    """
    randomised: bool
    """Whether the address was made up by the device (its locally administered bit is set)."""


class Presence(NamedTuple):
    """The client table of one AP at one instant, read whole; nobody in it is known to be nobody."""

    ap: str
    site: str
    """The site that the AP belonged to when it was read."""
    ts_ms: int
    """UTC, milliseconds since the epoch."""
    interval_s: int
    """The poll interval in force: who is seen counts as there for so long."""
    devices: tuple[Device, ...]
    """Each once, in no order that says anything."""


class PresenceSink(Protocol):
    """Takes presences; wired to the pipeline by the composition root."""

    async def note(self, presences: Sequence[Presence]) -> None:
        """Return once they are durable; raise `collectors.sink.NotDurableError` if they are not."""
