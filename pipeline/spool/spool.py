"""Samples on this machine's disk until the remote store has them.

One SQLite file in WAL mode with synchronous=FULL: what `append` returned from survives SIGKILL and
a power cut. Each waiting sample is one row, found by its key (`ap`, `ts_ms`) as in every store: a
rewrite of a sample that still waits becomes one line, so the order in which lines are sent does not
matter.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.spool.destination import SpooledLine
from pipeline.store.base import StoreError
from pipeline.store.influx.line_protocol import fields_of, merge_lines
from pipeline.store.sqlite_file import NewerSchemaError, connect, migrate, transaction

DEFAULT_MAX_BYTES: Final = 2 << 30
SCHEMA_VERSION: Final = 1
_DDL: Final = (
    # A number is never used again, so that a line rewritten while it is on its way is told apart.
    "CREATE TABLE waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, ts_ms INTEGER NOT NULL, "
    "ap TEXT NOT NULL, site TEXT NOT NULL, queued_ms INTEGER NOT NULL, line BLOB NOT NULL)",
    "CREATE UNIQUE INDEX waiting_key ON waiting (ts_ms, ap)",
    "CREATE TABLE rejected (id INTEGER PRIMARY KEY AUTOINCREMENT, ts_ms INTEGER NOT NULL, "
    "ap TEXT NOT NULL, site TEXT NOT NULL, at_ms INTEGER NOT NULL, reason TEXT NOT NULL, "
    "line BLOB NOT NULL)",
    # Every site that an AP was ever at.
    "CREATE TABLE places (ap TEXT, site TEXT, PRIMARY KEY (ap, site)) WITHOUT ROWID",
    "CREATE TABLE depth (lines INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO depth VALUES (0, 0)",
    "CREATE TABLE marks (name TEXT PRIMARY KEY) WITHOUT ROWID",
)
_LINES: Final = "SELECT seq, ap, site, ts_ms, line FROM waiting "


class SpoolFullError(StoreError):
    """There is no room to make samples durable, on the disk or within the spool's bound."""


class Waiting(NamedTuple):
    """A sample to spool."""

    ap: str
    site: str
    ts_ms: int
    line: bytes


class Rejected(NamedTuple):
    """A line that the remote store will never take as it is."""

    id: int
    ap: str
    site: str
    ts_ms: int
    at_ms: int
    reason: str
    line: str


class SpoolHealth(NamedTuple):
    """How much waits, and since when."""

    lines: int
    bytes: int
    """Of the waiting lines; the file is about twice that."""
    oldest_ms: int | None
    """When the line that waits longest was spooled, UTC milliseconds."""
    rejected: int
    used_bytes: int
    """Of the file, as compared with max_bytes."""
    max_bytes: int

    def age_s(self, now_ms: int) -> float:
        """How long the oldest line has waited; 0 where none waits."""
        return 0.0 if self.oldest_ms is None else max(0.0, (now_ms - self.oldest_ms) / 1000)


class Spool:
    """The queue of unsent samples. Safe to use from several threads and processes."""

    def __init__(self, path: Path, *, max_bytes: int = DEFAULT_MAX_BYTES):
        """`max_bytes`: what the file may take, rejected lines included; more is refused."""
        self.path = path
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._reader_lock = threading.Lock()
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(path)
            try:
                migrate(self._db, SCHEMA_VERSION, _DDL)
                self._places = set(self._db.execute("SELECT ap, site FROM places"))
                (self._page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
                self._reader = connect(path)
            except BaseException:
                self._db.close()
                raise

    def append(self, samples: Sequence[Waiting], now_ms: int) -> None:
        """Queue samples; durable on return. A sample that already waits takes the new fields.

        Raises SpoolFullError, and then nothing of `samples` is queued.
        """
        if not samples:
            return
        new = {(s.ap, s.site) for s in samples} - self._places
        with self._writing():
            self._insert(samples, now_ms)
            self._db.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", sorted(new))
            used = self._used_bytes()
            if used > self.max_bytes:
                raise SpoolFullError(
                    f"{self.path} is full: what waits for the remote store would take "
                    f"{used:,} bytes, {self.max_bytes:,} are allowed; nothing is taken in until "
                    "some of it could be sent"
                )
        self._places |= new

    def oldest(self, limit: int) -> list[SpooledLine]:
        """The lines that wait longest."""
        return self._lines("ORDER BY seq LIMIT ?", (limit,))

    def newest(self, limit: int) -> list[SpooledLine]:
        """The lines that came last."""
        return self._lines("ORDER BY seq DESC LIMIT ?", (limit,))

    def window(self, start_ms: int, end_ms: int, *, ap: str | None = None) -> list[SpooledLine]:
        """The waiting samples of [start, end) in the order of time, of all APs or one."""
        return self._lines(
            "WHERE ts_ms >= ? AND ts_ms < ? AND ap = ifnull(?, ap) ORDER BY ts_ms, ap",
            (start_ms, end_ms, ap),
        )

    def spans(self) -> list[tuple[str, int, int]]:
        """First and last time of the waiting samples of each site."""
        query = "SELECT site, min(ts_ms), max(ts_ms) FROM waiting GROUP BY site"
        return [(site, first, last) for site, first, last in self._query(query)]

    def forget(self, lines: Sequence[SpooledLine]) -> None:
        """Drop lines that the store has. One that was rewritten meanwhile stays."""
        with self._writing():
            self._remove(_seqs(lines))

    def reject(self, lines: Sequence[tuple[SpooledLine, str]], now_ms: int) -> None:
        """Set lines aside, each with the reason; they wait no longer."""
        with self._writing():
            # From what waits, so that a line rewritten meanwhile gets its own chance.
            self._db.executemany(
                "INSERT INTO rejected (ts_ms, ap, site, at_ms, reason, line)"
                " SELECT ts_ms, ap, site, ?, ?, line FROM waiting WHERE seq = ?",
                [(now_ms, reason, line.seq) for line, reason in lines],
            )
            self._remove(_seqs(line for line, _ in lines))

    def rejected(self, limit: int) -> list[Rejected]:
        """The lines set aside last, the latest first."""
        rows = self._query(
            "SELECT id, ap, site, ts_ms, at_ms, reason, line FROM rejected"
            " ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [Rejected._make((*row[:6], row[6].decode("utf-8", "replace"))) for row in rows]

    def retry_rejected(self, now_ms: int) -> int:
        """Queue every rejected line again, under what came since; returns how many."""
        with self._writing():
            rows = self._db.execute(
                "SELECT ap, site, ts_ms, line FROM rejected ORDER BY id DESC"
            ).fetchall()
            for row in rows:
                older = Waiting(*row)
                newer = self._waits(older)
                self._insert([_merged(older, newer) if newer else older], now_ms)
            self._db.execute("DELETE FROM rejected")
        return len(rows)

    def moved_aps(self) -> dict[str, set[str]]:
        """The APs that had more than one site, and every site they had."""
        moved = self._query(
            "SELECT ap, site FROM places WHERE ap IN"
            " (SELECT ap FROM places GROUP BY ap HAVING count(*) > 1)"
        )
        sites: dict[str, set[str]] = {}
        for ap, site in moved:
            sites.setdefault(ap, set()).add(site)
        return sites

    def learn_places(self, pairs: Collection[tuple[str, str]]) -> None:
        """Take in the (AP, site) pairs that the remote store knows. Once for each spool file."""
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", sorted(pairs))
            self._db.execute("INSERT OR IGNORE INTO marks VALUES ('places')")

    def knows_places(self) -> bool:
        """Whether `learn_places` was done."""
        return bool(self._query("SELECT 1 FROM marks WHERE name = 'places'"))

    def health(self) -> SpoolHealth:
        """Depth, age and rejected lines."""
        ((lines, size),) = self._query("SELECT lines, bytes FROM depth")
        oldest = self._query("SELECT queued_ms FROM waiting ORDER BY seq LIMIT 1")
        ((rejected,),) = self._query("SELECT count(*) FROM rejected")
        with self._lock:
            used = self._used_bytes()
        return SpoolHealth(
            lines, size, oldest[0][0] if oldest else None, rejected, used, self.max_bytes
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock, self._reader_lock:
            self._reader.close()
            self._db.close()

    def _insert(self, samples: Collection[Waiting], now_ms: int) -> None:
        by_key: dict[tuple[int, str], Waiting] = {}
        for sample in samples:
            older = by_key.get((sample.ts_ms, sample.ap))
            by_key[sample.ts_ms, sample.ap] = sample if older is None else _merged(older, sample)
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'waiting'").fetchone()
        added = self._db.executemany(
            "INSERT OR IGNORE INTO waiting (ts_ms, ap, site, queued_ms, line)"
            " VALUES (?, ?, ?, ?, ?)",
            [(s.ts_ms, s.ap, s.site, now_ms, s.line) for s in by_key.values()],
        ).rowcount
        if added == len(by_key):
            self._count(added, sum(len(s.line) for s in by_key.values()))
            return
        last_seq = row[0] if row else 0
        size = 0
        for sample in by_key.values():
            size += self._rewrite(sample, last_seq, now_ms)
        self._count(added, size)

    def _rewrite(self, sample: Waiting, last_seq: int, now_ms: int) -> int:
        """Merge a sample into the one that waited already, if any; returns the bytes it adds."""
        seq, site, stored = self._db.execute(
            "SELECT seq, site, line FROM waiting WHERE ts_ms = ? AND ap = ?",
            (sample.ts_ms, sample.ap),
        ).fetchone()
        if seq > last_seq:
            return len(sample.line)
        merged = merge_lines(stored, sample.line)
        if site == sample.site and fields_of(merged) == fields_of(stored):
            return 0
        # A new seq: where the old line is on its way now, its end does not end this one.
        self._db.execute("DELETE FROM waiting WHERE seq = ?", (seq,))
        self._db.execute(
            "INSERT INTO waiting (ts_ms, ap, site, queued_ms, line) VALUES (?, ?, ?, ?, ?)",
            (sample.ts_ms, sample.ap, sample.site, now_ms, merged),
        )
        return len(merged) - len(stored)

    def _waits(self, sample: Waiting) -> Waiting | None:
        row = self._db.execute(
            "SELECT ap, site, ts_ms, line FROM waiting WHERE ts_ms = ? AND ap = ?",
            (sample.ts_ms, sample.ap),
        ).fetchone()
        return Waiting(*row) if row else None

    def _remove(self, seqs: str) -> None:
        chosen = "FROM waiting WHERE seq IN (SELECT value FROM json_each(?))"
        lines, size = self._db.execute(
            f"SELECT count(*), total(length(line)) {chosen}",
            (seqs,),
        ).fetchone()
        self._db.execute(f"DELETE {chosen}", (seqs,))
        self._count(-lines, -int(size))

    def _count(self, lines: int, size: int) -> None:
        self._db.execute("UPDATE depth SET lines = lines + ?, bytes = bytes + ?", (lines, size))

    def _used_bytes(self) -> int:
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return int((pages - free) * self._page_bytes)

    def _lines(self, clause: str, parameters: Sequence[int | str | None]) -> list[SpooledLine]:
        return [SpooledLine._make(row) for row in self._query(_LINES + clause, parameters)]

    def _query(
        self, statement: str, parameters: Sequence[int | str | None] = ()
    ) -> list[tuple[Any, ...]]:
        with _translated(self.path), self._reader_lock:
            return self._reader.execute(statement, parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, durable at its end."""
        with _translated(self.path), self._lock, transaction(self._db):
            yield


def _merged(older: Waiting, newer: Waiting) -> Waiting:
    return newer._replace(line=merge_lines(older.line, newer.line))


def _seqs(lines: Iterable[SpooledLine]) -> str:
    return json.dumps([line.seq for line in lines])


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the kind; a full disk is SQLITE_FULL, in places an I/O error.
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise SpoolFullError(
                f"{path} cannot be written ({error}): is the disk full? Nothing is taken in until "
                "there is room"
            ) from error
        raise StoreError(f"{path}: {error}") from error
    except (OSError, NewerSchemaError) as error:
        raise StoreError(f"{path}: {error}") from error
