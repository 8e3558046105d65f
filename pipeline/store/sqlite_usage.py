"""Usage in the embedded store, of sites and of access points.

The rows of a site lie together in time order, those of its access points too: a window is read by
one short range scan per site.
"""

import sqlite3
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.store.base import Level
from pipeline.store.schema import AP_USAGE, SITE_USAGE, UsageSchema
from pipeline.store.sqlite_rows import UNKNOWN, Ids, is_chosen, masked, name_ids, nullable, repeated

_LEVELS: Final[Mapping[Level, int]] = {"15min": 0, "hour": 1, "day": 2}

_FIRST: Final = (
    "start_ms", "end_ms", "aps", "expected_ms", "covered_ms", "up_ms", "down_ms", "maintenance_ms",
    "clients_ms", "user_ms", "peak_clients", "rx_bytes", "tx_bytes",
)  # fmt: skip
_SINCE_2: Final = ("sessions", "passers_by", "device_days", "randomised_device_days")

DDL: Final = (
    "CREATE TABLE usage (level INTEGER, site INTEGER, "
    + ", ".join(f"{name} INTEGER" for name in _FIRST)
    + ", PRIMARY KEY (level, site, start_ms)) WITHOUT ROWID",
)
DDL_2: Final = (
    "ALTER TABLE usage ADD COLUMN watched_ms INTEGER NOT NULL DEFAULT 0",
    *(f"ALTER TABLE usage ADD COLUMN {name} INTEGER" for name in _SINCE_2),
    "CREATE TABLE ap_usage (level INTEGER, site INTEGER, ap INTEGER, "
    + ", ".join(f"{name} INTEGER" for name in (*_FIRST, "watched_ms", *_SINCE_2) if name != "aps")
    + ", PRIMARY KEY (level, site, start_ms, ap)) WITHOUT ROWID",
)
"""What version 2 added: who is there, and access points."""


class Table(NamedTuple):
    """A table of usage."""

    name: str
    schema: UsageSchema
    names: Mapping[str, str]
    """Columns that hold numbers for names, and the tables of these names."""

    @property
    def figures(self) -> tuple[str, ...]:
        """The columns that hold what they say."""
        return tuple(name for name in self.schema.columns if name not in self.names)


SITES: Final = Table("usage", SITE_USAGE, {"site": "sites"})
ACCESS_POINTS: Final = Table("ap_usage", AP_USAGE, {"site": "sites", "ap": "aps"})


def write(
    db: sqlite3.Connection, table: Table, level: Level, usage: pd.DataFrame, ids: Mapping[str, Ids]
) -> None:
    """Replace rows. `ids`: numbers of all their names, by the table of the names."""
    numbers = [usage[column].map(ids[named]).tolist() for column, named in table.names.items()]
    values = [nullable(usage[name]) for name in table.figures]
    columns = (*table.names, *table.figures)
    db.executemany(
        f"INSERT OR REPLACE INTO {table.name} (level, {', '.join(columns)}) "  # noqa: S608
        f"VALUES ({_LEVELS[level]}, {', '.join('?' * len(columns))})",
        zip(*numbers, *values, strict=True),
    )


def read(
    db: sqlite3.Connection,
    table: Table,
    level: Level,
    window: tuple[int, int],
    sites: Collection[str] | None,
) -> pd.DataFrame:
    """The periods that start in the window, [start, end), sorted by the key."""
    others = [name for name in table.names if name != "site"]
    dtype = np.dtype([(name, np.int64) for name in (*others, *table.figures)])
    asked = ", ".join((*others, *(f"ifnull({name}, {UNKNOWN})" for name in table.figures)))
    query = (
        f"SELECT {asked} FROM {table.name} "  # noqa: S608
        "WHERE level = ? AND site = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms"
    )
    chosen = [(name, number) for name, number in name_ids(db, "sites") if is_chosen(name, sites)]
    parts = [
        np.fromiter(db.execute(query, (_LEVELS[level], number, *window)), dtype)
        for _, number in chosen
    ]
    rows = np.concatenate([*parts, np.empty(0, dtype)])
    frame: dict[str, object] = {"site": repeated([name for name, _ in chosen], parts)}
    for column in others:
        known = {number: name for name, number in name_ids(db, table.names[column])}
        named = pd.Series(known, dtype="str").reindex(rows[column])
        frame[column] = named.reset_index(drop=True)
    for name in table.figures:
        values = rows[name]
        unknown = table.schema.columns[name] == "Int64"
        frame[name] = pd.Series(masked(values) if unknown else values.copy())
    found = pd.DataFrame(frame)
    return found.sort_values(table.schema.key, ignore_index=True) if others else found
