"""`spotwatch alerts`: does telling work, and what was told to whom."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from cli.options import (
    EXIT_FAILED,
    ConfigOption,
    JsonOption,
    bad_input,
    deployment_folder,
    iso,
    out,
    print_json,
    refuse,
)
from config.deployment import Deployment
from config.loader import load
from config.problems import did_you_mean, listed
from pipeline.alerts.message import Message
from pipeline.alerts.notifiers.base import Notifier, UndeliveredError
from pipeline.alerts.notifiers.kinds import problem_of, targets_of
from pipeline.alerts.outbox import Outbox, Queued
from pipeline.alerts.wording import Wording

app = typer.Typer(
    name="alerts",
    help="Try the notifiers, and list what was told to whom.",
    no_args_is_help=True,
    add_completion=False,
)

STATES: Final = {"waiting": "yellow", "delivered": "green", "undeliverable": "bold red"}

ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="NAME", help="Only this notifier.", show_default=False),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The latest so many.")]
IncidentOption = Annotated[
    str | None,
    typer.Option("--incident", metavar="ID", help="Only of this one.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test message."""

    to: str
    kind: str
    delivered: bool
    reason: str | None
    """Why it was not."""


@app.command("test")
def try_out(
    to: ToOption = None, config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Send a test message to every notifier, and say what came of it."""
    deployment = _deployment(config)
    outcomes = list(_try(deployment, _chosen(deployment, to)))
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes])
    else:
        for outcome in outcomes:
            said = "[green]delivered[/]"
            if outcome.reason is not None:
                said = f"[bold red]not delivered[/]: {escape(outcome.reason)}"
            out.print(f"{escape(outcome.to)} ({outcome.kind}): {said}", soft_wrap=True)
    if not all(outcome.delivered for outcome in outcomes):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def log(
    limit: LimitOption = 50,
    incident: IncidentOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List what was told to whom and when, the latest first, and what is still on its way."""
    deployment = _deployment(config)
    with closing(Outbox(deployment.alerts_path)) as outbox:
        messages = outbox.log(limit, incident)
    if as_json:
        print_json([document(queued) for queued in messages])
        return
    if not messages:
        out.print("Nothing was told.")
        return
    out.print(_table(deployment, messages))


def document(queued: Queued) -> dict[str, Any]:
    """A message of the log in JSON."""
    message = queued.message
    return {
        "at": iso(message.at_ms),
        "to": queued.target,
        "kind": message.kind,
        "state": queued.state,
        "done": iso(queued.done_ms),
        "attempts": queued.attempts,
        "reason": queued.reason or None,
        "language": message.language,
        "severity": message.severity,
        "incidents": list(message.incidents),
        "subject": message.subject,
        "body": message.body,
    }


def _deployment(config: ConfigOption) -> Deployment:
    with bad_input():
        return load(deployment_folder(config), notifiers=problem_of)


def _chosen(deployment: Deployment, to: str | None) -> list[str]:
    names = list(deployment.settings.alerts.notifiers)
    if not names:
        raise refuse(
            "spotwatch.yaml: alerts.notifiers: there is none; name one, such as "
            "oncall: file:secrets/oncall, with an apprise URL in that file"
        )
    if to is None:
        return names
    if to not in names:
        raise refuse(f"--to: no notifier {to!r}{did_you_mean(to, names)}; there: {listed(names)}")
    return [to]


def _try(deployment: Deployment, names: list[str]) -> Iterator[Outcome]:
    alerts = deployment.settings.alerts
    wording = Wording(deployment)
    language = alerts.language or deployment.settings.language
    for name, targets in targets_of(alerts).items():
        for target, notifier in targets.items() if name in names else ():
            now_ms = time.time_ns() // 1_000_000
            message = wording.test(name, language, now_ms)
            reason = _problem(notifier, message, now_ms)
            yield Outcome(target, alerts.notifiers[name].kind, reason is None, reason)


def _problem(notifier: Notifier, message: Message, now_ms: int) -> str | None:
    try:
        notifier.send(message, now_ms)
    except UndeliveredError as error:
        return str(error)
    return None


def _table(deployment: Deployment, messages: list[Queued]) -> Table:
    zone = deployment.settings.zone
    table = Table(box=None, pad_edge=False)
    for column in ("decided", "to", "what", "state", "subject"):
        table.add_column(column, overflow="fold")
    for queued in messages:
        message = queued.message
        decided = datetime.fromtimestamp(message.at_ms / 1000, UTC).astimezone(zone)
        why = f"\n{queued.reason} (attempts: {queued.attempts})" if queued.reason else ""
        table.add_row(
            f"{decided:%Y-%m-%d %H:%M:%S}",
            escape(queued.target),
            message.kind,
            f"[{STATES[queued.state]}]{queued.state}[/]",
            escape(f"{message.subject}{why}"),
        )
    return table
