"""`spotwatch outages ack`: somebody takes an outage on, and nobody else is called for it."""

import os
import time
from collections.abc import Collection
from contextlib import closing
from typing import Annotated, Any, Final

import typer

from cli.options import ConfigOption, JsonOption, iso, open_deployment, out, print_json, refuse
from config.deployment import Deployment
from config.problems import did_you_mean, listed
from pipeline.alerts.outbox import Acknowledgement, Outbox
from pipeline.outages.record import Record
from pipeline.state import State

SHORTEST: Final = 4
"""Characters of an id that are enough, where no other begins with them."""
NAMED: Final = 5

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As the alert says it; its beginning will do.")
]
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who. Default: $USER.", show_default=False)
]
NoteOption = Annotated[str, typer.Option("--note", help="What is done about it.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Nobody is on it after all.")]


def ack(
    id_: IdArgument,
    by: ByOption = None,
    note: NoteOption = "",
    config: ConfigOption = None,
    *,
    undo: UndoOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say that somebody is on it: no more reminders, and nobody else is told."""
    deployment = open_deployment(config)
    with closing(Outbox(deployment.alerts_path)) as outbox:
        incident = whole_id(id_, _known(deployment, outbox))
        before = outbox.acknowledgements().get(incident)
        said = None
        if undo:
            if before is None:
                raise refuse(f"--undo: nobody has acknowledged {incident}")
            outbox.take_back(incident)
        else:
            who = os.environ.get("USER", "") if by is None else by
            said = Acknowledgement(incident, time.time_ns() // 1_000_000, who, note)
            outbox.acknowledge(said)
    if as_json:
        print_json({"acknowledged": _document(said), "before": _document(before)})
    elif said is None:
        out.print(f"Nobody is on {incident} any more; reminders go on.", highlight=False)
    else:
        whom = f" by {said.by}" if said.by else ""
        out.print(
            f"Acknowledged {incident}{whom}: no more reminders, and nobody else is told.",
            markup=False,
            highlight=False,
        )


def whole_id(said: str, known: Collection[str]) -> str:
    """The id that begins so; refused where there is none, or more than one."""
    text = said.strip().lower()
    found = sorted(name for name in known if name.startswith(text))
    if len(found) == 1 and len(text) >= SHORTEST:
        return found[0]
    if len(found) > 1 or (found and len(text) < SHORTEST):
        raise refuse(f"ID: {said!r} is the beginning of {listed(found[:NAMED])}; write more of it")
    there = listed(sorted(known)[:NAMED]) or "none"
    raise refuse(f"ID: no outage {said!r} of late{did_you_mean(said, known)}; there: {there}")


def _known(deployment: Deployment, outbox: Outbox) -> set[str]:
    """The incidents that somebody was told of, or that the watch knows."""
    known = set(outbox.desk().known)
    with closing(State(deployment.state_path)) as state:
        kept = Record(state).kept()
    if kept is not None:
        known.update(incident["id"] for incident in kept.document["engine"]["told"])
    return known


def _document(said: Acknowledgement | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "incident": said.incident,
        "at": iso(said.at_ms),
        "by": said.by or None,
        "note": said.note or None,
    }
