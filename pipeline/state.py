"""State that changes while the daemon runs: `state.db`, with either store.

What usage has to be computed again, how far it is, which messages were refused, how the collectors
are, which spots were moved, which maintenance was announced. Readable by its owner alone.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pipeline.scrub import scrub_macs
from pipeline.store.lock import alone
from pipeline.store.sqlite_file import open_file, store_errors, transaction

SCHEMA_VERSION: Final = 7
MAX_CONTENT: Final = 2_000
"""Characters kept of a refused message."""
MAX_DEAD_LETTERS: Final = 10_000
"""The oldest make room, and are still counted."""

_DDL: Final = (
    "CREATE TABLE dirty (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, "
    "start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL)",
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, "
    "source TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, content TEXT NOT NULL)",
    "CREATE TABLE collectors (collector TEXT PRIMARY KEY, kind TEXT NOT NULL, "
    "last_seen_ms INTEGER, ok INTEGER NOT NULL, targets INTEGER NOT NULL, "
    "failed INTEGER NOT NULL, detail TEXT NOT NULL) WITHOUT ROWID",
)
_LATER: Final = {
    2: (
        "CREATE TABLE moves (site TEXT PRIMARY KEY, place TEXT NOT NULL UNIQUE, "
        "new_site TEXT NOT NULL UNIQUE, moved_on TEXT NOT NULL, before REAL, expected REAL, "
        "low REAL, high REAL) WITHOUT ROWID",
    ),
    3: (
        "ALTER TABLE moves RENAME TO moves_of_sites",
        "CREATE TABLE moves (site TEXT NOT NULL, ap TEXT NOT NULL, place TEXT NOT NULL UNIQUE, "
        "new_site TEXT NOT NULL UNIQUE, moved_on TEXT NOT NULL, before REAL, expected REAL, "
        "low REAL, high REAL, PRIMARY KEY (site, ap)) WITHOUT ROWID",
        "INSERT INTO moves SELECT site, '', place, new_site, moved_on, before, expected, low, high "
        "FROM moves_of_sites",
        "DROP TABLE moves_of_sites",
    ),
    4: (
        "CREATE TABLE maintenance (id TEXT PRIMARY KEY, site TEXT NOT NULL, "
        "start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, reason TEXT, source TEXT NOT NULL, "
        "announced_ms INTEGER NOT NULL, ended_ms INTEGER) WITHOUT ROWID",
    ),
    5: (
        "CREATE TABLE outage_memory (id INTEGER PRIMARY KEY CHECK (id = 1), "
        "at_ms INTEGER NOT NULL, document BLOB NOT NULL)",
        "CREATE TABLE blindness (collector TEXT NOT NULL, start_ms INTEGER NOT NULL, "
        "end_ms INTEGER, PRIMARY KEY (collector, start_ms)) WITHOUT ROWID",
    ),
    6: (
        "CREATE TABLE incidents (id TEXT PRIMARY KEY, scope TEXT NOT NULL, "
        "subject TEXT NOT NULL, site TEXT, ap TEXT, controller TEXT, start_ms INTEGER NOT NULL, "
        "end_ms INTEGER, confirmed_ms INTEGER NOT NULL, cause TEXT NOT NULL, parent TEXT, "
        "flaps INTEGER NOT NULL, maintenance INTEGER NOT NULL, spells TEXT NOT NULL) "
        "WITHOUT ROWID",
        "CREATE INDEX incidents_by_start ON incidents (start_ms)",
    ),
    7: (
        "CREATE TABLE unused (site TEXT NOT NULL, start_ms INTEGER NOT NULL, "
        "known_ms INTEGER NOT NULL, users REAL NOT NULL, longest_minutes INTEGER NOT NULL, "
        "weeks INTEGER NOT NULL, chance REAL NOT NULL, peers REAL, end_ms INTEGER, "
        "PRIMARY KEY (site, start_ms)) WITHOUT ROWID",
    ),
}
"""What each version added."""
_CLOSED_UNTIL: Final = "closed_until_ms"


@dataclass(frozen=True, slots=True)
class DirtySpan:
    """A span of a site whose usage no longer follows from its samples. UTC milliseconds."""

    id: int
    site: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be understood."""

    at_ms: int
    source: str
    """The kind of collector it came through."""
    subject: str
    """What it is about, such as its topic."""
    reason: str
    """What is wrong and what is allowed."""
    content: str
    """Its beginning, without MAC addresses."""


@dataclass(frozen=True, slots=True)
class CollectorHealth:
    """How a collector was when last heard of."""

    collector: str
    kind: str
    last_seen_ms: int | None
    """When anything answered it last. UTC milliseconds."""
    ok: bool
    targets: int
    """Devices, or access points that publish."""
    failed: int
    """Of them, silent."""
    detail: str


@dataclass(frozen=True, slots=True)
class Move:
    """A spot that was moved, and what was expected of it then. None: was not known."""

    site: str
    place: str
    new_site: str
    """The site that the place has become."""
    on: date
    """Local day of the city."""
    before: float | None
    """User-hours a day in open hours, as are the others."""
    expected: float | None
    low: float | None
    high: float | None
    ap: str | None = None
    """The access point, where it was one and not the whole spot."""


class State:
    """Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open, or make, the file. Raises StoreError where that is impossible."""
        self._path = path
        self._lock = threading.Lock()
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made before SQLite does, so that it is never open to others; -wal and -shm follow it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = open_file(path, SCHEMA_VERSION, _DDL, _LATER)

    def mark_dirty(self, spans: Iterable[tuple[str, int, int]]) -> None:
        """Remember, durably, that the usage of these (site, start, end) must be computed again."""
        with self.writing() as db:
            db.executemany("INSERT INTO dirty (site, start_ms, end_ms) VALUES (?, ?, ?)", spans)

    def dirty(self) -> list[DirtySpan]:
        """Every span marked and not cleared, in the order of marking."""
        with self.reading() as db:
            rows = db.execute("SELECT id, site, start_ms, end_ms FROM dirty ORDER BY id").fetchall()
        return [DirtySpan(*row) for row in rows]

    def clear_dirty(self, ids: Iterable[int]) -> None:
        """Forget spans whose usage is right again."""
        with self.writing() as db:
            db.executemany("DELETE FROM dirty WHERE id = ?", [(number,) for number in ids])

    def closed_until_ms(self) -> int | None:
        """End of the last 15-minute window that was closed; None: none ever was."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM marks WHERE name = ?", (_CLOSED_UNTIL,)).fetchone()
        return None if row is None else int(row[0])

    def set_closed_until_ms(self, ms: int) -> None:
        """Move it."""
        with self.writing() as db:
            db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (_CLOSED_UNTIL, ms))

    @contextmanager
    def aggregating(self, *, wait: bool) -> Iterator[bool]:
        """Be the one, of all threads and processes, that writes usage while the block lasts.

        Where another is: wait for it, or be told False at once.
        """
        lock = self._path.with_name(f"{self._path.name}-aggregating")
        with alone(lock, wait=wait) as held:
            yield held

    def add_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Keep refused messages aside, scrubbed and shortened; durable on return."""
        rows = [
            (
                letter.at_ms,
                letter.source,
                scrub_macs(letter.subject),
                scrub_macs(letter.reason),
                # Scrubbed before it is cut, so that no half of an address is left at the end.
                scrub_macs(letter.content)[:MAX_CONTENT],
            )
            for letter in letters
        ]
        with self.writing() as db:
            db.executemany(
                "INSERT INTO dead_letters (at_ms, source, subject, reason, content) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            db.execute(
                "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?",
                (MAX_DEAD_LETTERS,),
            )

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The latest refused messages, newest first."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT at_ms, source, subject, reason, content FROM dead_letters "
                "ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [DeadLetter(*row) for row in rows]

    def count_dead_letters(self) -> int:
        """How many were ever refused, those that made room included."""
        with self.reading() as db:
            row = db.execute("SELECT ifnull(max(id), 0) FROM dead_letters").fetchone()
        return int(row[0])

    def set_collector(self, health: CollectorHealth) -> None:
        """Remember how a collector is. One that nothing answers keeps when it was last seen."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO collectors VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (collector) DO UPDATE SET kind = excluded.kind, "
                "last_seen_ms = coalesce(excluded.last_seen_ms, last_seen_ms), ok = excluded.ok, "
                "targets = excluded.targets, failed = excluded.failed, detail = excluded.detail",
                astuple(health),
            )

    def collectors(self) -> list[CollectorHealth]:
        """How every collector was, by name."""
        with self.reading() as db:
            rows = db.execute("SELECT * FROM collectors ORDER BY collector").fetchall()
        return [
            CollectorHealth(name, kind, seen, bool(ok), targets, failed, detail)
            for name, kind, seen, ok, targets, failed, detail in rows
        ]

    def record_move(self, move: Move) -> None:
        """Remember, durably, that a spot was moved; in place of what was recorded of it.

        Raises StoreError where another site is recorded as moved to the place or the new site.
        """
        row = (
            move.site, move.ap or "", move.place, move.new_site, move.on.isoformat(), move.before,
            move.expected, move.low, move.high,
        )  # fmt: skip
        with self.writing() as db:
            db.execute("DELETE FROM moves WHERE site = ? AND ap = ?", row[:2])
            db.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def forget_move(self, site: str, ap: str | None = None) -> None:
        """Take back what was recorded of a site's spot, or of one of its access points."""
        with self.writing() as db:
            db.execute("DELETE FROM moves WHERE site = ? AND ap = ?", (site, ap or ""))

    def moves(self) -> list[Move]:
        """Every move recorded, the oldest first."""
        with self.reading() as db:
            rows = db.execute("SELECT * FROM moves ORDER BY moved_on, site, ap").fetchall()
        return [
            Move(
                site,
                place,
                new_site,
                date.fromisoformat(on),
                before,
                expected,
                low,
                high,
                ap or None,
            )
            for site, ap, place, new_site, on, before, expected, low, high in rows
        ]

    def close(self) -> None:
        """Release the file."""
        with self.reading() as db:
            db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: durable once the block ends, or nothing of it. Raises StoreError."""
        with self.reading() as db, transaction(db):
            yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The file, for this thread alone while the block lasts. Raises StoreError."""
        with self._lock, store_errors(self._path):
            yield self._db
