"""SQLite as both of our files use it: opened, brought up to date, written in whole transactions."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BUSY_S: Final = 30
"""Wait so long for another process to finish its transaction."""


class NewerSchemaError(Exception):
    """The file was written by a newer version; the text says so."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a database for any thread, one at a time. The caller begins and ends transactions."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    # FULL: what was acknowledged outlives a power cut, not only the end of the process.
    db.execute("PRAGMA synchronous = FULL")
    return db


def migrate(db: sqlite3.Connection, version: int, ddl: Sequence[str]) -> None:
    """Make the tables of a new file. Raises NewerSchemaError."""
    # WAL: readers see a consistent past while one process writes.
    db.execute("PRAGMA journal_mode = WAL")
    with transaction(db):
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise NewerSchemaError(
                f"written by a newer Spotwatch (schema {found}, this one knows {version}); "
                "install that version, or name another file"
            )
        if found == 0:
            for statement in ddl:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version}")


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
