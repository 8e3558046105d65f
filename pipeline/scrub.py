"""MAC addresses out of what is kept: no client's address ever reaches a disk."""

import re
from typing import Final

MASK: Final = "xx:xx:xx:xx:xx:xx"

_SEPARATOR: Final = r"(?:[:-]|%3a|%2d|\\u003a|\\u002d)"
"""Plain, as in a URL, as JSON may escape it."""
_SPELLINGS: Final = (
    # 02:00:5e:10:00:ff, 02-00-5E-10-00-FF, and 2:0:5e:10:0:ff as some systems write it
    rf"[0-9a-f]{{1,2}}(?:{_SEPARATOR}[0-9a-f]{{1,2}}){{5,}}",
    # 02.00.5e.10.00.ff, 02 00 5e 10 00 ff; one separator, or a date with its time would match
    r"[0-9a-f]{2}(?P<between>[. _])[0-9a-f]{2}(?:(?P=between)[0-9a-f]{2}){4,}",
    # 0200.5e10.00ff, 0200-5e10-00ff
    r"[0-9a-f]{4}(?:[.:-][0-9a-f]{4}){2,}",
    # 02005e-1000ff
    r"[0-9a-f]{6}(?:[:-][0-9a-f]{6})+",
    # 02005e1000ff
    r"[0-9a-f]{12,}",
)
# Longer runs go as a whole, IPv6 addresses and times in milliseconds too: an address that is
# glued to other digits must not leave a part of itself behind.
_MAC: Final = re.compile("|".join(_SPELLINGS), re.IGNORECASE | re.ASCII)


def scrub_macs(text: str) -> str:
    """Mask everything that may be a MAC address, in any common spelling.

    02:00:5e:10:00:ff, 02-00-5E-10-00-FF, 0200.5e10.00ff, 02005e-1000ff, 02005e1000ff.
    """
    return _MAC.sub(MASK, text)
