"""How right the verdicts are, as tables for the terminal."""

from collections.abc import Iterator

from rich.table import Table

from dashboards.terminal import NOTHING
from pipeline.evaluation.score import (
    NEAR_LIMIT,
    Report,
    away_from_limit,
    by_circumstance,
    confusion,
    hits_of,
    share_right,
)
from pipeline.underuse.assess import WORST_FIRST


def score_tables(report: Report, *, cities: int, sites: int) -> Iterator[Table]:
    """Rules beside each other; right verdicts beside those given; and by circumstance."""
    right = share_right(report.answers)
    rules = Table(
        title=f"{cities} cities of {sites} sites: {_percent(right)} of all verdicts right",
        title_justify="left",
        box=None,
        caption=_away(report),
        caption_justify="left",
    )
    rules.add_column("finding what is underused")
    for name in ("precision", "recall", "F1"):
        rules.add_column(name, justify="right")
    for rule, hits in report.rules.items():
        rules.add_row(rule, _decimal(hits.precision), _decimal(hits.recall), _decimal(hits.f1))
    yield rules

    counts = confusion(report.answers)
    given = Table(title="\nRight verdict, by the one given", title_justify="left", box=None)
    given.add_column("right verdict")
    for verdict in WORST_FIRST:
        given.add_column(verdict, justify="right")
    for truth in WORST_FIRST:
        given.add_row(truth, *(str(counts[truth, verdict]) for verdict in WORST_FIRST))
    yield given

    kinds = Table(title="\nBy what befell the site", title_justify="left", box=None)
    for name in ("circumstance", "sites", "right", "share"):
        kinds.add_column(name, justify="left" if name == "circumstance" else "right")
    for name, (number, good) in by_circumstance(report.answers).items():
        kinds.add_row(name, str(number), str(good), _percent(good / number))
    yield kinds


def _away(report: Report) -> str:
    clear = away_from_limit(report.answers)
    low, high = NEAR_LIMIT
    return (
        f"Without the {len(report.answers) - len(clear)} sites whose true ratio is {low:.0%} to "
        f"{high:.0%}: {_percent(share_right(clear))} right, F1 {_decimal(hits_of(clear).f1)}."
    )


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _decimal(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.3f}"
