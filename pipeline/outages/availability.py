"""Availability of access points, sites and whatever they make up, with the outages that it follows
from: what an owner can hold against a provider's claim, and check by hand.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final, Literal

import numpy as np

from config.deployment import AccessPoint, Deployment, SitePeriod
from pipeline.outages.availability_tally import Counted, Tally, Times, Usable
from pipeline.outages.incident import Incident
from pipeline.usage.intervals import Intervals
from pipeline.usage.periods import HOUR_MS

Subject = Literal["ap", "site", "kind", "commune", "city"]
"""What a row is of."""

NOT_IN_SERVICE: Final = "no access point was in service or ever heard of"
NOTHING_KNOWN: Final = "nothing is known of its access points in this time"
ONLY_MAINTENANCE: Final = "all that was observed was announced maintenance"
NO_HOURS: Final = "no opening hours are known"
NEVER_THEN: Final = "no such hours in this period"
NOT_OF_APS: Final = "it is told of sites, and of what they make up"
NO_FAILURE: Final = "no outage of an access point began"
NO_RESTORE: Final = "no outage began that is over"


@dataclass(frozen=True, slots=True)
class Failures:
    """Outages that began in the period and took up counted time: not all of it in maintenance."""

    outages: int
    """What was told: one fault that struck several is one. Of an access point: its own."""
    ap_outages: int
    """Outages of access points, whether or not something wider explains them."""
    flaps: int
    """How often access points failed again within their outages."""
    mttr_mean_minutes: float | None
    """Time to restore of `outages` that are over, announced maintenance taken out."""
    mttr_median_minutes: float | None
    mtbf_hours: float | None
    """Up time of access points / `ap_outages`."""


@dataclass(frozen=True, slots=True)
class Row:
    """Availability of one subject over the period."""

    subject: str
    """The id of an access point or site, a kind, a commune ('' unknown), or the city's name."""
    site: str | None
    """Of an access point or a site."""
    times: Times
    usable: Usable | None
    """None: of an access point it is the same as its availability."""
    failures: Failures
    outages_ms: int
    """Down time that outages account for; the rest were polls that failed without being enough for
    one, and outages that were too short.
    """
    missing: Mapping[str, str]
    """Why each figure that is None is unknown, by its name."""


@dataclass(frozen=True, slots=True)
class Line:
    """An outage of an access point that was counted, at one site."""

    incident: Incident
    site: str
    counted: Counted
    began_before: bool
    """Its time counts, but it is no failure of this period."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An announced maintenance that was left out."""

    period: SitePeriod
    site_ms: int
    """As much of it as lies in the period."""
    counted: Counted
    """Observed time of access points."""


def rows_of(
    deployment: Deployment,
    tally: Tally,
    incidents: Collection[Incident],
    *,
    span: tuple[int, int],
    by: Subject,
    sites: Sequence[str],
) -> list[Row]:
    """A row for each subject that the sites make up, in the files' order; the worst are not first,
    so that two periods can be laid beside each other. `span`: [start, end) in UTC milliseconds.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for site in sites:
        if by != "ap":
            groups.setdefault(_subject(deployment, site, by), [])
    chosen = set(sites)
    for key in _keys(deployment, tally, chosen):
        subject = key[1] if by == "ap" else _subject(deployment, key[0], by)
        groups.setdefault(subject, []).append(key)
    roots = {incident.id: incident for incident in incidents}
    by_site: dict[str, list[Incident]] = {}
    for site, id_ in tally.outages:
        by_site.setdefault(site, []).append(roots[id_])
    found = []
    for subject, members in groups.items():
        places = dict.fromkeys(site for site, _ in members)
        if by == "site":
            places = {subject: None}
        aps = {ap for _, ap in members}
        struck = {i.id: i for site in places for i in by_site.get(site, ()) if i.ap in aps}
        times = Times()
        for key in members:
            times = times.plus(tally.times.get(key, Times()))
        usable = Usable()
        for site in places:
            usable = usable.plus(tally.usable.get(site, Usable()))
        listed = sum(
            tally.outages[site, id_].total_ms
            for site in places
            for id_ in struck
            if (site, id_) in tally.outages
        )
        failures = _failures(deployment, struck.values(), roots, span, times, own=by == "ap")
        one = None if by == "ap" else usable
        in_one_place = by == "site" or (by == "ap" and len(places) == 1)
        found.append(
            Row(
                subject=subject,
                site=next(iter(places)) if in_one_place else None,
                times=times,
                usable=one,
                failures=failures,
                outages_ms=listed,
                missing=dict(_missing(times, one, failures)),
            )
        )
    return found


def lines_of(tally: Tally, incidents: Iterable[Incident], span: tuple[int, int]) -> list[Line]:
    """The outages that were counted, in order of time: with each row's `outages_ms` they add up."""
    known = {incident.id: incident for incident in incidents}
    lines = [
        Line(known[id_], site, counted, known[id_].start_ms < span[0])
        for (site, id_), counted in tally.outages.items()
    ]
    return sorted(lines, key=lambda line: (line.incident.start_ms, line.site, line.incident.id))


def left_out_of(
    deployment: Deployment, tally: Tally, span: tuple[int, int], sites: Collection[str]
) -> list[LeftOut]:
    """Announced maintenance that meets the period, in order of time. Of two that overlap, the
    earlier one has the time that both have.
    """
    found = []
    for name, period in enumerate(deployment.maintenance):
        start, end = _clipped(period, span)
        if period.site in sites and start < end:
            counted = tally.maintenances.get((period.site, str(name)), Counted())
            found.append(LeftOut(period, end - start, counted))
    return sorted(found, key=lambda one: (one.period.start, one.period.site))


def maintenances_of(
    deployment: Deployment, span: tuple[int, int]
) -> Mapping[str, Sequence[tuple[str, Intervals]]]:
    """By site, the earliest first; each goes by its place among those of the deployment."""
    found: dict[str, list[tuple[str, Intervals]]] = {}
    numbered = sorted(enumerate(deployment.maintenance), key=lambda one: (one[1].start, one[0]))
    for name, period in numbered:
        found.setdefault(period.site, []).append(
            (str(name), Intervals.of([_clipped(period, span)]))
        )
    return found


def _clipped(period: SitePeriod, span: tuple[int, int]) -> tuple[int, int]:
    start, end = (round(moment.timestamp() * 1000) for moment in (period.start, period.end))
    return max(start, span[0]), min(end, span[1])


def _keys(
    deployment: Deployment, tally: Tally, sites: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Access points by site: those of the files first, then those that were there too."""
    aps: Iterable[AccessPoint] = deployment.access_points.values()
    listed = dict.fromkeys((ap.site, ap.ap) for ap in aps if ap.site in sites)
    yield from listed
    yield from sorted(key for key in tally.times if key not in listed and key[0] in sites)


def _subject(deployment: Deployment, site: str, by: Subject) -> str:
    row = deployment.sites[site]
    if by == "kind":
        return row.kind
    if by == "commune":
        return row.commune or ""
    return deployment.settings.city if by == "city" else site


def _failures(
    deployment: Deployment,
    struck: Collection[Incident],
    known: Mapping[str, Incident],
    span: tuple[int, int],
    times: Times,
    *,
    own: bool,
) -> Failures:
    began = [i for i in struck if span[0] <= i.start_ms < span[1]]
    told = {i.id: i for i in began}
    if not own:
        roots = [known.get(i.parent or i.id, i) for i in struck]
        told = {i.id: i for i in roots if span[0] <= i.start_ms < span[1]}
    restores = [
        _to_restore_ms(deployment, i, i.end_ms) / 60_000
        for i in told.values()
        if i.end_ms is not None and i.end_ms <= span[1]
    ]
    return Failures(
        outages=len(told),
        ap_outages=len(began),
        flaps=sum(i.flaps for i in began),
        mttr_mean_minutes=fmean(restores) if restores else None,
        mttr_median_minutes=median(restores) if restores else None,
        mtbf_hours=times.total.up_ms / HOUR_MS / len(began) if began else None,
    )


def _to_restore_ms(deployment: Deployment, incident: Incident, end_ms: int) -> int:
    if incident.site is None:
        return end_ms - incident.start_ms
    span = incident.start_ms, end_ms
    announced = Intervals.of(
        _clipped(p, span) for p in deployment.maintenance if p.site == incident.site
    )
    inside = announced.within(*(np.array([ms], dtype=np.int64) for ms in span))
    return end_ms - incident.start_ms - int(inside[0])


def _missing(times: Times, usable: Usable | None, failures: Failures) -> Iterator[tuple[str, str]]:
    for name, time in zip(("", "_open", "_closed"), times, strict=True):
        if time.coverage is None:
            why = NOT_IN_SERVICE
            if name and times.total.expected_ms:
                parted = times.open.expected_ms + times.closed.expected_ms
                why = NEVER_THEN if parted else NO_HOURS
            yield f"coverage{name}", why
            yield f"availability{name}", why
        elif time.availability is None:
            yield f"availability{name}", ONLY_MAINTENANCE if time.maintenance_ms else NOTHING_KNOWN
    if usable is None:
        yield from ((f"usable_{name}", NOT_OF_APS) for name in ("least", "most"))
    else:
        why = dict(_missing(times, None, failures)).get("availability", NOTHING_KNOWN)
        yield from (
            (f"usable_{name}", why) for name in ("least", "most") if getattr(usable, name) is None
        )
    if failures.mttr_mean_minutes is None:
        yield from ((f"mttr_{name}_minutes", NO_RESTORE) for name in ("mean", "median"))
    if failures.mtbf_hours is None:
        yield "mtbf_hours", NO_FAILURE
