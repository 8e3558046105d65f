"""Idle access points in busy sites: they could go without anybody missing them. Pure.

An access point is surplus where its site is `ok`, and its own use in the same open hours, week by
week, is so far under that of the site's other access points that the whole interval is under a
limit. Broken, new and unseen ones say nothing, neither for themselves nor beside others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from config.deployment import Deployment
from pipeline.underuse.ap_evidence import ApEvidence, ApReader, gather_aps
from pipeline.underuse.assess import Assessment
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.intensity import Floats, weekly_median
from pipeline.underuse.peers import Comparison, against
from pipeline.underuse.reasons import Reason
from pipeline.underuse.weeks import assessment_span


@dataclass(frozen=True, slots=True)
class Surplus:
    """An access point that its site would not miss, beside the site's others."""

    site: str
    ap: str
    ratio: float
    """Intensity / the median of the others, with the bounds of its 95 % interval."""
    ratio_low: float
    ratio_high: float
    intensity: float
    """Users at a time in open hours, of a typical week."""
    siblings: int
    """The others that it was compared with."""
    siblings_median: float
    coverage: float
    """Of the open hours, as is the availability."""
    availability: float
    reasons: tuple[Reason, ...]
    weekly: Floats = field(compare=False, repr=False)
    """Users at a time, of the weeks that are known."""


def surplus(
    deployment: Deployment,
    standing: Sequence[Assessment],
    evidence: Mapping[str, Evidence],
    read: ApReader,
    as_of: datetime,
) -> list[Surplus]:
    """Find the surplus access points of every site that stands as `ok`, the idlest first.

    `evidence`: of the same week as the verdicts. Usage is read week by week, of these sites alone.
    """
    busy = {found.site for found in standing if found.verdict == "ok"}
    members = _in_service(deployment, busy, as_of)
    members = {site: aps for site, aps in members.items() if len(aps) > 1}
    if not members:
        return []
    seen = gather_aps(deployment, members, evidence, read, as_of)
    found = [
        one
        for site, aps in members.items()
        for one in _of_site(deployment, site, {ap: seen[ap] for ap in aps}, as_of)
    ]
    return sorted(found, key=lambda one: (one.ratio, one.site, one.ap))


def with_surplus(
    standing: Sequence[Assessment], found: Sequence[Surplus]
) -> tuple[Assessment, ...]:
    """The assessments, in their order; those of sites with surplus access points name them."""
    named: dict[str, list[Reason]] = {}
    for one in sorted(found, key=lambda one: one.ap):
        named.setdefault(one.site, []).extend(one.reasons)
    return tuple(
        replace(a, reasons=(*a.reasons, *named[a.site])) if a.site in named else a for a in standing
    )


def _in_service(
    deployment: Deployment, sites: Collection[str], as_of: datetime
) -> dict[str, list[str]]:
    """The access points of these sites that are in service at the end of the weeks judged."""
    found: dict[str, list[str]] = {}
    for ap in deployment.access_points.values():
        if ap.site not in sites:
            continue
        _, end_ms = assessment_span(deployment, ap.site, as_of)
        since, until = deployment.service_ms(ap)
        if (since is None or since < end_ms) and (until is None or until >= end_ms):
            found.setdefault(ap.site, []).append(ap.ap)
    return found


def _of_site(
    deployment: Deployment, site: str, seen: Mapping[str, ApEvidence], as_of: datetime
) -> Iterator[Surplus]:
    rule = deployment.settings.underuse
    start_ms, end_ms = assessment_span(deployment, site, as_of)
    telling = {ap: one for ap, one in seen.items() if one.suffices(rule)}
    for ap, one in telling.items():
        others = [other.by_week for name, other in telling.items() if name != ap]
        compared = against(
            one.by_week,
            weekly_median(others, rule.window_weeks),
            peers=len(others),
            seed=f"{ap}|{start_ms}|{end_ms}",
            resamples=rule.resamples,
        )
        found = _judge(site, ap, one, compared, rule.surplus_ratio)
        if found:
            yield found


def _judge(
    site: str, ap: str, one: ApEvidence, compared: Comparison, limit: float
) -> Surplus | None:
    ratio, low, high = compared.ratio, compared.low, compared.high
    median = compared.peer_median
    if ratio is None or low is None or high is None or median is None or high >= limit:
        return None
    figures: dict[str, float | str | None] = {
        "ap": ap,
        "intensity": compared.intensity,
        "ratio": ratio,
        "low": low,
        "high": high,
        "median": median,
        "others": compared.peers,
        "limit": limit,
    }
    by_week = one.by_week
    return Surplus(
        site=site,
        ap=ap,
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        intensity=compared.intensity,
        siblings=compared.peers,
        siblings_median=median,
        coverage=one.coverage,
        availability=one.availability,
        reasons=(Reason("surplus", figures),),
        weekly=by_week[~np.isnan(by_week)],
    )
