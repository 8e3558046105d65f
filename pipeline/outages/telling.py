"""What became of the incidents since it was last said. Pure but for what it remembers to have
said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from config.settings import Outages
from pipeline.outages.calendar import Calendar
from pipeline.outages.incident import Incident, in_order, incident_id
from pipeline.outages.memory import Memory, Own, Root
from pipeline.outages.roots import Roots
from pipeline.outages.topology import Place, Topology

Change = Literal[
    "opened", "explained", "changed", "relapsed", "ended", "settled", "left_behind",
    "maintenance_over", "withdrawn",
]  # fmt: skip
WAIT_INTERVALS: Final = 0.5
"""How long, in poll intervals, a confirmed outage waits for others that may explain it."""
BLIND_WAIT_INTERVALS: Final = 1.5
"""The same while nobody at all answers any more."""


class IncidentEvent(NamedTuple):
    """Something became of an incident."""

    what: Change
    """- opened: there is one. With a `parent` it is explained by another one, which comes first;
    - explained: one that was told as a root has a `parent` now, or the other way about;
    - changed: something else of it, such as its cause;
    - relapsed: down again before it was over for good;
    - ended: a good poll came. It may relapse;
    - settled: it is over for good;
    - left_behind: it is still down though what explained it is over; said once;
    - maintenance_over: it began in announced maintenance, which is over, and it is still down;
      said once;
    - withdrawn: it was none after all: late evidence, a blind poller, a wider explanation.
    """
    incident: Incident
    at_ms: int
    """When that was known."""


class Telling:
    """Compares what is known with what was said."""

    def __init__(self, topology: Topology, rules: Outages, memory: Memory, roots: Roots) -> None:
        self._topology = topology
        self._rules = rules
        self._memory = memory
        self._roots = roots

    def news(self, calendar: Calendar, now_ms: int) -> Iterator[IncidentEvent]:
        """What is to be said now; it counts as said."""
        known, unsaid = [], set[str]()
        for root in self._memory.roots.values():
            if root.id in self._memory.told or not self._root_waits(root, now_ms):
                known.append(root_incident(root))
            else:
                unsaid.add(root.id)
        for ap, own in self._memory.own.items():
            incident = self.of_ap(ap, own)
            said = self._memory.told.get(incident.id)
            if said is not None:
                # What explains it is said first.
                waits = own.parent in unsaid
                known.append(replace(incident, parent=said.parent) if waits else incident)
            elif own.parent not in unsaid and not self._waits(ap, own, now_ms):
                known.append(incident)
        gone = self._memory.told.keys() - {incident.id for incident in known}
        for old in in_order([self._memory.told[id_] for id_ in gone]):
            yield self.forget(old, "withdrawn", now_ms)
        for incident in in_order(known):
            yield from self.differences(incident, now_ms)
            yield from self._once(incident, calendar, now_ms)

    def differences(self, incident: Incident, now_ms: int) -> Iterator[IncidentEvent]:
        """What of an incident was not said yet; it counts as said."""
        before = self._memory.told.get(incident.id)
        if before == incident:
            return
        self._memory.told[incident.id] = incident
        if before is None:
            yield IncidentEvent("opened", incident, now_ms)
        elif before.parent != incident.parent:
            yield IncidentEvent("explained", incident, now_ms)
        if incident.flaps > (before.flaps if before else 0):
            yield IncidentEvent("relapsed", incident, now_ms)
        if incident.end_ms is not None and (before is None or before.end_ms != incident.end_ms):
            yield IncidentEvent("ended", incident, now_ms)
        if before is not None and before.cause != incident.cause:
            yield IncidentEvent("changed", incident, now_ms)

    def forget(self, incident: Incident, why: Change, now_ms: int) -> IncidentEvent:
        """Say the last that there is to say of an incident."""
        self._memory.told.pop(incident.id, None)
        self._memory.once.pop(incident.id, None)
        return IncidentEvent(why, incident, now_ms)

    def of_ap(self, ap: str, own: Own) -> Incident:
        """The incident of an AP."""
        return ap_incident(ap, own, self._topology.aps[ap])

    def _waits(self, ap: str, own: Own, now_ms: int) -> bool:
        """Whether it may yet turn out that something explains it."""
        if own.root is not None:
            return False
        waited_ms = now_ms - own.spells[-1].confirmed_ms
        if waited_ms >= self._wait_ms({ap: own.spells[-1].start_ms}):
            return False
        return self._roots.may_be_explained(ap, own)

    def _root_waits(self, root: Root, now_ms: int) -> bool:
        if root.scope == "poller":
            return False
        if now_ms - root.spells[0].confirmed_ms >= self._wait_ms(self._roots.behind(root)):
            return False
        return self._roots.may_be_wider(root)

    def _wait_ms(self, failing: Mapping[str, int]) -> float:
        """How long to wait with what these APs have in common; since when does each fail?"""
        longest_ms = max((self._topology.aps[ap].interval_s * 1000 for ap in failing), default=0)
        # Who was asked just before we went blind fails an interval earlier than all others.
        blind = all(self._roots.may_be_blind(ap, start_ms) for ap, start_ms in failing.items())
        return longest_ms * (BLIND_WAIT_INTERVALS if blind else WAIT_INTERVALS)

    def _once(self, incident: Incident, calendar: Calendar, now_ms: int) -> Iterator[IncidentEvent]:
        if not incident.is_open:
            return
        said = self._memory.once.get(incident.id, [])
        if (
            incident.maintenance
            and "maintenance_over" not in said
            and incident.site
            and not calendar.in_maintenance(incident.site, now_ms)
        ):
            said = self._memory.once[incident.id] = [*said, "maintenance_over"]
            yield IncidentEvent("maintenance_over", incident, now_ms)
        if incident.parent and "left_behind" not in said and self._is_left(incident, now_ms):
            self._memory.once[incident.id] = [*said, "left_behind"]
            yield IncidentEvent("left_behind", incident, now_ms)

    def _is_left(self, incident: Incident, now_ms: int) -> bool:
        """Whether it did not come back with what explained it."""
        own = self._memory.own[incident.subject]
        last = self._memory.tracks[incident.subject].condition.last
        if last is None or last.answered:
            return False
        if own.root is None:
            return not self._waits(incident.subject, own, now_ms)
        root = next((r for r in self._memory.roots.values() if r.time == own.root), None)
        over_ms = root.spells[-1].end_ms if root else 0
        if over_ms is None:
            return False
        wait_ms = self._rules.span_intervals * last.interval_s * 1000
        return last.ts_ms > over_ms and now_ms >= over_ms + wait_ms


def root_incident(root: Root) -> Incident:
    """The incident of what explains others."""
    return Incident(
        id=root.id,
        scope=root.scope,
        subject=root.subject,
        site=root.subject if root.scope == "site" else None,
        ap=None,
        controller=root.subject if root.scope == "controller" else None,
        start_ms=root.spells[0].start_ms,
        end_ms=root.spells[-1].end_ms,
        confirmed_ms=root.spells[0].confirmed_ms,
        cause=root.cause,
        flaps=len(root.spells) - 1,
        maintenance=root.maintenance,
        spells=root.spells,
    )


def ap_incident(ap: str, own: Own, place: Place) -> Incident:
    """The incident of an AP."""
    return Incident(
        id=incident_id("ap", ap, own.start_ms),
        scope="ap",
        subject=ap,
        site=own.site,
        ap=ap,
        controller=place.controller,
        start_ms=own.start_ms,
        end_ms=own.spells[-1].end_ms,
        confirmed_ms=own.spells[0].confirmed_ms,
        cause="no_answer" if own.parent else place.cause,
        parent=own.parent,
        flaps=len(own.spells) - 1,
        maintenance=own.maintenance,
        spells=own.spells,
    )
