"""`spotwatch underused --explain SITE`: every number that led to a verdict, and its samples."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from cli.judging import ap_hours, replay
from cli.options import iso, out, print_json, refuse
from cli.stores import opened
from config.deployment import Deployment, SitePeriod
from config.problems import did_you_mean
from config.settings import Language
from dashboards.explanation import explanation_view
from pipeline.store.base import Store
from pipeline.underuse.basis import Basis, basis
from pipeline.underuse.explain import Explanation, OpenHours, explain
from pipeline.underuse.judgement import judge
from pipeline.underuse.reasons import worded


def explain_site(
    deployment: Deployment, site: str, as_of: datetime, language: Language, *, as_json: bool
) -> None:
    """Print how the verdict on a site came about."""
    if site not in deployment.sites:
        hint = did_you_mean(site, deployment.sites)
        raise refuse(f"--explain: no site {site!r} in sites.csv{hint}")
    with opened(deployment) as (store, state):
        found, samples = explanation(deployment, store, state.closed_until_ms(), site, as_of)
    if as_json:
        print_json(explanation_document(deployment, found, samples, language))
        return
    out.print(explanation_view(deployment, found, samples, language))


def explanation(
    deployment: Deployment, store: Store, closed_until_ms: int | None, site: str, as_of: datetime
) -> tuple[Explanation, list[Basis]]:
    """How the verdict on a site came about, and the samples that it rests on."""

    def read(start_ms: int, end_ms: int, sites: Collection[str]) -> pd.DataFrame:
        return store.read_samples(start_ms, end_ms, sites=sites)

    weeks, aps = replay(deployment, store, closed_until_ms, as_of), ap_hours(store)
    judged = judge(deployment, weeks, aps, as_of)
    (standing,) = (one for one in judged.assessments if one.site == site)
    samples = basis(deployment, site, judged.evidence[site], as_of, read_samples=read, read_aps=aps)
    return explain(deployment, weeks, standing, as_of), samples


def explanation_document(
    deployment: Deployment, found: Explanation, samples: Sequence[Basis], language: Language
) -> dict[str, Any]:
    """The JSON of `underused --explain`. Figures as they are; unknown is null."""
    standing, alone = found.standing, found.alone
    return {
        "site": standing.site,
        "name": deployment.sites[standing.site].name(language),
        "kind": standing.kind,
        "verdict": standing.verdict,
        "verdict_of_this_week": alone.verdict,
        "reasons": [worded(reason, language) for reason in standing.reasons],
        "window": {"start": iso(found.start_ms), "end": iso(found.end_ms)},
        "ratio": alone.ratio,
        "ratio_low": alone.ratio_low,
        "ratio_high": alone.ratio_high,
        "intensity": alone.intensity,
        "peer_median": alone.peer_median,
        "coverage": alone.coverage,
        "availability": alone.availability,
        "weeks": [
            {
                "start": iso(week.start_ms),
                "end": iso(week.end_ms),
                "open_hours": week.open_hours,
                "coverage": week.coverage,
                "clients_known": week.clients_known,
                "availability": week.availability,
                "user_hours": week.user_hours,
                "known_hours": week.known_hours,
                "intensity": week.intensity,
                "peer_median": week.peer_median,
                "counts": week.counts,
                "peers_count": week.peers_count,
            }
            for week in found.weeks
        ],
        "checks": [
            {
                "question": check.code,
                "value": check.value,
                "limit": check.limit,
                "outcome": check.outcome,
                "verdict": check.verdict,
            }
            for check in found.checks
        ],
        "peers": [{"site": peer.site, "intensity": peer.intensity} for peer in found.peers],
        "kind_weight": found.kind_weight,
        "other_sites": found.city,
        "resampling": {"draws": found.resamples, "seed": found.seed},
        "weekly_verdicts": [
            {"monday": iso(monday_ms), "verdict": verdict} for monday_ms, verdict in found.history
        ],
        "open_hours": _open_hours(found.open_hours),
        "samples": [
            {
                "ap": one.ap,
                "samples": one.samples,
                "failed": one.failed,
                "without_clients": one.without_clients,
                "first": None if one.first_ms is None else iso(one.first_ms),
                "last": None if one.last_ms is None else iso(one.last_ms),
                "poll_seconds": one.poll_seconds,
                "coverage": one.coverage,
            }
            for one in samples
        ],
    }


def _open_hours(hours: OpenHours) -> dict[str, Any]:
    in_use = hours.hours_in_use
    return {
        "expression": hours.expression,
        "hours_in_use": None if in_use is None else [i for i, used in enumerate(in_use) if used],
        "public_holidays": [day.isoformat() for day in hours.public_holidays],
        "closures": [_period(period) for period in hours.closures],
        "maintenance": [_period(period) for period in hours.maintenance],
    }


def _period(period: SitePeriod) -> dict[str, Any]:
    start, end = (round(at.timestamp() * 1000) for at in (period.start, period.end))
    return {"from": iso(start), "to": iso(end), "reason": period.reason}
