"""Who stayed how long in the past of the demo city, as a poller that read client tables saw it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from collectors.fleet.city import City, Course
from collectors.fleet.clock import QUARTER_MS
from collectors.fleet.crowd import Bools, Ints
from collectors.fleet.families import family
from collectors.fleet.history import POLL_SECONDS
from collectors.reading import HOLD
from config.deployment import Deployment

SEEN_MS: Final = POLL_SECONDS * 1000
"""Who is seen counts as there for so long."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What the client tables of a site's APs said; arrays run over sightings, poll by poll."""

    site: str
    aps: Sequence[str]
    """Those that client tables speak for."""
    ap: Ints
    """Which of them, by its place there."""
    ts_ms: Ints
    device: Ints
    """Its number in the city, see `visitors.address`."""
    read_ms: Sequence[Ints]
    """By AP, when its clients were listed, be it that there were none; in order."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Sightings of a device at a site less than a session gap apart, as one; arrays over stays, in
    order.
    """

    ap: Ints
    """Where it began, by its place in `Tables.aps`."""
    device: Ints
    start_ms: Ints
    seen_ms: Ints
    """The last sighting."""
    end_ms: Ints
    """Up to here it holds."""


def client_tables(
    deployment: Deployment, city: City, start_ms: int, end_ms: int
) -> Iterator[Tables]:
    """Read the client tables of [start, end) at every site that has some.

    By the very polls of the history, and with as many clients in them as it counts.
    """
    by_site: dict[str, list[Course]] = {}
    for course in city.history(start_ms, end_ms):
        by_site.setdefault(deployment.access_points[course.ap].site, []).append(course)
    for site, courses in by_site.items():
        is_read = [_is_read(deployment, course, end_ms) for course in courses]
        if any(read.any() for read in is_read):
            yield _tables(city, site, courses, is_read)


def stays(tables: Tables, *, gap_ms: int, until_ms: int) -> Stays:
    """Follow the devices of a site; nothing holds longer than until then."""
    order = np.lexsort((tables.ts_ms, tables.device))
    device, ts_ms = tables.device[order], tables.ts_ms[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (device[1:] != device[:-1]) | (np.diff(ts_ms) - SEEN_MS >= gap_ms)
    at, last = np.flatnonzero(first), np.flatnonzero(np.roll(first, -1))
    by_start = np.argsort(ts_ms[at], kind="stable")
    at, last = at[by_start], last[by_start]
    return Stays(
        ap=tables.ap[order[at]],
        device=device[at],
        start_ms=ts_ms[at],
        seen_ms=ts_ms[last],
        end_ms=np.minimum(ts_ms[last] + SEEN_MS, until_ms),
    )


def watched(read_ms: Ints, *, until_ms: int) -> list[tuple[int, int]]:
    """The time [start, end) that tables read then speak for: each up to the next, as samples hold.

    Nothing holds longer than until then.
    """
    hold_ms = round(SEEN_MS * HOLD)
    parts = np.split(read_ms, np.flatnonzero(np.diff(read_ms) > hold_ms) + 1)
    return [(int(p[0]), min(int(p[-1]) + hold_ms, until_ms)) for p in parts if len(p)]


def _is_read(deployment: Deployment, course: Course, end_ms: int) -> Bools:
    """At which polls of an AP its clients were listed. A controller lists them, and says that there
    are none, while the AP is down.
    """
    ap = deployment.access_points[course.ap]
    if not family(deployment, ap).lists_clients:
        return np.zeros_like(course.up)
    return (course.up | (ap.controller is not None)) & (course.ts_ms < end_ms)


def _tables(city: City, site: str, courses: Sequence[Course], is_read: Sequence[Bools]) -> Tables:
    """Places are taken over all APs of a site, also those without a client table."""
    polls = np.unique(np.concatenate([course.ts_ms // QUARTER_MS for course in courses]))
    clients, ts_ms = np.zeros((2, len(polls), len(courses)), np.int64)
    listed = np.zeros(clients.shape, np.bool_)
    for column, (course, read) in enumerate(zip(courses, is_read, strict=True)):
        row = np.searchsorted(polls, course.ts_ms // QUARTER_MS)
        clients[row, column], ts_ms[row, column] = course.clients, course.ts_ms
        listed[row, column] = read & course.up
    at, device = city.visitors.seen(site, clients, ts_ms)
    seen = listed.ravel()[at]
    told = [column for column, read in enumerate(is_read) if read.any()]
    place = np.zeros(len(courses), np.int64)
    place[told] = np.arange(len(told))
    return Tables(
        site=site,
        aps=[courses[column].ap for column in told],
        ap=place[at[seen] % len(courses)],
        ts_ms=ts_ms.ravel()[at[seen]],
        device=device[seen],
        read_ms=[courses[column].ts_ms[is_read[column]] for column in told],
    )
