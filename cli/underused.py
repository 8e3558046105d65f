"""`spotwatch underused`: every site's verdict with its reasons, worst first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    open_deployment,
    out,
    parse_as_of,
    print_json,
)
from cli.stores import opened
from config.deployment import Deployment
from config.settings import Language
from dashboards.terminal import underused_table
from pipeline.store.base import Store
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import definition, worded
from pipeline.underuse.replay import Replay
from pipeline.usage.reader import UsageReader

LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the reasons. Default: the deployment's."),
]


def underused(
    config: ConfigOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Judge every site by its use in open hours beside that of its peers, worst first.

    Over the whole weeks before the last Monday at or before --as-of.
    """
    deployment = open_deployment(config)
    moment = parse_as_of(as_of, deployment.settings.zone, datetime.now(UTC))
    language = lang or deployment.settings.language
    with opened(deployment) as (store, state):
        found = judge(deployment, store, state.closed_until_ms(), moment)
    if as_json:
        print_json(document(deployment, found, language))
        return
    out.print(underused_table(deployment, found, language))
    out.print(definition(deployment.settings.underuse, language), style="dim", highlight=False)


def replay(
    deployment: Deployment, store: Store, closed_until_ms: int | None, as_of: datetime
) -> Replay:
    """The weekly assessments before a moment, from what the store holds."""
    return Replay(deployment, UsageReader(deployment, store, closed_until_ms).windows, as_of)


def judge(
    deployment: Deployment, store: Store, closed_until_ms: int | None, as_of: datetime
) -> list[Assessment]:
    """The verdict that stands on every site, worst first."""
    return replay(deployment, store, closed_until_ms, as_of).standing()


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
