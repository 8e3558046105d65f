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
_HEX_LIST: Final = (
    # 0x02,0x00,0x5e,0x10,0x00,0xff, %02%00..., \\x02\\x00..., \\u0002\\u0000...
    r"(?:(?:0x|%|\\x|\\u00)[0-9a-f]{1,2}[,;:\s]{0,2}){6,}",
    # 02, 00, 5e, 10, 00, ff
    r"(?<![0-9a-z])[0-9a-f]{2}(?:[,;]\s?[0-9a-f]{2}){5,}(?![0-9a-z])",
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DECIMALS: Final = re.compile(r"\d+(?P<between>[,;:. -]|, )\d+(?:(?P=between)\d+){4,}", re.ASCII)
"""2.0.94.16.0.255, as at the end of an OID; [2, 0, 94, 16, 0, 255]."""
_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+_-])(?=[A-Za-z_-]{0,7}[A-Z0-9+/])(?=[A-Z0-9+/_-]{0,7}[a-z])"
    r"[A-Za-z0-9+/_-]{8}(?![A-Za-z0-9+_=-])",
    re.ASCII,
)
"""AgBeEAD/, as protocol buffers write six octets in JSON. Words in lower case are spared."""
# Longer runs go as a whole, IPv6 addresses and times in milliseconds too: an address that is
# glued to other digits must not leave a part of itself behind.
_MAC: Final = re.compile("|".join((*_HEX_LIST, *_SPELLINGS)), re.IGNORECASE | re.ASCII)


def readable(content: bytes) -> str:
    """What was received, as text; of what is no text only how much it was.

    Octets of an address may be letters, and stand among others that are not.
    """
    text = content.decode(errors="replace")
    if "\ufffd" in text or _CONTROL.search(text):
        return f"no text: {len(content)} octets"
    return text


def scrub_macs(text: str) -> str:
    """Mask everything that may be a MAC address, in any common spelling.

    02:00:5e:10:00:ff, 02-00-5E-10-00-FF, 0200.5e10.00ff, 02005e-1000ff, 02005e1000ff; lists of
    six octets in hexadecimal or decimal digits; base64.
    """
    masked = _BASE64.sub(MASK, _MAC.sub(MASK, text))
    return _DECIMALS.sub(_masked_octets, masked)


def _masked_octets(match: re.Match[str]) -> str:
    """Mask numbers among which are six octets; the beginning of an OID has small ones only."""
    numbers = match[0].split(match["between"])
    for start in range(len(numbers) - 5):
        six = numbers[start : start + 6]
        are_octets = all(len(n) <= 3 and int(n) <= 255 for n in six)
        if are_octets and sum(len(n) > 1 for n in six) >= 3:
            return MASK
    return match[0]
