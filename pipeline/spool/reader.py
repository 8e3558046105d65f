"""What waits in the spool, for whoever wants to know."""

import json
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.spool.destination import SpooledLine
from pipeline.store.sqlite_file import open_file, store_errors

DEFAULT_MAX_BYTES: Final = 2 << 30
SCHEMA_VERSION: Final = 1
MAX_SEQ: Final = 2**63 - 1
DDL: Final = (
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
# An "=" inside a name is escaped, so only a field reads like this.
_WITH_COUNTERS: Final = (
    " AND (instr(line, CAST('rx_bytes=' AS BLOB)) OR instr(line, CAST('tx_bytes=' AS BLOB)))"
)
_AT_SITES: Final = " AND site IN (SELECT value FROM json_each(?))"


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


class SpoolReader:
    """Reads the queue of unsent samples. Safe to use from several threads."""

    def __init__(self, path: Path, *, max_bytes: int = DEFAULT_MAX_BYTES):
        """Open, or make, the file. `max_bytes`: what it may take."""
        self.path = path
        self.max_bytes = max_bytes
        self._reader_lock = threading.Lock()
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # A connection of its own, so that no reader waits for the writer.
            self._reader = open_file(path, SCHEMA_VERSION, DDL)

    def oldest(self, limit: int, *, before_seq: int | None = None) -> list[SpooledLine]:
        """The lines that wait longest, of all or of those before one."""
        return self._lines(
            "WHERE seq < ? ORDER BY seq LIMIT ?",
            (MAX_SEQ if before_seq is None else before_seq, limit),
        )

    def newest(self, limit: int, *, after_seq: int | None = None) -> list[SpooledLine]:
        """The lines that came last, of all or of those after one."""
        return self._lines("WHERE seq > ? ORDER BY seq DESC LIMIT ?", (after_seq or 0, limit))

    def window(self, start_ms: int, end_ms: int, *, ap: str | None = None) -> list[SpooledLine]:
        """The waiting samples of [start, end) in the order of time, of all APs or one."""
        return self._lines(
            "WHERE ts_ms >= ? AND ts_ms < ? AND ap = ifnull(?, ap) ORDER BY ts_ms, ap",
            (start_ms, end_ms, ap),
        )

    def latest(
        self,
        start_ms: int,
        end_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> list[SpooledLine]:
        """Each AP's last waiting sample in [start, end), with_counters: the last that has one."""
        clause = f"WHERE ts_ms >= ? AND ts_ms < ?{_WITH_COUNTERS if with_counters else ''}"
        parameters: list[int | str] = [start_ms, end_ms]
        if sites is not None:
            clause += _AT_SITES
            parameters.append(json.dumps(sorted(sites)))
        # SQLite takes the columns from the row that has the maximum.
        return self._lines(f"{clause} GROUP BY ap HAVING max(ts_ms)", parameters)

    def at(self, keys: Collection[tuple[int, str]]) -> list[SpooledLine]:
        """The waiting samples with these (`ts_ms`, `ap`)."""
        return self._lines(
            "WHERE (ts_ms, ap) IN"
            " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
            (json.dumps(sorted(keys)),),
        )

    def spans(self) -> list[tuple[str, int, int]]:
        """First and last time of the waiting samples of each site."""
        query = "SELECT site, min(ts_ms), max(ts_ms) FROM waiting GROUP BY site"
        return [(site, first, last) for site, first, last in self._query(query)]

    def rejected(self, limit: int) -> list[Rejected]:
        """The lines set aside last, the latest first."""
        rows = self._query(
            "SELECT id, ap, site, ts_ms, at_ms, reason, line FROM rejected"
            " ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [Rejected._make((*row[:6], row[6].decode("utf-8", "replace"))) for row in rows]

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

    def knows_places(self) -> bool:
        """Whether `learn_places` was done."""
        return bool(self._query("SELECT 1 FROM marks WHERE name = 'places'"))

    def health(self) -> SpoolHealth:
        """Depth, age and rejected lines."""
        ((lines, size),) = self._query("SELECT lines, bytes FROM depth")
        oldest = self._query("SELECT queued_ms FROM waiting ORDER BY seq LIMIT 1")
        ((rejected,),) = self._query("SELECT count(*) FROM rejected")
        ((pages,),) = self._query("PRAGMA page_count")
        ((free,),) = self._query("PRAGMA freelist_count")
        ((page_bytes,),) = self._query("PRAGMA page_size")
        used = (pages - free) * page_bytes
        return SpoolHealth(
            lines, size, oldest[0][0] if oldest else None, rejected, used, self.max_bytes
        )

    def close(self) -> None:
        """Close the file."""
        with self._reader_lock:
            self._reader.close()

    def _lines(self, clause: str, parameters: Sequence[int | str | None]) -> list[SpooledLine]:
        return [SpooledLine._make(row) for row in self._query(_LINES + clause, parameters)]

    def _query(
        self, statement: str, parameters: Sequence[int | str | None] = ()
    ) -> list[tuple[Any, ...]]:
        with store_errors(self.path), self._reader_lock:
            return self._reader.execute(statement, parameters).fetchall()
