"""Whether what was expected of a move came true. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pandas as pd

from config.deployment import Deployment, local_day_ms
from pipeline.relocation.use import interval, open_hours_a_day
from pipeline.state import Move
from pipeline.underuse.assess import seed
from pipeline.underuse.evidence import Evidence, gather
from pipeline.underuse.intensity import midmean, resampled
from pipeline.underuse.reasons import Reason

Result = Literal[
    "no_new_site", "too_early", "unobserved", "no_expectation", "as_expected", "better", "worse"
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a move, over the weeks assessed that lie after it."""

    move: Move
    result: Result
    observed: float | None
    """User-hours a day in open hours, with the bounds of the 95 % interval of resampled weeks; None
    while too little was observed."""
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]


def outcomes(
    deployment: Deployment, moves: Sequence[Move], usage: pd.DataFrame, as_of: datetime
) -> list[Outcome]:
    """Compare what is observed of each new spot with what was expected of it.

    `usage`: 15-minute usage of `weeks.usage_span`, of the new spots at least.
    """
    return [_outcome(deployment, move, usage, as_of) for move in moves]


def _outcome(deployment: Deployment, move: Move, usage: pd.DataFrame, as_of: datetime) -> Outcome:
    if move.new_site not in deployment.sites:
        return Outcome(move, "no_new_site", None, None, None, (Reason("no_new_site", {}),))
    since = _since_the_move(deployment, move, usage, as_of)
    lacking = _lacking(deployment, since)
    if lacking:
        result, reason = lacking
        return Outcome(move, result, None, None, None, (reason,))
    hours = open_hours_a_day(since)
    times = deployment.settings.underuse.resamples
    draws = resampled(since.weekly, times, seed(deployment, move.new_site, as_of))
    low, high = interval(draws * hours)
    observed = float(midmean(since.weekly)) * hours
    result = _result(move, observed)
    figures = {
        "observed": observed,
        "expected": move.expected,
        "low": move.low,
        "high": move.high,
    }
    reasons = [Reason(result, figures)]
    if move.before is not None:
        reasons.append(Reason("before", {"before": move.before}))
    return Outcome(move, result, observed, low, high, tuple(reasons))


def _since_the_move(
    deployment: Deployment, move: Move, usage: pd.DataFrame, as_of: datetime
) -> Evidence:
    site = move.new_site
    moved_ms = local_day_ms(move.on, deployment.zone(site))
    after = usage[(usage["site"] == site) & (usage["start_ms"] >= moved_ms)]
    aps = {ap.ap: ap for ap in deployment.access_points.values() if ap.site == site}
    only = {"sites": {site: deployment.sites[site]}, "access_points": aps}
    alone = deployment.model_copy(update=only)
    return gather(alone, after, as_of)[site]


def _lacking(deployment: Deployment, since: Evidence) -> tuple[Result, Reason] | None:
    """Why nothing can be said yet."""
    rule = deployment.settings.underuse
    min_weeks = min(rule.min_weeks, rule.window_weeks)
    if round(since.weeks_in_service, 1) < min_weeks:
        figures = {"weeks": since.weeks_in_service, "limit": min_weeks}
        return "too_early", Reason("too_early", figures)
    known = since.clients_known or 0.0
    if known < rule.min_coverage or not len(since.weekly):
        figures = {"coverage": known, "limit": rule.min_coverage}
        return "unobserved", Reason("unobserved", figures)
    return None


def _result(move: Move, observed: float) -> Result:
    if move.low is None or move.high is None:
        return "no_expectation"
    if observed < move.low:
        return "worse"
    return "better" if observed > move.high else "as_expected"
