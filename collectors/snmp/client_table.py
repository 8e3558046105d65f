"""The table of client devices of an AP or a controller: who is at which AP. Pure.

It is read whole or not at all: of a column that failed nobody knows whom it would have named. A
client whose AP the device does not list is at no AP that is known here, and is counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from collectors.snmp.device import ApPoll
from collectors.snmp.profile import ADDRESS, Alternatives, Profile, Role, Table
from collectors.snmp.stations import OCTETS, Stations
from collectors.snmp.tables import Drops, Raw, Row

ApKey = int | str
"""The part `ap` of a table's index."""

_WHO_AND_WHERE: Final = frozenset({ADDRESS, "ap_mac", "ap_name", "station"})


class Located(NamedTuple):
    """The client devices of a table, by AP."""

    everybody: Stations
    by_ap: Mapping[ApKey, Stations]
    """An AP that is not in it has nobody."""
    elsewhere: int
    """How many are at no AP that the device lists."""


def lists_addresses(table: Table | None) -> bool:
    """Whether a profile's table of client devices says who they are, or only how many."""
    return table is not None and (ADDRESS in table.index or ADDRESS in table.columns)


def asked(role: Role, table: Table, *, client_tables: bool) -> dict[str, Alternatives]:
    """The columns of a table that are worth their walk.

    Those that only tell where a client is are walked where that is asked for; of the clients'
    own, those that nothing is filtered by are not.
    """
    filters = {*table.only, *table.leave_out}
    columns = table.columns
    if role == "vaps":
        return {n: c for n, c in columns.items() if n != "bssid" or client_tables}
    if role == "stations" and lists_addresses(table):
        columns = {n: c for n, c in columns.items() if n in _WHO_AND_WHERE or n in filters}
    return dict(columns or table.columns)


def was_read(profile: Profile, raw: Raw) -> bool:
    """Whether the table of client devices was asked for, and walked to the end of every column."""
    table = profile.tables.get("stations")
    if table is None or not raw.client_tables or not lists_addresses(table):
        return False
    located = [
        [oid for cell in cells if (oid := raw.oid(cell))]
        for cells in asked("stations", table, client_tables=True).values()
    ]
    return all(
        any(oid in raw.columns for oid in oids) and not raw.failed.intersection(oids)
        for oids in located
    )


def locate(
    rows: Sequence[Row],
    aps: Mapping[ApKey, ApPoll],
    radios: Iterable[Row],
    vaps: Iterable[Row],
    drops: Drops,
) -> Located:
    """Tell which client device is at which AP.

    Args:
        rows: of the table of client devices.
        aps: what the device says of its APs, by key.
        radios: of all of them; their `mac` may be what a client's row names.
        vaps: likewise, by `bssid`.
        drops: where a row without a client's address is counted.
    """
    directory = _Directory(aps, radios, vaps)
    everybody: set[bytes] = set()
    by_ap: dict[ApKey, set[bytes]] = {}
    found: set[bytes] = set()
    for row in rows:
        mac = _address(row)
        if mac is None:
            drops.add("table of clients", "no address of a device")
            continue
        everybody.add(mac)
        key = directory.find(row)
        if key is not None:
            by_ap.setdefault(key, set()).add(mac)
            found.add(mac)
    stations = {key: Stations(macs) for key, macs in by_ap.items()}
    return Located(Stations(everybody), stations, len(everybody - found))


def everybody(rows: Sequence[Row], drops: Drops) -> Stations:
    """The client devices of an AP that is polled itself: all are its own."""
    return locate(rows, {}, (), (), drops).everybody


def _address(row: Row) -> bytes | None:
    text = row.text(ADDRESS) or row.key.get(ADDRESS)
    if not isinstance(text, str):
        return None
    mac = bytes.fromhex(text.replace(":", ""))
    # Nobody's, or a group's: not that of a device.
    return mac if len(mac) == OCTETS and any(mac) and not mac[0] & 1 else None


class _Directory:
    """The APs by everything that the row of a client may name them by."""

    def __init__(
        self, aps: Mapping[ApKey, ApPoll], radios: Iterable[Row], vaps: Iterable[Row]
    ) -> None:
        self._aps = aps
        # A client is at a virtual AP; the address of one may be that of another AP as a whole.
        self._by_mac = (
            _unambiguous(_said(vaps, "bssid")),
            _unambiguous((mac, key) for key, ap in aps.items() for mac in ap.macs),
            _unambiguous(_said(radios, "mac")),
        )
        self._by_name = _unambiguous(
            (_plain(name), key)
            for key, ap in aps.items()
            for name in {ap.name, str(key)}
            if _plain(name)
        )

    def find(self, row: Row) -> ApKey | None:
        """The AP that a client is at; None: it names none, or none that is known."""
        key = row.key.get("ap")
        if key is not None:
            return key if key in self._aps else None
        mac = row.text("ap_mac")
        for known in self._by_mac:
            if mac in known:
                return known[mac]
        return self._by_name.get(_plain(row.text("ap_name")))


def _said(rows: Iterable[Row], name: str) -> Iterator[tuple[str, ApKey]]:
    for row in rows:
        mac = row.text(name) or row.key.get(name)
        if "ap" in row.key and isinstance(mac, str):
            yield mac, row.key["ap"]


def _unambiguous(pairs: Iterable[tuple[str, ApKey]]) -> dict[str, ApKey]:
    """What several APs are known by is nobody's."""
    found: dict[str, set[ApKey]] = {}
    for name, key in pairs:
        found.setdefault(name, set()).add(key)
    return {name: keys.pop() for name, keys in found.items() if len(keys) == 1}


def _plain(name: str | None) -> str:
    return (name or "").strip().casefold()
