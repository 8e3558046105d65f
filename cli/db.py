"""`spotwatch db`: prepare InfluxDB for a deployment."""

import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr
from rich.table import Table

from cli.options import (
    ConfigOption,
    JsonOption,
    bad_input,
    deployment_folder,
    fail,
    out,
    print_json,
    refuse,
)
from config.loader import load
from config.settings import InfluxdbStore
from pipeline.store.base import StoreError
from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import Step, Wanted, wanted
from pipeline.store.influx.setup.setup import set_up

ADMIN_TOKEN: Final = "INFLUX_TOKEN"  # noqa: S105 - the name of a variable
WRITER: Final = Path("secrets/influxdb-writer")
READER: Final = Path("secrets/influxdb-reader")
_COLOURS: Final = {"made": "green", "changed": "green", "kept": "dim", "left": "yellow"}

app = typer.Typer(
    name="db", help="Prepare InfluxDB for a deployment.", no_args_is_help=True, add_completion=False
)

AdminTokenOption = Annotated[
    Path | None,
    typer.Option(
        "--admin-token",
        metavar="FILE",
        help="File with an operator or all-access token (1.8: user:password). Default: "
        f"${ADMIN_TOKEN}, as the influx command has it.",
        show_default=False,
    ),
]


@app.callback()
def _group() -> None:
    """Keep `setup` a word of its own: a group of one command would swallow its name."""


@app.command()
def setup(
    config: ConfigOption = None,
    admin_token: AdminTokenOption = None,
    writer: Annotated[
        Path, typer.Option(help="File for Spotwatch's token, in the deployment's folder.")
    ] = WRITER,
    reader: Annotated[
        Path, typer.Option(help="File for Grafana's token, in the deployment's folder.")
    ] = READER,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make the buckets, their retention and mappings, and tokens that may do no more than needed.

    Run it again at any time: what is there already stays as it is. The tokens are written to
    files that only their owner can read.
    """
    with bad_input():
        # The token of the settings is the one that is made here.
        deployment = load(deployment_folder(config), secrets_pending=True)
    store = deployment.settings.store
    if not isinstance(store, InfluxdbStore):
        raise refuse(
            f"{deployment.folder / 'spotwatch.yaml'}: store.kind: is {store.kind}, which needs no "
            "setup; this is for influxdb"
        )
    steps: list[Step] = []
    error: StoreError | None = None
    plan = wanted(
        org=store.org,
        bucket=store.bucket,
        raw_days=store.raw_days,
        usage_days=store.usage_days,
        writer=deployment.folder / writer,
        reader=deployment.folder / reader,
    )
    token = _admin(admin_token)
    with closing(AdminApi(url=store.url, token=token, timeout_s=store.timeout_s)) as api:
        try:
            steps.extend(set_up(api, plan))
        except StoreError as stopped:
            error = stopped
    if as_json:
        print_json(_document(store, steps, error))
    else:
        _show(steps)
        _tell_what_is_next(deployment.folder, plan, writer)
    if error:
        raise fail(str(error))


def _admin(file: Path | None) -> SecretStr:
    if file is None:
        token = os.environ.get(ADMIN_TOKEN, "")
        where = f"${ADMIN_TOKEN}"
    else:
        where = str(file)
        try:
            token = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise refuse(f"--admin-token: {file} cannot be read: {error}") from error
    if not token.strip():
        raise refuse(
            f"{where} holds no token; give one that may make buckets and tokens with "
            f"--admin-token FILE or ${ADMIN_TOKEN}"
        )
    return SecretStr(token.strip())


def _document(store: InfluxdbStore, steps: list[Step], error: StoreError | None) -> dict[str, Any]:
    return {
        "ok": error is None and all(step.outcome != "left" for step in steps),
        "url": store.url,
        "steps": [asdict(step) for step in steps],
        "error": str(error) if error else None,
    }


def _show(steps: list[Step]) -> None:
    if not steps:
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "note"):
        table.add_column(column, overflow="fold")
    for step in steps:
        table.add_row(f"[{_COLOURS[step.outcome]}]{step.outcome}[/]", step.what, step.note)
    out.print(table)


def _tell_what_is_next(folder: Path, plan: Wanted, writer: Path) -> None:
    """Say what the settings lack of the token that is there now."""
    made = plan.tokens[0].read()
    store = load(folder, secrets_pending=True).settings.store
    if made and isinstance(store, InfluxdbStore) and made != store.token:
        file = folder / "spotwatch.yaml"
        out.print(f"Write in {file}: store: token: file:{writer.as_posix()}", soft_wrap=True)
