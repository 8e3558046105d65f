"""What is known of each site's use in its open hours, week by week. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed
from pipeline.underuse.intensity import Floats
from pipeline.underuse.rhythm import Hours, hours_in_use, hours_of_kind
from pipeline.underuse.tally import AMOUNTS, Tally, tally
from pipeline.underuse.weeks import assessment_span
from pipeline.usage.figures import share
from pipeline.usage.periods import HOUR_MS

MIN_WEEK_KNOWN: Final = 0.2
"""A week with less than this share of its open AP time known says nothing of the week."""
WEEK_MS: Final = 7 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A site in its open hours over a window, announced maintenance taken out."""

    amounts: Mapping[str, Floats]
    """`tally.AMOUNTS` of each week of the window, in milliseconds of open time."""
    by_week: Floats
    """Users at a time over the whole site: user-hours / hours in which it could be used and the
    client count is known. One value a week of the window, NaN where the week says too little."""
    weeks_in_service: float
    open_days: int
    """Local days with open hours and any observation in them."""
    heard: bool
    """Whether there is usage in any of the weeks."""
    in_service_at_end: bool
    hours_in_use: Hours | None
    """Where no opening hours are known: which hours of the week count as open."""
    hours_of_kind: bool
    """Whether these lie among the hours that places of its kind keep."""

    @property
    def weekly(self) -> Floats:
        """The weeks that are known, in their order."""
        return self.by_week[~np.isnan(self.by_week)]

    @property
    def open_hours(self) -> float:
        """In service; 0: the site never was open."""
        return self._total("open_ms") / HOUR_MS

    @property
    def coverage(self) -> float | None:
        """Observed / expected AP time; None: none was expected."""
        return share(self._total("covered_ms"), self._total("expected_ms"))

    @property
    def clients_known(self) -> float | None:
        """Share of the expected AP time with the client count known."""
        return share(self._total("clients_ms"), self._total("expected_ms"))

    @property
    def availability(self) -> float | None:
        """up / (up + down)."""
        up, down = self._total("up_ms"), self._total("down_ms")
        return share(up, up + down)

    def _total(self, name: str) -> float:
        return float(self.amounts[name].sum())


def gather(deployment: Deployment, usage: pd.DataFrame, as_of: datetime) -> dict[str, Evidence]:
    """Evidence of every site of the files from 15-minute usage of `weeks.usage_span`."""
    weeks = range(deployment.settings.underuse.window_weeks)
    return evidence(deployment, [tally(deployment, usage, as_of, back) for back in weeks], as_of)


def evidence(
    deployment: Deployment, tallies: Sequence[Mapping[str, Tally]], as_of: datetime, back: int = 0
) -> dict[str, Evidence]:
    """Put the weeks of a window together: the week `back` and those before it, latest first."""
    ends: dict[str, list[int | None]] = {}
    for ap in deployment.access_points.values():
        ends.setdefault(ap.site, []).append(deployment.service_ms(ap)[1])
    of_kind = hours_of_kind(deployment, as_of, back)
    found = {}
    for site in deployment.sites:
        _, end_ms = assessment_span(deployment, site, as_of, back)
        found[site] = _of_site(
            [week[site] for week in reversed(tallies)],
            without_hours=hours_assumed(deployment.sites[site]),
            of_kind=of_kind.get(deployment.sites[site].kind),
            in_service_at_end=any(e is None or e >= end_ms for e in ends.get(site, [])),
        )
    return found


def _of_site(
    weeks: Sequence[Tally], *, without_hours: bool, of_kind: Hours | None, in_service_at_end: bool
) -> Evidence:
    table = np.stack([week.amounts for week in weeks])
    in_use = None
    if without_hours:
        users, known = (table[:, AMOUNTS.index(n)] for n in ("habit_user_ms", "habit_site_ms"))
        in_use = hours_in_use(users, known, of_kind)
        table = table * in_use
    covered = table[:, AMOUNTS.index("covered_ms")]
    amounts = dict(zip(AMOUNTS, np.moveaxis(table.sum(axis=2), 1, 0), strict=True))
    return Evidence(
        amounts=amounts,
        by_week=_by_week(amounts),
        weeks_in_service=sum(week.served_ms for week in weeks) / WEEK_MS,
        open_days=int(np.count_nonzero(covered.reshape(len(weeks), 7, -1).sum(axis=2))),
        heard=any(week.rows for week in weeks),
        in_service_at_end=in_service_at_end,
        hours_in_use=in_use,
        hours_of_kind=without_hours and of_kind is not None,
    )


def _by_week(amounts: Mapping[str, Floats]) -> Floats:
    known, expected = amounts["clients_ms"], amounts["expected_ms"]
    enough = (expected > 0) & (known >= MIN_WEEK_KNOWN * expected) & (amounts["site_ms"] > 0)
    unknown = np.full(len(known), np.nan)
    by_week: Floats = np.divide(amounts["user_ms"], amounts["site_ms"], out=unknown, where=enough)
    return by_week
