"""What is known of each access point's use in its site's open hours, week by week. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from config.deployment import Deployment
from config.settings import Underuse
from pipeline.open_hours import open_hours
from pipeline.underuse.evidence import MIN_WEEK_KNOWN, WEEK_MS, Evidence
from pipeline.underuse.intensity import Floats
from pipeline.underuse.rhythm import hour_of_week
from pipeline.underuse.weeks import city_week_span, week_span
from pipeline.usage.figures import share
from pipeline.usage.intervals import Intervals
from pipeline.usage.service import maintenance_of

ApReader = Callable[[int, int, Collection[str]], pd.DataFrame]
"""Hourly usage of the access points of some sites in [start, end), UTC milliseconds."""

_SUMS: Final = ("expected_ms", "covered_ms", "up_ms", "down_ms", "clients_ms", "user_ms")


@dataclass(frozen=True, slots=True, eq=False)
class ApEvidence:
    """An access point over a window."""

    served_ms: float
    """In service, open or not."""
    amounts: Mapping[str, Floats]
    """Columns of the usage, in milliseconds of open time, week by week."""

    @property
    def by_week(self) -> Floats:
        """Users at a time; NaN where the week is not known well enough."""
        known, expected = self.amounts["clients_ms"], self.amounts["expected_ms"]
        # While it is down nobody can use it.
        usable = np.maximum(known - self.amounts["down_ms"], 0)
        enough = (usable > 0) & (known >= MIN_WEEK_KNOWN * expected)
        unknown = np.full(len(known), np.nan)
        by_week: Floats = np.divide(self.amounts["user_ms"], usable, out=unknown, where=enough)
        return by_week

    @property
    def coverage(self) -> float:
        """Of the open hours; 0 where none was in service."""
        return share(self._total("covered_ms"), self._total("expected_ms")) or 0.0

    @property
    def availability(self) -> float:
        """up / (up + down); 0 where neither is known."""
        up = self._total("up_ms")
        return share(up, up + self._total("down_ms")) or 0.0

    def suffices(self, rule: Underuse) -> bool:
        """Whether its use tells how much it is wanted, by the limits that sites are held to."""
        known = share(self._total("clients_ms"), self._total("expected_ms")) or 0.0
        return (
            min(self.coverage, known) >= rule.min_coverage
            and self.availability >= rule.min_availability
            and round(self.served_ms / WEEK_MS, 1) >= min(rule.min_weeks, rule.window_weeks)
            and not bool(np.isnan(self.by_week).all())
        )

    def _total(self, name: str) -> float:
        return float(self.amounts[name].sum())


def gather_aps(
    deployment: Deployment,
    members: Mapping[str, Sequence[str]],
    evidence: Mapping[str, Evidence],
    read: ApReader,
    as_of: datetime,
) -> dict[str, ApEvidence]:
    """Evidence of access points, by site, over the weeks before a moment.

    `evidence`: of these sites. A week of usage is read at a time.
    """
    weeks = deployment.settings.underuse.window_weeks
    number = {ap: i for i, ap in enumerate(ap for aps in members.values() for ap in aps)}
    site_of = {ap: site for site, aps in members.items() for ap in aps}
    few = deployment.model_copy(update={"sites": {s: deployment.sites[s] for s in members}})
    served = np.zeros((weeks, len(number)))
    sums = np.zeros((weeks, len(_SUMS), len(number)))
    for back in range(weeks):
        at, span = weeks - 1 - back, city_week_span(few, as_of, back)
        usage = read(*span, members.keys())
        if usage.empty:
            continue
        usage = _of_week(few, usage, as_of, back)
        # An access point may have been elsewhere; what it did there is not this site's.
        usage = usage[usage["ap"].map(site_of).eq(usage["site"])]
        share_open = _share_open(few, usage, open_hours(few, *span), evidence)
        ap = usage["ap"].map(number).to_numpy(dtype=np.int64)
        served[at] = np.bincount(ap, usage["expected_ms"].to_numpy(), len(number))
        for row, name in enumerate(_SUMS):
            amounts = usage[name].to_numpy(dtype=np.float64) * share_open
            sums[at, row] = np.bincount(ap, amounts, len(number))
    return {
        ap: ApEvidence(
            served_ms=float(served[:, i].sum()),
            amounts=dict(zip(_SUMS, sums[:, :, i].T, strict=True)),
        )
        for ap, i in number.items()
    }


def _of_week(
    deployment: Deployment, usage: pd.DataFrame, as_of: datetime, back: int
) -> pd.DataFrame:
    """The rows of each site's own week: time zones differ."""
    spans = {site: week_span(deployment, site, as_of, back) for site in deployment.sites}
    first = usage["site"].map({site: start for site, (start, _) in spans.items()})
    until = usage["site"].map({site: end for site, (_, end) in spans.items()})
    return usage[(usage["start_ms"] >= first) & (usage["start_ms"] < until)]


def _share_open(
    deployment: Deployment,
    usage: pd.DataFrame,
    opened: Mapping[str, Intervals],
    evidence: Mapping[str, Evidence],
) -> Floats:
    """How much of each hour is open, announced maintenance taken out."""
    announced = maintenance_of(deployment)
    starts, ends = usage["start_ms"].to_numpy(), usage["end_ms"].to_numpy()
    found = np.zeros(len(usage))
    for name, rows in usage.groupby("site").indices.items():
        site = str(name)
        judged = opened[site].minus(announced.get(site, Intervals.of([])))
        here = judged.within(starts[rows], ends[rows]) / (ends[rows] - starts[rows])
        in_use = evidence[site].hours_in_use
        if in_use is not None:
            here = here * in_use[hour_of_week(starts[rows], deployment.zone(site))]
        found[rows] = here
    return found
