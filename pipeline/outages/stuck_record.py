"""What was found to be up and of no use, kept in the state: told once, ended once."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Final

from pipeline.outages.incident import Incident, incident_id
from pipeline.outages.stuck import Stuck
from pipeline.state import State

LATELY_MS: Final = 86_400_000
"""What is over is told to be so for so long, to whoever was not."""


class StuckRecord:
    """Safe to use from several threads. Every method raises StoreError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def put(self, found: Stuck) -> None:
        """Keep one, in place of what was known of it."""
        with self._state.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO unused VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(found)
            )

    def as_of(self, at_ms: int) -> Sequence[Stuck]:
        """What was known at an instant, and not over then."""
        return [replace(found, end_ms=None) for found in self._read(at_ms, at_ms)]

    def lately(self, now_ms: int) -> Sequence[Stuck]:
        """What is under way, or was until lately."""
        return self._read(now_ms, now_ms - LATELY_MS)

    def _read(self, at_ms: int, since_ms: int) -> Sequence[Stuck]:
        with self._state.reading() as db:
            rows = db.execute(
                "SELECT * FROM unused WHERE known_ms <= ? AND (end_ms IS NULL OR end_ms > ?) "
                "ORDER BY site, start_ms",
                (at_ms, since_ms),
            ).fetchall()
        return [Stuck(*row) for row in rows]


def incident_of(found: Stuck) -> Incident:
    """As people are told of it. It is no outage, and never among them."""
    return Incident(
        id=incident_id("site", f"{found.site} unused", found.start_ms),
        scope="site",
        subject=found.site,
        site=found.site,
        ap=None,
        controller=None,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        confirmed_ms=found.known_ms,
        cause="nobody",
    )
