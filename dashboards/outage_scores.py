"""How quick and how true alerts are, as tables for the terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from dashboards.terminal import NOTHING
from pipeline.evaluation.outages.score import MUST_INTERVALS, Score

FIGURES = (
    "late", "95 %", "missed", "false", "per outage", "availability",
)  # fmt: skip


def outage_tables(
    scores: Mapping[tuple[float, str], Score], *, networks: int, sites: int, weeks: int
) -> Iterator[Table]:
    """Rules beside each other for each loss; then each kind of fault by what the first rule says.

    `scores`: by loss and rule.
    """
    rules = Table(
        title=f"{networks} network{'s' * (networks > 1)} of {sites} sites, {weeks} weeks",
        title_justify="left",
        box=None,
        caption=_caption(scores),
        caption_justify="left",
    )
    rules.add_column("lost", justify="right")
    rules.add_column("rule")
    for name in FIGURES:
        rules.add_column(name, justify="right")
    before = None
    for (loss, rule), one in scores.items():
        rules.add_row("" if loss == before else f"{loss:.0%}", rule, *_figures(one))
        before = loss
    yield rules
    yield _kinds(scores)


def _figures(one: Score) -> Sequence[str]:
    return (
        _number(one.delay(0.5), 2),
        _number(one.delay(0.95), 2),
        f"{len(one.missed)} of {sum(one.incidents.values())}",
        _number(one.false_per_1000, 2 if (one.false_per_1000 or 0) < 10 else 0),
        _number(one.per_incident, 2),
        _number(one.ap_mean_error, 3),
    )


def _kinds(scores: Mapping[tuple[float, str], Score]) -> Table:
    first = next(rule for _, rule in scores)
    of_it = {loss: one for (loss, rule), one in scores.items() if rule == first}
    table = Table(
        title=f"\nPoll intervals until 95 % of them are told, {first}",
        title_justify="left",
        box=None,
    )
    table.add_column("fault")
    table.add_column("outages", justify="right")
    for loss in of_it:
        table.add_column(f"{loss:.0%}", justify="right")
    kinds = next(iter(of_it.values())).incidents
    for kind, number in sorted(kinds.items()):
        delays = (_number(one.delay(0.95, kind), 2) for one in of_it.values())
        table.add_row(kind, str(number), *delays)
    return table


def _caption(scores: Mapping[tuple[float, str], Score]) -> str:
    one = next(iter(scores.values()))
    return (
        f"lost: share of the packets. late, 95 %: poll intervals until half, and 95 %, of the "
        f"outages of more than {MUST_INTERVALS} intervals are told. false: alerts per 1,000 "
        f"AP-months that name nothing that is down (of {one.ap_months:,.0f} AP-months). per "
        f"outage: alerts for each one told. availability: error of an access point's, in points. "
        f"{one.short} faults were shorter or nobody's business."
    )


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"
