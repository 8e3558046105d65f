"""`spotwatch store`: what is done with a store as a whole."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import Progress

from cli.options import (
    ConfigOption,
    JsonOption,
    err,
    iso,
    open_deployment,
    out,
    print_json,
    refuse,
)
from cli.stores import open_influx
from config import settings
from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.store.copy import Copied, copy, pieces
from pipeline.store.influx.store import InfluxStore
from pipeline.store.sqlite import SqliteStore
from pipeline.usage.expiry import samples_kept_since_ms

Kind = Literal["sqlite", "influxdb"]

app = typer.Typer(
    name="store",
    help="What is done with a store as a whole.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def _group() -> None:
    """Keep `copy` a word of its own: a group of one command would swallow its name."""


@app.command("copy")
def copy_store(
    source: Annotated[Kind, typer.Option("--from", help="Copied from.")],
    target: Annotated[Kind, typer.Option("--to", help="Copied to; what it holds stays.")],
    config: ConfigOption = None,
    sqlite: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The embedded store's file, in the deployment's folder. Default: spotwatch.db.",
            show_default=False,
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy all samples and usage from one kind of store to the other, and check what arrived.

    InfluxDB is the one of spotwatch.yaml: to move to it, first name it there and run
    `spotwatch db setup`. Stop the daemon meanwhile. Stopped halfway, the same command goes on.
    """
    if source == target:
        raise refuse(f"--to {target}: is where it comes from; allowed: sqlite to influxdb, or back")
    deployment = open_deployment(config)
    influxdb = deployment.settings.store
    if not isinstance(influxdb, settings.InfluxdbStore):
        raise refuse(
            f"{deployment.folder / 'spotwatch.yaml'}: store.kind: is sqlite; name the InfluxDB of "
            "the copy there, with kind: influxdb, url, org, token and bucket"
        )
    path = deployment.folder / (sqlite or settings.SqliteStore().path)
    if source == "sqlite" and not path.is_file():
        raise refuse(f"--sqlite: there is no file {path}")
    with ExitStack() as opened:
        influx = opened.enter_context(closing(open_influx(deployment, influxdb)))
        embedded = opened.enter_context(closing(SqliteStore(path)))
        bar = opened.enter_context(
            Progress(console=err, transient=True, disable=not err.is_terminal)
        )
        task = bar.add_task("Copying", total=None)
        copied, left_ms = _copy(
            deployment,
            influx,
            embedded,
            to_influx=target == "influxdb",
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(_document(source, target, copied, left_ms))
        return
    out.print(
        f"{copied.samples} samples and {copied.usage_rows} rows of usage are in {target} as in "
        f"{source}, by counts and sums; {copied.already_there} of {copied.pieces} pieces were "
        "there before."
    )
    if left_ms:
        out.print(
            f"Samples before {iso(left_ms)} stayed behind: InfluxDB keeps {influxdb.raw_days} "
            "days (store.raw_days). Their usage is there."
        )


def _copy(
    deployment: Deployment,
    influx: InfluxStore,
    embedded: SqliteStore,
    *,
    to_influx: bool,
    progress: Callable[[int, int], None],
) -> tuple[Copied, int | None]:
    """Also the time before which samples stayed behind, if any did."""
    stores: tuple[Store, Store] = (embedded, influx) if to_influx else (influx, embedded)
    since_ms = None
    if to_influx:
        since_ms = samples_kept_since_ms(deployment, time.time_ns() // 1_000_000)
    else:
        influx.forwarder.drain()
    first_ms = min((first for first, _ in stores[0].span().values()), default=None)
    left = since_ms if since_ms and first_ms and first_ms < since_ms else None
    copied = copy(
        *stores,
        pieces(stores[0], samples_since_ms=since_ms),
        settle=influx.forwarder.drain,
        progress=progress,
    )
    return copied, left


def _document(source: str, target: str, copied: Copied, left_ms: int | None) -> dict[str, Any]:
    return {
        "from": source,
        "to": target,
        **asdict(copied),
        "samples_left_before": iso(left_ms),
    }
