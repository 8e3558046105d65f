"""Where the spool empties to, and the three ways in which that fails."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pipeline.store.base import StoreError


class SpooledLine(NamedTuple):
    """A sample that waits, as the line that will be sent."""

    seq: int
    """Its place in the queue; never used again, a rewrite gets a new one."""
    ap: str
    site: str
    ts_ms: int
    line: bytes


class UnavailableError(StoreError):
    """Unreachable, too busy or broken for now: the same request may succeed later."""

    def __init__(self, message: str, retry_after_s: float | None = None):
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """How long the server asks to be left alone, if it says."""


class RefusedError(StoreError):
    """The server understood the request and will never take what is in it."""


class MisconfiguredError(StoreError):
    """No request will succeed until somebody changes a setting here or there."""


class Destination(Protocol):
    """A remote store that samples are sent to."""

    def send(self, lines: Sequence[SpooledLine]) -> None:
        """Return once the store has them; sending the same line twice changes nothing.

        Raises UnavailableError, RefusedError or MisconfiguredError. After any of these some, all
        or none of the lines may have been stored.
        """
