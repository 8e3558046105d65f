"""The ledger of sessions: one SQLite file, whatever the store.

A device is in it by a hash whose key is destroyed the next morning, so that nobody, ourselves
included, can tell whose it was or find it on another day. What leaves this machine are counts.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from collectors.presence import Presence
from config.deployment import Deployment, local_day_ms
from pipeline.sessions import rows
from pipeline.sessions.counts import COUNTS, Mask, Table, count, needed_since_ms
from pipeline.sessions.tracker import Change, follow
from pipeline.sessions.watched import Run, overlaid, run_of, uncovered_ms
from pipeline.store.sqlite_file import connect, open_file, store_errors, transaction
from pipeline.store.sqlite_rows import Ids, name_ids
from pipeline.usage.periods import WINDOW_MS, Span, local_date

WHOLE_SITE: Final = ""
"""The AP of sessions whose source does not say where in the site they were."""
MAX_CELLS: Final = 1_500_000
"""APs x windows counted at a time."""
_EXPIRED_UNTIL: Final = "expired_until_ms"


@dataclass(slots=True)
class Noted:
    """What presences changed."""

    changes: list[Change] = field(default_factory=list)
    watched: list[Span] = field(default_factory=list)
    """Time that nothing was known to watch before."""


class Rules(NamedTuple):
    """What a session is; see `config.settings.Usage`."""

    gap_ms: int
    """Stays of a device at a site that are less apart are one."""
    passer_by_ms: int
    """Shorter ones are passers-by, where the source knows them so well."""
    zone: Callable[[str], ZoneInfo]
    """Of a site."""

    @classmethod
    def of(cls, deployment: Deployment) -> "Rules":
        """Those of a deployment."""
        usage = deployment.settings.usage
        return cls(
            usage.session_gap_minutes * 60_000, usage.passer_by_seconds * 1000, deployment.zone
        )


class SessionLedger:
    """Sessions and the time in which they could be seen. Safe to use from several threads."""

    def __init__(self, path: Path, rules: Rules) -> None:
        """Open, or make, the file, for its owner alone. Raises StoreError where that fails."""
        self._path = path
        self._rules = rules
        self._lock = threading.Lock()
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made before SQLite does, so that it is never open to others; -wal and -shm follow it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = open_file(path, rows.SCHEMA_VERSION, rows.DDL)
            # What is deleted is overwritten with zeros.
            self._db.execute("PRAGMA secure_delete = ON")

    def note(
        self, presences: Sequence[Presence], marking: Callable[[Noted], None] = lambda _: None
    ) -> Noted:
        """Merge what client tables said; durable on return. Twice, or late, changes nothing wrong.

        `marking`: told what changes before it is durable.
        """
        by_site: dict[str, list[Presence]] = {}
        for presence in presences:
            by_site.setdefault(presence.site, []).append(presence)
        noted = Noted()
        with self._writing() as db:
            sites = _numbered(db, "sites", by_site)
            aps = _numbered(db, "aps", {presence.ap for presence in presences})
            for seen in by_site.values():
                noted.changes += self._follow(db, seen, sites, aps)
            for presence in presences:
                fresh = run_of(presence)
                begins = _watch(db, sites[presence.site], aps[presence.ap], fresh)
                if begins is not None:
                    noted.watched.append((presence.site, begins, fresh.end_ms))
            marking(noted)
        return noted

    def add_followed(
        self, site: str, sessions: Table, aps: Sequence[str], watched: Mapping[str, Sequence[Run]]
    ) -> None:
        """Add a site's sessions that somebody else followed in its client tables, none of them
        known yet (rows.FOLLOWED_ROW); durable on return, all or none. They go on when seen again.

        `watched`: by AP, the time in which its table was read.
        """
        with self._writing() as db:
            number = _numbered(db, "sites", [site])[site]
            numbers = _numbered(db, "aps", {*aps, *watched})
            rows.insert_followed(db, sessions, number, [numbers[ap] for ap in aps])
            for ap, runs in watched.items():
                for run in runs:
                    _watch(db, number, numbers[ap], run)

    def add_imported(
        self, sessions: Table, sites: Sequence[str], watched: Mapping[str, Run]
    ) -> int:
        """Add sessions of another system (rows.IMPORTED_ROW); durable on return, all or none.

        One that is there already, with the same site, start and end, is not added again: by this
        an import may be repeated when its keys are gone. Returns how many were added.
        """
        with self._writing() as db:
            numbers = _numbered(db, "sites", {*sites, *watched})
            ap = _numbered(db, "aps", [WHOLE_SITE])[WHOLE_SITE]
            listed = [numbers[site] for site in sites]
            new = sessions[_unknown(db, sessions, listed)]
            rows.insert_imported(db, new, listed, ap)
            for site, run in watched.items():
                _watch(db, numbers[site], ap, run)
        return len(new)

    def counts(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        """Count sessions per site, AP and window in [start, end), both on the window.

        Columns `site`, `ap`, `start_ms` and those of `counts.COUNTS`, sorted by the first three.
        An AP of "" stands for its whole site: the source does not say more. No row stands for a
        place and window in which nothing watched and nobody came.
        """
        with self._reading() as db:
            sites = _by_number(db, "sites")
            aps = _by_number(db, "aps")
            zones = {number: self._rules.zone(name) for number, name in sites.items()}
            step = max(1, MAX_CELLS // max(len(aps), len(sites), 1)) * WINDOW_MS
            parts = [
                count(
                    rows.sessions_meeting(db, needed_since_ms(at, zones), min(at + step, end_ms)),
                    rows.runs_meeting(db, at, min(at + step, end_ms)),
                    zones,
                    at,
                    min(at + step, end_ms),
                    passer_by_ms=self._rules.passer_by_ms,
                )
                for at in range(start_ms, end_ms, step)
            ]
        found = pd.concat(parts, ignore_index=True) if parts else _nothing()
        found["site"] = found["site"].map(sites).astype("str")
        found["ap"] = found["ap"].map(aps).astype("str")
        return found.sort_values(["site", "ap", "start_ms"], ignore_index=True)

    def lengths(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Read how long the sessions lasted that began in [start, end), passers-by left out.

        Columns `site`, `start_ms`, `length_ms` and `exact`: False where the length is known to a
        poll interval. One that still goes on is as long as it was so far.
        """
        with self._reading() as db:
            names = _by_number(db, "sites")
            dtype = [(n, np.int64) for n in ("site", "start_ms", "length_ms", "exact")]
            found = pd.DataFrame(np.fromiter(rows.lengths(db, start_ms, end_ms), np.dtype(dtype)))
        found["site"] = found["site"].map(names).astype("str")
        found["exact"] = found["exact"] == 1
        kept = ~(found["exact"] & (found["length_ms"] < self._rules.passer_by_ms))
        if sites is not None:
            kept &= found["site"].isin(list(sites))
        return found[kept].sort_values(["site", "start_ms", "length_ms"], ignore_index=True)

    def span(self) -> Mapping[str, tuple[int, int]]:
        """First and last watched instant of each site, also where it has expired since."""
        with self._reading() as db:
            found = db.execute(
                "SELECT name, first_ms, last_ms FROM sites WHERE first_ms IS NOT NULL ORDER BY name"
            ).fetchall()
        return {site: (first_ms, last_ms) for site, first_ms, last_ms in found}

    def expire(self, before_ms: int) -> int:
        """Delete, and overwrite, what was over when the local day of an instant began.

        Whole days, so that what is left is counted as before. Returns how many sessions.
        """
        deleted = 0
        with self._writing() as db:
            by_day: dict[int, list[int]] = {}
            for number, name in _by_number(db, "sites").items():
                zone = self._rules.zone(name)
                day = local_day_ms(local_date(before_ms, zone), zone)
                by_day.setdefault(day, []).append(number)
            for day, sites in by_day.items():
                deleted += rows.expire(db, sites, day)
            if by_day:
                db.execute(
                    "INSERT INTO marks VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET "
                    "value = max(value, ?2)",
                    (_EXPIRED_UNTIL, max(by_day)),
                )
        if deleted:
            with self._locked() as db:
                # Else what was deleted stays in the log of writes for a while.
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def expired_until_ms(self) -> int | None:
        """Counts of windows before this instant are gone; None: nothing ever expired."""
        with self._reading() as db:
            found = db.execute("SELECT value FROM marks WHERE name = ?", (_EXPIRED_UNTIL,))
            row = found.fetchone()
        return None if row is None else int(row[0])

    def close(self) -> None:
        """Release the file."""
        with self._locked() as db:
            db.close()

    def _follow(
        self, db: sqlite3.Connection, seen: Sequence[Presence], sites: Ids, aps: Ids
    ) -> list[Change]:
        """Merge the presences of one site."""
        site, gap_ms = seen[0].site, self._rules.gap_ms
        since_ms = min(p.ts_ms for p in seen) - gap_ms
        until_ms = max(p.ts_ms + p.interval_s * 1000 for p in seen) + gap_ms
        found = follow(rows.followed(db, site, sites, since_ms, until_ms), seen, gap_ms)
        db.executemany("DELETE FROM sessions WHERE id = ?", [(i,) for i in found.absorbed])
        rows.write_followed(db, (change.now for change in found.changes), sites, aps)
        return found.changes

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each read, so that no reader waits for the writer."""
        with store_errors(self._path), closing(connect(self._path)) as db:
            db.execute("BEGIN")  # one snapshot for all that is read
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._locked() as db, transaction(db):
            yield db

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock, store_errors(self._path):
            yield self._db


def _watch(db: sqlite3.Connection, site: int, ap: int, fresh: Run) -> int | None:
    """Add watched time; returns where it begins to be new, or None."""
    known = rows.watched_runs(db, site, ap, fresh.start_ms, fresh.end_ms)
    now = overlaid(known, fresh)
    if now != known:
        rows.replace_runs(db, site, ap, known, now)
    return uncovered_ms(known, fresh)


def _unknown(db: sqlite3.Connection, sessions: Table, sites: Sequence[int]) -> Mask:
    """Which sessions are not there already: of several alike, those beyond the number there."""
    key = ["site", "start_ms", "end_ms"]
    if not len(sessions):
        return np.zeros(0, dtype=np.bool_)
    there = rows.imported_keys(db, int(sessions["start_ms"].min()), int(sessions["start_ms"].max()))
    coming = pd.DataFrame({name: sessions[name] for name in key})
    coming["site"] = np.array(sites, dtype=np.int64)[sessions["site"]]
    nth = coming.groupby(key).cumcount().to_numpy()
    number = pd.DataFrame(there).groupby(key).size().rename("there").reset_index()
    known = coming.merge(number, how="left", on=key)["there"].fillna(0).to_numpy()
    fresh: Mask = nth >= known
    return fresh


def _numbered(db: sqlite3.Connection, table: str, names: Iterable[str]) -> Ids:
    """The numbers of names, given to those that have none."""
    db.executemany(
        f"INSERT OR IGNORE INTO {table} (name) VALUES (?)",  # noqa: S608 - ours
        [(name,) for name in sorted(names)],
    )
    return dict(name_ids(db, table))


def _by_number(db: sqlite3.Connection, table: str) -> dict[int, str]:
    return {number: name for name, number in name_ids(db, table)}


def _nothing() -> pd.DataFrame:
    columns = {"site": "int64", "ap": "int64", "start_ms": "int64", **COUNTS}
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})
