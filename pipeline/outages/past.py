"""Keeps the incidents of the past up to date with the stored samples."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from config.deployment import Deployment
from pipeline.maintenance import Announced, periods
from pipeline.outages.answers import FAR
from pipeline.outages.archive import Archive, Progress
from pipeline.outages.calendar import Calendar
from pipeline.outages.causes import merged
from pipeline.outages.incident import Incident, Spell, in_order, incident_id
from pipeline.outages.incidents import Incidents
from pipeline.outages.memory import Key
from pipeline.outages.record import Record
from pipeline.state import State
from pipeline.store.base import Store
from pipeline.usage.periods import HOUR_MS

REACH_INTERVALS: Final = 8
"""What a sample says of outages is told within so many poll intervals and the time of a relapse."""
SAID_LIVE: Final = "controller_silent"
"""A cause that no sample tells of."""


class PastOutages:
    """Finds the incidents of spans of the past again. Nobody is told of them."""

    def __init__(self, deployment: Deployment, store: Store, state: State) -> None:
        announced = periods(Announced(state).all(), deployment)
        known = {(p.site, p.start, p.end) for p in deployment.maintenance}
        news = [p for p in announced if (p.site, p.start, p.end) not in known]
        self._deployment = deployment.with_maintenance(news)
        self._store = store
        self._state = state
        self._incidents = Incidents(state)
        self._relapse_ms = deployment.settings.outages.relapse_minutes * 60_000

    def refresh(
        self,
        start_ms: int,
        end_ms: int,
        *,
        interval_s: int = 0,
        progress: Progress | None = None,
    ) -> int:
        """Make the incidents right that samples of [start, end) tell of; returns how many.

        Up to the last closed window: after it nothing is known of the past. `interval_s`: how often
        the samples were taken, where more rarely than now. Raises StoreError.
        """
        closed_ms = self._state.closed_until_ms()
        if closed_ms is None:
            return 0
        reach_ms = self._reach_ms(interval_s)
        since_ms = max(0, start_ms - reach_ms)
        since_ms -= since_ms % HOUR_MS
        until_ms = min(end_ms + reach_ms, closed_ms)
        if since_ms >= until_ms:
            return 0
        before = [
            incident
            for incident in self._incidents.between(since_ms - self._relapse_ms, since_ms + 1)
            if incident.start_ms < since_ms
        ]
        stored = self._incidents.between(since_ms, until_ms)
        after = [i for i in stored if i.end_ms is None or i.end_ms > until_ms]
        found = Archive(self._deployment, self._store).incidents(
            since_ms,
            until_ms,
            Calendar.of(self._deployment, since_ms, closed_ms),
            before=before,
            declared_blind=self._declared(since_ms, until_ms),
            known_until_ms=closed_ms,
            progress=progress,
        )
        kept = [i for i in stored if i.cause == SAID_LIVE and i.start_ms >= since_ms]
        stitched = [*_with_tails(found, after, until_ms, self._relapse_ms), *kept]
        self._incidents.replace(
            {incident.id for incident in [*before, *stored]},
            in_order(list(_with_parents(stitched, stored, kept).values())),
            searched_since_ms=since_ms,
        )
        return len(found)

    def _reach_ms(self, interval_s: int) -> int:
        aps = self._deployment.access_points.values()
        longest_s = max([interval_s, *(self._deployment.poll_seconds(ap) for ap in aps)])
        return self._relapse_ms + REACH_INTERVALS * longest_s * 1000 + HOUR_MS

    def _declared(self, start_ms: int, end_ms: int) -> Mapping[str, Sequence[tuple[int, int]]]:
        declared = Record(self._state).blindness(start_ms, end_ms)
        return {
            collector: [(start, FAR if end >= end_ms else end) for start, end in spans]
            for collector, spans in declared.items()
        }


def _with_tails(
    found: Sequence[Incident], after: Sequence[Incident], until_ms: int, relapse_ms: int
) -> list[Incident]:
    """Found incidents, going on as is known already of the time after the span."""
    known = {(incident.scope, incident.subject): incident for incident in after}
    last: dict[Key, Incident] = {}
    for incident in found:
        last[incident.scope, incident.subject] = incident
    stitched = list(found)
    for key, old in known.items():
        new = last.get(key)
        tail = [spell for spell in old.spells if spell.start_ms >= until_ms]
        spells = list(new.spells) if new else []
        if spells and spells[-1].end_ms is None:
            ends = [s.end_ms for s in old.spells if s.start_ms < until_ms and s.end_ms]
            over_ms = max([end for end in ends if end > until_ms], default=None)
            spells[-1] = spells[-1]._replace(end_ms=over_ms)
        if new:
            stitched.remove(new)
        open_end = bool(spells) and spells[-1].end_ms is None
        stitched += [
            _of_spells(new if new and of_one[0] == spells[0] else old, of_one)
            for of_one in merged([*spells, *([] if open_end else tail)], relapse_ms)
        ]
    return stitched


def _of_spells(like: Incident, spells: tuple[Spell, ...]) -> Incident:
    return replace(
        like,
        id=incident_id(like.scope, like.subject, spells[0].start_ms),
        start_ms=spells[0].start_ms,
        end_ms=spells[-1].end_ms,
        confirmed_ms=spells[0].confirmed_ms,
        flaps=len(spells) - 1,
        spells=spells,
    )


def _with_parents(
    found: Sequence[Incident], stored: Sequence[Incident], kept: Sequence[Incident]
) -> dict[str, Incident]:
    """Incidents by id; what was said live of a controller still explains what it explained."""
    explained = {i.id: i.parent for i in stored if i.parent in {one.id for one in kept}}
    by_id: dict[str, Incident] = {}
    for incident in found:
        parent = explained.get(incident.id)
        if parent is not None:
            by_id[incident.id] = replace(incident, parent=parent, cause="no_answer")
        else:
            by_id[incident.id] = incident
    return by_id
