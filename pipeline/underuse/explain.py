"""Every number that led to the verdict on a site, in the order of the questions. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

import numpy as np

from config.deployment import Deployment, SitePeriod
from config.settings import Underuse
from pipeline.open_hours import open_hours
from pipeline.underuse.assess import Assessment, Verdict, may_be_peer, seed
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.intensity import Floats, midmean
from pipeline.underuse.peers import Reference, reference
from pipeline.underuse.replay import Replay
from pipeline.underuse.rhythm import Hours
from pipeline.underuse.weeks import assessment_span, week_span
from pipeline.usage.figures import share
from pipeline.usage.periods import HOUR_MS, local_date

Outcome = Literal["met", "decides", "not_asked"]
PUBLIC_HOLIDAYS: Final = "PH 00:00-24:00"
"""In OpenStreetMap's syntax: open on those days alone, all day."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a site in its open hours. None: unknown."""

    start_ms: int
    end_ms: int
    open_hours: float
    coverage: float | None
    clients_known: float | None
    availability: float | None
    user_hours: float
    known_hours: float
    """In which the site could be used and the number of its users is known."""
    intensity: float | None
    """`user_hours` / `known_hours`; None where too little is known."""
    peer_median: float | None
    counts: bool
    """Whether it is in the middle half of the weeks, whose mean is the intensity."""
    peers_count: bool
    """The same of the peers' median."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question of the definition, and its answer."""

    code: str
    value: float | None
    limit: float | None
    outcome: Outcome
    verdict: Verdict | None = None
    """That it decides on."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A site that this one is compared with."""

    site: str
    intensity: float


@dataclass(frozen=True, slots=True)
class OpenHours:
    """When the site counts as open."""

    expression: str | None
    hours_in_use: Hours | None
    """Where none are known: the hours of the week in which it is used."""
    public_holidays: tuple[date, ...]
    """Inside the window; what they mean is up to the expression."""
    closures: tuple[SitePeriod, ...]
    maintenance: tuple[SitePeriod, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the verdict on a site came about."""

    standing: Assessment
    alone: Assessment
    """What this week's figures alone say."""
    history: tuple[tuple[int, Verdict], ...]
    """The Monday (UTC ms) and the verdict of the weeks that decide which stands, latest first."""
    start_ms: int
    end_ms: int
    weeks: tuple[Week, ...]
    checks: tuple[Check, ...]
    peers: tuple[Peer, ...]
    kind_weight: float
    """How much the peers count; the rest is the whole city's median."""
    city: int
    """Other sites with good evidence, of any kind."""
    resamples: int
    seed: str
    open_hours: OpenHours


def explain(
    deployment: Deployment, replay: Replay, standing: Assessment, as_of: datetime
) -> Explanation:
    """Tell how the verdict that stands on a site came about.

    `standing`: as `judgement.judge` gives it, from the same replay.
    """
    rule, site = deployment.settings.underuse, standing.site
    evidence, alone = replay.evidence(), replay.alone()[site]
    start_ms, end_ms = assessment_span(deployment, site, as_of)
    usable = {s: e.by_week for s, e in evidence.items() if may_be_peer(e, rule)}
    kinds = {s: deployment.sites[s].kind for s in deployment.sites}
    beside = reference(site, rule.window_weeks, usable, kinds, rule.min_peers)
    return Explanation(
        standing=standing,
        alone=alone,
        history=tuple(_history(deployment, replay, site, as_of)),
        start_ms=start_ms,
        end_ms=end_ms,
        weeks=tuple(_weeks(deployment, site, evidence[site], beside.by_week, as_of)),
        checks=tuple(_checks(evidence[site], alone, beside, rule)),
        peers=tuple(_peers(evidence, beside)),
        kind_weight=beside.kind_weight,
        city=len(usable.keys() - {site}),
        resamples=rule.resamples,
        seed=seed(deployment, site, as_of),
        open_hours=_open_hours(deployment, site, evidence[site], (start_ms, end_ms)),
    )


def _history(
    deployment: Deployment, replay: Replay, site: str, as_of: datetime
) -> Iterator[tuple[int, Verdict]]:
    for back, verdict in enumerate(replay.history()[site]):
        yield week_span(deployment, site, as_of, back)[1], verdict


def _weeks(
    deployment: Deployment, site: str, found: Evidence, reference_weeks: Floats, as_of: datetime
) -> Iterator[Week]:
    known = ~np.isnan(found.by_week)
    both = known & ~np.isnan(reference_weeks)
    both = both if both.any() else known
    counts, peers_count = (_middle(values, both) for values in (found.by_week, reference_weeks))
    last = len(found.by_week) - 1
    for at in range(last + 1):
        amounts = {name: float(values[at]) for name, values in found.amounts.items()}
        start_ms, end_ms = week_span(deployment, site, as_of, last - at)
        yield Week(
            start_ms=start_ms,
            end_ms=end_ms,
            open_hours=amounts["open_ms"] / HOUR_MS,
            coverage=share(amounts["covered_ms"], amounts["expected_ms"]),
            clients_known=share(amounts["clients_ms"], amounts["expected_ms"]),
            availability=share(amounts["up_ms"], amounts["up_ms"] + amounts["down_ms"]),
            user_hours=amounts["user_ms"] / HOUR_MS,
            known_hours=amounts["site_ms"] / HOUR_MS,
            intensity=_known(found.by_week[at]),
            peer_median=_known(reference_weeks[at]),
            counts=bool(counts[at]),
            peers_count=bool(peers_count[at]),
        )


def _middle(values: Floats, among: Hours) -> Hours:
    """Which of these weeks are the middle half that `intensity.midmean` takes the mean of."""
    rows = np.flatnonzero(among)
    ordered = rows[np.argsort(values[rows], kind="stable")]
    cut = len(ordered) // 4
    found = np.zeros(len(values), dtype=np.bool_)
    found[ordered[cut : len(ordered) - cut]] = True
    return found


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _checks(
    found: Evidence, alone: Assessment, beside: Reference, rule: Underuse
) -> Iterator[Check]:
    """The definition's questions in their order. What comes after a decision is not asked."""
    weeks = round(found.weeks_in_service, 1)
    evidence: Sequence[tuple[str, float | None, float | None]] = (
        ("in_service", float(found.heard and found.in_service_at_end), 1.0),
        ("ever_open", found.open_hours, None),
        ("weeks", weeks, float(min(rule.min_weeks, rule.window_weeks))),
        ("coverage", found.coverage, rule.min_coverage),
        ("open_days", float(found.open_days), float(rule.min_open_days)),
        ("clients_known", found.clients_known, rule.min_coverage),
    )
    enough = True
    for code, value, limit in evidence:
        met = (value or 0.0) > 0 if limit is None else (value or 0.0) >= limit
        enough = enough and met
        outcome: Outcome = "met" if met else "decides"
        yield Check(code, value, limit, outcome, None if met else "not_assessable")
    asked = enough
    for code, value, limit in (
        ("availability", found.availability, rule.min_availability),
        ("peers", float(len(beside.peers)), float(rule.min_peers)),
        ("ratio", alone.ratio, rule.ratio),
        ("interval", alone.ratio_high, rule.ratio),
    ):
        if not asked:
            yield Check(code, value, limit, "not_asked")
        elif _decides(code, value, limit, alone):
            yield Check(code, value, limit, "decides", alone.verdict)
            asked = False
        else:
            yield Check(code, value, limit, "met")


def _decides(code: str, value: float | None, limit: float, alone: Assessment) -> bool:
    if code == "availability":
        return alone.verdict == "repair_first"
    if code == "peers":
        return alone.verdict == "not_assessable"
    if code == "ratio":
        return value is None or value >= limit
    return True


def _peers(evidence: Mapping[str, Evidence], beside: Reference) -> list[Peer]:
    """The sites of its kind, the least used first."""
    found = [Peer(site, float(midmean(evidence[site].weekly))) for site in beside.peers]
    return sorted(found, key=lambda peer: (peer.intensity, peer.site))


def _open_hours(
    deployment: Deployment, site: str, found: Evidence, span: tuple[int, int]
) -> OpenHours:
    known = deployment.sites[site]
    holidays = known.model_copy(update={"opening_hours": PUBLIC_HOLIDAYS})
    calendar = deployment.model_copy(update={"sites": {site: holidays}, "closures": ()})
    days = open_hours(calendar, *span)[site]
    zone = deployment.zone(site)
    return OpenHours(
        expression=known.opening_hours,
        hours_in_use=found.hours_in_use,
        public_holidays=tuple(
            sorted(
                {local_date(ms, zone) for ms in _days_of(days.starts.tolist(), days.ends.tolist())}
            )
        ),
        closures=_inside(deployment.closures, site, span),
        maintenance=_inside(deployment.maintenance, site, span),
    )


def _days_of(starts: Sequence[int], ends: Sequence[int]) -> Iterator[int]:
    """An instant of each day that spans of whole days hold."""
    for start, end in zip(starts, ends, strict=True):
        yield from range(start + 12 * HOUR_MS, end, 24 * HOUR_MS)


def _inside(
    periods: Sequence[SitePeriod], site: str, span: tuple[int, int]
) -> tuple[SitePeriod, ...]:
    start, end = (ms / 1000 for ms in span)
    return tuple(
        p
        for p in periods
        if p.site == site and p.start.timestamp() < end and p.end.timestamp() > start
    )
