"""Where underused spots would serve better: a proposal for each of them, with its reasons.

A spot that serves a target public is promoted; of the others the moves with the highest total gain
are chosen, and who is left stays where it is, for a reason that is said. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from config.deployment import Deployment, SiteKind
from pipeline.relocation import explain
from pipeline.relocation.matching import Matching, Problem, match
from pipeline.relocation.places import Ground, survey
from pipeline.relocation.prospects import Prospect, expected_at, prospects, weight
from pipeline.relocation.use import Use, open_hours_a_day, uses
from pipeline.state import Move
from pipeline.underuse.assess import Assessment
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.reasons import Reason

Action = Literal["move", "promote", "keep"]
ACTIONS: Final[tuple[Action, ...]] = ("move", "promote", "keep")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do about an underused spot."""

    site: str
    action: Action
    current: float
    """User-hours a day in its open hours now."""
    weight: float
    """Target public where it would be, or stays; or what stands in for it."""
    prospect: Prospect | None
    """Of a move."""
    distance_m: float | None
    """Of a move; None: the site has no position."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Proposals for every underused spot: moves first, the most gain per euro at the top."""

    proposals: tuple[Proposal, ...]
    left_out: Mapping[str, tuple[Reason, ...]]
    """Places that nobody is proposed to move to, and why."""
    matching: Matching
    budget_eur: float | None
    cost_eur: float
    """Of all the moves."""


def propose(
    deployment: Deployment,
    assessments: Sequence[Assessment],
    evidence: Mapping[str, Evidence],
    moves: Sequence[Move],
    as_of: datetime,
    *,
    budget_eur: float | None = None,
    include_unready: bool = False,
) -> Plan:
    """Propose what to do about each underused spot.

    `evidence` is that of the assessments, `moves` are those made until then. The same arguments
    give the same plan.
    """
    rule = deployment.settings.relocation
    known = uses(deployment, assessments, evidence, as_of)
    moved = {move.site for move in moves}
    idle = {a.site: a for a in assessments if a.verdict == "underused" and a.site not in moved}
    promoted = {s for s in idle if (deployment.sites[s].target_public or 0) >= rule.promote_from}
    movable = sorted(idle.keys() - promoted)
    ground = survey(
        deployment,
        movable,
        moves,
        as_of,
        learnt_from=_kinds(deployment, known, as_of),
        budget_eur=budget_eur,
        include_unready=include_unready,
    )
    found = prospects(
        deployment,
        known,
        [known[site] for site in movable],
        [deployment.candidate_places[place] for place in ground.places],
        as_of,
    )
    matching = match(_problem(deployment, ground, found, budget_eur))
    to = {ground.movable[s]: ground.places[p] for s, p in matching.pairs.items()}
    nearest = _nearest_m(ground, matching)
    proposals = []
    for site, judged in idle.items():
        here = explain.here(deployment, judged, known[site])
        chosen, distance = None, None
        if site in promoted:
            action: Action = "promote"
            hours = open_hours_a_day(evidence[site])
            why = explain.promotion(deployment, judged, hours)
        elif site in to:
            action, chosen = "move", found[site, to[site]]
            metres = ground.moves_m[movable.index(site), ground.places.index(to[site])]
            distance = float(metres) if np.isfinite(metres) else None
            why = explain.move(deployment, chosen, known[site].aps, nearest[to[site]], ground)
        else:
            action = "keep"
            offers = [found[site, p] for p in ground.places if (site, p) in found]
            why = explain.stay(deployment, offers)
        where = deployment.candidate_places[to[site]] if chosen else deployment.sites[site]
        proposals.append(
            Proposal(
                site=site,
                action=action,
                current=known[site].day,
                weight=weight(where.target_public, rule),
                prospect=chosen,
                distance_m=distance,
                reasons=(*here, *why),
            )
        )
    unused = {
        place: explain.unused(
            deployment, [found[s, place] for s in movable if (s, place) in found], ground
        )
        for place in ground.places
        if place not in to.values()
    }
    return Plan(
        proposals=tuple(sorted(proposals, key=_order)),
        left_out=dict(sorted({**ground.left_out, **unused}.items())),
        matching=matching,
        budget_eur=budget_eur,
        cost_eur=sum(p.prospect.cost_eur for p in proposals if p.prospect),
    )


def _kinds(deployment: Deployment, known: Mapping[str, Use], as_of: datetime) -> set[SiteKind]:
    """Kinds of which something can be expected."""
    return {
        place.kind
        for place in deployment.candidate_places.values()
        if place.kind and expected_at(deployment, known, place, 1, as_of)
    }


def _problem(
    deployment: Deployment,
    ground: Ground,
    found: Mapping[tuple[str, str], Prospect],
    budget_eur: float | None,
) -> Problem:
    rule = deployment.settings.relocation
    values = np.zeros((len(ground.movable), len(ground.places)))
    for (site, place), prospect in found.items():
        if prospect.worthwhile(rule):
            values[ground.movable.index(site), ground.places.index(place)] = prospect.net
    costs = [deployment.candidate_places[place].cost_eur or 0.0 for place in ground.places]
    # An unknown distance is neither near nor far: what it leaves unchecked is said.
    near = np.argwhere(np.triu(ground.between_m < rule.min_distance_m, k=1)).tolist()
    too_close = ground.moves_m < rule.min_distance_m
    beside = [(place, spot) for spot, place in np.argwhere(too_close).tolist()]
    return Problem(
        values=values,
        costs=tuple(round(cost * 100) for cost in costs),
        budget=None if budget_eur is None else round(budget_eur * 100),
        apart=frozenset((a, b) for a, b in near),
        beside=frozenset(beside),
    )


def _nearest_m(ground: Ground, matching: Matching) -> dict[str, float]:
    """Of each place chosen, metres to the nearest other spot as the city would be then."""
    chosen = sorted(matching.pairs.values())
    left = [spot for spot in range(len(ground.movable)) if spot not in matching.pairs]
    nearest = {}
    for place in chosen:
        others = [other for other in chosen if other != place]
        metres = [
            ground.staying_m[place],
            *ground.between_m[place, others],
            *ground.moves_m[left, place],
        ]
        nearest[ground.places[place]] = float(np.nanmin([np.inf, *metres]))
    return nearest


def _order(proposal: Proposal) -> tuple[int, float, str]:
    prospect = proposal.prospect
    per_euro = prospect.gain_per_1000_eur if prospect else None
    best = np.inf if per_euro is None else per_euro
    return ACTIONS.index(proposal.action), -best, proposal.site
