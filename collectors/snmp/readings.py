"""From what a device said to readings of the deployment's APs. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from collectors.reading import Reading
from collectors.snmp.device import ApPoll, DevicePoll
from config.deployment import AccessPoint


class Matched(NamedTuple):
    """A device's APs, told apart by whether the deployment knows them."""

    known: Sequence[tuple[AccessPoint, ApPoll]]
    unknown: Sequence[ApPoll]
    """Listed by the controller, in no row of `access_points.csv`."""
    unlisted: Sequence[AccessPoint]
    """Said to be seen through the controller, which does not list them now."""


def match_aps(aps: Sequence[AccessPoint], polled: Sequence[ApPoll]) -> Matched:
    """Match a controller's APs with the deployment's: by MAC address, then by name.

    Names are compared trimmed, upper or lower case; the id of an AP counts as its name. A name
    that the controller gives to several is nobody's.
    """
    by_mac = {mac: row for row in polled for mac in row.macs}
    times = Counter(_plain(row.name) for row in polled)
    by_name = {name: row for row in polled if times[name := _plain(row.name)] == 1 and name}
    known = []
    unlisted = []
    for ap in aps:
        row = (by_mac.get(ap.mac) if ap.mac else None) or by_name.get(_plain(ap.ap))
        if row is None:
            unlisted.append(ap)
        else:
            known.append((ap, row))
    found = {id(row) for _, row in known}
    return Matched(known, [row for row in polled if id(row) not in found], unlisted)


def own_row(ap: AccessPoint, poll: DevicePoll) -> ApPoll:
    """What a device that is polled for itself says of one AP.

    A cluster that answers for several is that AP's row if it has one, else the whole cluster.
    """
    if poll.device == "ap" or len(poll.aps) == 1:
        return poll.aps[0]
    matched = match_aps((ap,), poll.aps)
    if matched.known:
        return matched.known[0][1]
    return ApPoll(up=True, clients=poll.clients_total, stations=poll.stations)


def reading(ap: AccessPoint, row: ApPoll, ts_ms: int, interval_s: int) -> Reading:
    """A row as a reading."""
    return Reading(
        ap=ap.ap,
        site=ap.site,
        ts_ms=ts_ms,
        up=None if row.up is None else int(row.up),
        clients=row.clients,
        clients_2g=row.clients_2g,
        clients_5g=row.clients_5g,
        clients_6g=row.clients_6g,
        rx_bytes=row.rx_bytes,
        tx_bytes=row.tx_bytes,
        counter_bits=row.counter_bits,
        uptime_s=row.uptime_s,
        channel_utilisation=row.channel_utilisation,
        interval_s=interval_s,
    )


def failed_readings(aps: Iterable[AccessPoint], ts_ms: int, interval_s: int) -> list[Reading]:
    """A poll that got no answer: down, and nothing else is known."""
    return [Reading(ap.ap, ap.site, ts_ms, up=0, interval_s=interval_s) for ap in aps]


def _plain(name: str | None) -> str:
    return (name or "").strip().casefold()
