"""Proposals for underused spots, and what became of moves, for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from babel.numbers import format_decimal
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from config.settings import Language
from dashboards.terminal import NOTHING
from pipeline.relocation.outcomes import Outcome
from pipeline.relocation.proposals import Plan, Proposal
from pipeline.relocation.reasons import definition, worded
from pipeline.underuse.reasons import Reason

# From the palette of Okabe and Ito; the word says the same.
ACTION_STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "move": ("▶", "bold #d55e00"),
    "promote": ("◆", "#56b4e9"),
    "keep": ("■", "dim"),
}


def relocations_view(
    deployment: Deployment, plan: Plan, outcomes: Sequence[Outcome], language: Language
) -> RenderableType:
    """Everything that there is to say, the definition last."""
    parts: list[RenderableType] = [Text("No site is underused, and no access point is surplus.\n")]
    if plan.proposals:
        parts = [
            proposals_table(deployment, plan, language),
            Text(_summary(plan, language) + "\n"),
            *_explained(deployment, plan, language),
        ]
    if plan.left_out:
        parts.append(places_table(deployment, plan, language))
    if outcomes:
        parts.append(outcomes_table(deployment, outcomes, language))
    parts.append(Text(definition(deployment.settings, language), style="dim"))
    return Group(*parts)


def proposals_table(deployment: Deployment, plan: Plan, language: Language) -> Table:
    """What to do about all that is idle; use and gain in user-hours a day."""
    table = _table(f"Idle spots and access points, {deployment.settings.city}")
    table.caption = "Now, there and gain: user-hours a day in open hours; 95 % interval."
    table.add_column("site", ratio=1)
    table.add_column("action", no_wrap=True)
    table.add_column("to", ratio=1)
    for column in ("now", "there", "gain", "EUR", "m"):
        table.add_column(column, justify="right", no_wrap=True)
    for proposal in plan.proposals:
        sign, style = ACTION_STYLES[proposal.action]
        site, found = deployment.sites[proposal.site], proposal.prospect
        place = deployment.candidate_places[found.place] if found else None
        table.add_row(
            _named(_with_ap(site.name(language), proposal.ap), site.kind),
            Text(f"{sign} {proposal.action}", style=style),
            _named(place.name or place.place, place.kind) if place else NOTHING,
            _number(proposal.current, language, "#,##0.0"),
            *_figures(proposal, language),
        )
    return table


def _explained(deployment: Deployment, plan: Plan, language: Language) -> Iterator[RenderableType]:
    """The reasons of each proposal, under the name of its site."""
    for proposal in plan.proposals:
        name = deployment.sites[proposal.site].name(language)
        yield Text(_with_ap(name, proposal.ap), style="bold")
        why = " ".join(worded(reason, language) for reason in proposal.reasons)
        yield Padding(Text(why), (0, 0, 1, 2))


def places_table(deployment: Deployment, plan: Plan, language: Language) -> Table:
    """The places that nobody is proposed to move to."""
    table = _table("Places left out")
    table.add_column("place", ratio=1)
    table.add_column("city expects", justify="right")
    table.add_column("reasons", ratio=2)
    for name, reasons in plan.left_out.items():
        place = deployment.candidate_places[name]
        stated = _number(place.expected_user_hours_day, language, "#,##0.#")
        table.add_row(
            _named(place.name or name, place.kind), stated, _paragraphs(reasons, language)
        )
    return table


def outcomes_table(
    deployment: Deployment, outcomes: Sequence[Outcome], language: Language
) -> Table:
    """What became of the moves made."""
    table = _table("Moves made")
    for column in ("site", "to", "on"):
        table.add_column(column)
    for column in ("before", "expected", "observed"):
        table.add_column(column, justify="right")
    table.add_column("result", ratio=1)
    for outcome in outcomes:
        move = outcome.move
        site = deployment.sites.get(move.site)
        table.add_row(
            _with_ap(site.name(language) if site else move.site, move.ap),
            move.new_site,
            move.on.isoformat(),
            _number(move.before, language, "#,##0.0"),
            _number(move.expected, language, "#,##0.0"),
            _number(outcome.observed, language, "#,##0.0"),
            _paragraphs(outcome.reasons, language),
        )
    return table


def _summary(plan: Plan, language: Language) -> str:
    """What the moves cost and gain together, and how sure it is that none are better."""
    moves = [proposal.prospect for proposal in plan.proposals if proposal.prospect]
    budget = plan.budget_eur
    limit = "" if budget is None else f" of a budget of {_number(budget, language, '#,##0')}"
    how = plan.matching.method if plan.matching.optimal else "unproven"
    gain = _number(sum(move.gain for move in moves), language, "#,##0.0")
    weighted = _number(sum(move.weighted_gain for move in moves), language, "#,##0.0")
    spent = _number(plan.cost_eur, language, "#,##0")
    return (
        f"Moves: {len(moves)}. Cost: {spent} EUR{limit}. Gain: {gain} user-hours a day, {weighted} "
        f"weighted by target public. {worded(Reason(how, {}), language)}"
    )


def _with_ap(site: str, ap: str | None) -> str:
    return site if ap is None else f"{site}: {ap}"


def _named(name: str, kind: str | None) -> Text:
    return Text(name).append(f"\n{kind or NOTHING}", style="dim")


def _figures(proposal: Proposal, language: Language) -> tuple[str, str, str, str]:
    found = proposal.prospect
    if found is None:
        return (NOTHING,) * 4
    bounds = (_number(bound, language, "#,##0") for bound in (found.low, found.high))
    return (
        _number(found.expectation.day, language, "#,##0.0"),
        _number(found.gain, language, "+#,##0.0;-#,##0.0") + "\n" + " … ".join(bounds),
        _number(found.cost_eur, language, "#,##0"),
        _number(proposal.distance_m, language, "#,##0"),
    )


def _paragraphs(reasons: Sequence[Reason], language: Language) -> Text:
    return Text("\n".join(worded(reason, language) for reason in reasons))


def _number(value: float | None, language: Language, pattern: str) -> str:
    return NOTHING if value is None else format_decimal(value, pattern, locale=language)


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, expand=True
    )
