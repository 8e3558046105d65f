"""Which of the millions of polls matter to whoever judges them; the others need not be told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from collectors.fleet.faults.network import POLL_SECONDS, Network
from collectors.fleet.faults.polls import FAILED, GOOD, VAGUE, Polls
from collectors.fleet.faults.publishing import Publishing
from collectors.fleet.faults.spans import Bools, Ints, Span
from collectors.fleet.faults.troubles import Troubles

_ROUND_MS: Final = POLL_SECONDS * 1000


@dataclass(frozen=True)
class Choice:
    """Which polls matter.

    A poll that fails between good ones comes to nothing: an outage spans more than a round. While
    something fails for longer, nothing happens but when that begins or ends, or when what else
    bears on it does. So only the rounds around such instants are looked at, and in these, of an
    access point that fails for long and of all with which it may have one fault in common (a site,
    a controller, an uplink), everything that is not one good poll among others: what fails, the
    last good one before and the first after, and the first and the last good one of each round,
    which show that they do not share the fault. And, where there is anything, one good poll of the
    same source in the same round, which shows that it is not we who are blind.
    """

    network: Network
    troubles: Troubles
    closed: Sequence[Span]
    """When sites that are switched off at night are closed."""
    polls: Polls
    publishing: Publishing

    @cached_property
    def chosen(self) -> Bools:
        """Rounds x spots."""
        failed, answered = self._outcomes()
        stays = self._stays(failed, answered)
        lasting = self._lasting(stays)
        told = near(lasting, 2, 2) | failed | (answered & ~(_before(answered) & _after(answered)))
        chosen = np.zeros_like(told)
        eventful = self._eventful(stays, lasting)
        for members in self._groups():
            rounds = np.flatnonzero(near(np.any(lasting[:, members], axis=1), 2, 2) & eventful)
            here = np.ix_(rounds, members)
            chosen[here] |= told[here]
            for ordered in (members, members[::-1]):
                self._witness(chosen, answered, rounds, ordered)
        for source in ("snmp", "mqtt"):
            spots = self.network.spots
            members = np.array([n for n, spot in enumerate(spots) if spot.source == source])
            if len(members):
                rounds = np.flatnonzero(chosen[:, members].any(axis=1))
                self._witness(chosen, answered, rounds, members)
        return chosen

    def _eventful(self, stays: Bools, lasting: Bools) -> Bools:
        """Rounds in which something may come of what is heard, and those around them."""
        found: Bools = np.any((stays != _before(stays)) & near(lasting, 1, 1), axis=1)
        spans = [span for _, *span in self.troubles.works]
        spans += [[start, end] for start, end in self.closed]
        spans += [[blind.start_ms, blind.end_ms] for blind in self.troubles.blind]
        spans += [[shift.start_ms, shift.end_ms] for shift in self.troubles.shifts]
        found[self.polls.round_of(np.array(spans, dtype=np.int64).ravel())] = True
        return near(found, 3, 4)

    def _witness(self, chosen: Bools, answered: Bools, rounds: Ints, members: Ints) -> None:
        """Add the first of the members that answers in each of these rounds."""
        good = answered[np.ix_(rounds, members)]
        some = good.any(axis=1)
        chosen[rounds[some], members[good[some].argmax(axis=1)]] = True

    def _outcomes(self) -> tuple[Bools, Bools]:
        """In which rounds each failed, and in which it answered: rounds x spots."""
        polls = self.polls
        shape = (len(polls.starts), len(self.network.spots))
        failed, answered = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        failed[:, polls.spots] = polls.codes == FAILED
        answered[:, polls.spots] = (polls.codes == GOOD) | (polls.codes == VAGUE)
        for spot, one in self.publishing.messages.items():
            rounds = self.polls.round_of(one.arrived)
            failed[rounds[one.codes == FAILED], spot] = True
            answered[rounds[one.codes == GOOD], spot] = True
        return failed, answered

    def _stays(self, failed: Bools, answered: Bools) -> Bools:
        """Whether each fails, or failed when it was last heard of."""
        rounds = np.arange(len(failed), dtype=np.int32)[:, None]
        last = np.maximum.accumulate(np.where(failed | answered, rounds, 0), axis=0)
        return np.take_along_axis(failed, last, axis=0)

    def _lasting(self, stays: Bools) -> Bools:
        """Where something fails for longer than a round, or may be found to."""
        lasting = stays & _before(stays)
        lasting |= _after(lasting)
        # A controller that is asked again because of others tells of these too, between rounds.
        for spot, spans in self.polls.missed.items():
            for start, end in spans:
                if end - start >= _ROUND_MS:
                    first, last = self.polls.round_of(np.array([start, end])).tolist()
                    lasting[first : last + 1, spot] = True
        return lasting

    def _groups(self) -> Iterator[Ints]:
        network = self.network
        for groups in (network.at_site, network.behind, network.on_uplink):
            for members in groups.values():
                yield np.array(members)


def _before(marks: Bools) -> Bools:
    """Of each round, the marks of the one before it."""
    found = np.zeros_like(marks)
    found[1:] = marks[:-1]
    return found


def _after(marks: Bools) -> Bools:
    found = np.zeros_like(marks)
    found[:-1] = marks[1:]
    return found


def near(marks: Bools, before: int, after: int) -> Bools:
    """Also so many rounds before and after what is marked."""
    found = marks.copy()
    for by in range(1, before + 1):
        found[:-by] |= marks[by:]
    for by in range(1, after + 1):
        found[by:] |= marks[:-by]
    return found
