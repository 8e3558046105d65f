"""Every incident that is known, live ones and those of the past, in the state."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

import orjson

from pipeline.outages.incident import Incident, Spell, in_order
from pipeline.outages.telling import IncidentEvent
from pipeline.state import State

_COLUMNS: Final = tuple(field.name for field in fields(Incident))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM incidents "  # noqa: S608 - columns of our own
_WRITE: Final = f"""
INSERT OR REPLACE INTO incidents ({", ".join(_COLUMNS)})
VALUES ({", ".join("?" * len(_COLUMNS))})
"""  # noqa: S608
_SEARCHED: Final = "searched_since_ms"


class Incidents:
    """Safe to use from several threads and processes. Every method raises StoreError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def tell(self, events: Iterable[IncidentEvent]) -> None:
        """Keep what the live engine says; durable on return."""
        latest = {event.incident.id: event for event in events}
        if not latest:
            return
        with self._state.writing() as db:
            for event in latest.values():
                if event.what == "withdrawn":
                    db.execute("DELETE FROM incidents WHERE id = ?", (event.incident.id,))
                else:
                    db.execute(_WRITE, _row(event.incident))

    def replace(
        self, gone: Iterable[str], found: Iterable[Incident], *, searched_since_ms: int
    ) -> None:
        """Put what was found of the past in place of what was known of it, at once.

        `gone`: ids. `searched_since_ms`: from when on it was searched for.
        """
        with self._state.writing() as db:
            db.executemany("DELETE FROM incidents WHERE id = ?", [(id_,) for id_ in gone])
            db.executemany(_WRITE, [_row(incident) for incident in found])
            db.execute(
                "INSERT INTO marks VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = min(value, excluded.value)",
                (_SEARCHED, searched_since_ms),
            )

    def searched_since_ms(self) -> int | None:
        """From when on the past was searched for incidents; None: it never was."""
        with self._state.reading() as db:
            row = db.execute("SELECT value FROM marks WHERE name = ?", (_SEARCHED,)).fetchone()
        return None if row is None else int(row[0])

    def between(self, start_ms: int, end_ms: int) -> list[Incident]:
        """Those that meet [start, end), in order of time, roots before what they explain."""
        return self._read(
            "WHERE start_ms < ? AND (end_ms IS NULL OR end_ms > ?)", (end_ms, start_ms)
        )

    def by_id(self, beginning: str) -> list[Incident]:
        """Those whose id begins so; as people type it, in upper or lower case."""
        digits = beginning.strip().lower()
        return self._read("WHERE substr(id, 1, ?) = ?", (len(digits), digits))

    def children(self, parent: str) -> list[Incident]:
        """Those that an incident explains, in order of time."""
        return self._read("WHERE parent = ?", (parent,))

    def _read(self, which: str, values: Sequence[Any]) -> list[Incident]:
        with self._state.reading() as db:
            rows = db.execute(_SELECT + which, tuple(values)).fetchall()
        return in_order([_incident(row) for row in rows])


def _row(incident: Incident) -> tuple[Any, ...]:
    values = {name: getattr(incident, name) for name in _COLUMNS}
    values["spells"] = orjson.dumps([list(spell) for spell in incident.spells]).decode()
    return tuple(values.values())


def _incident(row: Sequence[Any]) -> Incident:
    said = dict(zip(_COLUMNS, row, strict=True))
    said["maintenance"] = bool(said["maintenance"])
    said["spells"] = tuple(Spell(*spell) for spell in orjson.loads(said["spells"]))
    return Incident(**said)
