"""What is down now, as evidence comes in: the machine of every subject, and what explains them.

Without I/O and without a clock: whoever runs it hands over readings and the time, stores what it
says, and keeps its memory for the next start (`snapshot`).
"""

from collections.abc import Iterable
from typing import Any

from collectors.reading import Reading
from config.settings import Outages
from pipeline.outages import snapshot
from pipeline.outages.calendar import Calendar
from pipeline.outages.conditions import Conditions, Note, Settled
from pipeline.outages.evidence import Evidence, evidence_of, in_order
from pipeline.outages.incident import Incident
from pipeline.outages.incident import in_order as incidents_in_order
from pipeline.outages.machine import State, state
from pipeline.outages.memory import Memory
from pipeline.outages.roots import Roots
from pipeline.outages.telling import IncidentEvent, Telling, root_incident
from pipeline.outages.topology import Topology


class Engine:
    """Judges evidence as it comes. Belongs to one thread.

    Every method that returns events returns each of them once, roots before what they explain.
    """

    def __init__(
        self,
        topology: Topology,
        rules: Outages,
        calendar: Calendar,
        restored: dict[str, Any] | None = None,
    ) -> None:
        """`restored`: the `snapshot` of an engine before this one. What it knew of APs that are in
        the files no more is forgotten.
        """
        self._topology = topology
        self._rules = rules
        self._memory = snapshot.restored(restored, topology) if restored else Memory.empty()
        self._conditions = Conditions(topology, rules, calendar, self._memory)
        self._roots = Roots(topology, rules, self._memory, self._conditions)
        self._telling = Telling(topology, rules, self._memory, self._roots)
        self._notes: list[Note] = []

    @property
    def calendar(self) -> Calendar:
        """When something that is down is no news; replaced as time goes on, and when maintenance
        is announced.
        """
        return self._conditions.calendar

    @calendar.setter
    def calendar(self, calendar: Calendar) -> None:
        self._conditions.calendar = calendar

    def observe(self, readings: Iterable[Reading], now_ms: int) -> list[IncidentEvent]:
        """Take readings, in any order; those of APs that are not in the files are passed over.

        Hand them over once they are durable, so that what is stored never knows less than what was
        said. Readings that are older than some poll intervals change nothing.
        """
        heard = [evidence_of(reading) for reading in readings if reading.ap in self._topology.aps]
        evidence = in_order(item for item in heard if item is not None)
        # What was certain before must not depend on when time was last let pass.
        events = self._reckon(min([now_ms, *(item.ts_ms for item in evidence[:1])]))
        for found in self._conditions.add_readings(evidence):
            if isinstance(found, Settled):
                events += self._settle(found, now_ms)
            else:
                self._notes.append(found)
        return events + self._reckon(now_ms)

    def observe_controllers(self, evidence: Iterable[Evidence], now_ms: int) -> list[IncidentEvent]:
        """Take what polls of controllers came to, whose ids are the subjects.

        Hand it over before the readings of the same polls. A controller that does not answer is
        the root of what is behind it, also of a single AP.
        """
        self._conditions.add_polls(in_order(evidence))
        return self._reckon(now_ms)

    def lose(self, collector: str, since_ms: int, now_ms: int) -> list[IncidentEvent]:
        """A collector knows itself that it is blind: its broker is gone, our store, our clock.

        `collector`: the `source` of its APs. Until `regain` their silence says nothing.
        """
        self._roots.lose(collector, since_ms, now_ms)
        return self._reckon(now_ms)

    def regain(self, collector: str, at_ms: int, now_ms: int) -> list[IncidentEvent]:
        """It sees again."""
        self._roots.regain(collector, at_ms)
        return self._reckon(now_ms)

    def tick(self, now_ms: int) -> list[IncidentEvent]:
        """Let time pass. To be called every few seconds."""
        return self._reckon(now_ms)

    def suspects(self, now_ms: int) -> list[str]:
        """The APs whose last poll failed, and that should be polled again now. Sorted.

        Not those that are down for certain, nor where the poller is blind. Whatever several of
        them are polled through need be polled once only.
        """
        wait_ms = self._rules.repoll_seconds * 1000
        found = []
        for ap, track in self._memory.tracks.items():
            known = track.condition
            if not known.misses or known.is_down or known.last is None:
                continue
            due = known.last.ts_ms + wait_ms <= now_ms < known.last.hold_ends_ms
            if due and not self._is_blind(ap):
                found.append(ap)
        return sorted(found)

    def state(self, ap: str, now_ms: int) -> State:
        """How an AP stands."""
        track = self._memory.tracks.get(ap)
        if track is None or self._is_blind(ap):
            return "unknown"
        place = self._topology.aps[ap]
        in_maintenance = self.calendar.in_maintenance(place.site, now_ms)
        return state(track.condition, now_ms, self._rules, in_maintenance=in_maintenance)

    def incidents(self) -> list[Incident]:
        """Every incident that was told and may still change, in order of time."""
        return incidents_in_order(list(self._memory.told.values()))

    def take_notes(self) -> list[Note]:
        """What devices showed that is no outage by itself, since this was last called."""
        notes, self._notes = self._notes, []
        return notes

    def snapshot(self) -> dict[str, Any]:
        """All that it knows, for JSON; `restored` takes it."""
        return snapshot.of(self._memory)

    def _is_blind(self, ap: str) -> bool:
        return self._memory.root(("poller", self._topology.aps[ap].collector)) is not None

    def _settle(self, found: Settled, now_ms: int) -> list[IncidentEvent]:
        incident = self._telling.of_ap(found.ap, found.own)
        events = list(self._telling.differences(incident, now_ms))
        return [*events, self._telling.forget(incident, "settled", now_ms)]

    def _reckon(self, now_ms: int) -> list[IncidentEvent]:
        events = []
        for found in self._conditions.settle(now_ms):
            events += self._settle(found, now_ms)
        self._roots.update(now_ms)
        for found in self._conditions.seen_late():
            events += self._settle(found, now_ms)
        for root in self._roots.settled(now_ms):
            incident = root_incident(root)
            events += self._telling.differences(incident, now_ms)
            events.append(self._telling.forget(incident, "settled", now_ms))
        return [*events, *self._telling.news(self.calendar, now_ms)]
