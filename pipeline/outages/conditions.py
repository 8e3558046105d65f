"""The condition of every AP and controller as evidence comes in, and the incident of each AP."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from config.settings import Outages
from pipeline.outages.calendar import Calendar
from pipeline.outages.evidence import Evidence
from pipeline.outages.machine import Condition, Event
from pipeline.outages.memory import Memory, Own
from pipeline.outages.topology import Topology
from pipeline.outages.track import Track

HORIZON_INTERVALS: Final = 6
"""Poll intervals by which evidence may come late."""
BLIND_KEPT: Final = 4
"""Times of blindness of a collector that are remembered, for evidence that comes late."""
CONTROLLERS_COLLECTOR: Final = "snmp"
"""A controller is polled in no other way."""


class Settled(NamedTuple):
    """An incident of an AP that is over for good."""

    ap: str
    own: Own


class Note(NamedTuple):
    """Something that a device showed that is no outage by itself: `rebooted`, `stuck`."""

    ap: str
    event: Event


class Conditions:
    """Feeds evidence to the machine of its subject."""

    def __init__(
        self, topology: Topology, rules: Outages, calendar: Calendar, memory: Memory
    ) -> None:
        self.calendar = calendar
        self._topology = topology
        self._rules = rules
        self._memory = memory
        self._seen_late: list[Settled] = []
        self._interval_s = {
            group.subject: group.interval_s for group in topology.groups if group.scope == "poller"
        }

    def add_readings(self, evidence: Sequence[Evidence]) -> Iterator[Settled | Note]:
        """Take evidence of APs in order of time."""
        for item in evidence:
            track = self._track(self._memory.tracks, item, self._collector(item.subject))
            for condition, event in track.add(item, self._rules, self._is_ignored):
                if event.what in ("rebooted", "stuck"):
                    yield Note(item.subject, event)
                elif event.what == "settled":
                    yield from self._settled(item.subject, event)
                self._adopt(item.subject, condition)
            self._adopt(item.subject, track.condition)

    def add_polls(self, evidence: Sequence[Evidence]) -> None:
        """Take evidence of controllers in order of time."""
        for item in evidence:
            track = self._track(self._memory.controllers, item, CONTROLLERS_COLLECTOR)
            for _ in track.add(item, self._rules, self._is_ignored_of_controller):
                pass

    def settle(self, now_ms: int) -> Iterator[Settled]:
        """Let time pass."""
        over = [ap for ap, own in self._memory.own.items() if not own.is_open]
        for ap in over:
            for event in self._memory.tracks[ap].settle(now_ms, self._rules):
                yield from self._settled(ap, event)
        for track in self._memory.controllers.values():
            track.settle(now_ms, self._rules)

    def seen_late(self) -> list[Settled]:
        """What turned out to be over for good when other evidence was thought about again."""
        found, self._seen_late = self._seen_late, []
        return found

    def go_blind(self, collector: str, since_ms: int) -> None:
        """What failed since then says nothing, nor will what fails until it sees again."""
        self._memory.blind.setdefault(collector, []).append((since_ms, None))
        self._think_again(collector)

    def see_again(self, collector: str, at_ms: int) -> None:
        """What fails from then on says something again."""
        times = self._memory.blind[collector]
        times[-1] = (times[-1][0], at_ms)
        del times[:-BLIND_KEPT]
        self._think_again(collector)

    def _think_again(self, collector: str) -> None:
        for ap, track in self._memory.tracks.items():
            if self._collector(ap) == collector:
                for event in track.refold(self._rules, self._is_ignored):
                    self._seen_late += self._settled(ap, event)
                self._adopt(ap, track.condition)
        if collector == CONTROLLERS_COLLECTOR:
            for track in self._memory.controllers.values():
                track.refold(self._rules, self._is_ignored_of_controller)

    def _collector(self, ap: str) -> str:
        place = self._topology.aps.get(ap)
        return place.collector if place else ""

    def _track(self, tracks: dict[str, Track], evidence: Evidence, collector: str) -> Track:
        known = tracks.get(evidence.subject)
        if known is None:
            usual_s = max(self._interval_s.get(collector, 0), evidence.interval_s)
            known = tracks[evidence.subject] = Track(HORIZON_INTERVALS * usual_s * 1000)
        return known

    def _is_ignored(self, evidence: Evidence) -> bool:
        return self.calendar.may_be_off(evidence.site, evidence.ts_ms) or self._was_blind(
            self._collector(evidence.subject), evidence.ts_ms
        )

    def _is_ignored_of_controller(self, evidence: Evidence) -> bool:
        return self._was_blind(CONTROLLERS_COLLECTOR, evidence.ts_ms)

    def _was_blind(self, collector: str, at_ms: int) -> bool:
        return any(
            start <= at_ms and (end is None or at_ms < end)
            for start, end in self._memory.blind.get(collector, ())
        )

    def _settled(self, ap: str, event: Event) -> Iterator[Settled]:
        own = self._memory.own.get(ap)
        if own is not None and own.start_ms == event.spells[0].start_ms:
            del self._memory.own[ap]
            yield Settled(ap, replace(own, spells=event.spells))

    def _adopt(self, ap: str, condition: Condition) -> None:
        """Make the AP's incident what its condition says."""
        own, spells = self._memory.own.get(ap), condition.spells
        if not spells:
            self._memory.own.pop(ap, None)
        elif own is not None and own.start_ms == spells[0].start_ms:
            if own.spells != spells:
                root = own.root if own.spells[-1].start_ms == spells[-1].start_ms else None
                self._memory.own[ap] = replace(own, spells=spells, root=root)
        else:
            site = (condition.last and condition.last.site) or self._topology.aps[ap].site
            maintenance = self.calendar.in_maintenance(site, spells[0].start_ms)
            self._memory.own[ap] = Own(site, spells, maintenance)
