"""What a device answered becomes what it says of its APs. Pure: no clock, no network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, cast, get_args

from collectors.reading import MAX_COUNTER
from collectors.snmp.client_table import ApKey, asked, everybody, locate, was_read
from collectors.snmp.decode import Decoded, decode
from collectors.snmp.device import ApPoll, Band, DevicePoll
from collectors.snmp.profile import Profile, Role
from collectors.snmp.stations import Stations
from collectors.snmp.tables import COUNTERS, Drops, Raw, Row, Rows, read_table, total

_BANDS: Final[tuple[Band, ...]] = get_args(Band)


def interpret(profile: Profile, raw: Raw) -> DevicePoll:
    """Give meaning to what was read.

    What the device does not say stays None. A value that cannot be right is dropped and told in
    `warnings`; what it would have been part of is not known either, and everything else stands.
    Totals that disagree are not reconciled.
    """
    drops = Drops()
    device = _Device(profile, raw, drops)
    who = device.who_is_there()
    own_count = device.own_ap_count()
    return DevicePoll(
        profile=profile.name,
        device=profile.device,
        sys_descr=raw.sys_descr,
        sys_object_id=raw.sys_object_id,
        clients_total=device.clients_total(),
        ap_count=device.rows_not_down(who.aps) if own_count is None else own_count,
        counts_aps=own_count is not None,
        aps=who.aps,
        warnings=tuple(drops),
        stations=who.stations,
        elsewhere=who.elsewhere,
    )


class _Who(NamedTuple):
    aps: tuple[ApPoll, ...]
    stations: Stations | None
    elsewhere: int = 0


class _Device:
    def __init__(self, profile: Profile, raw: Raw, drops: Drops) -> None:
        self._profile = profile
        self._raw = raw
        self._drops = drops
        self._scalars = {name: self._scalar(name) for name in profile.scalars}
        self._tables = {
            role: read_table(table, raw, drops) for role, table in profile.tables.items()
        }
        self._inherit_bands()

    def clients_total(self) -> int | None:
        own = self._scalars.get("clients_total")
        if isinstance(own, int):
            return own
        for role in ("ssids", "radios", "vaps", "aps"):
            summed = total(self._rows(role), "clients")
            if summed is not None:
                return summed
        return self._count_stations()

    def own_ap_count(self) -> int | None:
        own = self._scalars.get("ap_count")
        return own if isinstance(own, int) else total(self._rows("nodes"), "ap_count")

    def rows_not_down(self, aps: Sequence[ApPoll]) -> int | None:
        return sum(ap.up is not False for ap in aps) if aps else None

    def who_is_there(self) -> _Who:
        """The APs, and the client devices at each."""
        is_read = was_read(self._profile, self._raw)
        rows = self._rows("stations")
        if self._profile.device == "ap":
            stations = everybody(rows, self._drops) if is_read else None
            return _Who((replace(self.lone_ap(), stations=stations),), stations)
        aps = self.aps()
        if not is_read:
            return _Who(tuple(aps.values()), None)
        found = locate(rows, aps, self._rows("radios"), self._rows("vaps"), self._drops)
        nobody = Stations()
        placed = (replace(ap, stations=found.by_ap.get(key, nobody)) for key, ap in aps.items())
        return _Who(tuple(placed), found.everybody, found.elsewhere)

    def lone_ap(self) -> ApPoll:
        """The device itself."""
        radios, vaps = self._rows("radios"), self._rows("vaps")
        own_mac = self._scalars.get("mac")
        macs = [m for m in (own_mac, *(r.text("mac") for r in radios)) if isinstance(m, str)]
        tables = [self._table(role) for role in ("radios", "vaps", "ports", "interfaces")]
        rx, tx, bits = self._traffic([(table, table.rows) for table in tables])
        bands = _by_band(None, radios, vaps)
        return ApPoll(
            name=cast("str | None", self._scalars.get("name")),
            mac=macs[0] if macs else None,
            up=True,
            clients=self.clients_total(),
            clients_2g=bands.g2,
            clients_5g=bands.g5,
            clients_6g=bands.g6,
            rx_bytes=rx,
            tx_bytes=tx,
            counter_bits=bits,
            uptime_s=cast("int | None", self._scalars.get("uptime_s")),
            channel_utilisation=_busiest(self._scalars.get("channel_utilisation"), radios),
            macs=tuple(dict.fromkeys(macs)),
        )

    def aps(self) -> Mapping[ApKey, ApPoll]:
        """Every AP that has a row of its own, or a radio or virtual AP that names it."""
        own = {row.key["ap"]: row for row in self._rows("aps")}
        radios, vaps, ports = (self._by_ap(role) for role in ("radios", "vaps", "ports"))
        return {
            key: self._ap(
                key, own.get(key), radios.get(key, []), vaps.get(key, []), ports.get(key, [])
            )
            for key in (*own, *radios, *vaps)
        }

    def _ap(
        self,
        key: ApKey,
        row: Row | None,
        radios: Sequence[Row],
        vaps: Sequence[Row],
        ports: Sequence[Row],
    ) -> ApPoll:
        own = row or Row({})
        bands = _by_band(row, radios, vaps)
        rx, tx, bits = self._traffic(
            [
                (self._table("aps"), [row] if row else []),
                (self._table("radios"), radios),
                (self._table("vaps"), vaps),
                (self._table("ports"), ports),
            ]
        )
        by_index = key if self._mac_indexed() and isinstance(key, str) else None
        mac = own.text("mac") or by_index
        up = own.text("up")
        name = own.text("name") or next(filter(None, (r.text("ap_name") for r in radios)), None)
        macs = tuple(dict.fromkeys(m for m in (mac, by_index) if m))
        clients = _first(own.number("clients"), total(radios, "clients"), total(vaps, "clients"))
        if up is None and not clients and self._states_failed():
            # One that is idle and one that is gone look alike: neither is known to serve.
            return ApPoll(name=name, mac=mac, macs=macs)
        return ApPoll(
            name=name,
            mac=mac,
            up=None if up is None else up == "up",
            clients=clients,
            clients_2g=bands.g2,
            clients_5g=bands.g5,
            clients_6g=bands.g6,
            rx_bytes=rx,
            tx_bytes=tx,
            counter_bits=bits,
            uptime_s=own.number("uptime_s"),
            channel_utilisation=_busiest(own.percent("channel_utilisation"), radios),
            macs=macs,
        )

    def _states_failed(self) -> bool:
        """Whether the device says which APs are up, and could not be asked this time."""
        table = self._profile.tables.get("aps")
        cells = table.columns.get("up", ()) if table else ()
        return any(self._raw.oid(cell) in self._raw.failed for cell in cells)

    def _traffic(
        self, sources: Sequence[tuple[Rows, Sequence[Row]]]
    ) -> tuple[int | None, int | None, int | None]:
        """Octets from and to clients, from the first table that counts them.

        Never from the next one because the first failed this time: another table's counters would
        look like traffic. A sum of counters is reported modulo their width, so that one of them
        wrapping looks to the reader of the sum like the sum wrapping.
        """
        for table, rows in sources:
            if table.counters_failed:
                return None, None, None
            bits = {row.counter_bits for row in rows if row.counter_bits}
            if bits:
                width = bits.pop()
                rx, tx = (self._modulo(total(rows, name), width) for name in COUNTERS)
                return rx, tx, width
        return None, None, None

    def _modulo(self, octets: int | None, width: int) -> int | None:
        if octets is None:
            return None
        octets %= 2**width
        if octets > MAX_COUNTER:
            self._drops.add("octets of an AP", f"larger than {MAX_COUNTER}")
            return None
        return octets

    def _scalar(self, name: str) -> Decoded:
        for cell in self._profile.scalars[name]:
            oid = self._raw.oid(cell)
            if oid is None or oid not in self._raw.scalars:
                continue
            try:
                value = decode(cell, self._raw.scalars[oid])
            except ValueError as error:
                self._drops.add(oid, str(error))
                continue
            if value is not None:
                return value
        return None

    def _count_stations(self) -> int | None:
        """Rows of the client table.

        None of them is a 0 only where another table of the device's wireless MIB answers: an
        empty table and one that does not exist look alike.
        """
        table = self._profile.tables.get("stations")
        if table is None:
            return None
        columns = asked("stations", table, client_tables=self._raw.client_tables)
        walked = all(self._raw.oid(c) in self._raw.columns for t in columns.values() for c in t)
        alive = any(self._rows(role) for role in ("aps", "radios", "ssids", "vaps"))
        return len(self._rows("stations")) or (0 if walked and alive else None)

    def _inherit_bands(self) -> None:
        """A virtual AP has the band of its radio: of the row whose index is a part of its own."""
        radios, vaps = self._profile.tables.get("radios"), self._profile.tables.get("vaps")
        if radios is None or vaps is None or not set(radios.index) <= set(vaps.index):
            return
        bands = {tuple(r.key.values()): r.text("band") for r in self._rows("radios")}
        for vap in self._rows("vaps"):
            if vap.text("band") is None:
                vap.fields["band"] = bands.get(tuple(vap.key[part] for part in radios.index))

    def _mac_indexed(self) -> bool:
        return any(t.index.get("ap") == "mac" for t in self._profile.tables.values())

    def _table(self, role: Role) -> Rows:
        return self._tables.get(role) or Rows()

    def _rows(self, role: Role) -> list[Row]:
        return self._table(role).rows

    def _by_ap(self, role: Role) -> dict[ApKey, list[Row]]:
        grouped: dict[ApKey, list[Row]] = {}
        for row in self._rows(role):
            if "ap" in row.key:
                grouped.setdefault(row.key["ap"], []).append(row)
        return grouped


class _Bands(NamedTuple):
    g2: int | None = None
    g5: int | None = None
    g6: int | None = None


def _by_band(own: Row | None, radios: Sequence[Row], vaps: Sequence[Row]) -> _Bands:
    """Clients of each band: as the AP says, else summed over the radios or virtual APs.

    If a row with clients does not say its band, no band is known: it could be in any.
    """
    if own is not None:
        said = _Bands(*(own.number(f"clients_{band}") for band in _BANDS))
        if said != _Bands():
            return said
    for rows in (radios, vaps):
        if total(rows, "clients") is None:
            continue
        if any(row.number("clients") and row.text("band") is None for row in rows):
            break
        by_band = ([r for r in rows if r.text("band") == band] for band in _BANDS)
        return _Bands(*(total(of_band, "clients") for of_band in by_band))
    return _Bands()


def _busiest(own: Decoded, radios: Sequence[Row]) -> float | None:
    if isinstance(own, (int, float)):
        return float(own)
    used = [p for row in radios if (p := row.percent("channel_utilisation")) is not None]
    return max(used, default=None)


def _first(*numbers: int | None) -> int | None:
    return next((n for n in numbers if n is not None), None)
