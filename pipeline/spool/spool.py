"""Samples on this machine's disk until the remote store has them.

One SQLite file in WAL mode with synchronous=FULL: what `append` returned from survives SIGKILL and
a power cut. Each waiting sample is one row, found by its key (`ap`, `ts_ms`) as in every store: a
rewrite of a sample that still waits becomes one line, so the order in which lines are sent does not
matter.
"""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.spool.destination import SpooledLine
from pipeline.spool.reader import DEFAULT_MAX_BYTES, SpoolReader
from pipeline.spool.reserve import Reserve
from pipeline.store.base import StoreError
from pipeline.store.influx.line_protocol import fields_of, merge_lines
from pipeline.store.sqlite_file import connect, store_errors, transaction


class SpoolFullError(StoreError):
    """There is no room to make samples durable, on the disk or within the spool's bound."""


class Waiting(NamedTuple):
    """A sample to spool."""

    ap: str
    site: str
    ts_ms: int
    line: bytes


class Spool(SpoolReader):
    """The queue of unsent samples. Safe to use from several threads and processes."""

    def __init__(self, path: Path, *, max_bytes: int = DEFAULT_MAX_BYTES):
        """`max_bytes`: what the file may take, rejected lines included; more is refused."""
        super().__init__(path, max_bytes=max_bytes)
        self._lock = threading.Lock()
        with store_errors(path), ExitStack() as opened:
            opened.callback(super().close)
            self._db = opened.enter_context(closing(connect(path)))
            self._places = set(self._db.execute("SELECT ap, site FROM places"))
            (self._page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
            self._reserve = Reserve(path.with_name(f"{path.name}-reserve"))
            opened.pop_all()  # they stay open

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
        self._reserve.hold()

    def forget(self, lines: Sequence[SpooledLine]) -> None:
        """Drop lines that the store has. One that was rewritten meanwhile stays.

        Works on a full disk too, and makes room there.
        """
        if not lines:
            return
        try:
            self._forget(lines)
        except StoreError:
            if not self._reserve.release():
                raise
            self._forget(lines)

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

    def learn_places(self, pairs: Collection[tuple[str, str]]) -> None:
        """Take in the (AP, site) pairs that the remote store knows. Once for each spool file."""
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO places VALUES (?, ?)", sorted(pairs))
            self._db.execute("INSERT OR IGNORE INTO marks VALUES ('places')")

    def close(self) -> None:
        """Close the file."""
        super().close()
        with self._lock:
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

    def _forget(self, lines: Sequence[SpooledLine]) -> None:
        with self._writing():
            self._remove(_seqs(lines))

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

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, durable at its end."""
        with store_errors(self.path), self._lock, transaction(self._db):
            yield


def _merged(older: Waiting, newer: Waiting) -> Waiting:
    return newer._replace(line=merge_lines(older.line, newer.line))


def _seqs(lines: Iterable[SpooledLine]) -> str:
    return json.dumps([line.seq for line in lines])
