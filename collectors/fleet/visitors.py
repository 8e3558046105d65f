"""Who the clients of the demo city are: devices that come, move about, leave and come back.

A site with so many clients has so many places taken. Each place is taken by one device after the
other, for a visit each, out of a few that keep coming back to it; a device is never at two places.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import numpy as np

from collectors.fleet.clock import HOUR_MS
from config.deployment import Deployment

REGULARS: Final = 6
"""Devices that take turns at a place."""
MIN_VISIT_MS: Final = 3 * 60_000
MEAN_VISIT_MS: Final = 40 * 60_000
RANDOMISED: Final = 2 / 3
"""Share of the devices that made up their address."""

_PLACES: Final = 2048
"""At most at a site; a festival takes some 600."""
_STRETCH_MS: Final = 8 * HOUR_MS
"""Visits to a place are drawn for so long at a time."""
_IANA: Final = b"\x00\x00\x5e"
"""The addresses of a manufacturer who makes no devices, from 80-00-00 on unassigned (RFC 9542)."""


class Visitors:
    """Pure and seeded: the same seed gives the same visits for ever."""

    def __init__(self, deployment: Deployment, *, seed: int) -> None:
        self._seed = seed
        self._aps: dict[str, list[str]] = {site: [] for site in deployment.sites}
        for ap in deployment.access_points.values():
            self._aps[ap.site].append(ap.ap)
        self._visits = lru_cache(maxsize=1 << 16)(self._draw)

    def at(self, ts_ms: int, clients: Mapping[str, int]) -> dict[str, tuple[bytes, ...]]:
        """The addresses of the devices at each AP, as many as it has clients.

        Where the counts of a site's APs shift, those in between roam.
        """
        found = {}
        for site, aps in enumerate(self._aps.values()):
            place = 0
            for ap in aps:
                count = clients.get(ap, 0)
                found[ap] = tuple(
                    self._device(site, taken, ts_ms) for taken in range(place, place + count)
                )
                place += count
        return found

    def _device(self, site: int, place: int, ts_ms: int) -> bytes:
        """Who takes a place at an instant."""
        # Not everywhere at the same time, or all would get up at once.
        shifted = ts_ms + _hash(self._seed, site, place) % _STRETCH_MS
        stretch, into = divmod(shifted, _STRETCH_MS)
        for (_, who), (until, _) in pairwise(self._visits(site, place, stretch)):
            if into < until:
                return address(self._seed, (site * _PLACES + place) * REGULARS + who)
        raise AssertionError("visits fill their stretch")

    def _draw(self, site: int, place: int, stretch: int) -> Sequence[tuple[int, int]]:
        """When each visit begins, from 0 to the end of the stretch or beyond, and whose it is."""
        rng = np.random.default_rng([self._seed, 5, site, place, stretch])
        visits = [(0, int(rng.integers(REGULARS)))]
        while visits[-1][0] < _STRETCH_MS:
            begin, who = visits[-1]
            length = MIN_VISIT_MS + int(rng.exponential(MEAN_VISIT_MS - MIN_VISIT_MS))
            visits.append((begin + length, (who + 1 + int(rng.integers(REGULARS - 1))) % REGULARS))
        return visits


def address(seed: int, number: int) -> bytes:
    """The address of a device, by its number in the city: below 2^23."""
    digest = blake2b(f"{seed}/{number}".encode(), digest_size=7).digest()
    if digest[6] < 256 * RANDOMISED:
        # Locally administered, and of one device.
        return bytes([digest[0] & 0xFC | 0x02]) + digest[1:6]
    return _IANA + (0x800000 | number).to_bytes(3, "big")


def _hash(*numbers: int) -> int:
    return int.from_bytes(blake2b(repr(numbers).encode(), digest_size=8).digest(), "big")
