"""`spotwatch underused`: every site's verdict with its reasons, worst first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.judging import judged
from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.stores import opened
from cli.underused_explain import explain_site
from config.deployment import Deployment
from config.settings import Language
from dashboards.terminal import surplus_table, underused_table
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import definition, worded
from pipeline.underuse.surplus import Surplus

LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the reasons. Default: the deployment's."),
]

ExplainOption = Annotated[
    str | None,
    typer.Option(
        "--explain",
        metavar="SITE",
        help="Every number that led to its verdict, and the samples that they come from.",
        show_default=False,
    ),
]
SurplusOption = Annotated[
    bool, typer.Option("--surplus", help="List the idle access points of busy sites instead.")
]


def underused(
    config: ConfigOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = None,
    *,
    explained: ExplainOption = None,
    idle_aps: SurplusOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge every site by its use in open hours beside that of its peers, worst first.

    Over the whole weeks before the last Monday at or before --as-of. A verdict changes when two
    weeks in a row agree.
    """
    deployment = open_deployment(config)
    moment = parse_as_of(as_of, deployment.settings.zone, datetime.now(UTC))
    language = lang or deployment.settings.language
    if explained is not None:
        if idle_aps:
            raise refuse("--surplus: it has no meaning beside --explain; leave one of them out")
        explain_site(deployment, explained, moment, language, as_json=as_json)
        return
    with opened(deployment) as (store, state):
        found = judged(deployment, store, state.closed_until_ms(), moment)
    if idle_aps:
        if as_json:
            print_json(surplus_document(deployment, found.surplus, language))
            return
        out.print(surplus_table(deployment, found.surplus, language))
        return
    if as_json:
        print_json(document(deployment, found.assessments, language))
        return
    out.print(underused_table(deployment, found.assessments, language))
    out.print(definition(deployment.settings.underuse, language), style="dim", highlight=False)


def document(
    deployment: Deployment, assessments: Sequence[Assessment], language: Language
) -> list[dict[str, Any]]:
    """The JSON of `underused`."""
    return [
        {
            "site": found.site,
            "name": deployment.sites[found.site].name(language),
            "kind": found.kind,
            "verdict": found.verdict,
            "ratio": found.ratio,
            "ratio_low": found.ratio_low,
            "ratio_high": found.ratio_high,
            "intensity": found.intensity,
            "peer_median": found.peer_median,
            "coverage": found.coverage,
            "availability": found.availability,
            "reasons": [worded(reason, language) for reason in found.reasons],
        }
        for found in assessments
    ]


def surplus_document(
    deployment: Deployment, found: Sequence[Surplus], language: Language
) -> list[dict[str, Any]]:
    """The JSON of `underused --surplus`."""
    return [
        {
            "site": one.site,
            "name": deployment.sites[one.site].name(language),
            "ap": one.ap,
            "ratio": one.ratio,
            "ratio_low": one.ratio_low,
            "ratio_high": one.ratio_high,
            "intensity": one.intensity,
            "siblings": one.siblings,
            "siblings_median": one.siblings_median,
            "coverage": one.coverage,
            "availability": one.availability,
            "reasons": [worded(reason, language) for reason in one.reasons],
        }
        for one in found
    ]
