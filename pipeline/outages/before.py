"""The incidents that were under way when polls begin: what the polls say of how they went on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.outages.answers import FAR
from pipeline.outages.incident import Incident
from pipeline.outages.memory import Key
from pipeline.outages.polls import Polls
from pipeline.outages.topology import Group, Topology


@dataclass(frozen=True, slots=True)
class Before:
    """They are not over, or could relapse; of each the end is that which the polls show."""

    of_aps: Mapping[str, Incident]
    of_groups: Mapping[Key, Incident]

    @classmethod
    def of(
        cls, incidents: Iterable[Incident], polls: Polls, topology: Topology, since_ms: int
    ) -> "Before":
        """Those of APs that are in the files, and of all else. The polls begin at `since_ms`."""
        first = _first_answers(polls)
        members = {(group.scope, group.subject): group.members for group in topology.groups}
        of_aps: dict[str, Incident] = {}
        of_groups: dict[Key, Incident] = {}
        for incident in incidents:
            key = incident.scope, incident.subject
            aps = (incident.subject,) if incident.scope == "ap" else members.get(key, ())
            answers = [first[ap] for ap in aps if ap in first]
            known = _ended(incident, since_ms, min(answers, default=None))
            if incident.scope != "ap":
                of_groups[key] = known
            elif incident.subject in topology.aps:
                of_aps[incident.subject] = known
        return cls(of_aps, of_groups)

    def is_down(self, group: Group, at_ms: int) -> bool:
        """Whether a group that was down when the polls begin still is."""
        incident = self.of_groups.get((group.scope, group.subject))
        if incident is None:
            return False
        return incident.end_ms is None or at_ms < incident.end_ms

    def blind(self) -> Iterator[tuple[str, int]]:
        """The collectors that are blind when the polls begin, and until when."""
        for (scope, subject), incident in self.of_groups.items():
            if scope == "poller":
                end_ms = incident.spells[-1].end_ms
                yield subject, FAR if end_ms is None else end_ms


def _ended(incident: Incident, since_ms: int, answered_ms: int | None) -> Incident:
    """As it was when the polls began; what was not over then is ended by what answered first."""
    spells = [spell for spell in incident.spells if spell.start_ms < since_ms]
    last = spells[-1]
    if last.end_ms is None or last.end_ms >= since_ms:
        spells[-1] = last = last._replace(end_ms=answered_ms)
    return replace(incident, spells=tuple(spells), end_ms=last.end_ms, flaps=len(spells) - 1)


def _first_answers(polls: Polls) -> dict[str, int]:
    answered = np.flatnonzero(polls.answered == 1)
    aps, at = np.unique(polls.ap[answered], return_index=True)
    return {polls.aps[ap]: int(polls.ts[answered[i]]) for ap, i in zip(aps, at, strict=True)}
