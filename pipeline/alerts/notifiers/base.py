"""What a notifier is to those who send."""

from typing import Protocol

from pipeline.alerts.message import Message


class UndeliveredError(Exception):
    """It could not be delivered, and may be later. The text says why, without a secret."""


class RefusedError(UndeliveredError):
    """It was understood and refused; the same message will be again."""


class Notifier(Protocol):
    """Carries messages to one target. Used by one thread at a time."""

    @property
    def renew_s(self) -> float:
        """How often it wants to hear of what is still down; 0: never."""

    def send(self, message: Message, now_ms: int) -> None:
        """Return once it was taken over. Raises UndeliveredError; in a minute at most."""


class UnusableError(Exception):
    """Its settings cannot be used. The text says why and what is allowed, without a secret."""
