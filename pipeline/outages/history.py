"""Incidents of the past, from polls: what the live engine would have said of them in the end. Pure.

History has no evidence but its samples: a controller's own silence, or a broker's, are not in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from config.settings import Outages
from pipeline.outages.answers import FAR, Answers
from pipeline.outages.calendar import Calendar
from pipeline.outages.causes import (
    Down,
    Silence,
    Together,
    explain_in_time,
    failed_together,
    merged,
)
from pipeline.outages.incident import Incident, in_order, incident_id
from pipeline.outages.memory import Key, Root
from pipeline.outages.polls import Polls, Spells, spells_of
from pipeline.outages.telling import root_incident
from pipeline.outages.topology import Group, Topology
from pipeline.usage.intervals import Intervals, Ints

Answered = Callable[[Group, int], bool]
"""Whether some of a group are known to answer at an instant, from elsewhere than the polls."""
Explained = tuple[Together, tuple[Down, ...]]
"""APs that failed together, and those of them that nothing wider explains."""
Blind = Mapping[str, Sequence[tuple[int, int]]]
"""When collectors said themselves that they were blind, [start, end) in UTC milliseconds."""


def incidents_of(
    polls: Polls,
    topology: Topology,
    rules: Outages,
    calendar: Calendar,
    *,
    declared_blind: Blind | None = None,
    answered: Answered = lambda _group, _at: False,
) -> list[Incident]:
    """Every incident in polls, in order of time.

    `polls`: of all APs, or of those that failed at all and of those that their fault may have
    struck too; `answered` then speaks for the others.
    """
    return _Past(topology, rules, calendar, answered).incidents(polls, declared_blind or {})


@dataclass(frozen=True, slots=True)
class _Past:
    topology: Topology
    rules: Outages
    calendar: Calendar
    answered: Answered

    def incidents(self, polls: Polls, declared: Blind) -> list[Incident]:
        polls = self._that_speak(polls, declared)
        pollers = [group for group in self.topology.groups if group.scope == "poller"]
        others = [group for group in self.topology.groups if group.scope != "poller"]
        blind = self._together(polls, spells_of(polls, self.rules), pollers)
        if blind:
            spans: dict[str, list[tuple[int, int]]] = {}
            for together in blind:
                span = together.start_ms, together.end_ms or FAR
                spans.setdefault(together.group.subject, []).append(span)
            polls = self._that_speak(polls, spans)
        spells = spells_of(polls, self.rules)
        roots = [root for root, _ in self._roots([(together, ()) for together in blind])]
        parents: dict[Down, str] = {}
        for root, downs in self._roots(explain_in_time(self._together(polls, spells, others))):
            roots.append(root)
            parents |= dict.fromkeys(downs, root.id)
        return in_order([*map(root_incident, roots), *self._own(spells, polls, parents)])

    def _that_speak(self, polls: Polls, blind: Blind) -> Polls:
        """Without the failed polls that say nothing of an AP."""
        spans = {collector: Intervals.of(pairs) for collector, pairs in blind.items()}

        def says_nothing(ap: str, site: str, instants: Ints) -> Ints:
            place = self.topology.aps[ap]
            nothing = np.zeros(len(instants), dtype=np.int64)
            for covered in (spans.get(place.collector), self.calendar.off.get(site)):
                if covered is not None:
                    nothing |= covered.within(instants, instants + 1)
            since, until = place.service_ms
            if since is not None:
                nothing |= instants < since
            if until is not None:
                nothing |= instants >= until
            return nothing

        return polls.without_failures(says_nothing)

    def _together(self, polls: Polls, spells: Spells, groups: Iterable[Group]) -> list[Together]:
        """Every time that a group failed together."""
        answers = Answers(polls)
        downs: dict[str, list[Down]] = {}
        for at in range(len(spells)):
            ap = polls.aps[spells.ap[at]]
            downs.setdefault(ap, []).append(Down(ap, spells.spell(at)))
        found: dict[tuple[Group, Silence], Together | None] = {}
        for group in groups:
            of_it = [down for ap in group.members for down in downs.get(ap, ())]
            for at_ms in _worth_a_look(group, of_it):
                if self.answered(group, at_ms):
                    continue
                silence = answers.silence(group, at_ms)
                if silence is not None and (group, silence) not in found:
                    found[group, silence] = failed_together(group, of_it, silence)
        return [together for together in found.values() if together]

    def _roots(self, standing: Iterable[Explained]) -> Iterator[tuple[Root, list[Down]]]:
        """Roots, what relapsed as one, each with all that it explains."""
        by_key: dict[Key, list[Explained]] = {}
        for part in sorted(standing, key=lambda part: part[0].start_ms):
            by_key.setdefault(part[0].key, []).append(part)
        for key, parts in by_key.items():
            at = 0
            for spells in merged([together.spell for together, _ in parts], self._relapse_ms):
                first, began = parts[at]
                behind = [down for _, downs in parts[at : at + len(spells)] for down in downs]
                at += len(spells)
                announced = [self._is_announced(down) for down in began]
                maintenance = bool(announced) and all(announced)
                yield Root(*key, first.cause, spells, maintenance), behind

    def _own(self, spells: Spells, polls: Polls, parents: Mapping[Down, str]) -> Iterable[Incident]:
        """The incidents of APs."""
        first = 0
        for ap_number, count in zip(*np.unique(spells.ap, return_counts=True), strict=True):
            ap = polls.aps[ap_number]
            place = self.topology.aps[ap]
            of_ap = [spells.spell(at) for at in range(first, first + count)]
            at = first
            for of_one in merged(of_ap, self._relapse_ms):
                site = polls.sites[spells.site[at]]
                parent = parents.get(Down(ap, of_one[0]))
                at += len(of_one)
                yield Incident(
                    id=incident_id("ap", ap, of_one[0].start_ms),
                    scope="ap",
                    subject=ap,
                    site=site,
                    ap=ap,
                    controller=place.controller,
                    start_ms=of_one[0].start_ms,
                    end_ms=of_one[-1].end_ms,
                    confirmed_ms=of_one[0].confirmed_ms,
                    cause="no_answer" if parent else place.cause,
                    parent=parent,
                    flaps=len(of_one) - 1,
                    maintenance=self.calendar.in_maintenance(site, of_one[0].start_ms),
                    spells=of_one,
                )
            first += count

    @property
    def _relapse_ms(self) -> int:
        return self.rules.relapse_minutes * 60_000

    def _is_announced(self, down: Down) -> bool:
        return self.calendar.in_maintenance(self.topology.aps[down.ap].site, down.spell.start_ms)


def _worth_a_look(group: Group, downs: Sequence[Down]) -> list[int]:
    """Instants at which enough of a group are down for certain."""
    if len(downs) < group.needed:
        return []
    confirmed = np.array([down.spell.confirmed_ms for down in downs], dtype=np.int64)
    ends = np.sort([FAR if (end := d.spell.end_ms) is None else end for d in downs])
    at = np.unique(confirmed)
    so_far = np.searchsorted(np.sort(confirmed), at, side="right")
    over = np.searchsorted(ends, at, side="right")
    return [int(ms) for ms in at[so_far - over >= group.needed]]
