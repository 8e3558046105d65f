"""Where idle spots would serve better: a proposal for each of them, with its reasons.

They are the underused spots, and the surplus access points of busy ones. A spot that serves a
target public is promoted; of the others the moves with the highest total gain are chosen, and who
is left stays where it is, for a reason that is said. Pure.
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
from pipeline.relocation.use import Unit, Use, open_hours_a_day, surplus_uses, uses
from pipeline.state import Move
from pipeline.underuse.judgement import Judgement
from pipeline.underuse.reasons import Reason

Action = Literal["move", "promote", "keep"]
ACTIONS: Final[tuple[Action, ...]] = ("move", "promote", "keep")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do about an underused spot, or a surplus access point."""

    site: str
    ap: str | None
    """The access point; None: the whole spot."""
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
    """Proposals for all that is idle: moves first, the most gain per euro at the top."""

    proposals: tuple[Proposal, ...]
    left_out: Mapping[str, tuple[Reason, ...]]
    """Places that nobody is proposed to move to, and why."""
    matching: Matching
    budget_eur: float | None
    cost_eur: float
    """Of all the moves."""


def propose(
    deployment: Deployment,
    judged: Judgement,
    moves: Sequence[Move],
    as_of: datetime,
    *,
    budget_eur: float | None = None,
    include_unready: bool = False,
) -> Plan:
    """Propose what to do about each underused spot and each surplus access point.

    `moves` are those made until then. The same arguments give the same plan.
    """
    rule = deployment.settings.relocation
    known = uses(deployment, judged.assessments, judged.evidence, as_of)
    idle = _idle(deployment, judged, known, moves, as_of)
    promoted = {
        unit
        for unit in idle
        if unit[1] is None and (deployment.sites[unit[0]].target_public or 0) >= rule.promote_from
    }
    movable = sorted(idle.keys() - promoted, key=_by_name)
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
        [idle[unit] for unit in movable],
        [deployment.candidate_places[place] for place in ground.places],
        as_of,
    )
    matching = match(_problem(deployment, ground, found, budget_eur))
    to = {ground.movable[s]: ground.places[p] for s, p in matching.pairs.items()}
    nearest = _nearest_m(ground, matching)
    assessed = {a.site: a for a in judged.assessments}
    surplus = {(one.site, one.ap): one for one in judged.surplus}
    proposals = []
    for unit, use in idle.items():
        site, ap = unit
        chosen, distance = None, None
        here = (
            explain.here(deployment, assessed[site], use)
            if ap is None
            else explain.here_ap(deployment, surplus[site, ap], use)
        )
        if unit in promoted:
            action: Action = "promote"
            hours = open_hours_a_day(judged.evidence[site])
            why = explain.promotion(deployment, assessed[site], hours)
        elif unit in to:
            action, chosen = "move", found[unit, to[unit]]
            metres = ground.moves_m[movable.index(unit), ground.places.index(to[unit])]
            distance = float(metres) if np.isfinite(metres) else None
            why = explain.move(deployment, chosen, use.aps, nearest[to[unit]], ground)
        else:
            action = "keep"
            offers = [found[unit, p] for p in ground.places if (unit, p) in found]
            why = explain.stay(deployment, offers)
        where = deployment.candidate_places[to[unit]] if chosen else deployment.sites[site]
        proposals.append(
            Proposal(
                site=site,
                ap=ap,
                action=action,
                current=use.day,
                weight=weight(where.target_public, rule),
                prospect=chosen,
                distance_m=distance,
                reasons=(*here, *why),
            )
        )
    unused = {
        place: explain.unused(
            deployment, [found[u, place] for u in movable if (u, place) in found], ground
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


def _idle(
    deployment: Deployment,
    judged: Judgement,
    known: Mapping[str, Use],
    moves: Sequence[Move],
    as_of: datetime,
) -> dict[Unit, Use]:
    """The use of every underused spot and surplus access point that was not moved already."""
    moved = {(move.site, move.ap) for move in moves}
    spots = [
        known[a.site] for a in judged.assessments if a.verdict == "underused" and a.site in known
    ]
    aps = surplus_uses(deployment, judged.surplus, judged.evidence, as_of)
    return {
        use.unit: use
        for use in (*spots, *aps)
        if use.unit not in moved and (use.site, None) not in moved
    }


def _by_name(unit: Unit) -> tuple[str, str]:
    return unit[0], unit[1] or ""


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
    found: Mapping[tuple[Unit, str], Prospect],
    budget_eur: float | None,
) -> Problem:
    rule = deployment.settings.relocation
    values = np.zeros((len(ground.movable), len(ground.places)))
    for (unit, place), prospect in found.items():
        if prospect.worthwhile(rule):
            values[ground.movable.index(unit), ground.places.index(place)] = prospect.net
    costs = [deployment.candidate_places[place].cost_eur or 0.0 for place in ground.places]
    # An unknown distance is neither near nor far: what it leaves unchecked is said.
    near = np.argwhere(np.triu(ground.between_m < rule.min_distance_m, k=1)).tolist()
    whole = np.array([ap is None for _, ap in ground.movable], dtype=np.bool_)
    too_close = (ground.moves_m < rule.min_distance_m) & whole[:, None]
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
    left = [
        row
        for row, (_, ap) in enumerate(ground.movable)
        if ap is None and row not in matching.pairs
    ]
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


def _order(proposal: Proposal) -> tuple[int, float, str, str]:
    prospect = proposal.prospect
    per_euro = prospect.gain_per_1000_eur if prospect else None
    best = np.inf if per_euro is None else per_euro
    return ACTIONS.index(proposal.action), -best, *_by_name((proposal.site, proposal.ap))
