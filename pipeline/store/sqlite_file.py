"""SQLite as all of our files use it: opened, brought up to date, written in whole transactions."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from pipeline.store.base import StoreError

BUSY_S: Final = 30
"""Wait so long for another process to finish its transaction."""

_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: f"another process has been writing for {BUSY_S} s; try again, and see "
    "what keeps it busy",
    sqlite3.SQLITE_CANTOPEN: "its folder must exist and be writable",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup, or move it away to start anew",
    sqlite3.SQLITE_FULL: "make room; nothing of this write was kept",
    sqlite3.SQLITE_IOERR: "look at the disk; nothing of this write was kept",
    sqlite3.SQLITE_NOTADB: "name another file, or move this one away to start anew",
    sqlite3.SQLITE_READONLY: "give this user the right to write the file and its folder",
}
"""What to do about an error, by SQLite's primary result code."""


class NewerSchemaError(Exception):
    """The file is of a newer version, or of another program; the text says so."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for any thread, one at a time. The caller begins and ends transactions."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    # FULL: what was acknowledged outlives a power cut, not only the end of the process.
    db.execute("PRAGMA synchronous = FULL")
    return db


def open_file(
    path: Path, version: int, ddl: Sequence[str], later: Mapping[int, Sequence[str]] | None = None
) -> sqlite3.Connection:
    """Connect to a file and make the tables of a new one, or those that an older one lacks.

    `ddl` makes version 1, and `later` what each further version adds to the one before it. A file
    that has it all is not written to: who only reads needs no right to write, and does not wait for
    the one who writes. Raises NewerSchemaError.
    """
    with ExitStack() as stack:
        db = stack.enter_context(closing(connect(path)))
        _migrate(db, version, {1: ddl, **(later or {})})
        stack.pop_all()  # it stays open
        return db


def _migrate(db: sqlite3.Connection, version: int, steps: Mapping[int, Sequence[str]]) -> None:
    if _version(db, version) == version:
        return
    # WAL: readers see a consistent past while one process writes.
    db.execute("PRAGMA journal_mode = WAL")
    with transaction(db):
        found = _version(db, version)  # again: another process may have been faster
        for step in range(found + 1, version + 1):
            for statement in steps[step]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")


def _version(db: sqlite3.Connection, known: int) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > known:
        raise NewerSchemaError(
            f"written by a newer Spotwatch (schema {found}, this one knows {known}); "
            "install that version, or name another file"
        )
    if found == 0 and db.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise NewerSchemaError("is the database of another program; name another file")
    return found


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; durable when the block ends."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        # A full disk shows at COMMIT at the latest; SQLite may have rolled back by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a file into a StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        # Misuse found by Python itself, such as of a closed connection, has no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
        raise StoreError(f"{path}: {error}{advice}") from error
    except (OSError, OverflowError, NewerSchemaError) as error:
        raise StoreError(f"{path}: {error}") from error
