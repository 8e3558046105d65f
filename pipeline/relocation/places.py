"""Where spots are and stay, and which places are open to one that moves. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from config.deployment import CandidatePlace, Deployment, SiteKind, local_day_ms
from pipeline.relocation.distance import Position, distances_m, position
from pipeline.relocation.use import Unit
from pipeline.state import Move
from pipeline.underuse.intensity import Floats
from pipeline.underuse.reasons import Reason


@dataclass(frozen=True, slots=True)
class Ground:
    """The places that a spot may move to, and how far they are from where spots are."""

    movable: tuple[Unit, ...]
    """Spots and access points that may leave."""
    places: tuple[str, ...]
    """Open to them."""
    left_out: Mapping[str, tuple[Reason, ...]]
    """The other places, and why."""
    moves_m: Floats
    """Metres from where each of them is (row) to each place; NaN where a position is unknown."""
    staying_m: Floats
    """Metres from each place to the nearest spot that stays whatever is chosen; infinite if none
    has a position."""
    between_m: Floats
    """Metres between the places."""
    unplaced: int
    """Spots that stay, and have no position."""


def survey(
    deployment: Deployment,
    movable: Sequence[Unit],
    moves: Sequence[Move],
    as_of: datetime,
    *,
    learnt_from: Collection[SiteKind],
    budget_eur: float | None,
    include_unready: bool,
) -> Ground:
    """Look at every candidate place. `learnt_from`: kinds of which the use of spots is known."""
    # Where an access point leaves the others stay.
    whole = {site for site, ap in movable if ap is None}
    staying = _staying(deployment, whole, moves, as_of)
    candidates = sorted(deployment.candidate_places.values(), key=lambda place: place.place)
    nearest = _nearest(staying, _positions(candidates))
    left_out = {}
    open_to = []
    for place, nearest_m in zip(candidates, nearest, strict=True):
        obstacles = tuple(_taken(deployment, place, moves)) or (
            *_unknown(deployment, place, learnt_from),
            *_unfit(deployment, place, float(nearest_m), budget_eur, include_unready),
        )
        if obstacles:
            left_out[place.place] = obstacles
        else:
            open_to.append(place)
    here = [position(s.lat, s.lon) for s in (deployment.sites[site] for site, _ in movable)]
    there = _positions(open_to)
    return Ground(
        movable=tuple(movable),
        places=tuple(place.place for place in open_to),
        left_out=left_out,
        moves_m=distances_m(here, there),
        staying_m=_nearest(staying, there),
        between_m=distances_m(there, there),
        unplaced=sum(at is None for at in staying),
    )


def _staying(
    deployment: Deployment, whole: Collection[str], moves: Sequence[Move], as_of: datetime
) -> list[Position]:
    """Where spots are that no choice moves: the sites in service, and what was moved of late."""
    at_ms = round(as_of.timestamp() * 1000)
    gone = {move.site for move in moves if move.ap is None} | set(whole)
    found = []
    for site in deployment.sites.values():
        out = site.out_of_service_since
        if site.site in gone or (out and local_day_ms(out, deployment.zone(site.site)) <= at_ms):
            continue
        found.append(position(site.lat, site.lon))
    for move in moves:
        place = deployment.candidate_places.get(move.place)
        if move.new_site not in deployment.sites and place:
            found.append(position(place.lat, place.lon))
    return found


def _positions(places: Sequence[CandidatePlace]) -> list[Position]:
    return [position(place.lat, place.lon) for place in places]


def _nearest(staying: Sequence[Position], places: Sequence[Position]) -> Floats:
    metres = distances_m(places, [at for at in staying if at is not None])
    nearest: Floats = np.min(metres, axis=1, initial=np.inf)
    return nearest


def _taken(
    deployment: Deployment, place: CandidatePlace, moves: Sequence[Move]
) -> Iterator[Reason]:
    if any(move.place == place.place for move in moves):
        yield Reason("taken", {})
    elif place.place in deployment.sites:
        yield Reason("has_spot", {})


def _unknown(
    deployment: Deployment, place: CandidatePlace, learnt_from: Collection[SiteKind]
) -> Iterator[Reason]:
    if place.kind is None:
        yield Reason("no_kind", {})
    elif place.kind not in learnt_from:
        yield Reason("no_peers", {})
    if place.lat is None and deployment.settings.relocation.min_distance_m > 0:
        yield Reason("no_position", {})
    if place.cost_eur is None:
        yield Reason("no_cost", {})


def _unfit(
    deployment: Deployment,
    place: CandidatePlace,
    nearest_m: float,
    budget_eur: float | None,
    include_unready: bool,
) -> Iterator[Reason]:
    if place.ready is False and not include_unready:
        yield Reason("not_ready", {})
    if place.cost_eur is not None and budget_eur is not None and place.cost_eur > budget_eur:
        yield Reason("over_budget", {"cost": place.cost_eur, "budget": budget_eur})
    limit = deployment.settings.relocation.min_distance_m
    if nearest_m < limit:
        yield Reason("too_close", {"nearest": nearest_m, "limit": limit})
