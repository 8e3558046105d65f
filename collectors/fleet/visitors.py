"""Who the clients of the demo city are: devices that come, move about, leave and come back.

A site with so many clients has so many places taken. Each place is taken by one device after the
other, for a visit each, out of a few that keep coming back to it; a device is never at two places.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from collectors.fleet.clock import HOUR_MS
from config.deployment import Deployment

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]

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
_VISITS: Final = 32
"""At most in a stretch, where 12 are usual; the last one would go on to its end."""
_STRETCH_BITS: Final = 20
"""So many stretches are nine centuries."""
_LUCK_BITS: Final = 11
"""Of 64 bits, those that a number from 0 to 1 does not take."""
_IANA: Final = b"\x00\x00\x5e"
"""The addresses of a manufacturer who makes no devices, from 80-00-00 on unassigned (RFC 9542)."""


class Visitors:
    """Pure and seeded: the same seed gives the same visits for ever.

    Devices are numbers; `address` gives their addresses.
    """

    def __init__(self, deployment: Deployment, *, seed: int) -> None:
        self._seed = seed
        self._salt = np.frombuffer(blake2b(f"{seed}/visits".encode()).digest()[:8], np.uint64)
        self._aps: dict[str, list[str]] = {site: [] for site in deployment.sites}
        for ap in deployment.access_points.values():
            self._aps[ap.site].append(ap.ap)
        self._first_place = {site: number * _PLACES for number, site in enumerate(self._aps)}

    def at(self, ts_ms: int, clients: Mapping[str, int]) -> dict[str, tuple[bytes, ...]]:
        """The addresses of the devices at each AP, as many as it has clients.

        Where the counts of a site's APs shift, those in between roam.
        """
        found = {}
        for site, aps in self._aps.items():
            counts = np.array([clients.get(ap, 0) for ap in aps], np.int64)
            _, devices = self.seen(site, counts[None, :], np.full((1, len(aps)), ts_ms))
            who = iter(devices.tolist())
            for ap, count in zip(aps, counts.tolist(), strict=True):
                found[ap] = tuple(address(self._seed, next(who)) for _ in range(count))
        return found

    def seen(self, site: str, clients: Ints, ts_ms: Ints) -> tuple[Ints, Ints]:
        """Who is at a site's APs, each polled so many times.

        `clients`, `ts_ms`: [poll, AP], APs as in the deployment. Returns, for every client at every
        poll and AP in turn, the flat index into [poll, AP], and the device.
        """
        counts = clients.ravel()
        at = np.repeat(np.arange(len(counts)), counts)
        # Places are counted over all of the site's APs, anew at each poll.
        taken = clients.sum(axis=1)
        place = np.arange(len(at)) - np.repeat(np.cumsum(taken) - taken, taken)
        return at, self._devices(self._first_place[site] + place, ts_ms.ravel()[at])

    def _devices(self, place: Ints, ts_ms: Ints) -> Ints:
        """Who takes each place at each instant."""
        # Not everywhere at the same time, or all would get up at once.
        shift = (self._noise(place.astype(np.uint64)) % np.uint64(_STRETCH_MS)).astype(np.int64)
        stretch, into = np.divmod(ts_ms + shift, _STRETCH_MS)
        drawn, row = np.unique(place << _STRETCH_BITS | stretch, return_inverse=True)
        begins, who = self._visits(drawn)
        begins = np.minimum(begins, _STRETCH_MS) + _STRETCH_MS * np.arange(len(drawn))[:, None]
        at = np.searchsorted(begins.ravel(), into + _STRETCH_MS * row, side="right") - 1
        return np.asarray(place * REGULARS + who.ravel()[at])

    def _visits(self, drawn: Ints) -> tuple[Ints, Ints]:
        """When each visit of some stretches at some places begins, and whose it is: [., visit]."""
        nth: Bits = np.arange(_VISITS, dtype=np.uint64)
        bits = self._noise(np.add.outer(self._noise(drawn.astype(np.uint64)), nth))
        share = (bits >> np.uint64(_LUCK_BITS)) * 2.0 ** (_LUCK_BITS - 64)
        length = MIN_VISIT_MS - (MEAN_VISIT_MS - MIN_VISIT_MS) * np.log1p(-share)
        begins = np.cumsum(length.astype(np.int64), axis=1)
        luck = (bits & np.uint64(2**_LUCK_BITS - 1)).astype(np.int64)
        # Never the same one again.
        turn = np.hstack([luck[:, :1], 1 + luck[:, 1:] % (REGULARS - 1)])
        return np.hstack([0 * begins[:, :1], begins[:, :-1]]), np.cumsum(turn, axis=1) % REGULARS

    def _noise(self, numbers: Bits) -> Bits:
        """64 bits for each number that look random: the seed's SplitMix64 at that place."""
        mixed = (numbers + self._salt) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return np.asarray(mixed ^ mixed >> np.uint64(31))


def address(seed: int, number: int) -> bytes:
    """The address of a device, by its number in the city: below 2^23."""
    digest = blake2b(f"{seed}/{number}".encode(), digest_size=7).digest()
    if digest[6] < 256 * RANDOMISED:
        # Locally administered, and of one device.
        return bytes([digest[0] & 0xFC | 0x02]) + digest[1:6]
    return _IANA + (0x800000 | number).to_bytes(3, "big")
