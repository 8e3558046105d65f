"""Values as devices send them, read as a profile says, whatever their type on the wire."""

import math
import re
from collections.abc import Callable
from typing import Final

from collectors.snmp.device import Band
from collectors.snmp.engine import Value
from collectors.snmp.oids import format_mac, parse_mac
from collectors.snmp.profile import Cell, Kind

Decoded = int | float | str | None
"""None: the device has the cell, and says nothing in it."""

MAX_GAUGE: Final = 1_000_000
"""No count of clients or APs is larger; a profile may set another `max`."""
_MAX_SECONDS: Final = 2**32


def decode(cell: Cell, value: Value) -> Decoded:
    """Read one value. Raises ValueError, whose text says why it is wrong, without the value."""
    return _DECODERS[cell.kind](cell, value)


def channel_band(channel: int) -> Band | None:
    """Band of an 802.11 channel.

    2.4 and 5 GHz go first where a number exists in 6 GHz too (1, 5, 9, 13, 149 to 177).
    """
    if 1 <= channel <= 14:
        return "2g"
    if (36 <= channel <= 144 and channel % 4 == 0) or (149 <= channel <= 177 and channel % 4 == 1):
        return "5g"
    return "6g" if 1 <= channel <= 233 and channel % 4 == 1 else None


def mhz_band(mhz: float) -> Band | None:
    """Band of a centre frequency in MHz; 6 GHz starts at 5925."""
    for low, high, band in _BANDS_MHZ:
        if low <= mhz < high:
            return band
    return None


_BANDS_MHZ: Final[tuple[tuple[int, int, Band], ...]] = (
    (2400, 2500, "2g"),
    (4900, 5925, "5g"),
    (5925, 7126, "6g"),
)


def _number(value: Value) -> float | None:
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError("no finite number")
        return value
    text = value.decode("ascii", errors="replace") if isinstance(value, bytes) else value
    text = text.strip().strip('"\0')
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,20}(\.\d{1,6})?", text):
        raise ValueError("text where a number belongs")
    return float(text) if "." in text else int(text)


def _limited(number: float | None, most: float) -> int | None:
    if number is None:
        return None
    if number < 0:
        raise ValueError("negative")
    if number > most:
        raise ValueError(f"larger than {most:,.0f}")
    return int(number)


def _gauge(cell: Cell, value: Value) -> int | None:
    number = _number(value)
    scaled = None if number is None else number * cell.scale
    return _limited(scaled, MAX_GAUGE if cell.max is None else cell.max)


def _counter32(_: Cell, value: Value) -> int | None:
    return _limited(_number(value), 2**32 - 1)


def _counter64(_: Cell, value: Value) -> int | None:
    return _limited(_number(value), 2**64 - 1)


def _text(_: Cell, value: Value) -> str | None:
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text.strip().strip("\0").strip() or None


def _mac(cell: Cell, value: Value) -> str | None:
    if isinstance(value, bytes) and len(value) == 6:
        return format_mac(value) if any(value) else None
    text = _text(cell, value)
    mac = parse_mac(text) if text else None
    if text and mac is None:
        raise ValueError("not a MAC address")
    return mac


def _enum(cell: Cell, value: Value) -> str | None:
    text = _text(cell, value)
    if text is None:
        return None
    meanings = {key.lower(): meaning for key, meaning in cell.map.items()}
    meaning = meanings.get(text.lower(), cell.other)
    if meaning is None:
        raise ValueError(f"not one of {', '.join(cell.map)}")
    return None if meaning == "unknown" else meaning


def _ticks(_: Cell, value: Value) -> int | None:
    ticks = _limited(_number(value), _MAX_SECONDS * 100)
    return None if ticks is None else ticks // 100


def _seconds(_: Cell, value: Value) -> int | None:
    return _limited(_number(value), _MAX_SECONDS)


def _percent(cell: Cell, value: Value) -> float | None:
    number = _number(value)
    if number is None:
        return None
    percent = number * cell.scale
    if not 0 <= percent <= 100:
        raise ValueError("not within 0 and 100 per cent")
    return round(percent, 2)


def _channel(cell: Cell, value: Value) -> str | None:
    if isinstance(value, (bytes, str)):
        digits = re.match(r"\d{1,3}", _text(cell, value) or "")
        channel = int(digits[0]) if digits else 0
    else:
        # The high bits hold the width on some (ArubaOS); no channel number needs them.
        channel = int(_number(value) or 0) & 0xFF
    return channel_band(channel)


def _mhz(cell: Cell, value: Value) -> str | None:
    number = _number(value)
    return None if number is None else mhz_band(number * cell.scale)


def _any(_cell: Cell, _value: Value) -> None:
    return None


_DECODERS: Final[dict[Kind, Callable[[Cell, Value], Decoded]]] = {
    "gauge": _gauge,
    "counter32": _counter32,
    "counter64": _counter64,
    "text": _text,
    "mac": _mac,
    "enum": _enum,
    "ticks": _ticks,
    "seconds": _seconds,
    "percent": _percent,
    "channel": _channel,
    "mhz": _mhz,
    "any": _any,
}
