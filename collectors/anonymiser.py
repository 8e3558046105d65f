"""Where a client's MAC address ends: what leaves is a keyed hash that nobody can undo tomorrow."""

from datetime import timedelta
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from collectors.day_keys import DayKeys
from collectors.presence import Device

ADDRESS_OCTETS: Final = 6
HASH_OCTETS: Final = 8
"""64 bits: among 100,000 devices a day, two share a hash once in ten million years."""
_LOCALLY_ADMINISTERED: Final = 0x02
"""IEEE 802: set in the first octet of addresses that no manufacturer gave out."""


class Anonymiser:
    """Turns addresses into `Device`s. Keeps no address and no table of them."""

    def __init__(self, keys: DayKeys, gap: timedelta) -> None:
        """`gap`: the session gap, for which a key outlives its day."""
        self._keys = keys
        self._gap_ms = gap // timedelta(milliseconds=1)

    def device(self, mac: bytes, zone: ZoneInfo, now_ms: int) -> Device:
        """Hash an address under the keys of the zone's day; `now_ms`: UTC, when it was read.

        Raises ValueError, which does not quote it, where it is not 6 octets long.
        """
        if len(mac) != ADDRESS_OCTETS:
            raise ValueError(f"a MAC address has {ADDRESS_OCTETS} octets, not {len(mac)}")
        keys = self._keys.at(zone, now_ms, self._gap_ms)
        return Device(
            key=_hash(mac, keys.key),
            former=_hash(mac, keys.former) if keys.former else None,
            randomised=bool(mac[0] & _LOCALLY_ADMINISTERED),
        )

    def expire(self, now_ms: int) -> None:
        """Destroy the keys whose time is over; call it every minute or so."""
        self._keys.expire(now_ms, self._gap_ms)


def _hash(mac: bytes, key: bytes) -> bytes:
    return blake2b(mac, digest_size=HASH_OCTETS, key=key).digest()
