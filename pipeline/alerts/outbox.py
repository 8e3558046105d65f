"""What is to be told, on disk until it is told: `alerts.db`.

The desk's memory and the messages that it decided are written in one transaction, so that a restart
neither forgets a message nor decides it again. A message is struck off after it was delivered: if
the process is killed between the two, it is sent again. Readable by its owner alone.
"""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import orjson

from pipeline.alerts.memory import dumped, loaded
from pipeline.alerts.message import Message
from pipeline.alerts.telling import Desk
from pipeline.scrub import scrub_macs
from pipeline.store.sqlite_file import open_file, store_errors, transaction

SCHEMA_VERSION: Final = 1
MAX_TEXT: Final = 300
"""Characters kept of a reason, a name, a note."""

State = Literal["waiting", "delivered", "undeliverable"]

_DDL: Final = (
    "CREATE TABLE desk (id INTEGER PRIMARY KEY CHECK (id = 1), document BLOB NOT NULL)",
    "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, "
    "target TEXT NOT NULL, at_ms INTEGER NOT NULL, document BLOB NOT NULL, state TEXT NOT NULL, "
    "attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, done_ms INTEGER, reason TEXT NOT NULL, "
    "UNIQUE (key, target))",
    "CREATE INDEX messages_waiting ON messages (target, id) WHERE state = 'waiting'",
    "CREATE INDEX messages_done ON messages (target, done_ms)",
    "CREATE TABLE about (message INTEGER NOT NULL, incident TEXT NOT NULL, "
    "PRIMARY KEY (incident, message)) WITHOUT ROWID",
    "CREATE TABLE acknowledgements (incident TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, "
    "by TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody took an incident on."""

    incident: str
    at_ms: int
    by: str
    """Empty: did not say."""
    note: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A message on its way to one target, or that has been."""

    id: int
    target: str
    message: Message
    state: State
    attempts: int
    """Begun; the last of one that waits may have been cut off."""
    done_ms: int | None
    """When it was delivered, or given up."""
    reason: str
    """Why the last attempt failed."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one target is."""

    target: str
    waiting: int
    oldest_ms: int | None
    """When the oldest that waits was decided."""
    undeliverable: int
    delivered_ms: int | None
    """When anything was delivered last."""
    given_up_ms: int | None
    """When anything was given up last."""
    reason: str
    """Why nothing can be delivered now, or could not; empty: all is well."""


class Outbox:
    """Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open, or make, the file. Raises StoreError where that is impossible."""
        self.path = path
        self._lock = threading.Lock()
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made before SQLite does, so that it is never open to others; -wal and -shm follow it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = open_file(path, SCHEMA_VERSION, _DDL)

    def desk(self) -> Desk:
        """As it was last committed; of nobody who was told anything, if never."""
        with self._locked() as db:
            row = db.execute("SELECT document FROM desk").fetchone()
        return Desk() if row is None else loaded(row[0])

    def commit(
        self, desk: Desk, messages: Sequence[Message], targets: Mapping[str, Sequence[str]]
    ) -> None:
        """Remember the desk and what it decided; durable on return, all or nothing.

        `targets`: where the messages of each notifier go.
        """
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO desk VALUES (1, ?)", (dumped(desk),))
            for message in messages:
                for target in targets[message.notifier]:
                    _queue(db, message, target)

    def next(self, target: str, now_ms: int) -> Queued | None:
        """What to send next: what was tried least, so that one that is never taken does not keep
        the rest; but nothing about an incident before what was decided about it earlier.
        """
        with self._locked() as db:
            row = db.execute(
                f"SELECT {_COLUMNS} FROM messages m WHERE target = ? AND state = 'waiting' "  # noqa: S608 - our own words
                "AND next_ms <= ? AND NOT EXISTS (SELECT 1 FROM messages e "
                "JOIN about ae ON ae.message = e.id JOIN about am ON am.incident = ae.incident "
                "WHERE am.message = m.id AND e.target = m.target AND e.state = 'waiting' "
                "AND e.id < m.id) ORDER BY attempts, id LIMIT 1",
                (target, now_ms),
            ).fetchone()
        return None if row is None else _queued(row)

    def next_ms(self, target: str) -> int | None:
        """When something is to be tried next; None: nothing waits."""
        with self._locked() as db:
            row = db.execute(
                "SELECT min(next_ms) FROM messages WHERE target = ? AND state = 'waiting'",
                (target,),
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def begin(self, queued: Queued) -> None:
        """Note that it is about to be sent."""
        with self._writing() as db:
            db.execute("UPDATE messages SET attempts = attempts + 1 WHERE id = ?", (queued.id,))

    def postpone(self, queued: Queued, until_ms: int, reason: str) -> None:
        """It could not be delivered, and is tried again."""
        with self._writing() as db:
            db.execute(
                "UPDATE messages SET next_ms = ?, reason = ? WHERE id = ?",
                (until_ms, _text(reason), queued.id),
            )

    def finish(self, queued: Queued, state: State, at_ms: int, reason: str = "") -> None:
        """It was delivered, or is given up."""
        with self._writing() as db:
            db.execute(
                "UPDATE messages SET state = ?, done_ms = ?, reason = ? WHERE id = ?",
                (state, at_ms, _text(reason), queued.id),
            )

    def give_up_others(self, targets: Collection[str], at_ms: int, reason: str) -> int:
        """Give up what waits for targets that are none of these any more; how many those were."""
        with self._writing() as db:
            marks = ", ".join("?" * len(targets))
            return db.execute(
                "UPDATE messages SET state = 'undeliverable', done_ms = ?, reason = ? "  # noqa: S608
                f"WHERE state = 'waiting' AND target NOT IN ({marks})",
                (at_ms, _text(reason), *targets),
            ).rowcount

    def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Remember that somebody took an incident on; in place of what was said of it before."""
        row = (
            acknowledgement.incident,
            acknowledgement.at_ms,
            _text(acknowledgement.by),
            _text(acknowledgement.note),
        )
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?)", row)

    def take_back(self, incident: str) -> bool:
        """Forget that; False: nobody had said so."""
        with self._writing() as db:
            done = db.execute("DELETE FROM acknowledgements WHERE incident = ?", (incident,))
            return done.rowcount > 0

    def acknowledgements(self) -> Mapping[str, Acknowledgement]:
        """By incident."""
        with self._locked() as db:
            rows = db.execute("SELECT incident, at_ms, by, note FROM acknowledgements").fetchall()
        return {row[0]: Acknowledgement(*row) for row in rows}

    def log(self, limit: int, incident: str | None = None) -> list[Queued]:
        """The latest messages, newest first; of all incidents or one."""
        only = "WHERE id IN (SELECT message FROM about WHERE incident = ?) " if incident else ""
        with self._locked() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM messages {only}ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*([incident] if incident else []), limit),
            ).fetchall()
        return [_queued(row) for row in rows]

    def health(self, target: str) -> Health:
        """How one target is."""
        with self._locked() as db:
            waiting, oldest_ms = db.execute(
                "SELECT count(*), min(at_ms) FROM messages WHERE target = ? AND state = 'waiting'",
                (target,),
            ).fetchone()
            undeliverable, given_up_ms = db.execute(
                "SELECT count(*), max(done_ms) FROM messages WHERE target = ? "
                "AND state = 'undeliverable'",
                (target,),
            ).fetchone()
            (delivered_ms,) = db.execute(
                "SELECT max(done_ms) FROM messages WHERE target = ? AND state = 'delivered'",
                (target,),
            ).fetchone()
            why = db.execute(
                "SELECT reason FROM messages WHERE target = ? AND reason != '' "
                "ORDER BY state = 'waiting' DESC, id DESC LIMIT 1",
                (target,),
            ).fetchone()
        reason = why[0] if why and (waiting or undeliverable) else ""
        return Health(target, waiting, oldest_ms, undeliverable, delivered_ms, given_up_ms, reason)

    def expire(self, before_ms: int) -> int:
        """Delete what was told and acknowledged before; how many messages that were."""
        with self._writing() as db:
            deleted = db.execute(
                "DELETE FROM messages WHERE state != 'waiting' AND at_ms < ?", (before_ms,)
            ).rowcount
            db.execute("DELETE FROM about WHERE message NOT IN (SELECT id FROM messages)")
            db.execute("DELETE FROM acknowledgements WHERE at_ms < ?", (before_ms,))
        return deleted

    def close(self) -> None:
        """Release the file."""
        with self._locked() as db:
            db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._locked() as db, transaction(db):
            yield db

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock, store_errors(self.path):
            yield self._db


_COLUMNS: Final = "id, target, document, state, attempts, done_ms, reason"


def _queue(db: sqlite3.Connection, message: Message, target: str) -> None:
    done = db.execute(
        "INSERT OR IGNORE INTO messages (key, target, at_ms, document, state, attempts, next_ms, "
        "reason) VALUES (?, ?, ?, ?, 'waiting', 0, ?, '')",
        (
            message.key,
            target,
            message.at_ms,
            orjson.dumps(message.document()),
            message.at_ms,
        ),
    )
    if done.rowcount:
        about = [(done.lastrowid, incident) for incident in message.incidents]
        db.executemany("INSERT INTO about VALUES (?, ?)", about)


def _queued(row: tuple[int, str, bytes, State, int, int | None, str]) -> Queued:
    id_, target, document, state, attempts, done_ms, reason = row
    message = Message.of(orjson.loads(document))
    return Queued(id_, target, message, state, attempts, done_ms, reason)


def _text(text: str) -> str:
    return scrub_macs(" ".join(text.split()))[:MAX_TEXT]
