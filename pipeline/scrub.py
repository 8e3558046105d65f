"""MAC addresses out of what is kept: no client's address ever reaches a disk."""

import re
from typing import Final

MASK: Final = "xx:xx:xx:xx:xx:xx"

_PAIRS: Final = r"[0-9A-Fa-f]{2}(?:[:\-_. ][0-9A-Fa-f]{2}){5}"
_GROUPS: Final = r"[0-9A-Fa-f]{4}[.:\-][0-9A-Fa-f]{4}[.:\-][0-9A-Fa-f]{4}"
_BARE: Final = r"[0-9A-Fa-f]{12}"
# Longer runs of hexadecimal digits may hold an address, so they are masked as well.
_MAC: Final = re.compile(rf"{_PAIRS}|{_GROUPS}|{_BARE}")


def scrub_macs(text: str) -> str:
    """Mask everything that may be a MAC address, in any common spelling.

    02:00:5e:10:00:ff, 02-00-5E-10-00-FF, 0200.5e10.00ff, 02005e1000ff.
    """
    return _MAC.sub(MASK, text)
