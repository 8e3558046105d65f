"""From the client table of a device to who is at its APs, without saying who."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from collectors.presence import Device, Presence
from collectors.snmp.device import ApPoll, DevicePoll
from config.deployment import AccessPoint, Deployment

_DOUBTS: Final = 2
"""An empty table is believed until it was empty so often in a row while clients were counted: once
may be somebody who came between two walks.
"""


class Anonymiser(Protocol):
    """Turns addresses into hashes under the key of the day; wired by the composition root."""

    def device(self, mac: bytes, zone: ZoneInfo, now_ms: int) -> Device:
        """Hash the address, 6 octets, of a client seen in a time zone at a UTC millisecond."""


class EmptyTables:
    """Tells an empty client table from one that the device does not have: they look alike.

    Remembers the devices that count clients and list none.
    """

    def __init__(self) -> None:
        self._doubts: dict[str, int] = {}

    def note(self, device: str, poll: DevicePoll) -> bool:
        """Take a poll into account; return whether this is when the device loses its credit."""
        if poll.stations is None:
            return False
        if poll.stations:
            self._doubts.pop(device, None)
        elif poll.clients_total:
            self._doubts[device] = self._doubts.get(device, 0) + 1
            return self._doubts[device] == _DOUBTS
        return False

    def believes(self, device: str, poll: DevicePoll) -> bool:
        """Whether a table, if it is empty, means that nobody is there."""
        if poll.stations:
            return True
        return not poll.clients_total and self._doubts.get(device, 0) < _DOUBTS


def presences(
    rows: Iterable[tuple[AccessPoint, ApPoll]],
    deployment: Deployment,
    anonymiser: Anonymiser,
    ts_ms: int,
    interval_s: int,
) -> list[Presence]:
    """Say who is at each AP whose client table was read whole; the addresses end here.

    An AP that counts clients and lists none gives nothing, rather than nobody.
    """
    found = []
    for ap, row in rows:
        if row.stations is None or (row.clients and not row.stations):
            continue
        zone = deployment.zone(ap.site)
        devices = [anonymiser.device(mac, zone, ts_ms) for mac in row.stations]
        # By hash: the order of the table could say who was there before.
        found.append(Presence(ap.ap, ap.site, ts_ms, interval_s, _by_hash(devices)))
    return found


def _by_hash(devices: Sequence[Device]) -> tuple[Device, ...]:
    return tuple(sorted(devices, key=lambda device: device.key))
