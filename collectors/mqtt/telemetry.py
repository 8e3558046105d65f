"""What a payload says, whatever its format; the fields it may carry and their limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from collectors.reading import MAX_COUNTER

Cause = Literal["topic", "unknown_ap", "unknown_site", "size", "format", "field", "time"]
"""Why a message is refused, for counting; the error's text says it in full."""

MAX_PAYLOAD: Final = 16_384
"""Octets; the project's own telemetry takes about 200."""

_MAX_CLIENTS: Final = 10_000
_MAX_UPTIME_S: Final = 100 * 366 * 86_400
_MAX_EXACT_FLOAT: Final = 2**53


class PayloadError(Exception):
    """A message that cannot be used; the text says why and what is allowed.

    It names keys, never values: a value may hold the MAC address of a client.
    """

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause: Cause = cause


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one AP says in one payload. None: it does not say. Units as in `Reading`."""

    ts_ms: int | None = None
    """When it was so. None: when it arrives."""
    is_state: bool = False
    """True: says how it is now, whenever it was written, as a last will does."""
    up: int | None = None
    clients: int | None = None
    clients_2g: int | None = None
    clients_5g: int | None = None
    clients_6g: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    counter_bits: int | None = None
    uptime_s: int | None = None
    channel_utilisation: float | None = None
    unknown_keys: tuple[str, ...] = ()
    """What the payload says beside; told to the operator once per AP."""


Parser = Callable[[bytes], Telemetry | None]
"""Parses a payload of at most MAX_PAYLOAD octets. None: the AP is alive, and says nothing more.
Raises PayloadError.
"""


def whole_number(key: str, value: object, most: int) -> int:
    """Check a count; raise PayloadError naming the key.

    A number such as 12.0 is taken, because some firmware knows floating point only; true is not 1.
    """
    allowed = f"{key}: must be a whole number from 0 to {most}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError("field", f"{allowed}, is {_kind(value)}")
    if isinstance(value, float):
        if not value.is_integer():  # infinite and NaN are not either
            raise PayloadError("field", f"{allowed}, is a fraction")
        if abs(value) > _MAX_EXACT_FLOAT:
            raise PayloadError("field", f"{allowed}, is not written as one: its digits are lost")
        value = int(value)
    if value < 0:
        raise PayloadError("field", f"{allowed}, is negative")
    if value > most:
        raise PayloadError("field", f"{allowed}, is larger")
    return value


def _up(key: str, value: object) -> int:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return int(value)
    raise PayloadError("field", f"{key}: must be 1, 0, true or false, is {_kind(value)}")


def _counter_bits(key: str, value: object) -> int:
    if isinstance(value, int | float) and value in (32, 64):
        return int(value)
    raise PayloadError("field", f"{key}: must be 32 or 64, is {_kind(value)}")


def _per_cent(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError("field", f"{key}: must be a number from 0 to 100, is {_kind(value)}")
    if not 0 <= value <= 100:  # NaN is not either
        raise PayloadError("field", f"{key}: must be a number from 0 to 100, is outside")
    return float(value)


def _clients(key: str, value: object) -> int:
    return whole_number(key, value, _MAX_CLIENTS)


def _counter(key: str, value: object) -> int:
    return whole_number(key, value, MAX_COUNTER)


def _uptime(key: str, value: object) -> int:
    return whole_number(key, value, _MAX_UPTIME_S)


FIELDS: Final[Mapping[str, Callable[[str, object], int | float]]] = {
    "up": _up,
    "clients": _clients,
    "clients_2g": _clients,
    "clients_5g": _clients,
    "clients_6g": _clients,
    "rx_bytes": _counter,
    "tx_bytes": _counter,
    "counter_bits": _counter_bits,
    "uptime_s": _uptime,
    "channel_utilisation": _per_cent,
}
"""The fields of a sample, each with its check: (key, value) -> value, or PayloadError."""


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "another number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
