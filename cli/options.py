"""What every command shares: its options, how it prints JSON, how an error becomes an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console

from cli.announced import with_announced
from config.deployment import Deployment
from config.loader import load
from config.problems import ConfigError
from config.settings import SqliteStore

EXIT_FAILED: Final = 1
"""The work failed."""
EXIT_BAD_INPUT: Final = 2
"""The input or the configuration is wrong."""

YEARS: Final = range(1970, 9999)
"""Those that a moment may be asked of: time is kept since 1970."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Folder of the deployment. Default: $SPOTWATCH_CONFIG, then ./deployment.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="A date (that local day's start) or a date-time. Default: now.",
        show_default=False,
    ),
]

PIPED_WIDTH: Final = 140
"""Columns of a table that goes to a file or another program, unless $COLUMNS says otherwise."""

out = Console(
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH,
)
err = Console(stderr=True)


def deployment_folder(option: Path | None) -> Path:
    """The folder that a command works on."""
    return option or Path(os.environ.get("SPOTWATCH_CONFIG", "deployment"))


def open_deployment(option: Path | None) -> Deployment:
    """Load the deployment with what was announced beside its files, or print every mistake in it
    and leave with exit code 2.
    """
    with bad_input():
        return with_announced(load(deployment_folder(option)))


def place_of(deployment: Deployment) -> str:
    """Where the store is, as people are told it."""
    chosen = deployment.settings.store
    if isinstance(chosen, SqliteStore):
        return str(deployment.folder / chosen.path)
    return f"{chosen.url}, buckets {chosen.raw_bucket} and {chosen.usage_bucket}"


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn mistakes in the input into one line each on standard error and exit code 2."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            err.print(str(problem), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error


def refuse(message: str) -> typer.Exit:
    """Print what is wrong with the input; `raise` the result to leave with exit code 2."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(EXIT_BAD_INPUT)


def fail(message: str) -> typer.Exit:
    """Print what went wrong; `raise` the result to leave with exit code 1."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(EXIT_FAILED)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output. Non-finite floats become null."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def iso(ts_ms: int | None) -> str | None:
    """A UTC time as JSON shows it: `2026-03-05T10:04:00Z`."""
    if ts_ms is None:
        return None
    return datetime.fromtimestamp(ts_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_as_of(
    text: str | None, zone: ZoneInfo, now: datetime, option: str = "--as-of"
) -> datetime:
    """Read a moment: a date is the start of that local day; a time without an offset is local."""
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise refuse(
            f"{option}: {text!r} is not a date; write 2026-03-05, 2026-03-05T10:04 "
            "or 2026-03-05T10:04:00Z"
        ) from None
    if len(text.strip()) <= len("2026-03-05"):
        moment = datetime.combine(moment.date(), time(), zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if moment.year not in YEARS:
        raise refuse(
            f"{option}: {text!r} is out of range; allowed: the years {YEARS[0]} to {YEARS[-1]}"
        )
    return moment.astimezone(UTC)
