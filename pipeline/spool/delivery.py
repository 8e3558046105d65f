"""Send a batch, and find the lines that spoil it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.spool.destination import Destination, RefusedError, SpooledLine
from pipeline.store.base import StoreError


@dataclass
class Delivery:
    """What became of a batch. Lines in neither list may or may not be stored: send them again."""

    stored: list[SpooledLine] = field(default_factory=list)
    rejected: list[tuple[SpooledLine, str]] = field(default_factory=list)
    """Each with the store's reason."""
    error: StoreError | None = None
    """What stopped the delivery before its end: not the fault of a line."""


def deliver(lines: Sequence[SpooledLine], destination: Destination) -> Delivery:
    """Send lines; where the store refuses some, halve until those stand alone.

    One bad line in n costs about 2 log2(n) further requests. Stops at the first error that is not
    a line's fault.
    """
    delivery = Delivery()
    parts = [lines] if lines else []
    while parts:
        part = parts.pop()
        try:
            destination.send(part)
        except RefusedError as error:
            if len(part) == 1:
                delivery.rejected.append((part[0], str(error)))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
        except StoreError as error:
            delivery.error = error
            break
        else:
            delivery.stored += part
    return delivery
