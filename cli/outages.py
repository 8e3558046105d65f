"""`spotwatch outages`: what was down, since when, why; one outage in full; who is on it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    err,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.outages_ack import IdArgument, ack, whole_id
from cli.stores import opened
from config.deployment import Deployment
from config.problems import did_you_mean
from config.settings import Language
from dashboards.outages import InFull, outage_view, outages_table
from pipeline.alerts.outbox import Outbox
from pipeline.outages.incident import Incident
from pipeline.outages.incidents import Incidents
from pipeline.outages.past import PastOutages
from pipeline.outages.timeline import BEFORE_MS, Seen, seen
from pipeline.state import State
from pipeline.store.base import Store

WEEKS: Final = 13
TOLD: Final = 200
"""Messages of an outage that are shown."""

app = typer.Typer(
    name="outages",
    help="Show what was down, since when and why; `show ID` tells one in full, `ack ID` takes it "
    "on.",
    invoke_without_command=True,
    add_completion=False,
)
app.command()(ack)

FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="A date (that local day's start) or a date-time. Default: 13 weeks before.",
        show_default=False,
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", help="Likewise. Default: the moment of --as-of.", show_default=False),
]
OpenOption = Annotated[bool, typer.Option("--open", help="Only those that are not over.")]
SiteOption = Annotated[
    list[str] | None, typer.Option("--site", help="Only at this site; may be repeated.")
]
LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the table. Default: the deployment's."),
]


@app.callback()
def outages(
    context: typer.Context,
    config: ConfigOption = None,
    *,
    start: FromOption = None,
    end: ToOption = None,
    only_open: OpenOption = False,
    site: SiteOption = None,
    lang: LangOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every outage of the last 13 weeks: root causes, and with --json what they explain."""
    if context.invoked_subcommand:
        return
    deployment = open_deployment(config)
    zone = deployment.settings.zone
    moment = parse_as_of(as_of, zone, datetime.now(UTC))
    until = min(moment, parse_as_of(end, zone, moment, "--to"))
    since = until - timedelta(weeks=WEEKS)
    if start is not None:
        since = parse_as_of(start, zone, moment, "--from")
        if since >= until:
            raise refuse(f"--from {start}: it must be before --to and --as-of")
    for asked in site or []:
        if asked not in deployment.sites:
            near = did_you_mean(asked, deployment.sites)
            raise refuse(f"--site: {asked!r} is not in sites.csv{near}")
    as_of_ms = _ms(moment)
    with opened(deployment) as (store, state):
        known = found(deployment, store, state, (_ms(since), _ms(until)))
    seen = [then for incident in known if (then := incident.as_of(as_of_ms))]
    chosen = [i for i in seen if i.is_open or not only_open]
    if site:
        chosen = _at(chosen, set(site), deployment)
    if as_json:
        print_json([document(incident) for incident in chosen])
        return
    language = lang or deployment.settings.language
    out.print(outages_table(deployment, chosen, as_of_ms, language), highlight=False)


@app.command()
def show(
    id_: IdArgument,
    config: ConfigOption = None,
    lang: LangOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell all that is known of one outage: each time it was down, what it struck, who was told."""
    deployment = open_deployment(config)
    now_ms = _ms(datetime.now(UTC))
    with opened(deployment) as (store, state):
        kept = Incidents(state)
        near = {incident.id for incident in kept.by_id(id_)}
        incident = next(iter(kept.by_id(whole_id(id_, near))))
        children = kept.children(incident.id)
        evidence = _evidence(store, incident, now_ms)
    with closing(Outbox(deployment.alerts_path)) as outbox:
        told = outbox.log(TOLD, incident.id)[::-1]
        taken_on = outbox.acknowledgements().get(incident.id)
    known = InFull(incident, children, told, taken_on, evidence)
    if as_json:
        print_json(_in_full(known))
        return
    language = lang or deployment.settings.language
    out.print(outage_view(deployment, known, now_ms, language), highlight=False)


def found(
    deployment: Deployment, store: Store, state: State, span: tuple[int, int]
) -> list[Incident]:
    """Every incident that meets a span, UTC milliseconds; what was never searched is searched."""
    kept = Incidents(state)
    searched = kept.searched_since_ms()
    first = min((heard for heard, _ in store.span().values()), default=span[1])
    since = max(span[0], first)
    if since < (span[1] if searched is None else searched):
        with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("Looking for outages", total=None)
            PastOutages(deployment, store, state).refresh(
                since,
                span[1] if searched is None else searched,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    return kept.between(*span)


def _evidence(store: Store, incident: Incident, now_ms: int) -> list[Seen]:
    if incident.ap is None or incident.site is None:
        return []
    until_ms = now_ms if incident.end_ms is None else incident.end_ms
    start_ms = incident.start_ms - BEFORE_MS
    samples = store.read_samples(start_ms, until_ms + 1, sites=[incident.site])
    return list(seen(samples, incident.ap, incident.spells))


def document(incident: Incident) -> dict[str, Any]:
    """An outage in the JSON of `outages`."""
    return {
        "id": incident.id,
        "parent": incident.parent,
        "scope": incident.scope,
        "site": incident.site,
        "ap": incident.ap,
        "controller": incident.controller,
        "start": iso(incident.start_ms),
        "end": iso(incident.end_ms),
        "cause": incident.cause,
        "maintenance": incident.maintenance,
        "flaps": incident.flaps,
    }


def _in_full(known: InFull) -> dict[str, Any]:
    incident, taken_on = known.incident, known.taken_on
    return {
        **document(incident),
        "subject": incident.subject,
        "confirmed": iso(incident.confirmed_ms),
        "spells": [
            {"start": iso(s.start_ms), "confirmed": iso(s.confirmed_ms), "end": iso(s.end_ms)}
            for s in incident.spells
        ],
        "evidence": [
            {
                "last_answer": iso(one.answered_ms),
                "clients": one.clients,
                "failed_polls": one.failed,
                "first_answer": iso(one.spell.end_ms),
                "running_since": iso(one.started_ms),
                "restarted": one.restarted,
            }
            for one in known.evidence
        ],
        "explains": [document(child) for child in known.children],
        "told": [
            {
                "at": iso(queued.message.at_ms),
                "to": queued.target,
                "kind": queued.message.kind,
                "state": queued.state,
                "subject": queued.message.subject,
            }
            for queued in known.told
        ],
        "acknowledged": None
        if taken_on is None
        else {"at": iso(taken_on.at_ms), "by": taken_on.by or None, "note": taken_on.note or None},
    }


def _at(incidents: Sequence[Incident], sites: set[str], deployment: Deployment) -> list[Incident]:
    """Those that struck one of these sites, with what explains them."""
    homes = {ap.ap: ap.site for ap in deployment.access_points.values()}
    here = {i.id for i in incidents if (i.site or homes.get(i.ap or "")) in sites}
    roots = {i.parent for i in incidents if i.id in here}
    return [i for i in incidents if i.id in here or i.id in roots]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
