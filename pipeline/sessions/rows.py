"""The tables of the ledger, and how rows go in and out of them.

Sites and access points are stored as numbers, hashes as 64-bit integers.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from pipeline.sessions.counts import RUN_ROW, SESSION_ROW, UNKNOWN, Table
from pipeline.sessions.tracker import Session
from pipeline.sessions.watched import DAY_MS, Run, Source
from pipeline.store.sqlite_rows import Ids

SCHEMA_VERSION: Final = 1
DDL: Final = (
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_ms INTEGER, "
    "last_ms INTEGER)",
    "CREATE TABLE aps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    # source: `table` (client tables, followed live) or `import`. device, last_device: hashes, NULL
    # where the source tells none apart. exact: 1 where start and end are what they say.
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY, source TEXT NOT NULL, site INTEGER NOT NULL, "
    "ap INTEGER NOT NULL, device INTEGER, last_device INTEGER, randomised INTEGER, "
    "start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, exact INTEGER NOT NULL, "
    "rx_bytes INTEGER, tx_bytes INTEGER)",
    "CREATE INDEX sessions_by_start ON sessions (start_ms)",
    # The few that no look one day back finds.
    f"CREATE INDEX sessions_long ON sessions (end_ms) WHERE end_ms - start_ms > {DAY_MS}",
    "CREATE INDEX sessions_followed ON sessions (site, end_ms) WHERE source = 'table'",
    "CREATE TABLE watched (site INTEGER, ap INTEGER, start_ms INTEGER, end_ms INTEGER NOT NULL, "
    "aps INTEGER NOT NULL, durations INTEGER NOT NULL, devices INTEGER NOT NULL, "
    "randomised INTEGER NOT NULL, PRIMARY KEY (site, ap, start_ms)) WITHOUT ROWID",
    "CREATE INDEX watched_by_start ON watched (start_ms)",
)

IMPORTED_ROW: Final = np.dtype(
    [
        ("site", np.int64),
        ("device", np.int64),
        ("last_device", np.int64),
        ("known", np.int64),  # 1: the device is, 0: it is not
        ("randomised", np.int64),
        ("start_ms", np.int64),
        ("end_ms", np.int64),
        ("rx_bytes", np.int64),
        ("tx_bytes", np.int64),
    ]
)
"""A session of another system; `site` is a place in a list of names, UNKNOWN stands for NULL."""
FOLLOWED_ROW: Final = np.dtype(
    [
        (name, np.int64)
        for name in ("ap", "device", "last_device", "randomised", "start_ms", "end_ms")
    ]
)
"""A session of a site's client tables; `ap`, where it began, is a place in a list of names."""

_READ: Final = f"""
SELECT site, ap, device IS NOT NULL, ifnull(device, 0), ifnull(last_device, 0),
    ifnull(randomised, {UNKNOWN}), start_ms, end_ms, exact FROM sessions
"""  # noqa: S608 - numbers and names of our own
_MEETING: Final = (
    f"{_READ} WHERE start_ms >= :since - {DAY_MS} AND start_ms < :until "
    "AND max(end_ms, start_ms + 1) > :since UNION ALL "
    f"{_READ} INDEXED BY sessions_long WHERE end_ms - start_ms > {DAY_MS} AND end_ms > :since "
    f"AND start_ms < :since - {DAY_MS}"
)


def sessions_meeting(db: sqlite3.Connection, since_ms: int, until_ms: int) -> Table:
    """Every session that is under way in [since, until), as SESSION_ROW."""
    rows = db.execute(_MEETING, {"since": since_ms, "until": until_ms})
    return np.fromiter(rows, SESSION_ROW)


def runs_meeting(db: sqlite3.Connection, since_ms: int, until_ms: int) -> Table:
    """All watched time that meets [since, until), as RUN_ROW."""
    rows = db.execute(
        "SELECT site, ap, start_ms, end_ms, aps, durations, devices, randomised FROM watched "
        "WHERE start_ms >= ? AND start_ms < ? AND end_ms > ?",
        (since_ms - DAY_MS, until_ms, since_ms),
    )
    return np.fromiter(rows, RUN_ROW)


def followed(
    db: sqlite3.Connection, site: str, ids: Ids, since_ms: int, until_ms: int
) -> list[Session]:
    """Sessions of a site's client tables that end after `since` and begin before `until`."""
    rows = db.execute(
        "SELECT sessions.id, aps.name, device, last_device, randomised, start_ms, end_ms "
        "FROM sessions INDEXED BY sessions_followed JOIN aps ON aps.id = ap "
        "WHERE source = 'table' AND site = ? AND end_ms > ? AND start_ms < ?",
        (ids[site], since_ms, until_ms),
    )
    return [
        Session(
            site=site,
            ap=ap,
            device=_octets(device),
            last_device=_octets(last_device),
            randomised=bool(randomised),
            start_ms=start_ms,
            end_ms=end_ms,
            id=number,
        )
        for number, ap, device, last_device, randomised, start_ms, end_ms in rows
    ]


def write_followed(
    db: sqlite3.Connection, sessions: Iterable[Session], sites: Ids, aps: Ids
) -> None:
    """Insert new sessions and update those that went on."""
    db.executemany(
        "INSERT INTO sessions (id, source, site, ap, device, last_device, randomised, start_ms, "
        "end_ms, exact) VALUES (?, 'table', ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET "
        "ap = excluded.ap, device = excluded.device, last_device = excluded.last_device, "
        "start_ms = excluded.start_ms, end_ms = excluded.end_ms",
        (
            (
                s.id, sites[s.site], aps[s.ap], _number(s.device), _number(s.last_device),
                s.randomised, s.start_ms, s.end_ms,
            )
            for s in sessions
        ),
    )  # fmt: skip


def insert_followed(db: sqlite3.Connection, sessions: Table, site: int, aps: Sequence[int]) -> None:
    """Insert sessions of a site's client tables (FOLLOWED_ROW). `aps`: the numbers of its list."""
    columns = [sessions[name] for name in FOLLOWED_ROW.names or () if name != "ap"]
    places = [np.full(len(sessions), site), np.array(aps, dtype=np.int64)[sessions["ap"]]]
    db.executemany(
        "INSERT INTO sessions (source, exact, site, ap, device, last_device, randomised, start_ms, "
        "end_ms) VALUES ('table', 0, ?, ?, ?, ?, ?, ?, ?)",
        zip(*(column.tolist() for column in [*places, *columns]), strict=True),
    )


def insert_imported(db: sqlite3.Connection, sessions: Table, sites: Sequence[int], ap: int) -> None:
    """Insert sessions of another system (IMPORTED_ROW). `sites`: the numbers of its list."""
    numbers = np.array(sites, dtype=np.int64)[sessions["site"]]
    columns = [sessions[name] for name in IMPORTED_ROW.names or () if name != "site"]
    db.executemany(
        "INSERT INTO sessions (source, ap, exact, site, device, last_device, randomised, start_ms, "
        f"end_ms, rx_bytes, tx_bytes) SELECT 'import', {ap}, 1, ?1, iif(?4, ?2, NULL), "
        f"iif(?4, ?3, NULL), nullif(?5, {UNKNOWN}), ?6, ?7, nullif(?8, {UNKNOWN}), "
        f"nullif(?9, {UNKNOWN})",
        zip(numbers.tolist(), *(column.tolist() for column in columns), strict=True),
    )


def imported_keys(db: sqlite3.Connection, first_ms: int, last_ms: int) -> Table:
    """Site, start and end of the imported sessions that began in [first, last]."""
    found = db.execute(
        "SELECT site, start_ms, end_ms FROM sessions WHERE source = 'import' "
        "AND start_ms >= ? AND start_ms <= ?",
        (first_ms, last_ms),
    )
    return np.fromiter(found, np.dtype([(n, np.int64) for n in ("site", "start_ms", "end_ms")]))


def watched_runs(
    db: sqlite3.Connection, site: int, ap: int, since_ms: int, until_ms: int
) -> list[Run]:
    """Watched time of an AP that overlaps or touches [since, until], in order."""
    rows = db.execute(
        "SELECT start_ms, end_ms, aps, durations, devices, randomised FROM watched "
        "WHERE site = ? AND ap = ? AND start_ms >= ? AND start_ms <= ? AND end_ms >= ? "
        "ORDER BY start_ms",
        (site, ap, since_ms - DAY_MS, until_ms, since_ms),
    )
    return [
        Run(start_ms, end_ms, Source(aps, *map(bool, knows)))
        for start_ms, end_ms, aps, *knows in rows
    ]


def replace_runs(
    db: sqlite3.Connection, site: int, ap: int, before: Sequence[Run], now: Sequence[Run]
) -> None:
    """Write an AP's watched time in place of what it was, and how far the site's reaches."""
    old, new = set(before), set(now)
    db.executemany(
        "DELETE FROM watched WHERE site = ? AND ap = ? AND start_ms = ?",
        [(site, ap, run.start_ms) for run in old - new],
    )
    db.executemany(
        "INSERT INTO watched VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(site, ap, run.start_ms, run.end_ms, *run.source) for run in new - old],
    )
    db.execute(
        "UPDATE sites SET first_ms = min(ifnull(first_ms, ?2), ?2), "
        "last_ms = max(ifnull(last_ms, ?3), ?3) WHERE id = ?1",
        (site, now[0].start_ms, now[-1].end_ms),
    )


def expire(db: sqlite3.Connection, sites: Sequence[int], before_ms: int) -> int:
    """Delete what was over before an instant; returns the number of sessions."""
    listed = ", ".join(map(str, sites))
    gone = f"WHERE start_ms < ?1 AND end_ms <= ?1 AND site IN ({listed})"
    deleted = db.execute(f"DELETE FROM sessions {gone}", (before_ms,)).rowcount  # noqa: S608 - numbers
    for statement in (
        f"DELETE FROM watched {gone}",  # noqa: S608
        f"UPDATE watched SET start_ms = ?1 WHERE start_ms < ?1 AND site IN ({listed})",  # noqa: S608
    ):
        db.execute(statement, (before_ms,))
    return deleted


def lengths(db: sqlite3.Connection, since_ms: int, until_ms: int) -> Iterator[tuple[int, ...]]:
    """Site, start, length and exactness of each session that began in [since, until)."""
    return db.execute(
        "SELECT site, start_ms, end_ms - start_ms, exact FROM sessions "
        "WHERE start_ms >= ? AND start_ms < ?",
        (since_ms, until_ms),
    )


def _number(key: bytes) -> int:
    return int.from_bytes(key, "big", signed=True)


def _octets(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)
