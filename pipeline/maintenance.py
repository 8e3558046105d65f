"""Maintenance that is announced while we run, beside that of the files: kept in the state, and
counted wherever that of the files is.

What was announced is kept when it is taken back, so that a message that a broker delivers again
does not bring it back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from collectors.sink import Announcement
from config.deployment import Deployment, SitePeriod
from pipeline.scrub import scrub_macs
from pipeline.state import State

LONGEST_DAYS: Final = 366
"""A year that is mistyped must not silence a site for ever."""
LONGEST_REASON: Final = 200
"""Characters."""

_ADD: Final = """
INSERT INTO maintenance (id, site, start_ms, end_ms, reason, source, announced_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO """
_KEEP: Final = _ADD + "NOTHING"
_RENEW: Final = (
    _ADD
    + """UPDATE SET reason = excluded.reason, source = excluded.source,
announced_ms = excluded.announced_ms, ended_ms = NULL"""
)
_END: Final = """
UPDATE maintenance SET ended_ms = max(start_ms, :at)
WHERE id = :id AND coalesce(ended_ms, end_ms) > :at
"""
_ALL: Final = """
SELECT id, site, start_ms, end_ms, reason, source, announced_ms, ended_ms FROM maintenance
ORDER BY start_ms, site, id
"""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One that was announced. Times are UTC milliseconds."""

    id: str
    """Follows from the site and the times as announced: announced twice it is one."""
    site: str
    start_ms: int
    announced_end_ms: int
    reason: str | None
    source: str
    """The way that it was announced."""
    announced_ms: int
    ended_ms: int | None
    """Ended before its time, or taken back."""

    @property
    def end_ms(self) -> int:
        """Excluded; at or before the start: taken back before it began."""
        return self.announced_end_ms if self.ended_ms is None else self.ended_ms

    @property
    def is_void(self) -> bool:
        """Whether nothing is left of it."""
        return self.end_ms <= self.start_ms


class Announced:
    """What was announced and is kept in the state. Safe to use from several threads."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, announcements: Iterable[Announcement], *, anew: bool = False) -> None:
        """Remember, durably; what is known already stays as it is, ended ones too.

        `anew`: one that was ended before counts again. Raises StoreError.
        """
        rows = [
            (
                maintenance_id(found.site, found.start_ms, found.end_ms), found.site,
                found.start_ms, found.end_ms,
                None if found.reason is None else scrub_macs(found.reason)[:LONGEST_REASON],
                found.source, found.at_ms,
            )
            for found in announcements
        ]  # fmt: skip
        with self._state.writing() as db:
            db.executemany(_RENEW if anew else _KEEP, rows)

    def end(self, id_: str, at_ms: int) -> None:
        """End one before its time; one that has not begun is taken back. Raises StoreError."""
        with self._state.writing() as db:
            db.execute(_END, {"id": id_, "at": at_ms})

    def all(self) -> list[Maintenance]:
        """Everything that was ever announced, the earliest first. Raises StoreError."""
        with self._state.reading() as db:
            rows = db.execute(_ALL).fetchall()
        return [Maintenance(*row) for row in rows]


def maintenance_id(site: str, start_ms: int, end_ms: int) -> str:
    """Eight hexadecimal digits, short enough to be typed."""
    return blake2b(f"{site}|{start_ms}|{end_ms}".encode(), digest_size=4).hexdigest()


def periods(announced: Iterable[Maintenance], deployment: Deployment) -> list[SitePeriod]:
    """As the files' rows are; those of sites that left the files, and void ones, are left out."""
    return [
        SitePeriod(
            site=one.site, start=_moment(one.start_ms), end=_moment(one.end_ms), reason=one.reason
        )
        for one in announced
        if one.site in deployment.sites and not one.is_void
    ]


def changed(
    before: Sequence[Maintenance], after: Sequence[Maintenance], until_ms: int
) -> list[tuple[str, int, int]]:
    """The (site, start, end) up to an instant whose usage another announcement changes."""
    spans = set()
    ends = [{one.id: one for one in known} for known in (before, after)]
    for id_ in ends[0].keys() | ends[1].keys():
        was, now = (known.get(id_) for known in ends)
        one = now or was
        if one is None:
            continue
        until = [known.end_ms if known else one.start_ms for known in (was, now)]
        start, end = min(until), min(max(until), until_ms)
        if start < end:
            spans.add((one.site, start, end))
    return sorted(spans)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
