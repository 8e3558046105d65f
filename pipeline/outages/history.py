"""Incidents of the past, from polls: what the live engine would have said of them in the end. Pure.

History has no evidence but its samples: a controller's own silence, or a broker's, are not in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from config.settings import Outages
from pipeline.outages.answers import FAR, Answers
from pipeline.outages.before import Before
from pipeline.outages.calendar import Calendar
from pipeline.outages.causes import (
    Down,
    Silence,
    Together,
    explain_in_time,
    failed_together,
    merged,
)
from pipeline.outages.incident import Incident, Scope, Spell, in_order
from pipeline.outages.memory import Key, Own, Root
from pipeline.outages.polls import Polls, spells_of
from pipeline.outages.telling import ap_incident, root_incident
from pipeline.outages.topology import Group, Topology
from pipeline.usage.intervals import Intervals, Ints

Answered = Callable[[Group, int], bool]
"""Whether some of a group are known to answer at an instant, from elsewhere than the polls."""
Explained = tuple[Together, tuple[Down, ...]]
"""APs that failed together, and those of them that nothing wider explains."""
Blind = Mapping[str, Sequence[tuple[int, int]]]
"""When collectors said themselves that they were blind, [start, end) in UTC milliseconds; up to FAR
where they still are.
"""


def incidents_of(
    polls: Polls,
    topology: Topology,
    rules: Outages,
    calendar: Calendar,
    *,
    declared_blind: Blind | None = None,
    answered: Answered = lambda _group, _at: False,
    before: Sequence[Incident] = (),
    since_ms: int = 0,
) -> list[Incident]:
    """Every incident in polls from `since_ms` on, in order of time.

    `polls`: of all APs, or of those that failed at all and of those that their fault may have
    struck too; `answered` then speaks for the others. `before`: the incidents that were not over,
    or could relapse, when the polls begin; they go on, and come back among the others.
    """
    topology = topology.polled_every(polls.intervals())
    went_on = Before.of(before, polls, topology, since_ms)
    past = _Past(topology, rules, calendar, answered, went_on, since_ms)
    return past.incidents(polls, declared_blind or {})


class _Known(NamedTuple):
    """An outage of an AP."""

    spell: Spell
    site: str
    """Where it stood then."""


@dataclass(frozen=True, slots=True)
class _Past:
    topology: Topology
    rules: Outages
    calendar: Calendar
    answered: Answered
    before: Before
    since_ms: int

    def incidents(self, polls: Polls, declared: Blind) -> list[Incident]:
        told = {collector: list(spans) for collector, spans in declared.items()}
        for collector, end_ms in self.before.blind():
            told.setdefault(collector, []).append((self.since_ms, end_ms))
        polls = self._that_speak(polls, told)
        pollers = [group for group in self.topology.groups if group.scope == "poller"]
        others = [group for group in self.topology.groups if group.scope != "poller"]
        blind = self._together(polls, self._downs(polls), pollers)
        if blind:
            spans: dict[str, list[tuple[int, int]]] = {}
            for together in blind:
                span = together.start_ms, together.end_ms or FAR
                spans.setdefault(together.group.subject, []).append(span)
            polls = self._that_speak(polls, spans)
        downs = self._downs(polls)
        blind += [one for one in _declared(declared) if one.start_ms >= self.since_ms]
        found = [incident for incident, _ in self._roots([(one, ()) for one in blind], "poller")]
        parents: dict[Down, str] = {}
        standing = explain_in_time(self._together(polls, downs, others))
        for incident, behind in self._roots(standing, "controller", "uplink", "site"):
            found.append(incident)
            parents |= dict.fromkeys(behind, incident.id)
        return in_order([*found, *self._own(downs, parents)])

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

    def _downs(self, polls: Polls) -> dict[str, list[_Known]]:
        """The outages of each AP, in order of time."""
        spells = spells_of(polls, self.rules)
        downs: dict[str, list[_Known]] = {ap: [] for ap in self.before.of_aps}
        for at in range(len(spells)):
            known = _Known(spells.spell(at), polls.sites[spells.site[at]])
            downs.setdefault(polls.aps[spells.ap[at]], []).append(known)
        for ap, incident in self.before.of_aps.items():
            over_ms = incident.spells[-1].end_ms
            # What failed until then is what went on from before.
            later = [d for d in downs[ap] if over_ms is not None and d.spell.start_ms >= over_ms]
            went_on = [_Known(spell, incident.site or "") for spell in incident.spells]
            downs[ap] = [*went_on, *later]
        return downs

    def _together(
        self, polls: Polls, known: Mapping[str, Sequence[_Known]], groups: Iterable[Group]
    ) -> list[Together]:
        """Every time that a group failed together."""
        answers = Answers(polls)
        downs = {
            ap: [Down(ap, one.spell) for one in of_ap if one.spell.start_ms >= self.since_ms]
            for ap, of_ap in known.items()
        }
        found: dict[tuple[Group, Silence], Together | None] = {}
        for group in groups:
            of_it = [down for ap in group.members for down in downs.get(ap, ())]
            for at_ms in _worth_a_look(group, of_it):
                if self.answered(group, at_ms) or self.before.is_down(group, at_ms):
                    continue
                silence = answers.silence(group, at_ms)
                if silence is not None and (group, silence) not in found:
                    found[group, silence] = failed_together(group, of_it, silence)
        return [together for together in found.values() if together]

    def _roots(
        self, standing: Iterable[Explained], *scopes: Scope
    ) -> Iterator[tuple[Incident, list[Down]]]:
        """Roots, what relapsed as one, each with all that it explains anew."""
        by_key: dict[Key, list[Explained]] = {
            key: [] for key in self.before.of_groups if key[0] in scopes
        }
        for part in sorted(standing, key=lambda part: part[0].start_ms):
            by_key.setdefault(part[0].key, []).append(part)
        for key, parts in by_key.items():
            old = self.before.of_groups.get(key)
            went_on = old.spells if old else ()
            at = -len(went_on)
            spells = [*went_on, *(together.spell for together, _ in parts)]
            for of_one in merged(spells, self._relapse_ms):
                new = parts[max(at, 0) : max(at + len(of_one), 0)]
                behind = [down for _, downs in new for down in downs]
                if old is not None and at < 0:
                    yield _going_on(old, of_one), behind
                else:
                    announced = [self._is_announced(down) for down in new[0][1]]
                    maintenance = bool(announced) and all(announced)
                    yield root_incident(Root(*key, new[0][0].cause, of_one, maintenance)), behind
                at += len(of_one)

    def _own(
        self, downs: Mapping[str, Sequence[_Known]], parents: Mapping[Down, str]
    ) -> Iterator[Incident]:
        """The incidents of APs."""
        for ap, known in downs.items():
            at, old = 0, self.before.of_aps.get(ap)
            for of_one in merged([one.spell for one in known], self._relapse_ms):
                site = known[at].site
                at += len(of_one)
                if old is not None and of_one[0] == old.spells[0]:
                    yield _going_on(old, of_one)
                    continue
                maintenance = self.calendar.in_maintenance(site, of_one[0].start_ms)
                own = Own(site, of_one, maintenance, parents.get(Down(ap, of_one[0])))
                yield ap_incident(ap, own, self.topology.aps[ap])

    @property
    def _relapse_ms(self) -> int:
        return self.rules.relapse_minutes * 60_000

    def _is_announced(self, down: Down) -> bool:
        return self.calendar.in_maintenance(self.topology.aps[down.ap].site, down.spell.start_ms)


def _going_on(old: Incident, spells: tuple[Spell, ...]) -> Incident:
    return replace(old, spells=spells, end_ms=spells[-1].end_ms, flaps=len(spells) - 1)


def _declared(blind: Blind) -> Iterator[Together]:
    """What collectors said themselves, as what was found out."""
    for collector, spans in blind.items():
        group = Group("poller", collector, (), 0, 0)
        for start_ms, end_ms in spans:
            end = None if end_ms >= FAR else end_ms
            yield Together(group, start_ms, start_ms, end, (), "blind")


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
