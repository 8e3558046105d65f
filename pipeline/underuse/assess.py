"""The verdict on every site: is it used less than places like it, on evidence good enough?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from config.deployment import Deployment, SiteKind
from config.settings import Underuse
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.peers import Comparison, compare
from pipeline.underuse.reasons import Reason
from pipeline.underuse.rhythm import WEEK_HOURS
from pipeline.underuse.weeks import assessment_span

Verdict = Literal["underused", "repair_first", "watch", "not_assessable", "ok"]
WORST_FIRST: Final[tuple[Verdict, ...]] = (
    "underused", "repair_first", "watch", "not_assessable", "ok",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is thought of a site over a window, and why. None: unknown."""

    site: str
    kind: SiteKind
    verdict: Verdict
    ratio: float | None
    """Intensity / the peers' median, with the bounds of its 95 % interval."""
    ratio_low: float | None
    ratio_high: float | None
    intensity: float | None
    """Users at a time in open hours, of a typical week."""
    peer_median: float | None
    coverage: float | None
    """Of the open hours, as is the availability."""
    availability: float | None
    reasons: tuple[Reason, ...]


def assess(
    deployment: Deployment,
    evidence: Mapping[str, Evidence],
    as_of: datetime,
    back: int = 0,
    *,
    only: Collection[str] | None = None,
) -> dict[str, Assessment]:
    """Assess sites of the files on the figures of one window: that of the week `back`.

    `evidence`: of all sites, as each is judged beside others. `only`: the sites wanted, None: all.
    The same evidence and the same week give the same assessments.
    """
    rule = deployment.settings.underuse
    wanted = [site for site in deployment.sites if only is None or site in only]
    lacking = {
        site: _lacking(found, rule)
        if found.weeks_in_service
        else [_absence(deployment, site, as_of, back)]
        for site, found in evidence.items()
    }
    by_week = {
        site: found.by_week
        for site, found in evidence.items()
        if not lacking[site] and len(found.weekly)
    }
    compared = compare(
        by_week,
        {site: deployment.sites[site].kind for site in by_week},
        eligible=[site for site in by_week if may_be_peer(evidence[site], rule)],
        seeds={site: seed(deployment, site, as_of, back) for site in wanted if site in by_week},
        rule=rule,
    )
    return {
        site: _judge(deployment, site, evidence[site], lacking[site], compared.get(site))
        for site in wanted
    }


def may_be_peer(found: Evidence, rule: Underuse) -> bool:
    """Whether the use of a site tells how much places like it are wanted: broken ones do not."""
    return not _lacking(found, rule) and not _is_broken(found, rule) and len(found.weekly) > 0


def worst_first(assessments: Iterable[Assessment]) -> list[Assessment]:
    """In the order of the verdicts, then of the ratios."""
    return sorted(assessments, key=_badness)


def seed(deployment: Deployment, site: str, as_of: datetime, back: int = 0) -> str:
    """What the resampled weeks of a site follow from: the site and the window."""
    start_ms, end_ms = assessment_span(deployment, site, as_of, back)
    return f"{site}|{start_ms}|{end_ms}"


def _absence(deployment: Deployment, site: str, as_of: datetime, back: int) -> Reason:
    """Why a site has no usage at all: it is not to be, or we never heard from it."""
    start_ms, end_ms = assessment_span(deployment, site, as_of, back)
    times = [
        deployment.service_ms(ap) for ap in deployment.access_points.values() if ap.site == site
    ]
    if not times:
        return Reason("no_access_points", {})
    if any((since or 0) < end_ms and (until or end_ms) > start_ms for since, until in times):
        return Reason("never_heard", {})
    return Reason("not_in_service", {})


def _lacking(found: Evidence, rule: Underuse) -> list[Reason]:
    """Why the evidence is not good enough; nothing if it is."""
    if not found.in_service_at_end:
        return [Reason("out_of_service", {})]
    if found.open_hours == 0:
        return [Reason("never_open", {})]
    reasons = []
    min_weeks = min(rule.min_weeks, rule.window_weeks)
    # To the tenth that is shown: a clock change takes an hour from a week.
    if round(found.weeks_in_service, 1) < min_weeks:
        figures = {"weeks": found.weeks_in_service, "limit": min_weeks}
        reasons.append(Reason("few_weeks", figures))
    coverage = found.coverage or 0.0
    if coverage < rule.min_coverage:
        figures = {"coverage": coverage, "limit": rule.min_coverage}
        reasons.append(Reason("low_coverage", figures))
    if found.open_days < rule.min_open_days:
        figures = {"days": found.open_days, "limit": rule.min_open_days}
        reasons.append(Reason("few_open_days", figures))
    known = found.clients_known or 0.0
    # One that was down all the time has no week with users to know, and is to be repaired.
    nothing_known = not len(found.weekly) and not _is_broken(found, rule)
    if not reasons and (known < rule.min_coverage or nothing_known):
        figures = {"known": known, "limit": rule.min_coverage}
        reasons.append(Reason("clients_unknown", figures))
    return reasons


def _is_broken(found: Evidence, rule: Underuse) -> bool:
    return found.availability is not None and found.availability < rule.min_availability


def _judge(
    deployment: Deployment,
    site: str,
    found: Evidence,
    lacking: list[Reason],
    compared: Comparison | None,
) -> Assessment:
    rule = deployment.settings.underuse
    verdict: Verdict
    if lacking:
        verdict, reasons = "not_assessable", lacking
    elif compared is None or _is_broken(found, rule):
        figures = {"availability": found.availability, "limit": rule.min_availability}
        verdict, reasons = "repair_first", [Reason("low_availability", figures)]
    else:
        verdict, reason = _by_use(compared, rule)
        reasons = [reason]
        if compared.peers < rule.min_peers and compared.peer_median is not None:
            figures = {"peers": compared.peers, "limit": rule.min_peers}
            reasons.append(Reason("few_peers", figures))
    if found.hours_in_use is not None:
        hours = int(found.hours_in_use.sum())
        code = "hours_assumed" if hours == WEEK_HOURS else "hours_by_use"
        if found.hours_of_kind:
            code = "hours_by_kind"
        reasons = [*reasons, Reason(code, {"hours": hours})]
    return Assessment(
        site=site,
        kind=deployment.sites[site].kind,
        verdict=verdict,
        ratio=compared.ratio if compared else None,
        ratio_low=compared.low if compared else None,
        ratio_high=compared.high if compared else None,
        intensity=compared.intensity if compared else None,
        peer_median=compared.peer_median if compared else None,
        coverage=found.coverage,
        availability=found.availability,
        reasons=tuple(reasons),
    )


def _by_use(compared: Comparison, rule: Underuse) -> tuple[Verdict, Reason]:
    if compared.peer_median is None:
        return "not_assessable", Reason("no_peers", {"intensity": compared.intensity})
    figures: Mapping[str, float | None] = {
        "intensity": compared.intensity,
        "peer_median": compared.peer_median,
        "ratio": compared.ratio,
        "low": compared.low,
        "high": compared.high,
        "limit": rule.ratio,
        "peers": compared.peers,
    }
    if compared.ratio is None:
        if compared.intensity > 0:
            return "ok", Reason("only_used", figures)
        return "watch", Reason("all_idle", figures)
    if compared.ratio >= rule.ratio:
        return "ok", Reason("used", figures)
    if compared.high is not None and compared.high < rule.ratio:
        return "underused", Reason("unused" if compared.intensity == 0 else "underused", figures)
    return "watch", Reason("unsure", figures)


def _badness(found: Assessment) -> tuple[int, float, float, str]:
    return (
        WORST_FIRST.index(found.verdict),
        np.inf if found.ratio is None else found.ratio,
        np.inf if found.availability is None else found.availability,
        found.site,
    )
