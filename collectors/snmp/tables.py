"""Columns as walked become rows by role; what is wrong is dropped and counted, never guessed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.snmp.decode import Decoded, decode
from collectors.snmp.engine import Value
from collectors.snmp.oids import SYS_OBJECT_ID, decode_index
from collectors.snmp.profile import Cell, Table

COUNTERS: Final = ("rx_bytes", "tx_bytes")
_BANDS: Final = ("clients_2g", "clients_5g", "clients_6g")


@dataclass(slots=True)
class Raw:
    """What a device answered, before any meaning is given to it."""

    sys_object_id: str | None = None
    sys_descr: str | None = None
    scalars: dict[str, Value] = field(default_factory=dict, repr=False)
    """By OID."""
    columns: dict[str, Sequence[tuple[str, Value]]] = field(default_factory=dict, repr=False)
    """By the column's OID: index and value of each cell, of the columns walked to their end. Never
    printed: they may hold the addresses of clients.
    """
    failed: set[str] = field(default_factory=set)
    """Columns whose walk failed: nothing is known of them, least of all that they are empty."""
    client_tables: bool = False
    """Whether it was asked who the clients are, beyond how many."""

    def oid(self, cell: Cell) -> str | None:
        """The cell's OID on this device; None: it hangs below a sysObjectID that is unknown."""
        if not cell.oid.startswith(SYS_OBJECT_ID):
            return cell.oid
        if self.sys_object_id is None:
            return None
        return self.sys_object_id + cell.oid.removeprefix(SYS_OBJECT_ID)


class Drops:
    """Counts values that were dropped as wrong, by OID, with the reason of the first."""

    def __init__(self) -> None:
        self._drops: dict[str, tuple[int, str]] = {}

    def add(self, oid: str, reason: str) -> None:
        """Count one. `oid` is that of the column: the index may hold a client's address."""
        count, first = self._drops.get(oid, (0, reason))
        self._drops[oid] = (count + 1, first)

    def __iter__(self) -> Iterator[str]:
        for oid, (count, reason) in self._drops.items():
            yield f"{oid}: {count} wrong value{'s' if count > 1 else ''} dropped: {reason}"


class Row:
    """A row of a table: its index parts and its fields."""

    __slots__ = ("counter_bits", "fields", "key", "wrong")

    def __init__(self, key: Mapping[str, int | str]) -> None:
        self.key = key
        self.fields: dict[str, Decoded] = {}
        self.wrong: set[str] = set()
        """Fields that the device has, with a value that was dropped."""
        self.counter_bits: int | None = None

    def number(self, name: str) -> int | None:
        """A field that holds a whole number."""
        value = self.fields.get(name)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str | None:
        """A field that holds text."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else None

    def percent(self, name: str) -> float | None:
        """A field that holds a percentage."""
        value = self.fields.get(name)
        return None if value is None or isinstance(value, str) else float(value)


@dataclass(slots=True)
class Rows:
    """The rows of a table, in the device's order."""

    rows: list[Row] = field(default_factory=list)
    counters_failed: bool = False
    """There may be counters here, but they could not be read this time."""


def read_table(table: Table | None, raw: Raw, drops: Drops) -> Rows:
    """Put the columns of a table together. A profile without the table: no rows."""
    if table is None:
        return Rows()
    filters = {*table.only, *table.leave_out}
    if any(_failed(table.columns.get(name, ()), raw) for name in filters):
        # Without the filter's column, what is to be left out would be counted.
        return Rows(counters_failed=True)
    reader = _Reader(table, raw, drops)
    for name, cells in table.columns.items():
        if name not in COUNTERS:
            for cell in cells:
                reader.fill(name, cell)
    counters = {name: table.columns.get(name, ()) for name in COUNTERS}
    for cells in counters.values():
        for cell in cells:
            reader.touch(cell)
    reader.filter()
    failed = any(_failed(cells, raw) for cells in counters.values())
    if not failed:
        reader.fill_counters(counters["rx_bytes"], counters["tx_bytes"])
    rows = list(reader.rows.values())
    for row in rows:
        _sum_bands(row)
    return Rows(rows, counters_failed=failed)


def has_traffic(cell: Cell, raw: Raw) -> bool:
    """Whether any counter of a column has ever counted."""
    return any(value not in (0, b"0") for _, value in raw.columns.get(raw.oid(cell) or "", ()))


def total(rows: Sequence[Row], name: str) -> int | None:
    """A sum over rows; None: no row says, or one said something wrong (a part is no total)."""
    if any(name in row.wrong for row in rows):
        return None
    numbers = [number for row in rows if (number := row.number(name)) is not None]
    return sum(numbers) if numbers else None


def _failed(cells: Sequence[Cell], raw: Raw) -> bool:
    return any(raw.oid(cell) in raw.failed for cell in cells)


def _sum_bands(row: Row) -> None:
    if row.number("clients") is None and "clients" not in row.wrong:
        counts = [n for band in _BANDS if (n := row.number(band)) is not None]
        if row.wrong.intersection(_BANDS):
            row.wrong.add("clients")
        elif counts:
            row.fields["clients"] = sum(counts)


class _Reader:
    def __init__(self, table: Table, raw: Raw, drops: Drops) -> None:
        self.rows: dict[tuple[int | str, ...], Row] = {}
        self._table = table
        self._raw = raw
        self._drops = drops
        self._names = tuple(table.index)
        self._kinds = tuple(table.index.values())
        self._keys: dict[tuple[str, str | None], tuple[int | str, ...] | None] = {}

    def fill(self, name: str, cell: Cell) -> None:
        """Read a column into a field, where no column before it said something."""
        oid = self._raw.oid(cell) or ""
        for row, value in self._cells(cell, create=True):
            if row.fields.get(name) is not None:
                continue
            try:
                row.fields[name] = decode(cell, value)
                row.wrong.discard(name)
            except ValueError as error:
                row.wrong.add(name)
                self._drops.add(oid, str(error))

    def touch(self, cell: Cell) -> None:
        """A row exists, even if all that the device says of it is a counter."""
        for _ in self._cells(cell, create=True):
            pass

    def filter(self) -> None:
        """Keep the rows that the profile wants."""
        self.rows = {key: row for key, row in self.rows.items() if self._wanted(row)}

    def fill_counters(self, rx: Sequence[Cell], tx: Sequence[Cell]) -> None:
        """Read both counters in the same width.

        Some devices have 64-bit columns that stay 0 for ever, beside 32-bit ones that count.
        """
        pairs = list(zip(rx, tx, strict=True))
        present = [pair for pair in pairs if any(self._has_rows(cell) for cell in pair)]
        counting = [pair for pair in present if any(has_traffic(c, self._raw) for c in pair)]
        for name, cell in zip(COUNTERS, next(iter(counting or present), ()), strict=False):
            self.fill_counter(name, cell)

    def fill_counter(self, name: str, cell: Cell) -> None:
        """Read one counter into the rows that are wanted."""
        oid = self._raw.oid(cell) or ""
        for row, value in self._cells(cell, create=False):
            try:
                row.fields[name] = decode(cell, value)
                row.counter_bits = 32 if cell.kind == "counter32" else 64
            except ValueError as error:
                row.wrong.add(name)
                self._drops.add(oid, str(error))

    def _has_rows(self, cell: Cell) -> bool:
        return any(True for _ in self._cells(cell, create=False))

    def _cells(self, cell: Cell, *, create: bool) -> Iterator[tuple[Row, Value]]:
        oid = self._raw.oid(cell) or ""
        for suffix, value in self._raw.columns.get(oid, ()):
            key = self._key(oid, suffix, cell.prefix)
            if key is None:
                continue
            row = self.rows.get(key)
            if row is None:
                if not create:
                    continue
                row = self.rows[key] = Row(dict(zip(self._names, key, strict=True)))
            yield row, value

    def _key(self, oid: str, suffix: str, prefix: str | None) -> tuple[int | str, ...] | None:
        cached = (suffix, prefix)
        if cached not in self._keys:
            self._keys[cached] = self._decoded_key(oid, suffix, prefix)
        return self._keys[cached]

    def _decoded_key(
        self, oid: str, suffix: str, prefix: str | None
    ) -> tuple[int | str, ...] | None:
        try:
            key = decode_index(self._kinds, suffix)
        except ValueError as error:
            self._drops.add(oid, str(error))
            return None
        if prefix is None:
            return key
        last = str(key[-1])
        return (*key[:-1], last.removeprefix(prefix)) if last.startswith(prefix) else None

    def _wanted(self, row: Row) -> bool:
        def fits(name: str, regex: str) -> bool:
            value = row.key.get(name, row.fields.get(name))
            return re.search(regex, "" if value is None else str(value)) is not None

        # A row whose value was dropped stays: what it is part of must know that it is not known.
        only = all(name in row.wrong or fits(name, rx) for name, rx in self._table.only.items())
        return only and not any(fits(name, rx) for name, rx in self._table.leave_out.items())
