"""What every simulated device answers: SNMPv2-MIB, IF-MIB and IEEE802dot11-MIB."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from collectors.fleet.agent import Oid, Value

MIB_2: Final = (1, 3, 6, 1, 2, 1)
ENTERPRISES: Final = (1, 3, 6, 1, 4, 1)
ETHERNET: Final = 6
"""ifType ethernetCsmacd."""
WIRELESS: Final = 71
"""ifType ieee80211."""

_SYSTEM: Final = (*MIB_2, 1)
_IF_ENTRY: Final = (*MIB_2, 2, 2, 1)
_IF_X_ENTRY: Final = (*MIB_2, 31, 1, 1, 1)
_DOT11: Final = (1, 2, 840, 10036)


class Interface(NamedTuple):
    """A row of ifTable, and of ifXTable where its counters have 64 bits."""

    name: str
    kind: int
    mac: bytes
    octets_in: int
    octets_out: int
    bits: Literal[32, 64]


def system(descr: str, object_id: Oid, name: str, uptime_s: int) -> dict[Oid, Value]:
    """The system group."""
    return {
        (*_SYSTEM, 1, 0): ("octets", descr.encode()),
        (*_SYSTEM, 2, 0): ("oid", object_id),
        (*_SYSTEM, 3, 0): ("timeticks", uptime_s * 100 % 2**32),
        (*_SYSTEM, 4, 0): ("octets", b"Valmont-sur-Senne"),
        (*_SYSTEM, 5, 0): ("octets", name.encode()),
        (*_SYSTEM, 6, 0): ("octets", b""),
    }


def interfaces(rows: Iterable[Interface]) -> dict[Oid, Value]:
    """Interfaces numbered from 1; what has 64 bits shows its lower 32 in ifTable too."""
    tree: dict[Oid, Value] = {}
    for index, row in enumerate(rows, start=1):
        tree |= {
            (*_IF_ENTRY, 1, index): ("integer", index),
            (*_IF_ENTRY, 2, index): ("octets", row.name.encode()),
            (*_IF_ENTRY, 3, index): ("integer", row.kind),
            (*_IF_ENTRY, 5, index): ("gauge32", 1_000_000_000),
            (*_IF_ENTRY, 6, index): ("octets", row.mac),
            (*_IF_ENTRY, 7, index): ("integer", 1),
            (*_IF_ENTRY, 8, index): ("integer", 1),
            (*_IF_ENTRY, 10, index): ("counter32", row.octets_in % 2**32),
            (*_IF_ENTRY, 16, index): ("counter32", row.octets_out % 2**32),
        }
        if row.bits == 64:
            tree |= {
                (*_IF_X_ENTRY, 1, index): ("octets", row.name.encode()),
                (*_IF_X_ENTRY, 6, index): ("counter64", row.octets_in),
                (*_IF_X_ENTRY, 10, index): ("counter64", row.octets_out),
                (*_IF_X_ENTRY, 18, index): ("octets", b""),
            }
    return tree


def dot11(index: int, mac: bytes, ssid: str, channel: int) -> dict[Oid, Value]:
    """IEEE802dot11-MIB of a radio; it has no column for clients."""
    return {
        (*_DOT11, 1, 1, 1, 9, index): ("octets", ssid.encode()),
        (*_DOT11, 2, 1, 1, 1, index): ("octets", mac),
        (*_DOT11, 4, 5, 1, 1, index): ("integer", channel),
    }


def mac_octets(mac: str) -> bytes:
    """`00:00:5e:00:53:01` as six octets."""
    return bytes.fromhex(mac.replace(":", ""))


def text_index(text: str) -> Oid:
    """A string as the index of a table: its length, then its octets."""
    octets = text.encode()
    return (len(octets), *octets)
