"""Object identifiers and table indices as profiles write them and devices send them."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

SYS_OBJECT_ID: Final = "sysObjectID"
"""At the start of an OID in a profile: the device's own sysObjectID."""

IndexKind = Literal["int", "mac", "counted_mac", "string", "implied_string", "ip"]
"""How a part of a table's index is written as numbers: one; six octets; their number, which is 6,
and six octets; a length and as many characters; all characters up to the end; four octets.
"""

_QUOTED: Final = re.compile(r'"([^"]*)"')
_OID: Final = re.compile(rf"({SYS_OBJECT_ID}|\d+)(\.\d+)+")


def parse_oid(text: str) -> str:
    """Check an OID; a `"quoted string"` in it becomes a length and as many characters.

    `1.3.6.1.4.1.8072.1.3.2.3.1.1."a"` is `1.3.6.1.4.1.8072.1.3.2.3.1.1.1.97`, as in the tools of
    net-snmp. Raises ValueError.
    """

    def numbers(match: re.Match[str]) -> str:
        octets = match[1].encode()
        return ".".join(map(str, (len(octets), *octets)))

    oid = _QUOTED.sub(numbers, text.strip()).removeprefix(".")
    if not _OID.fullmatch(oid):
        raise ValueError(
            f"{text!r} is not an OID; write numbers with dots, such as 1.3.6.1.2.1.1.1.0"
        )
    return oid


Oid = Annotated[str, AfterValidator(parse_oid)]


def is_below(oid: str, prefix: str) -> bool:
    """Whether an OID is the prefix or lies below it: 1.3.61 is not below 1.3.6."""
    return oid == prefix or oid.startswith(prefix + ".")


def decode_index(kinds: tuple[IndexKind, ...], suffix: str) -> tuple[int | str, ...]:
    """Split the index of a row into its parts. Raises ValueError where it does not fit.

    Args:
        kinds: of each part, in order.
        suffix: the OID of a cell without that of its column.
    """
    numbers = list(map(int, suffix.split(".")))
    parts: list[int | str] = []
    at = 0
    for kind in kinds:
        if kind in {"string", "counted_mac"}:
            length = numbers[at] if at < len(numbers) else 0
            at += 1
        else:
            length = {"int": 1, "mac": 6, "ip": 4, "implied_string": len(numbers) - at}[kind]
        part = numbers[at : at + length]
        at += length
        if (
            len(part) != length
            or (kind == "counted_mac" and length != 6)
            or (kind != "int" and any(n > 255 for n in part))
        ):
            raise ValueError(f"the index does not hold {', '.join(kinds)}")
        if kind == "int":
            parts.append(part[0])
        elif kind in {"mac", "counted_mac"}:
            parts.append(format_mac(bytes(part)))
        elif kind == "ip":
            parts.append(".".join(map(str, part)))
        else:
            parts.append(bytes(part).decode("utf-8", errors="replace"))
    if at != len(numbers):
        raise ValueError(f"the index holds more than {', '.join(kinds)}")
    return tuple(parts)


def format_mac(octets: bytes) -> str:
    """Six octets as `02:00:00:00:00:01`."""
    return octets.hex(":")


def parse_mac(text: str) -> str | None:
    """A MAC address in any common spelling as `02:00:00:00:00:01`; None: it is none."""
    digits = re.sub(r"[\s:.\-]", "", text).lower()
    return format_mac(bytes.fromhex(digits)) if re.fullmatch(r"[0-9a-f]{12}", digits) else None
