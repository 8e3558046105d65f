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
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.arrays import FloatingArray, IntegerArray

from collectors.reading import Reading
from pipeline.store.base import Level
from pipeline.store.schema import USAGE_COLUMNS
from pipeline.store.sqlite_file import connect, open_file, store_errors, transaction

SCHEMA_VERSION: Final = 1
UNKNOWN: Final = -1
"""Stands for NULL on the way to a frame: every stored quantity is at least 0."""

_LEVELS: Final[Mapping[Level, int]] = {"15min": 0, "hour": 1, "day": 2}

_FIGURES: Final = Reading._fields[3:-1]
"""What a sample says; a rewrite overwrites what it carries and keeps the rest."""
_USAGE: Final = tuple(name for name in USAGE_COLUMNS if name != "site")

_DDL: Final = (
    "CREATE TABLE aps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # Every site that an AP ever was at.
    "CREATE TABLE places (ap INTEGER, site INTEGER, PRIMARY KEY (ap, site)) WITHOUT ROWID",
    "CREATE TABLE samples (ap INTEGER, ts_ms INTEGER, site INTEGER NOT NULL, "
    + ", ".join(f"{n} {'REAL' if n == 'channel_utilisation' else 'INTEGER'}" for n in _FIGURES)
    + ", interval_s INTEGER NOT NULL, PRIMARY KEY (ap, ts_ms)) WITHOUT ROWID",
    "CREATE TABLE usage (level INTEGER, site INTEGER, "
    + ", ".join(f"{name} INTEGER" for name in _USAGE)
    + ", PRIMARY KEY (level, site, start_ms)) WITHOUT ROWID",
)
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
_USAGE_ROW: Final = np.dtype([(name, np.int64) for name in _USAGE])

Rows = npt.NDArray[np.void]
Ids = dict[str, int]


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
            self._writer = open_file(path, SCHEMA_VERSION, _DDL)

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
        columns = [_nullable(usage[name]) for name in _USAGE]
        with self._writing((), set(usage["site"])) as (db, _, ids):
            sites = [ids[name] for name in usage["site"]]
            db.executemany(
                f"INSERT OR REPLACE INTO usage (level, site, {', '.join(_USAGE)}) "  # noqa: S608
                f"VALUES ({_LEVELS[level]}, ?, {', '.join('?' * len(_USAGE))})",
                zip(sites, *columns, strict=True),
            )

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        query = (
            f"SELECT {', '.join(f'ifnull({name}, {UNKNOWN})' for name in _USAGE)} FROM usage "  # noqa: S608
            "WHERE level = ? AND site = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms"
        )
        with self._reading() as db:
            chosen = [(name, number) for name, number in _names(db, "sites") if _in(name, sites)]
            parts = [
                np.fromiter(
                    db.execute(query, (_LEVELS[level], number, start_ms, end_ms)), _USAGE_ROW
                )
                for _, number in chosen
            ]
        rows = np.concatenate([*parts, np.empty(0, _USAGE_ROW)])
        frame = {"site": _repeated([name for name, _ in chosen], parts)}
        for name in _USAGE:
            nullable = USAGE_COLUMNS[name] == "Int64"
            frame[name] = pd.Series(_masked(rows[name]) if nullable else rows[name].copy())
        return pd.DataFrame(frame)

    def close(self) -> None:
        """See the protocol."""
        with self._lock, store_errors(self._path):
            self._writer.close()

    def _samples(
        self, chosen: str, bounds: tuple[int, int], sites: Collection[str] | None
    ) -> pd.DataFrame:
        """`chosen`: the end of the query, which of an AP's samples in the bounds are wanted."""
        query = f"{_SELECT_SAMPLES} {chosen}"
        with self._reading() as db:
            site_names = dict(_names(db, "sites"))
            wanted = [number for name, number in site_names.items() if _in(name, sites)]
            among = f"SELECT ap FROM places WHERE site IN ({', '.join(map(str, wanted))})"  # noqa: S608
            heard = {ap for (ap,) in db.execute(among)}
            aps = [(name, number) for name, number in _names(db, "aps") if number in heard]
            parts = [
                np.fromiter(db.execute(query, (number, *bounds)), _SAMPLE_ROW) for _, number in aps
            ]
        if sites is not None:
            # An AP that moved has samples of other sites too.
            parts = [part[np.isin(part["site"], wanted)] for part in parts]
        rows = np.concatenate([*parts, np.empty(0, _SAMPLE_ROW)])
        places = pd.Series({number: name for name, number in site_names.items()}, dtype="str")
        columns: dict[str, pd.Series] = {
            "ap": _repeated([name for name, _ in aps], parts),
            "site": places.reindex(rows["site"]).reset_index(drop=True),
            "ts_ms": pd.Series(rows["ts_ms"].copy()),
        }
        for name in _FIGURES:
            columns[name] = pd.Series(_masked(rows[name]))
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
        return dict(_names(db, table))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each read, so that no reader waits for the writer."""
        with store_errors(self._path), closing(connect(self._path)) as db:
            db.execute("BEGIN")  # one snapshot for all that is read
            yield db


def _names(db: sqlite3.Connection, table: str) -> list[tuple[str, int]]:
    """Names and numbers, in the order of the names."""
    return db.execute(f"SELECT name, id FROM {table} ORDER BY name").fetchall()  # noqa: S608


def _in(name: str, chosen: Collection[str] | None) -> bool:
    return chosen is None or name in chosen


def _repeated(names: Sequence[str], parts: Sequence[Rows]) -> "pd.Series[str]":
    return pd.Series(names, dtype="str").repeat([len(p) for p in parts]).reset_index(drop=True)


def _masked(values: npt.NDArray[Any]) -> IntegerArray | FloatingArray:
    """Values with NA for UNKNOWN; never through floats, which are not exact past 2^53."""
    array = FloatingArray if values.dtype.kind == "f" else IntegerArray
    return array(values.copy(), values == UNKNOWN)


def _nullable(column: "pd.Series[int]") -> list[int | None]:
    whole = column.astype("Int64")
    listed: list[int | None] = whole.to_numpy(object, na_value=None).tolist()  # type: ignore[call-overload]  # None is left out of its stub
    return listed
