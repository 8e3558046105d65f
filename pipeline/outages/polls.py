"""Samples as polls that answered or failed, as arrays: what outages of the past are found in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from config.settings import Outages
from pipeline.outages.incident import Spell
from pipeline.usage.grid import Mask
from pipeline.usage.intervals import Ints
from pipeline.usage.samples import HOLD_MS_PER_S, UNKNOWN, UP, from_frame

NONE: Final = -1
"""Stands for an instant that did not come."""


@dataclass(frozen=True, slots=True)
class Polls:
    """Polls of APs, sorted by AP and time. Good ones in a row with none missing are one row."""

    ap: Ints
    """Index into `aps`."""
    site: Ints
    """Index into `sites`."""
    ts: Ints
    """UTC milliseconds; of several the first."""
    last: Ints
    """Of several the last, else `ts`."""
    interval_s: Ints
    answered: Ints
    """1 or 0."""
    aps: tuple[str, ...]
    sites: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def hold_ends(self) -> Ints:
        """Until when each says anything, if its AP has nothing newer."""
        ends: Ints = self.last + self.interval_s * HOLD_MS_PER_S
        return ends

    def intervals(self) -> dict[str, int]:
        """The longest poll interval of each AP, in seconds."""
        aps, heads = np.unique(self.ap, return_index=True)
        if not len(aps):
            return {}
        longest = np.maximum.reduceat(self.interval_s, heads)
        return {self.aps[ap]: int(s) for ap, s in zip(aps, longest, strict=True)}

    def where(self, kept: Mask) -> "Polls":
        """Keep some of them."""
        return replace(
            self,
            ap=self.ap[kept],
            site=self.site[kept],
            ts=self.ts[kept],
            last=self.last[kept],
            interval_s=self.interval_s[kept],
            answered=self.answered[kept],
        )

    def without_failures(self, says_nothing: Callable[[str, str, Ints], Ints]) -> "Polls":
        """Leave out failed polls that say nothing.

        `says_nothing(ap, site, instants)`: not 0 where one at that instant does not.
        """
        kept = np.ones(len(self), dtype=bool)
        failed = np.flatnonzero(self.answered == 0)
        pairs = self.ap[failed] * len(self.sites) + self.site[failed]
        for pair in np.unique(pairs):
            rows = failed[pairs == pair]
            ap, site = divmod(int(pair), len(self.sites))
            kept[rows] = says_nothing(self.aps[ap], self.sites[site], self.ts[rows]) == 0
        return self.where(kept)


def polls_of(frame: pd.DataFrame, aps: Sequence[str], sites: Sequence[str] = ()) -> Polls:
    """The polls in a frame of samples; those of APs that are not in `aps` are left out."""
    samples = from_frame(frame, aps, sites)
    said = (samples.state != UNKNOWN) & (samples.ap < len(aps))
    return _condensed(
        Polls(
            samples.ap[said],
            samples.site[said],
            samples.ts[said],
            samples.ts[said],
            samples.interval_s[said],
            (samples.state[said] == UP).astype(np.int64),
            tuple(aps),
            samples.site_names,
        )
    )


def joined(parts: Sequence[Polls], aps: Sequence[str]) -> Polls:
    """Polls of several stretches of time, in any order, that do not overlap."""
    sites: dict[str, int] = {}
    renumbered = []
    for part in parts:
        numbers = [sites.setdefault(site, len(sites)) for site in part.sites]
        renumbered.append(np.array(numbers, dtype=np.int64)[part.site])
    empty = np.empty(0, dtype=np.int64)

    def column(name: str) -> Ints:
        return np.concatenate([empty, *(getattr(part, name) for part in parts)])

    ap, ts = column("ap"), column("ts")
    order = np.lexsort((ts, ap))
    return Polls(
        ap[order],
        np.concatenate([empty, *renumbered])[order],
        ts[order],
        column("last")[order],
        column("interval_s")[order],
        column("answered")[order],
        tuple(aps),
        tuple(sites),
    )


def loose_ends(polls: Polls, rules: Outages, until_ms: int) -> Iterator[tuple[str, int, int]]:
    """Where an outage goes on though nobody watched: the site, the last failed poll, and the next
    poll, or `until_ms`. What is not in the polls may end it earlier.
    """
    spells = spells_of(polls, rules)
    if not len(spells):
        return
    same = np.append(polls.ap[1:] == polls.ap[:-1], False)
    after = np.where(same, np.append(polls.ts[1:], 0), until_ms)
    loose = np.flatnonzero((polls.answered == 0) & (after > polls.hold_ends))
    # The spell of the same AP that began last, by then.
    far = 2**42
    keys = spells.ap * far + spells.start
    at = np.searchsorted(keys, polls.ap[loose] * far + polls.ts[loose], side="right") - 1
    inside = (at >= 0) & (spells.ap[at] == polls.ap[loose])
    ends = np.where(spells.end[at] == NONE, far, spells.end[at])
    for row in loose[inside & (ends > polls.ts[loose])]:
        yield polls.sites[polls.site[row]], int(polls.ts[row]), int(after[row])


def _condensed(polls: Polls) -> Polls:
    if not len(polls):
        return polls
    goes_on = (
        (polls.ap[1:] == polls.ap[:-1])
        & (polls.site[1:] == polls.site[:-1])
        & (polls.interval_s[1:] == polls.interval_s[:-1])
        & (polls.answered[1:] + polls.answered[:-1] == 2)
        & (polls.ts[1:] <= polls.hold_ends[:-1])
    )
    heads = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    tails = np.append(heads[1:], len(polls)) - 1
    return Polls(
        polls.ap[heads],
        polls.site[heads],
        polls.ts[heads],
        polls.last[tails],
        polls.interval_s[heads],
        polls.answered[heads],
        polls.aps,
        polls.sites,
    )


@dataclass(frozen=True, slots=True)
class Spells:
    """Outages that are certain, each from its first failed poll to the first good one, sorted by
    AP and time: what `machine` says of the same polls.
    """

    ap: Ints
    site: Ints
    """Where it stood then."""
    start: Ints
    confirmed: Ints
    end: Ints
    """NONE: no good poll came."""

    def __len__(self) -> int:
        return len(self.start)

    def spell(self, at: int) -> Spell:
        """One of them."""
        end = int(self.end[at])
        return Spell(int(self.start[at]), int(self.confirmed[at]), None if end == NONE else end)


def spells_of(polls: Polls, rules: Outages) -> Spells:
    """Find all outages of all APs at once."""
    failed = np.flatnonzero(polls.answered == 0)
    if not len(failed):
        return Spells(*(np.empty(0, dtype=np.int64) for _ in range(5)))
    ts, ap = polls.ts[failed], polls.ap[failed]
    # Failures with no good poll between them, cut where nobody watched.
    follows = np.zeros(len(failed), dtype=bool)
    follows[1:] = (failed[1:] == failed[:-1] + 1) & (ap[1:] == ap[:-1])
    watched = follows.copy()
    watched[1:] &= ts[1:] <= polls.hold_ends[failed][:-1]
    row_heads = np.flatnonzero(~watched)
    row = np.cumsum(~watched) - 1
    nth = np.arange(len(failed)) - row_heads[row] + 1
    first = ts[row_heads][row]
    needed_ms = rules.span_intervals * polls.interval_s[failed] * 1000
    certain = np.flatnonzero((nth >= rules.misses) & (ts - first >= needed_ms))
    # Of failures without a good poll between them, the first that is certain makes the outage.
    stretch = np.cumsum(~follows) - 1
    found, at = np.unique(stretch[certain], return_index=True)
    at = certain[at]
    tails = np.append(np.flatnonzero(~follows)[1:], len(failed)) - 1
    after = failed[tails[found]] + 1
    inside = after < len(polls)
    after = np.minimum(after, len(polls) - 1)
    answered = inside & (polls.ap[after] == ap[at])
    return Spells(
        ap[at],
        polls.site[failed][row_heads[row[at]]],
        first[at],
        ts[at],
        np.where(answered, polls.ts[after], NONE),
    )
