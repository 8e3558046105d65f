"""Looks, whenever windows were closed, which sites are up and of no use.

What sites are used to is learnt once a day. In between only the last window is read of all of
them, and more only of those that were empty in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import structlog

from config.deployment import Deployment
from pipeline.open_hours import open_hours
from pipeline.outages.stuck import (
    WEEK_MS,
    NotJudged,
    Rhythm,
    Run,
    Stuck,
    Windows,
    judge,
    learn,
    missed_by,
    peers_share,
    run_now,
    share_of_usual,
)
from pipeline.outages.stuck_record import StuckRecord
from pipeline.store.base import Store
from pipeline.usage.periods import DAY_MS, WINDOW_MS

WEEKS: Final = 8
MIN_WEEKS: Final = 4
"""Of them, for an hour of the week to count."""
LOOK_BACK_MS: Final = WEEK_MS
"""A run is followed so far back."""
KNOWN: Final = 0.5
"""Of its access points' time in service: so much was up, with the number of users known."""
AT_ONCE: Final = 20
"""Sites whose weeks are held in memory."""

log = structlog.get_logger(__name__)


class StuckWatch:
    """`look` belongs to one thread at a time, and raises StoreError."""

    def __init__(self, deployment: Deployment, store: Store, record: StuckRecord) -> None:
        self._deployment = deployment
        self._store = store
        self._record = record
        self._rhythms: dict[str, Rhythm] = {}
        self._learnt_ms: int | None = None
        self._looked_ms: int | None = None

    def announced(self, deployment: Deployment) -> None:
        """Go on with a deployment in which other maintenance is announced."""
        self._deployment = deployment

    def look(self, closed_ms: int, now_ms: int) -> None:
        """Judge all sites by what is known up to the end of the last closed window."""
        if closed_ms == self._looked_ms:
            return
        if self._learnt_ms is None or not 0 <= closed_ms - self._learnt_ms < DAY_MS:
            self._rhythms = self._learn(closed_ms)
            self._learnt_ms = closed_ms
        under_way = {found.site: found for found in self._record.as_of(now_ms)}
        for stuck in under_way.values():
            self._follow(stuck, closed_ms)
        last = self._store.read_usage("15min", closed_ms - WINDOW_MS, closed_ms)
        empty = last[(last["user_ms"] == 0) & (last["clients_ms"] > 0)]["site"]
        asked = [site for site in empty if site in self._rhythms and site not in under_way]
        strange = self._strange(asked, closed_ms)
        # Of the others more is read only if there is somebody to compare with them.
        since_ms = min((run.start_ms for run in strange.values()), default=closed_ms)
        others = self._windows(self._rhythms if strange else (), since_ms, closed_ms)
        limit = self._deployment.settings.outages.idle_chance
        for site, run in strange.items():
            peers = self._peers(site, run, others)
            found = judge(site, run, self._rhythms[site], peers=peers, limit=limit, now_ms=now_ms)
            if found:
                self._record.put(found)
                log.warning("up, but nobody", site=site, since_ms=found.start_ms)
        self._looked_ms = closed_ms

    def _strange(self, sites: Collection[str], closed_ms: int) -> Mapping[str, Run]:
        """The runs of empty windows that are strange, unless others are empty too."""
        limit = self._deployment.settings.outages.idle_chance
        found = {}
        for site, windows in self._windows(sites, closed_ms - LOOK_BACK_MS, closed_ms).items():
            rhythm = self._rhythms[site]
            run = run_now(windows, rhythm, self._deployment.zone(site))
            if run and not rhythm.explains(missed_by(run, rhythm), limit):
                found[site] = run
        return found

    def _peers(self, site: str, run: Run, others: Mapping[str, Windows]) -> float | None:
        sites = self._deployment.sites
        of_kind: list[float] = []
        of_city: list[float] = []
        for name, windows in others.items():
            zone = self._deployment.zone(name)
            share = share_of_usual(windows, run, self._rhythms[name], zone)
            if name == site or share is None:
                continue
            of_city.append(share)
            if sites[name].kind == sites[site].kind:
                of_kind.append(share)
        return peers_share(of_kind, of_city)

    def _follow(self, found: Stuck, closed_ms: int) -> None:
        """It is over once somebody is there, open or not, or once it is down."""
        since_ms = max(found.start_ms, closed_ms - LOOK_BACK_MS)
        windows = self._windows([found.site], since_ms, closed_ms).get(found.site)
        if windows is None:
            return
        ends = windows.start_ms[(windows.users > 0) | windows.down]
        if len(ends):
            self._record.put(replace(found, end_ms=int(ends[0])))
            log.info("somebody again, or down", site=found.site, since_ms=int(ends[0]))

    def _learn(self, closed_ms: int) -> dict[str, Rhythm]:
        limit = self._deployment.settings.outages.idle_chance
        rhythms: dict[str, Rhythm] = {}
        reasons: dict[str, int] = {}
        since_ms = closed_ms - WEEKS * WEEK_MS
        every = list(self._deployment.sites)
        for first in range(0, len(every), AT_ONCE):
            some = self._windows(every[first : first + AT_ONCE], since_ms, closed_ms)
            for site, windows in some.items():
                learnt = learn(windows, self._deployment.zone(site), MIN_WEEKS, limit)
                if isinstance(learnt, NotJudged):
                    reasons[learnt.why] = reasons.get(learnt.why, 0) + 1
                else:
                    rhythms[site] = learnt
        log.info("use learnt", sites=len(rhythms), **reasons)
        return rhythms

    def _windows(self, sites: Collection[str], start_ms: int, end_ms: int) -> Mapping[str, Windows]:
        if not sites:
            return {}
        usage = self._store.read_usage("15min", start_ms, end_ms, sites=sites)
        return windows_of(self._deployment, usage, start_ms, end_ms)


def windows_of(
    deployment: Deployment, usage: pd.DataFrame, start_ms: int, end_ms: int
) -> Mapping[str, Windows]:
    """15-minute usage of [start, end) of some sites, as it is judged. Others than of the files are
    left out.
    """
    rows = {str(site): some for site, some in usage.groupby("site") if site in deployment.sites}
    here = deployment.model_copy(update={"sites": {s: deployment.sites[s] for s in rows}})
    hours = open_hours(here, start_ms, end_ms)
    found = {}
    for site, some in rows.items():
        starts = some["start_ms"].to_numpy(dtype=np.int64)
        values = {
            name: some[name].to_numpy(dtype=np.float64)
            for name in ("aps", "expected_ms", "covered_ms", "up_ms", "down_ms", "maintenance_ms",
                         "clients_ms", "user_ms")
        }  # fmt: skip
        # While one access point of several is down, people use the others.
        usable = values["clients_ms"] - values["down_ms"]
        users = np.full(len(starts), np.nan)
        known = (usable > 0) & (values["aps"] > 0)
        users[known] = values["user_ms"][known] * values["aps"][known] / usable[known]
        is_open = hours[site].within(starts, starts + WINDOW_MS) == WINDOW_MS
        enough = known & (usable >= KNOWN * values["expected_ms"])
        counts = is_open & enough & (values["maintenance_ms"] == 0)
        down = (values["covered_ms"] > 0) & (values["up_ms"] == 0)
        found[site] = Windows(starts, users, counts, down)
    return found
