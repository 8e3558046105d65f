"""What the live watch keeps in the state: its memory, for the next start, and when collectors said
themselves that they were blind, for those who ask about the past.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from pipeline.state import State


class Kept(NamedTuple):
    """A memory, as it was at an instant."""

    at_ms: int
    """UTC milliseconds. What was stored since then it does not know."""
    document: dict[str, Any]


class Record:
    """Safe to use from several threads. Every method raises StoreError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def keep(self, kept: Kept) -> None:
        """Keep a memory in place of the one before; durable on return."""
        row = (kept.at_ms, orjson.dumps(kept.document, option=orjson.OPT_NON_STR_KEYS))
        with self._state.writing() as db:
            db.execute("INSERT OR REPLACE INTO outage_memory VALUES (1, ?, ?)", row)

    def kept(self) -> Kept | None:
        """The last one; None: there never was one."""
        with self._state.reading() as db:
            row = db.execute("SELECT at_ms, document FROM outage_memory").fetchone()
        return None if row is None else Kept(row[0], orjson.loads(row[1]))

    def went_blind(self, collector: str, since_ms: int) -> None:
        """A collector says that it sees nothing since then."""
        with self._state.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO blindness VALUES (?, ?, NULL)", (collector, since_ms)
            )

    def sees_again(self, collector: str, at_ms: int) -> None:
        """It sees since then."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE blindness SET end_ms = max(start_ms, ?) "
                "WHERE collector = ? AND end_ms IS NULL",
                (at_ms, collector),
            )

    def blindness(self, start_ms: int, end_ms: int) -> Mapping[str, Sequence[tuple[int, int]]]:
        """When each collector said that it was blind, within [start, end), in order of time."""
        with self._state.reading() as db:
            rows = db.execute(
                "SELECT collector, max(start_ms, :start), min(ifnull(end_ms, :end), :end) "
                "FROM blindness WHERE start_ms < :end "
                "AND ifnull(end_ms, :end) > max(start_ms, :start) "
                "ORDER BY collector, start_ms",
                {"start": start_ms, "end": end_ms},
            ).fetchall()
        found: dict[str, list[tuple[int, int]]] = {}
        for collector, since_ms, until_ms in rows:
            found.setdefault(collector, []).append((since_ms, until_ms))
        return found
