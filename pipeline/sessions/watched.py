"""When sessions could be seen: the time in which a client table was read, or that an import covers.

Kept as runs, which do not overlap and none of which passes a UTC midnight, so that those of a span
are found by their start.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from collectors.presence import Presence
from collectors.reading import HOLD

DAY_MS: Final = 86_400_000


class Source(NamedTuple):
    """What a source of sessions speaks for, and what it knows of them."""

    aps: int
    """Access points that it speaks for."""
    durations: bool
    """Knows sessions shorter than a poll interval, so that passers-by can be told."""
    devices: bool
    """Tells devices apart."""
    randomised: bool
    """Tells which addresses are made up."""


CLIENT_TABLE: Final = Source(aps=1, durations=False, devices=True, randomised=True)


class Run(NamedTuple):
    """Time that is watched, in UTC milliseconds."""

    start_ms: int
    end_ms: int
    source: Source


def run_of(presence: Presence) -> Run:
    """The time that a client table speaks for: up to the next one, as samples hold."""
    hold_ms = round(presence.interval_s * 1000 * HOLD)
    return Run(presence.ts_ms, presence.ts_ms + hold_ms, CLIENT_TABLE)


def overlaid(known: Iterable[Run], fresh: Run) -> list[Run]:
    """Runs of one AP with another one added, in order. Where they overlap, both sources count.

    `known`: runs, of which those that do not touch `fresh` stay as they are.
    """
    by_day: dict[int, list[Run]] = {}
    for run in known:
        by_day.setdefault(run.start_ms // DAY_MS, []).append(run)
    for part in _days(fresh):
        day = part.start_ms // DAY_MS
        by_day[day] = _joined([*by_day[day], part]) if day in by_day else [part]
    return [run for day in sorted(by_day) for run in by_day[day]]


def uncovered_ms(known: Sequence[Run], fresh: Run) -> int | None:
    """The first instant of a run that is not in known ones; None: all of it is."""
    at = fresh.start_ms
    for run in sorted(known):
        if run.start_ms <= at < run.end_ms:
            at = run.end_ms
    return at if at < fresh.end_ms else None


def _days(run: Run) -> Iterator[Run]:
    at = run.start_ms
    while at < run.end_ms:
        end = min(at - at % DAY_MS + DAY_MS, run.end_ms)
        yield run._replace(start_ms=at, end_ms=end)
        at = end


def _joined(runs: Sequence[Run]) -> list[Run]:
    """Runs of one day that may overlap, as runs that do not."""
    found: list[Run] = []
    bounds = sorted({ms for run in runs for ms in (run.start_ms, run.end_ms)})
    for start, end in itertools.pairwise(bounds):
        here = [run.source for run in runs if run.start_ms <= start < run.end_ms]
        if not here:
            continue
        source = Source(*(max(values) for values in zip(*here, strict=True)))
        if found and found[-1].end_ms == start and found[-1].source == source:
            found[-1] = found[-1]._replace(end_ms=end)
        else:
            found.append(Run(start, end, source))
    return found
