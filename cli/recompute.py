"""`spotwatch recompute`: usage again from samples."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress

from cli.options import (
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
from cli.stores import opened
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.expiry import computable_since_ms

FromOption = Annotated[
    str, typer.Option("--from", help="A date (that local day's start) or a date-time.")
]
ToOption = Annotated[str, typer.Option("--to", help="Likewise; up to it.")]


def recompute(
    start: FromOption, end: ToOption, config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Compute usage again from the samples of a span, at 15 minutes, hours and days."""
    deployment = open_deployment(config)
    zone, now = deployment.settings.zone, datetime.now(UTC)
    since = parse_as_of(start, zone, now, "--from")
    until = parse_as_of(end, zone, now, "--to")
    if since >= until:
        raise refuse(f"--from {start}: it must be before --to, here {end}")
    if since >= now:
        raise refuse(f"--from {start}: it is in the future")
    kept = computable_since_ms(deployment, round(now.timestamp() * 1000))
    if kept is not None and since.timestamp() * 1000 < kept:
        first = datetime.fromtimestamp(kept / 1000, zone).isoformat(timespec="minutes")
        raise refuse(
            f"--from {start}: the samples of then have expired (store.raw_days) and their usage "
            f"would be lost; allowed: {first} or later"
        )
    start_ms, end_ms = round(since.timestamp() * 1000), round(until.timestamp() * 1000)
    with (
        opened(deployment) as (store, state),
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        task = bar.add_task("Recomputing", total=None)
        rows = Aggregator(deployment, store, state).recompute(
            start_ms,
            end_ms,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"from": iso(start_ms), "to": iso(end_ms), "windows": rows})
        return
    out.print(f"Computed {rows} site windows of 15 minutes again.")
