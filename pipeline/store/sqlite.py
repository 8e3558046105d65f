"""The embedded store: one SQLite file in WAL mode, nothing to install.

Readers in other processes see a consistent past while one process writes. Access points and sites
are stored as numbers; an AP's samples lie together in time order, so that a window is read by one
short range scan per AP and no second index has to be kept.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from collectors.reading import Reading
from pipeline.store import sqlite_usage
from pipeline.store.base import ApLevel, Level
from pipeline.store.sqlite_file import connect, open_file, store_errors, transaction
from pipeline.store.sqlite_rows import UNKNOWN, Ids, is_chosen, masked, name_ids, repeated

SCHEMA_VERSION: Final = 2
_FIGURES: Final = Reading._fields[3:-1]
"""What a sample says; a rewrite overwrites what it carries and keeps the rest."""

_DDL: Final = (
    "CREATE TABLE aps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # Every site that an AP ever was at.
    "CREATE TABLE places (ap INTEGER, site INTEGER, PRIMARY KEY (ap, site)) WITHOUT ROWID",
    "CREATE TABLE samples (ap INTEGER, ts_ms INTEGER, site INTEGER NOT NULL, "
    + ", ".join(f"{n} {'REAL' if n == 'channel_utilisation' else 'INTEGER'}" for n in _FIGURES)
    + ", interval_s INTEGER NOT NULL, PRIMARY KEY (ap, ts_ms)) WITHOUT ROWID",
    *sqlite_usage.DDL,
)
_LATER: Final = {2: sqlite_usage.DDL_2}
"""What each version added."""
_WRITE_SAMPLE: Final = f"""
INSERT INTO samples (ap, ts_ms, site, {", ".join(_FIGURES)}, interval_s)
VALUES (?, ?, ?, {", ".join("?" * len(_FIGURES))}, ?)
ON CONFLICT (ap, ts_ms) DO UPDATE SET
    site = excluded.site, interval_s = excluded.interval_s,
    {", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in _FIGURES)}
"""  # noqa: S608 - column names of our own
_SAMPLE_ROW: Final = np.dtype(
    [("site", np.int64), ("ts_ms", np.int64), ("interval_s", np.int64)]
    + [(n, np.float64 if n == "channel_utilisation" else np.int64) for n in _FIGURES]
)
_SELECT_SAMPLES: Final = f"""
SELECT site, ts_ms, interval_s, {", ".join(f"ifnull({name}, {UNKNOWN})" for name in _FIGURES)}
FROM samples WHERE ap = ? AND ts_ms >= ? AND ts_ms < ?
"""  # noqa: S608


class SqliteStore:
    """Implements `pipeline.store.base.Store`. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open, or make, the file. Raises StoreError where that is impossible."""
        self._path = path
        self._lock = threading.Lock()
        self._ids: dict[str, Ids] = {"aps": {}, "sites": {}}
        """Numbers of names once written; none is ever taken back."""
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = open_file(path, SCHEMA_VERSION, _DDL, _LATER)

    def write_samples(self, readings: Sequence[Reading]) -> None:
        """See the protocol."""
        with self._writing({r.ap for r in readings}, {r.site for r in readings}) as (
            db,
            ap_ids,
            site_ids,
        ):
            db.executemany(
                "INSERT OR IGNORE INTO places VALUES (?, ?)",
                {(ap_ids[r.ap], site_ids[r.site]) for r in readings},
            )
            db.executemany(
                _WRITE_SAMPLE,
                ((ap_ids[r.ap], r.ts_ms, site_ids[r.site], *r[3:]) for r in readings),
            )

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        return self._samples("ORDER BY ts_ms", (start_ms, end_ms), sites)

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """See the protocol."""
        counters = "AND (rx_bytes IS NOT NULL OR tx_bytes IS NOT NULL)" if with_counters else ""
        last = f"{counters} ORDER BY ts_ms DESC LIMIT 1"
        return self._samples(last, (since_ms, before_ms), sites)

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        """See the protocol."""
        with self._reading() as db:
            found = db.execute(
                "SELECT min(ts_ms) FROM samples WHERE ap = (SELECT id FROM aps WHERE name = ?) "
                "AND ts_ms > ? AND ts_ms < ? AND (rx_bytes IS NOT NULL OR tx_bytes IS NOT NULL)",
                (ap, after_ms, until_ms),
            ).fetchone()
        return None if found is None else found[0]

    def moved_aps(self) -> Mapping[str, Collection[str]]:
        """See the protocol."""
        found: dict[str, set[str]] = {}
        with self._reading() as db:
            for ap, site in db.execute(
                "SELECT aps.name, sites.name FROM places "
                "JOIN aps ON aps.id = places.ap JOIN sites ON sites.id = places.site "
                "WHERE ap IN (SELECT ap FROM places GROUP BY ap HAVING count(*) > 1)"
            ):
                found.setdefault(ap, set()).add(site)
        return found

    def span(self) -> Mapping[str, tuple[int, int]]:
        """See the protocol."""
        one = "(SELECT ts_ms FROM samples s WHERE s.ap = p.ap AND s.site = p.site ORDER BY ts_ms"
        with self._reading() as db:
            rows = db.execute(
                f"SELECT sites.name, min({one} LIMIT 1)), max({one} DESC LIMIT 1)) "  # noqa: S608
                "FROM places p JOIN sites ON sites.id = p.site GROUP BY sites.name"
            ).fetchall()
        return {site: (first, last) for site, first, last in rows if first is not None}

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        """See the protocol."""
        self._write_usage(sqlite_usage.SITES, level, usage)

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        with self._reading() as db:
            return sqlite_usage.read(db, sqlite_usage.SITES, level, (start_ms, end_ms), sites)

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        """See the protocol."""
        self._write_usage(sqlite_usage.ACCESS_POINTS, level, usage)

    def read_ap_usage(
        self, level: ApLevel, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        window = (start_ms, end_ms)
        with self._reading() as db:
            return sqlite_usage.read(db, sqlite_usage.ACCESS_POINTS, level, window, sites)

    def close(self) -> None:
        """See the protocol."""
        with self._lock, store_errors(self._path):
            self._writer.close()

    def _write_usage(self, table: sqlite_usage.Table, level: Level, usage: pd.DataFrame) -> None:
        aps = usage["ap"].unique() if "ap" in table.names else ()
        with self._writing(aps, usage["site"].unique()) as (db, ap_ids, site_ids):
            sqlite_usage.write(db, table, level, usage, {"aps": ap_ids, "sites": site_ids})

    def _samples(
        self, chosen: str, bounds: tuple[int, int], sites: Collection[str] | None
    ) -> pd.DataFrame:
        """`chosen`: the end of the query, which of an AP's samples in the bounds are wanted."""
        query = f"{_SELECT_SAMPLES} {chosen}"
        with self._reading() as db:
            site_names = dict(name_ids(db, "sites"))
            wanted = [number for name, number in site_names.items() if is_chosen(name, sites)]
            among = f"SELECT ap FROM places WHERE site IN ({', '.join(map(str, wanted))})"  # noqa: S608
            heard = {ap for (ap,) in db.execute(among)}
            aps = [(name, number) for name, number in name_ids(db, "aps") if number in heard]
            parts = [
                np.fromiter(db.execute(query, (number, *bounds)), _SAMPLE_ROW) for _, number in aps
            ]
        if sites is not None:
            # An AP that moved has samples of other sites too.
            parts = [part[np.isin(part["site"], wanted)] for part in parts]
        rows = np.concatenate([*parts, np.empty(0, _SAMPLE_ROW)])
        places = pd.Series({number: name for name, number in site_names.items()}, dtype="str")
        columns: dict[str, pd.Series] = {
            "ap": repeated([name for name, _ in aps], parts),
            "site": places.reindex(rows["site"]).reset_index(drop=True),
            "ts_ms": pd.Series(rows["ts_ms"].copy()),
        }
        for name in _FIGURES:
            columns[name] = pd.Series(masked(rows[name]))
        columns["interval_s"] = pd.Series(rows["interval_s"].copy())
        return pd.DataFrame(columns)

    @contextmanager
    def _writing(
        self, aps: Iterable[str], sites: Iterable[str]
    ) -> Iterator[tuple[sqlite3.Connection, Ids, Ids]]:
        """A transaction, durable when the block ends, and the numbers of all these names."""
        with self._lock, store_errors(self._path):
            with transaction(self._writer) as db:
                found = {"aps": self._numbered(db, "aps", aps)}
                found["sites"] = self._numbered(db, "sites", sites)
                yield db, found["aps"], found["sites"]
            self._ids = found  # only now: a transaction that failed numbered nothing

    def _numbered(self, db: sqlite3.Connection, table: str, names: Iterable[str]) -> Ids:
        new = sorted(set(names) - self._ids[table].keys())
        if not new:
            return self._ids[table]
        # Another process may have numbered them since.
        db.executemany(
            f"INSERT OR IGNORE INTO {table} (name) VALUES (?)",  # noqa: S608
            [(name,) for name in new],
        )
        return dict(name_ids(db, table))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each read, so that no reader waits for the writer."""
        with store_errors(self._path), closing(connect(self._path)) as db:
            db.execute("BEGIN")  # one snapshot for all that is read
            yield db
