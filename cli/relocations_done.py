"""`spotwatch relocations --done` and `--undo`: moves put on record, and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from cli.judging import ap_hours
from cli.options import out, print_json, refuse
from cli.stores import opened
from config import values
from config.deployment import Deployment
from config.problems import did_you_mean, listed
from pipeline.relocation.prospects import expected_at
from pipeline.relocation.study import Study, study
from pipeline.relocation.use import aps_in_service, surplus_uses, uses
from pipeline.state import Move, State
from pipeline.usage.periods import local_date
from pipeline.usage.reader import UsageReader


@dataclass(frozen=True, slots=True)
class Moved:
    """A move as the operator tells it, checked."""

    site: str
    ap: str | None
    place: str
    new_site: str
    on: date


def refuse_beside(option: str, others: Mapping[str, object]) -> None:
    """Refuse options that mean nothing beside this one."""
    given = [name for name, value in others.items() if value not in (None, False)]
    if given:
        raise refuse(f"{given[0]}: it has no meaning beside {option}; leave one of them out")


def checked(
    deployment: Deployment,
    site: str,
    place: str,
    *,
    ap: str | None,
    on: str | None,
    new_site: str | None,
    now: datetime,
) -> Moved:
    """Refuse what cannot have happened."""
    if site not in deployment.sites:
        hint = did_you_mean(site, deployment.sites)
        raise refuse(
            f"--done: no site {site!r} in sites.csv{hint}; a move is recorded while the old site "
            "has its row there"
        )
    if ap is not None:
        here = [one.ap for one in deployment.access_points.values() if one.site == site]
        if ap not in here:
            hint = did_you_mean(ap, here)
            raise refuse(
                f"--ap: no access point {ap!r} of {site} in access_points.csv{hint}; a move is "
                "recorded while it has its row there"
            )
    if place not in deployment.candidate_places:
        hint = did_you_mean(place, deployment.candidate_places)
        raise refuse(f"--done: no place {place!r} in candidate_places.csv{hint}")
    today = local_date(round(now.timestamp() * 1000), deployment.settings.zone)
    try:
        day = today if on is None else values.day(on)
    except ValueError as error:
        raise refuse(f"--on: {error}") from error
    if day > today:
        raise refuse(f"--on: {day} is in the future; record the move once it is made")
    try:
        becomes = values.identifier(place if new_site is None else new_site)
    except ValueError as error:
        raise refuse(f"--as: {error}") from error
    if becomes == site:
        raise refuse(
            f"--as: {becomes!r} is the site that was moved; give the place a row of its own in "
            "sites.csv, so that its use is told from that before"
        )
    return Moved(site, ap, place, becomes, day)


def record(deployment: Deployment, moved: Moved, *, as_json: bool) -> None:
    """Put a move on record with what is expected of it on its day."""
    start_of_day = datetime.combine(moved.on, time(), deployment.settings.zone).astimezone(UTC)
    with opened(deployment) as (store, state):
        former = _former(state, moved)
        reader = UsageReader(deployment, store, state.closed_until_ms())
        others = [move for move in state.moves() if not _same(move, moved)]
        known = study(deployment, reader, ap_hours(store), others, start_of_day)
        move = _with_expectation(deployment, moved, known, start_of_day)
        state.record_move(move)
    if as_json:
        replaced = move_document(former) if former else None
        print_json({"recorded": move_document(move), "replaced": replaced})
        return
    if former:
        out.print(f"In place of: {_named(former)} to {former.place} on {former.on}.", markup=False)
    out.print(f"On record: {_named(move)} to {move.place} on {move.on}.", markup=False)
    if move.expected is None:
        out.print("What to expect there is not known: no spot of that kind could be assessed.")
    else:
        out.print(
            f"Expected there: {move.expected:.1f} user-hours a day in open hours "
            f"({move.low:.1f} to {move.high:.1f})."
        )
    if move.new_site not in deployment.sites:
        out.print(
            f"Give {move.new_site} a row in sites.csv and put its access points there in "
            "access_points.csv; `spotwatch relocations` will tell what became of it.",
            markup=False,
        )


def undo(deployment: Deployment, site: str, ap: str | None, *, as_json: bool) -> None:
    """Take back what was recorded of a site, or of one of its access points."""
    with opened(deployment) as (_, state):
        moves = {(move.site, move.ap): move for move in state.moves()}
        move = moves.get((site, ap))
        if move is None:
            on_record = listed(_named(move) for move in moves.values()) or "none"
            asked = f"{site!r}" if ap is None else f"{ap!r} of {site!r}"
            raise refuse(f"--undo: no move of {asked} is on record; on record: {on_record}")
        state.forget_move(site, ap)
    if as_json:
        print_json({"forgotten": move_document(move)})
        return
    out.print(f"No longer on record: {_named(move)} to {move.place}.", markup=False)


def move_document(move: Move) -> dict[str, Any]:
    """A move in JSON."""
    return {
        "site": move.site,
        "ap": move.ap,
        "place": move.place,
        "new_site": move.new_site,
        "on": move.on.isoformat(),
        "before_user_hours_day": move.before,
        "expected_user_hours_day": move.expected,
        "expected_low": move.low,
        "expected_high": move.high,
    }


def _former(state: State, moved: Moved) -> Move | None:
    """What is on record of the same; refuses a place that another spot has."""
    former = None
    for move in state.moves():
        if _same(move, moved):
            former = move
        elif move.place == moved.place or move.new_site == moved.new_site:
            raise refuse(
                f"--done: {_named(move)} is on record as moved to {move.place} (site "
                f"{move.new_site}) on {move.on}; take that back with --undo {_named(move)}, or "
                "name another place"
            )
    return former


def _same(move: Move, moved: Moved) -> bool:
    """Whether both tell of the same spot or access point."""
    return (move.site, move.ap) == (moved.site, moved.ap)


def _named(move: Move) -> str:
    """As the options of the command name it."""
    return move.site if move.ap is None else f"{move.site} --ap {move.ap}"


def _with_expectation(deployment: Deployment, moved: Moved, known: Study, as_of: datetime) -> Move:
    found = known.judgement
    used = uses(deployment, found.assessments, found.evidence, as_of)
    if moved.ap is None:
        here = used.get(moved.site)
        at_ms = round(as_of.timestamp() * 1000)
        aps = here.aps if here else aps_in_service(deployment, moved.site, at_ms)
    else:
        # What an access point has on its own is known where it was found to be surplus.
        idle = surplus_uses(deployment, found.surplus, found.evidence, as_of)
        here = next((use for use in idle if use.unit == (moved.site, moved.ap)), None)
        aps = 1
    place = deployment.candidate_places[moved.place]
    expected = expected_at(deployment, used, place, aps, as_of)
    return Move(
        site=moved.site,
        ap=moved.ap,
        place=moved.place,
        new_site=moved.new_site,
        on=moved.on,
        before=here.day if here else None,
        expected=expected.day if expected else None,
        low=expected.low if expected else None,
        high=expected.high if expected else None,
    )
