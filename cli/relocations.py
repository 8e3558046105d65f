"""`spotwatch relocations`: where underused spots would serve better, and moves put on record."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import relocations_done
from cli.judging import ap_hours
from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.stores import opened
from cli.underused import LangOption
from config import values
from config.deployment import Deployment
from config.settings import Language
from dashboards.relocations import relocations_view
from pipeline.relocation.outcomes import Outcome, outcomes
from pipeline.relocation.proposals import Plan, Proposal, propose
from pipeline.relocation.reasons import definition, worded
from pipeline.relocation.study import study
from pipeline.usage.reader import UsageReader

BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget", metavar="EUR", help="For all moves together. Default: any.", show_default=False
    ),
]
UnreadyOption = Annotated[
    bool, typer.Option("--include-unready", help="Propose places that are not ready, too.")
]
DoneOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--done", metavar="SITE PLACE", help="Record that a spot was moved.", show_default=False
    ),
]
OnOption = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="DATE", help="The day of --done. Default: today.", show_default=False
    ),
]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="SITE",
        help="What the place of --done is called in sites.csv. Default: as the place.",
        show_default=False,
    ),
]
ApOption = Annotated[
    str | None,
    typer.Option(
        "--ap",
        metavar="AP",
        help="With --done or --undo: the access point, not the whole spot.",
        show_default=False,
    ),
]
UndoOption = Annotated[
    str | None,
    typer.Option("--undo", metavar="SITE", help="Take a recorded move back.", show_default=False),
]


def relocations(
    config: ConfigOption = None,
    as_of: AsOfOption = None,
    *,
    budget: BudgetOption = None,
    lang: LangOption = None,
    done: DoneOption = None,
    on: OnOption = None,
    new_site: AsOption = None,
    ap: ApOption = None,
    undo: UndoOption = None,
    include_unready: UnreadyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Propose where idle spots and access points would serve better: gains, costs, reasons.

    Chosen from candidate_places.csv for the most user-hours, weighted by target public, that the
    money buys. --done SITE PLACE records a move (--ap: of one access point), and later answers tell
    what became of it.
    """
    deployment = open_deployment(config)
    now = datetime.now(UTC)
    if done or undo:
        proposing = {"--budget": budget, "--as-of": as_of, "--include-unready": include_unready}
        relocations_done.refuse_beside("--done" if done else "--undo", proposing)
    if undo:
        relocations_done.refuse_beside("--undo", {"--done": done, "--on": on, "--as": new_site})
        relocations_done.undo(deployment, undo, ap, as_json=as_json)
        return
    if done:
        moved = relocations_done.checked(
            deployment, *done, ap=ap, on=on, new_site=new_site, now=now
        )
        relocations_done.record(deployment, moved, as_json=as_json)
        return
    for option, value in (("--on", on), ("--as", new_site)):
        if value is not None:
            raise refuse(f"{option}: it goes with --done SITE PLACE")
    if ap is not None:
        raise refuse("--ap: it goes with --done SITE PLACE, or with --undo SITE")
    moment = parse_as_of(as_of, deployment.settings.zone, now)
    budget_eur = _budget(budget)
    language = lang or deployment.settings.language
    with opened(deployment) as (store, state):
        reader = UsageReader(deployment, store, state.closed_until_ms())
        known = study(deployment, reader, ap_hours(store), state.moves(), moment)
    plan = propose(
        deployment,
        known.judgement,
        known.moves,
        moment,
        budget_eur=budget_eur,
        include_unready=include_unready,
    )
    became = outcomes(deployment, known.moves, known.moved_usage, moment)
    if as_json:
        print_json(document(deployment, plan, became, language, moment))
        return
    out.print(relocations_view(deployment, plan, became, language))


def _budget(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        amount = float(values.amount(text))
    except ValueError as error:
        raise refuse(f"--budget: {error}") from error
    if not (amount >= 0 and math.isfinite(amount)):
        raise refuse(f"--budget: {text!r} is no amount; allowed: 0 or more euros, such as 50000")
    return amount


def document(
    deployment: Deployment,
    plan: Plan,
    became: Sequence[Outcome],
    language: Language,
    as_of: datetime,
) -> dict[str, Any]:
    """The JSON of `relocations`."""
    return {
        "as_of": iso(round(as_of.timestamp() * 1000)),
        "budget_eur": plan.budget_eur,
        "cost_eur": plan.cost_eur,
        "method": plan.matching.method,
        "optimal": plan.matching.optimal,
        "proposals": [_proposal(deployment, found, language) for found in plan.proposals],
        "left_out": [
            {
                "place": place,
                "place_name": deployment.candidate_places[place].name,
                "stated_user_hours_day": deployment.candidate_places[place].expected_user_hours_day,
                "reasons": [worded(reason, language) for reason in reasons],
            }
            for place, reasons in plan.left_out.items()
        ],
        "moves": [
            relocations_done.move_document(found.move)
            | {
                "observed_user_hours_day": found.observed,
                "observed_low": found.low,
                "observed_high": found.high,
                "result": found.result,
                "reasons": [worded(reason, language) for reason in found.reasons],
            }
            for found in became
        ],
        "definition": definition(deployment.settings, language),
    }


def _proposal(deployment: Deployment, found: Proposal, language: Language) -> dict[str, Any]:
    move = found.prospect
    place = deployment.candidate_places[move.place] if move else None
    return {
        "site": found.site,
        "ap": found.ap,
        "name": deployment.sites[found.site].name(language),
        "place": place and place.place,
        "place_name": place and place.name,
        "action": found.action,
        "gain_user_hours_day": move and move.gain,
        "gain_low": move and move.low,
        "gain_high": move and move.high,
        "weighted_gain_user_hours_day": move and move.weighted_gain,
        "loss_chance": move and move.loss_chance,
        "expected_user_hours_day": move and move.expectation.day,
        "expected_low": move and move.expectation.low,
        "expected_high": move and move.expectation.high,
        "stated_user_hours_day": place and place.expected_user_hours_day,
        "current_user_hours_day": found.current,
        "weight": found.weight,
        "cost_eur": move and move.cost_eur,
        "gain_per_1000_eur": move and move.gain_per_1000_eur,
        "distance_m": found.distance_m,
        "ready": place and place.ready,
        "reasons": [worded(reason, language) for reason in found.reasons],
    }
