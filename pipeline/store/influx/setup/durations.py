"""Durations as InfluxQL shows them."""

import re
from typing import Final

_UNITS: Final = {"h": 3600, "m": 60, "s": 1}


def seconds_of(duration: str) -> int:
    """Seconds of such as `9600h0m0s`; `0s` stands for ever."""
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([hms])", duration))
