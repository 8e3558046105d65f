"""What each spot would gain at each place, and whether that is worth a proposal. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from config.deployment import CandidatePlace, Deployment
from config.settings import Relocation
from pipeline.relocation.expectation import Expectation, expect
from pipeline.relocation.use import Unit, Use, interval
from pipeline.underuse.weeks import usage_span

DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Prospect:
    """A spot at a place. Gains are user-hours a day in open hours, there instead of here."""

    site: str
    ap: str | None
    """None: the whole spot."""
    place: str
    expectation: Expectation
    gain: float
    low: float
    high: float
    weight_here: float
    weight_there: float
    """Target public, or what stands in for it."""
    weighted_gain: float
    """Use there times its weight, less use here times its weight."""
    loss_chance: float
    """Share of the draws in which the weighted gain is negative."""
    cost_eur: float
    gain_per_1000_eur: float | None
    """Weighted user-hours over the horizon; None: it costs nothing."""
    net: float
    """Weighted user-hours a day beyond those that its cost must gain: what is maximised."""

    def worthwhile(self, rule: Relocation) -> bool:
        """Whether the move gains enough, surely enough, for its cost."""
        return (
            self.net > 0
            and self.weighted_gain >= rule.min_gain_user_hours_day
            and self.loss_chance <= rule.max_loss_chance
        )


def weight(target_public: float | None, rule: Relocation) -> float:
    """What a user-hour counts where so much of the public is the target public."""
    return rule.unknown_target_public if target_public is None else target_public


def prospects(
    deployment: Deployment,
    known: Mapping[str, Use],
    movable: Collection[Use],
    places: Sequence[CandidatePlace],
    as_of: datetime,
) -> dict[tuple[Unit, str], Prospect]:
    """Each spot or access point that can be moved at each place that something can be expected of.

    `known`: what the city's spots are used, to learn from; of the places the kind and the cost are
    known.
    """
    expected: dict[tuple[str, int], Expectation | None] = {}
    found = {}
    for place in places:
        for use in movable:
            key = (place.place, use.aps)
            if key not in expected:
                expected[key] = expected_at(deployment, known, place, use.aps, as_of)
            expectation = expected[key]
            if expectation is not None and place.cost_eur is not None:
                found[use.unit, place.place] = _prospect(
                    deployment, use, place, place.cost_eur, expectation
                )
    return found


def expected_at(
    deployment: Deployment,
    known: Mapping[str, Use],
    place: CandidatePlace,
    aps: int,
    as_of: datetime,
) -> Expectation | None:
    """What so many APs may expect of a place."""
    if place.kind is None:
        return None
    start_ms, end_ms = usage_span(deployment, as_of)
    return expect(
        known.values(),
        place.kind,
        aps,
        place.expected_user_hours_day,
        settings=deployment.settings,
        seed=f"{place.place}|{aps}|{start_ms}|{end_ms}",
    )


def _prospect(
    deployment: Deployment, use: Use, place: CandidatePlace, cost: float, expected: Expectation
) -> Prospect:
    rule = deployment.settings.relocation
    here = weight(deployment.sites[use.site].target_public, rule)
    there = weight(place.target_public, rule)
    gain = expected.day - use.day
    low, high = interval(expected.draws - use.draws)
    weighted = expected.day * there - use.day * here
    days = rule.horizon_years * DAYS_A_YEAR
    return Prospect(
        site=use.site,
        ap=use.ap,
        place=place.place,
        expectation=expected,
        gain=gain,
        low=min(low, gain),
        high=max(high, gain),
        weight_here=here,
        weight_there=there,
        weighted_gain=weighted,
        loss_chance=float(np.mean(expected.draws * there < use.draws * here)),
        cost_eur=cost,
        gain_per_1000_eur=weighted * days / cost * 1000 if cost else None,
        net=weighted - cost / 1000 * rule.min_gain_per_1000_eur / days,
    )
