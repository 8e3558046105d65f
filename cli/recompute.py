"""`spotwatch recompute`: usage again from samples, on this machine or on a Dask cluster."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

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
from cli.stores import open_ledger, opened
from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.outages.past import PastOutages
from pipeline.store.base import Store
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.compute import Chunks
from pipeline.usage.expiry import computable_since_ms

FromOption = Annotated[
    str, typer.Option("--from", help="A date (that local day's start) or a date-time.")
]
ToOption = Annotated[str, typer.Option("--to", help="Likewise; up to it.")]

DaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Compute on the workers of this Dask scheduler, such as tcp://10.0.0.5:8786.",
        show_default=False,
    ),
]
PartitionsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="With --dask and the embedded store: a folder that every worker reaches under this "
        "path; samples are put there meanwhile. Default: in state_dir.",
        show_default=False,
    ),
]

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def recompute(
    start: FromOption,
    end: ToOption,
    config: ConfigOption = None,
    dask: DaskOption = None,
    partitions: PartitionsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Compute usage again from the samples of a span, and the outages that they tell of."""
    deployment = open_deployment(config)
    _check(deployment, dask, partitions)
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
        closing(open_ledger(deployment)) as ledger,
        _computer(deployment, store, dask, partitions) as computer,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        task = bar.add_task("Recomputing", total=None)
        rows = Aggregator(deployment, store, state, computer, ledger).recompute(
            start_ms,
            end_ms,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        searching = bar.add_task("Looking for outages", total=None)
        found = PastOutages(deployment, store, state).refresh(
            start_ms,
            end_ms,
            progress=lambda done, total: bar.update(searching, completed=done, total=total),
        )
    if as_json:
        print_json({"from": iso(start_ms), "to": iso(end_ms), "windows": rows, "outages": found})
        return
    out.print(f"Computed {rows} site windows of 15 minutes again, and found {found} outages.")


def _check(deployment: Deployment, dask: str | None, partitions: Path | None) -> None:
    influxdb = isinstance(deployment.settings.store, InfluxdbStore)
    if partitions and not dask:
        raise refuse("--partitions: is of use with --dask only")
    if partitions and influxdb:
        raise refuse("--partitions: is of no use with InfluxDB, which the workers read themselves")
    if dask and not find_spec("distributed"):
        raise refuse("--dask: Dask is not installed; pip install 'spotwatch[dask]'")
    if dask and influxdb:
        address = urlsplit(dask)
        if address.scheme != "tls" and address.hostname not in _LOOPBACK:
            err.print(
                "The token of InfluxDB goes to the workers unencrypted; use a tls:// scheduler "
                "where others can listen.",
                style="yellow",
            )


@contextmanager
def _computer(
    deployment: Deployment, store: Store, dask: str | None, partitions: Path | None
) -> Iterator[Chunks | None]:
    """What computes, where it is not this process."""
    if dask is None:
        yield None
        return
    from cli.cluster import on_cluster  # noqa: PLC0415 - of an extra that may not be installed

    with on_cluster(deployment, store, dask, partitions) as computer:
        yield computer
