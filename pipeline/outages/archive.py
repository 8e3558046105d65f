"""Reads from the store what incidents of the past are found in, and no more than that.

Stored usage tells in which hours of which sites anything was down. The samples of those are read,
with what is around them, and those of others that the same fault may have struck.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.outages.answers import FAR
from pipeline.outages.calendar import Calendar
from pipeline.outages.history import Blind, incidents_of
from pipeline.outages.incident import Incident
from pipeline.outages.memory import Key
from pipeline.outages.polls import NONE, Polls, joined, loose_ends, polls_of, spells_of
from pipeline.outages.topology import Group, Topology
from pipeline.store.base import Store
from pipeline.usage.grid import Mask
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import HOUR_MS

SLICE_HOURS: Final = 6
"""Samples are read so many hours at a time."""
Progress = Callable[[int, int], None]
"""Told the milliseconds read and to read."""


class Archive:
    """The incidents of spans of time of which usage was aggregated."""

    def __init__(self, deployment: Deployment, store: Store) -> None:
        self._deployment = deployment
        self._store = store
        self._topology = Topology.of(deployment)

    def incidents(
        self,
        start_ms: int,
        end_ms: int,
        calendar: Calendar,
        *,
        before: Sequence[Incident] = (),
        declared_blind: Blind | None = None,
        known_until_ms: int | None = None,
        progress: Progress | None = None,
    ) -> list[Incident]:
        """Every incident that begins in [start, end), in order of time, and those of `before`.

        Args:
            start_ms: a whole hour of UTC.
            end_ms: later than it.
            calendar: of that time, and of that after it.
            before: those that are under way at the start, or may relapse.
            declared_blind: when collectors said themselves that they were blind.
            known_until_ms: up to there the ends of incidents are looked for; by default the end.
            progress: told how much of it was read.
        """
        rules, aps = self._deployment.settings.outages, tuple(self._topology.aps)
        hours = _Hours.read(self._store, self._topology, start_ms, end_ms)
        wanted = _whole_slices(hours.wanted(self._topology))
        read = np.zeros_like(wanted)
        polls = joined([], aps)
        step = SLICE_HOURS
        while True:
            # It takes longer and longer looks to find the end of an outage that nobody watched.
            loose = [*loose_ends(polls, rules, end_ms), *self._loose(before, polls, start_ms)]
            wanted |= _whole_slices(hours.unread(read, loose, step))
            wanted &= ~read
            if not wanted.any():
                break
            parts = [polls]
            for since_ms, until_ms, sites in _slices(hours, wanted, end_ms):
                samples = self._store.read_samples(since_ms, until_ms, sites=sites)
                parts.append(polls_of(samples, aps))
                if progress:
                    progress(until_ms - start_ms, end_ms - start_ms)
            polls = joined(parts, aps)
            read |= wanted
            step *= 2
        polls = self._with_ends(polls, before, end_ms, known_until_ms or end_ms)
        found = incidents_of(
            polls,
            self._topology,
            rules,
            calendar,
            declared_blind=declared_blind,
            answered=hours.answered,
            before=before,
            since_ms=start_ms,
        )
        return [incident for incident in found if incident.start_ms < end_ms]

    def _with_ends(
        self, polls: Polls, before: Sequence[Incident], start_ms: int, until_ms: int
    ) -> Polls:
        """With polls of after a span, of the sites of what is still down at its end, until it is
        not.
        """
        rules, aps = self._deployment.settings.outages, tuple(self._topology.aps)
        hours = SLICE_HOURS
        while start_ms < until_ms:
            spells = spells_of(polls, rules)
            sites = {polls.sites[site] for site in spells.site[spells.end == NONE]}
            sites |= {site for site, _, _ in self._loose(before, polls, start_ms)}
            if not sites:
                break
            end_ms = min(start_ms + hours * HOUR_MS, until_ms)
            samples = self._store.read_samples(start_ms, end_ms, sites=sites)
            polls = joined([polls, polls_of(samples, aps)], aps)
            start_ms, hours = end_ms, hours * 2
        return polls

    def _loose(
        self, before: Sequence[Incident], polls: Polls, start_ms: int
    ) -> Iterator[tuple[str, int, int]]:
        """The sites of APs that were down when the polls begin, and do not answer in them."""
        answered = {polls.aps[ap] for ap in np.unique(polls.ap[polls.answered == 1])}
        for incident in before:
            place = self._topology.aps.get(incident.ap or "")
            over_ms = incident.spells[-1].end_ms
            goes_on = over_ms is None or over_ms >= start_ms
            if place is not None and goes_on and incident.ap not in answered:
                yield place.site, start_ms, FAR


@dataclass(frozen=True, slots=True)
class _Hours:
    """What usage says of sites, hour by hour of UTC."""

    start_ms: int
    sites: tuple[str, ...]
    failed: Mask
    """Of each site and hour: something was down, or may have been in maintenance."""
    answers: Mask
    """All of it was observed, and nothing down: whoever is there answered all the time."""
    heard: Mask
    """Something answered."""
    places: Mapping[Key, Ints]
    """The sites of each group, as indices."""

    @classmethod
    def read(cls, store: Store, topology: Topology, start_ms: int, end_ms: int) -> "_Hours":
        usage = store.read_usage("hour", start_ms, end_ms)
        usage = usage[usage["covered_ms"] > 0]
        codes, names = pd.factorize(usage["site"])
        sites = tuple(str(name) for name in names)
        shape = len(sites), max(1, -(-(end_ms - start_ms) // HOUR_MS))
        first = (usage["start_ms"].to_numpy() - start_ms) // HOUR_MS
        # Where the hours of the clock are not those of UTC, one of them lies in two.
        last = (usage["end_ms"].to_numpy() - 1 - start_ms) // HOUR_MS

        def marked(rows: Mask, *, partly: bool) -> Mask:
            found = np.zeros(shape, dtype=bool)
            for hours in (first, last) if partly else (first,):
                inside = rows & (hours >= 0) & (hours < shape[1])
                found[codes[inside], hours[inside]] = True
            return found

        down = (usage["down_ms"] + usage["maintenance_ms"]).to_numpy() > 0
        # Every AP of it, for the whole hour: also before some came into service.
        full_ms = usage["aps"] * (usage["end_ms"] - usage["start_ms"])
        whole = (usage["covered_ms"] == full_ms).to_numpy() & (first == last)
        number = {site: i for i, site in enumerate(sites)}
        places = {
            (group.scope, group.subject): np.unique(
                [number[s] for ap in group.members if (s := topology.aps[ap].site) in number]
            ).astype(np.int64)
            for group in topology.groups
        }
        return cls(
            start_ms,
            sites,
            failed=marked(down, partly=True),
            answers=marked(whole & ~down, partly=False),
            heard=marked((usage["up_ms"] > 0).to_numpy(), partly=True),
            places=places,
        )

    def answered(self, group: Group, at_ms: int) -> bool:
        """Whether somebody of a group is known to have answered around an instant."""
        hour = (at_ms - self.start_ms) // HOUR_MS
        if not 0 <= hour < self.answers.shape[1]:
            return False
        return bool(self.answers[self.places[group.scope, group.subject], hour].any())

    def wanted(self, topology: Topology) -> Mask:
        """Of which sites and hours the samples are needed."""
        wanted = self.failed.copy()
        for group in topology.groups:
            at = self.places[group.scope, group.subject]
            if len(at) < 2:
                continue
            # It may be that nobody of it answered: then those count too that nothing failed of.
            doubtful = self.failed[at].any(axis=0) & ~self.answers[at].any(axis=0)
            wanted[np.ix_(at, doubtful)] = True
        # What failed began before, and ends where something answers again.
        around = wanted.copy()
        around[:, 1:] |= wanted[:, :-1]
        around[:, :-1] |= wanted[:, 1:]
        for site in np.flatnonzero(wanted.any(axis=1)):
            around[site] |= self._until_heard(wanted[site], self.heard[site])
        return around

    def unread(self, read: Mask, loose: Iterable[tuple[str, int, int]], step: int) -> Mask:
        """Of stretches of sites, the first hours that were not read; at most `step` of each."""
        found = np.zeros_like(read)
        number = {site: i for i, site in enumerate(self.sites)}
        for site, since_ms, until_ms in loose:
            if site not in number:
                continue
            row = number[site]
            first = (since_ms - self.start_ms) // HOUR_MS
            last = min((until_ms - self.start_ms) // HOUR_MS + 1, read.shape[1])
            missing = np.flatnonzero(~read[row, first:last] & self.heard[row, first:last])
            found[row, first + missing[:step]] = True
        return found

    def _until_heard(self, wanted: Mask, heard: Mask) -> Mask:
        """The first hour with an answer after each that is wanted."""
        found = np.zeros_like(wanted)
        ends = np.flatnonzero(wanted & ~np.append(wanted[1:], False))
        hours = np.flatnonzero(heard)
        after = np.searchsorted(hours, ends, side="right")
        found[hours[after[after < len(hours)]]] = True
        return found


def _whole_slices(wanted: Mask) -> Mask:
    """Whatever is wanted of a slice, all of it: so nothing is read twice."""
    hours = wanted.shape[1]
    padded = np.pad(wanted, ((0, 0), (0, -hours % SLICE_HOURS)))
    some = padded.reshape(len(wanted), -1, SLICE_HOURS).any(axis=2)
    whole: Mask = np.repeat(some, SLICE_HOURS, axis=1)[:, :hours]
    return whole


def _slices(hours: _Hours, wanted: Mask, end_ms: int) -> Iterator[tuple[int, int, Collection[str]]]:
    """Spans of time to read, each with the sites."""
    for first in range(0, wanted.shape[1], SLICE_HOURS):
        sites = [hours.sites[i] for i in np.flatnonzero(wanted[:, first])]
        if sites:
            since_ms = hours.start_ms + first * HOUR_MS
            yield since_ms, min(since_ms + SLICE_HOURS * HOUR_MS, end_ms), sites
