"""What people are told, whatever decides it."""

from dataclasses import dataclass

from pipeline.outages.incident import Scope


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody is told that something is down. Times are true ones, in UTC milliseconds."""

    at_ms: int
    until_ms: int
    """When it was told to be over; the end of the trial if it never was."""
    start_ms: int
    """Since when it is said to be down."""
    scope: Scope
    subject: str
    aps: tuple[str, ...]
    """Those that it says are down; of our own poller's blindness none."""
