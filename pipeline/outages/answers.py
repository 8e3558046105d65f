"""When groups of APs answered, from their polls: in which silences outages began together."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from collectors.reading import HOLD
from pipeline.outages.causes import Silence
from pipeline.outages.polls import Polls
from pipeline.outages.topology import Group

FAR: Final = 2**62


class _Answers(NamedTuple):
    """The good polls of one AP, several in a row as one."""

    first: Sequence[int]
    last: Sequence[int]
    interval_s: Sequence[int]
    fails: Sequence[int]
    """The failed poll after them; FAR: none comes next."""


class Answers:
    """Looks up who answered when."""

    def __init__(self, polls: Polls) -> None:
        self._polls = polls
        self._number = {ap: i for i, ap in enumerate(polls.aps)}
        self._bounds = np.searchsorted(polls.ap, np.arange(len(polls.aps) + 1))
        self._known: dict[str, _Answers] = {}

    def silence(self, group: Group, at_ms: int) -> Silence | None:
        """The time around an instant in which nobody of the group answers; None: somebody does."""
        answered_ms = heard_until_ms = ends_ms = None
        for ap in group.members:
            known = self._of(ap)
            at = bisect_right(known.first, at_ms) - 1
            if at >= 0:
                if known.last[at] >= at_ms:
                    return None
                answered_ms = max(answered_ms or 0, known.last[at])
                hold_ms = min(round(known.interval_s[at] * HOLD * 1000), group.patience_ms)
                counts_until_ms = min(known.last[at] + hold_ms, known.fails[at])
                heard_until_ms = max(heard_until_ms or 0, counts_until_ms)
            if at + 1 < len(known.first):
                ends_ms = min(ends_ms or FAR, known.first[at + 1])
        return Silence(answered_ms, heard_until_ms, ends_ms)

    def _of(self, ap: str) -> _Answers:
        found = self._known.get(ap)
        if found is None:
            found = self._known[ap] = self._read(ap)
        return found

    def _read(self, ap: str) -> _Answers:
        number = self._number.get(ap)
        if number is None:
            return _Answers((), (), (), ())
        polls = self._polls
        here = slice(self._bounds[number], self._bounds[number + 1])
        answered = polls.answered[here] == 1
        ts = polls.ts[here]
        after = np.append(ts[1:], FAR)
        is_failure = np.append(~answered[1:], False)
        fails = np.where(is_failure, after, FAR)
        return _Answers(
            ts[answered].tolist(),
            polls.last[here][answered].tolist(),
            polls.interval_s[here][answered].tolist(),
            fails[answered].tolist(),
        )
