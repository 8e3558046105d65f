"""Reads recordings of devices in the `.snmprec` text format of snmpsim and LibreNMS.

One line a variable: `OID|type|value`. The types are ASN.1 tags: 2 Integer32, 4 OctetString, 6 OID,
64 IpAddress, 65 Counter32, 66 Gauge32, 67 TimeTicks, 70 Counter64; an `x` behind it: in hex.
Recordings in the wild have lines out of order and double ones (the last one stands), and text
values that hold a newline.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from collectors.fleet.agent import Oid, Type, Value

TYPES: Final[dict[str, Type]] = {
    "2": "integer",
    "4": "octets",
    "6": "oid",
    "64": "ipaddress",
    "65": "counter32",
    "66": "gauge32",
    "67": "timeticks",
    "70": "counter64",
}
_LINE: Final = re.compile(r"\.?(\d+(?:\.\d+)+)\|(\d+)(x?)\|(.*)", re.DOTALL)


class RecordingError(Exception):
    """A recording cannot be read; the message is `name:line: what is wrong`."""


def load(path: Path) -> dict[Oid, Value]:
    """Read a recording. Raises RecordingError, OSError."""
    return parse(path.read_text(encoding="utf-8"), name=str(path))


def parse(text: str, name: str = "recording") -> dict[Oid, Value]:
    """Parse a recording into the tree that an `Agent` serves. Raises RecordingError."""
    tree: dict[Oid, Value] = {}
    for number, oid, kind, is_hex, raw in _lines(text, name):
        if kind not in TYPES:
            raise RecordingError(f"{name}:{number}: type {kind}: allowed are {', '.join(TYPES)}")
        try:
            tree[oid] = _value(TYPES[kind], bytes.fromhex(raw) if is_hex else raw)
        except ValueError as error:
            raise RecordingError(f"{name}:{number}: {TYPES[kind]}: {error}") from error
    return tree


def _lines(text: str, name: str) -> Iterator[tuple[int, Oid, str, bool, str]]:
    """Yield line number, OID, type, hex or not, value; joins values that span lines."""
    pending: tuple[int, re.Match[str], list[str]] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        if match:
            if pending:
                yield _joined(*pending)
            pending = (number, match, [match[4]])
        elif pending and pending[1][2] == "4" and not pending[1][3]:
            pending[2].append(line)
        elif line.strip():
            raise RecordingError(f"{name}:{number}: not a line of the form OID|type|value")
    if pending:
        # A file ends with a newline; the last value does not.
        if pending[2][1:] and not pending[2][-1]:
            pending[2].pop()
        yield _joined(*pending)


def _joined(number: int, match: re.Match[str], parts: list[str]) -> tuple[int, Oid, str, bool, str]:
    oid = tuple(map(int, match[1].split(".")))
    return number, oid, match[2], bool(match[3]), "\n".join(parts)


def _value(kind: Type, raw: str | bytes) -> Value:
    if kind == "octets":
        return kind, raw.encode() if isinstance(raw, str) else raw
    if kind == "oid":
        if isinstance(raw, bytes):
            raise ValueError("an OID in hex is not known")
        return kind, tuple(map(int, raw.strip().removeprefix(".").split(".")))
    if kind == "ipaddress":
        octets = raw if isinstance(raw, bytes) else bytes(map(int, raw.strip().split(".")))
        if len(octets) != 4:
            raise ValueError(f"{len(octets)} octets, expected 4")
        return kind, octets
    return kind, int.from_bytes(raw, "big") if isinstance(raw, bytes) else int(raw)
