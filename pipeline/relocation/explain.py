"""The reasons of proposals, as data: what they rest on, and what is not known. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from config.deployment import Deployment
from pipeline.relocation.places import Ground
from pipeline.relocation.prospects import Prospect
from pipeline.relocation.use import Use
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import Reason
from pipeline.underuse.surplus import Surplus

Reasons = tuple[Reason, ...]


def here(deployment: Deployment, judged: Assessment, use: Use) -> Reasons:
    """How little the spot is used where it is."""
    low, high = judged.ratio_low, judged.ratio_high
    figures = {"current": use.day, "ratio": judged.ratio, "low": low, "high": high}
    return (Reason("here", figures), *_target_unknown(deployment, use.site))


def here_ap(deployment: Deployment, surplus: Surplus, use: Use) -> Reasons:
    """How little an access point is used beside the others of its site."""
    figures: dict[str, float | str | None] = {
        "ap": surplus.ap,
        "current": use.day,
        "ratio": surplus.ratio,
        "low": surplus.ratio_low,
        "high": surplus.ratio_high,
        "others": surplus.siblings,
    }
    return (Reason("here_ap", figures), *_target_unknown(deployment, use.site))


def _target_unknown(deployment: Deployment, site: str) -> Iterator[Reason]:
    if deployment.sites[site].target_public is None:
        value = deployment.settings.relocation.unknown_target_public
        yield Reason("target_unknown_here", {"value": value})


def promotion(deployment: Deployment, judged: Assessment, open_hours_a_day: float) -> Reasons:
    """Why people should be told of a spot that is not moved."""
    target = deployment.sites[judged.site].target_public
    limit = deployment.settings.relocation.promote_from
    reasons = [Reason("promote", {"target": target, "limit": limit})]
    if judged.peer_median is not None and judged.intensity is not None:
        more = (judged.peer_median - judged.intensity) * open_hours_a_day
        reasons.append(Reason("potential", {"more": more}))
    return tuple(reasons)


def move(
    deployment: Deployment, prospect: Prospect, aps: int, nearest_m: float, ground: Ground
) -> Reasons:
    """Why a spot should move, and what to find out first."""
    rule = deployment.settings.relocation
    figures = {
        "gain": prospect.gain,
        "low": prospect.low,
        "high": prospect.high,
        "here": prospect.weight_here,
        "there": prospect.weight_there,
        "weighted": prospect.weighted_gain,
        "loss": prospect.loss_chance,
    }
    reasons = [*_expected(deployment, prospect, aps), Reason("gain", figures)]
    if prospect.gain < 0:
        reasons.append(Reason("fewer", {}))
    if prospect.gain_per_1000_eur is None:
        reasons.append(Reason("free", {}))
    else:
        cost = {
            "cost": prospect.cost_eur,
            "per_1000": prospect.gain_per_1000_eur,
            "years": rule.horizon_years,
        }
        reasons.append(Reason("cost", cost))
    if np.isfinite(nearest_m):
        figures = {"nearest": nearest_m, "limit": rule.min_distance_m}
        reasons.append(Reason("apart", figures))
    return (*reasons, *_unsure(deployment, prospect, ground))


def _expected(deployment: Deployment, prospect: Prospect, aps: int) -> Iterator[Reason]:
    rule, found = deployment.settings.relocation, prospect.expectation
    figures = {
        "expected": found.day,
        "low": found.low,
        "high": found.high,
        "peers": found.peers,
        "median": found.peer_median,
        "aps": aps,
    }
    yield Reason("expected", figures)
    if found.borrowed:
        yield Reason("few_peers", {"limit": max(2, deployment.settings.underuse.min_peers)})
    if found.stated is None:
        yield Reason("not_stated", {})
        return
    yield Reason("stated", {"stated": found.stated, "weight": rule.stated_weight})
    if not found.peer_low <= found.stated <= found.peer_high:
        yield Reason("stated_far", {"low": found.peer_low, "high": found.peer_high})


def _unsure(deployment: Deployment, prospect: Prospect, ground: Ground) -> Iterator[Reason]:
    rule = deployment.settings.relocation
    place = deployment.candidate_places[prospect.place]
    if place.target_public is None:
        yield Reason("target_unknown_there", {"value": rule.unknown_target_public})
    if place.ready is None:
        yield Reason("ready_unknown", {})
    elif not place.ready:
        yield Reason("unready", {})
    if ground.unplaced and rule.min_distance_m > 0:
        yield Reason("unplaced", {"spots": ground.unplaced})


def stay(deployment: Deployment, offers: Sequence[Prospect]) -> Reasons:
    """Why a spot that could move is not proposed to; `offers` are all places open to it."""
    if not deployment.candidate_places:
        return (Reason("no_places", {}),)
    if not offers:
        return (Reason("none_open", {"places": len(deployment.candidate_places)}),)
    return _not_chosen(deployment, offers, "outbid", "no_gain")


def unused(deployment: Deployment, offers: Sequence[Prospect], ground: Ground) -> Reasons:
    """Why nobody is proposed to move to a place that is open."""
    if not ground.movable:
        return (Reason("nobody_moves", {}),)
    return _not_chosen(deployment, offers, "outbid_there", "no_gain_there")


def _not_chosen(
    deployment: Deployment, offers: Sequence[Prospect], outbid: str, no_gain: str
) -> Reasons:
    rule = deployment.settings.relocation
    best = max(offers, key=lambda offer: (offer.worthwhile(rule), offer.net))
    figures = {"weighted": best.weighted_gain, "loss": best.loss_chance}
    if best.worthwhile(rule):
        return (Reason(outbid, figures),)
    limits = {
        "limit": rule.min_gain_user_hours_day,
        "most": rule.max_loss_chance,
        "per_1000": rule.min_gain_per_1000_eur,
    }
    return (Reason(no_gain, figures | limits),)
