"""How much each site is used, in user-hours a day: what moves and expectations are counted in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from config.deployment import Deployment, SiteKind
from pipeline.underuse.assess import Assessment, Verdict, seed
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.intensity import Floats, midmean, resampled
from pipeline.underuse.peers import INTERVAL
from pipeline.underuse.surplus import Surplus
from pipeline.underuse.weeks import assessment_span

SAYS_NOTHING: Final = frozenset[Verdict]({"not_assessable", "repair_first"})
"""Verdicts on sites whose use does not show how much such a place is wanted."""
DAYS_A_WEEK: Final = 7
Unit = tuple[str, str | None]
"""What can be moved: a site's whole spot, or one of its access points."""


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a site in its open hours, spread over all days of the week.

    It is what can be moved and what is learnt from: all APs of a site, or some of them.
    """

    site: str
    kind: SiteKind
    aps: int
    """In service at the end of the weeks assessed."""
    day: float
    """User-hours a day of a typical week."""
    draws: Floats = field(compare=False, repr=False)
    """The same of resampled weeks."""
    ap: str | None = None
    """The access point whose use it is; None: the whole site."""

    @property
    def unit(self) -> Unit:
        """What has this use, and takes it along."""
        return self.site, self.ap


def uses(
    deployment: Deployment,
    assessments: Sequence[Assessment],
    evidence: Mapping[str, Evidence],
    as_of: datetime,
) -> dict[str, Use]:
    """The use of every site that could be assessed and is not broken, by site."""
    found = {}
    for judged in assessments:
        known = evidence[judged.site]
        if judged.verdict in SAYS_NOTHING or not len(known.weekly):
            continue
        _, end_ms = assessment_span(deployment, judged.site, as_of)
        draws = deployment.settings.underuse.resamples
        hours = open_hours_a_day(known)
        found[judged.site] = Use(
            site=judged.site,
            kind=judged.kind,
            aps=aps_in_service(deployment, judged.site, end_ms),
            day=float(midmean(known.weekly)) * hours,
            draws=resampled(known.weekly, draws, seed(deployment, judged.site, as_of)) * hours,
        )
    return found


def surplus_uses(
    deployment: Deployment,
    surplus: Iterable[Surplus],
    evidence: Mapping[str, Evidence],
    as_of: datetime,
) -> list[Use]:
    """What surplus access points take along: their own use. The site keeps the rest."""
    found = []
    for one in surplus:
        start_ms, end_ms = assessment_span(deployment, one.site, as_of)
        hours = open_hours_a_day(evidence[one.site])
        times = deployment.settings.underuse.resamples
        found.append(
            Use(
                site=one.site,
                kind=deployment.sites[one.site].kind,
                aps=1,
                day=float(midmean(one.weekly)) * hours,
                draws=resampled(one.weekly, times, f"{one.ap}|{start_ms}|{end_ms}") * hours,
                ap=one.ap,
            )
        )
    return found


def open_hours_a_day(known: Evidence) -> float:
    """On average over all the days in service."""
    return known.open_hours / (known.weeks_in_service * DAYS_A_WEEK)


def aps_in_service(deployment: Deployment, site: str, at_ms: int) -> int:
    """How many APs of a site are in service at an instant, in UTC milliseconds; at least 1."""
    spans = [
        deployment.service_ms(ap) for ap in deployment.access_points.values() if ap.site == site
    ]
    return max(
        1,
        sum(
            (since is None or since < at_ms) and (until is None or until >= at_ms)
            for since, until in spans
        ),
    )


def interval(draws: Floats) -> tuple[float, float]:
    """The bounds of what 95 % of the draws lie in."""
    ordered = np.sort(draws)
    last = len(ordered) - 1
    return float(ordered[int(INTERVAL[0] * last)]), float(ordered[int(np.ceil(INTERVAL[1] * last))])
