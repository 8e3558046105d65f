"""Imports files of sessions: checked, merged, written to the ledger, their windows marked."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from config.deployment import Deployment
from config.problems import ConfigError
from pipeline.imports.batch import Batch, Ints
from pipeline.imports.cells import Refusal, Rules
from pipeline.imports.session_merge import hashed_by_day, merged
from pipeline.imports.session_rows import SESSIONS, UNKNOWN, SessionRows, read
from pipeline.imports.source import Source
from pipeline.scrub import scrub_macs
from pipeline.sessions.ledger import SessionLedger
from pipeline.sessions.watched import Run
from pipeline.sessions.watched import Source as Known
from pipeline.state import State
from pipeline.store.base import Store
from pipeline.usage.aggregator import Aggregator, Progress
from pipeline.usage.expiry import samples_kept_since_ms
from pipeline.usage.periods import DAY_MS, WINDOW_MS, Span, bounds

EXAMPLES: Final = 5
"""Of each reason to refuse a row, so many are kept."""
_KEY_OCTETS: Final = 32

OnRefused = Callable[[Path, Sequence[Refusal]], None]


@dataclass(slots=True)
class SessionReport:
    """What came of an import of sessions."""

    rows: int = 0
    refused: int = 0
    sessions: int = 0
    """What the rows taken are together: rows of one stay are one."""
    added: int = 0
    """Of these, not there before."""
    passers_by: int = 0
    """Of all sessions, shorter than usage.passer_by_seconds."""
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[Path, Refusal]] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    """When the last session begins."""
    sites: set[str] = field(default_factory=set)
    devices: bool = False
    """Whether any row tells its device."""
    spans: list[Span] = field(default_factory=list)
    """Time of which the usage changes."""

    @property
    def imported(self) -> int:
        """Rows taken, those that were there already included."""
        return self.rows - self.refused

    def count_refused(self, path: Path, refusals: Sequence[Refusal]) -> None:
        """Add the rows refused of a part of a file."""
        self.refused += len(refusals)
        for refusal in refusals:
            if self.reasons[refusal.reason] < EXAMPLES:
                self.examples.append((path, refusal))
            self.reasons[refusal.reason] += 1


class SessionImporter:
    """Writes the sessions of files to the ledger.

    Devices are hashed as soon as they are read. The keys live in memory for as long as this does,
    so that rows of one stay are one session across the files of one import, and nobody can tell
    afterwards whose it was. One importer imports once.
    """

    def __init__(self, deployment: Deployment, ledger: SessionLedger, state: State) -> None:
        self._deployment = deployment
        self._ledger = ledger
        self._state = state
        self._sites = sorted(deployment.sites)
        self._places = {site: place for place, site in enumerate(self._sites)}
        self._key = secrets.token_bytes(_KEY_OCTETS)
        self._day_key = lru_cache(maxsize=None)(_new_key)

    def run(
        self,
        sources: Sequence[Source],
        *,
        now_ms: int,
        zone: ZoneInfo | None = None,
        on_refused: OnRefused = lambda _path, _refusals: None,
        progress: Progress = lambda _done, _total: None,
    ) -> SessionReport:
        """Import. Raises ConfigError for a file that cannot be read, StoreError; then nothing is.

        Args:
            sources: the files.
            now_ms: now, in UTC milliseconds; what is later than a day from it is refused.
            zone: of times without an offset; None refuses them.
            on_refused: told every refused row.
            progress: told how far it is.
        """
        rules = Rules(
            home={},
            sites=self._sites,
            zone=zone,
            now_ms=now_ms,
            kept_since_ms=self._kept_since_ms(now_ms),
            kept_by="usage.sessions_days",
            called={"ts": "start"},
            quoted=scrub_macs,
        )
        report = SessionReport()
        parts: list[SessionRows] = []
        total, before = sum(source.size for source in sources), 0
        for source in sources:
            for batch in _batches(source):
                rows, refusals = read(batch, rules, self._places, self._key)
                refusals += [
                    Refusal(bad.line, "", "malformed line", bad.message) for bad in batch.malformed
                ]
                refusals.sort(key=lambda refusal: refusal.line)
                on_refused(source.path, refusals)
                report.rows += len(batch.lines) + len(batch.malformed)
                report.count_refused(source.path, refusals)
                parts.append(rows)
                progress(before + batch.done, total)
            before += source.size
        if report.imported:
            self._write(_together(parts), report, now_ms)
        return report

    def aggregate(
        self,
        store: Store,
        report: SessionReport,
        *,
        now_ms: int,
        progress: Progress | None = None,
    ) -> None:
        """Bring the usage of what was imported up to date.

        Windows are closed as far as the sessions reach, not up to now: years may lie between.
        """
        if not report.spans:
            return
        grace_ms = self._deployment.settings.usage.grace_seconds * 1000
        until = max(end for _, _, end in report.spans) + WINDOW_MS + grace_ms
        aggregator = Aggregator(self._deployment, store, self._state, sessions=self._ledger)
        aggregator.close_windows(min(now_ms, until), progress)

    def _write(self, rows: SessionRows, report: SessionReport, now_ms: int) -> None:
        usage = self._deployment.settings.usage
        found = merged(rows, usage.session_gap_minutes * 60_000)
        zones = [self._deployment.zone(site) for site in self._sites]
        watched = {}
        places, starts = np.unique(found["site"], return_index=True)  # they lie together
        for place, of_site in zip(places.tolist(), np.split(found, starts[1:]), strict=True):
            site = self._sites[place]
            known = of_site["randomised"][of_site["known"] == 1]
            if (known == UNKNOWN).any():  # the share of some would be taken for that of all
                of_site["randomised"] = UNKNOWN
            first, last = int(of_site["start_ms"].min()), int(of_site["start_ms"].max())
            days = bounds("day", first, last + 1, zones[place])
            reach = bounds("day", first, int(of_site["end_ms"].max()) + 1, zones[place])
            run = Run(int(days[0]), min(int(days[-1]), now_ms), self._source(site, known))
            watched[site] = run
            report.spans.append((site, run.start_ms, max(int(reach[-1]), run.end_ms)))
        report.sessions = len(found)
        lengths = found["end_ms"] - found["start_ms"]
        report.passers_by = int((lengths < usage.passer_by_seconds * 1000).sum())
        report.first_ms, report.last_ms = int(found["start_ms"].min()), int(found["start_ms"].max())
        report.sites = set(watched)
        report.devices = bool(found["known"].any())
        found = hashed_by_day(found, zones, self._day_key)
        # Before, so that a crash in between leaves a mark too many; after, because a daemon may
        # have aggregated meanwhile and cleared the marks.
        self._state.mark_dirty(report.spans)
        report.added = self._ledger.add_imported(found, self._sites, watched)
        self._state.mark_dirty(report.spans)

    def _source(self, site: str, randomised: Ints) -> Known:
        """What these sessions of a site know. `randomised`: of those whose device they tell."""
        aps = sum(ap.site == site for ap in self._deployment.access_points.values())
        told = len(randomised) > 0
        return Known(
            aps=max(aps, 1),
            durations=True,
            devices=told,
            randomised=told and bool((randomised != UNKNOWN).all()),
        )

    def _kept_since_ms(self, now_ms: int) -> int:
        """Nothing older reaches usage."""
        sessions = now_ms - self._deployment.settings.usage.sessions_days * DAY_MS
        return max(sessions, samples_kept_since_ms(self._deployment, now_ms) or 0)


def _batches(source: Source) -> Iterator[Batch]:
    """Read a file. Its columns may be named anything, and are quoted if they are wrong."""
    try:
        yield from source.batches(SESSIONS)
    except ConfigError as error:
        raise ConfigError(
            [
                replace(p, key=scrub_macs(p.key), message=scrub_macs(p.message))
                for p in error.problems
            ]
        ) from None


def _together(parts: Sequence[SessionRows]) -> SessionRows:
    return SessionRows(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(SessionRows))
    )


def _new_key(_zone: ZoneInfo, _day: int) -> bytes:
    return secrets.token_bytes(_KEY_OCTETS)
