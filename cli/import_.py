"""`spotwatch import`: the history of another system."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import Progress

from cli.options import (
    EXIT_BAD_INPUT,
    ConfigOption,
    JsonOption,
    bad_input,
    err,
    iso,
    open_deployment,
    out,
    print_json,
    refuse,
)
from cli.stores import opened, settle
from collectors.reading import HOLD
from pipeline.imports.importer import Importer, Report
from pipeline.imports.samples import Refusal
from pipeline.imports.source import open_source
from pipeline.store.base import StoreError

FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV (also .csv.gz) or Parquet with the columns ts,ap[,site,up,clients,clients_2g,"
        "clients_5g,clients_6g,rx_bytes,tx_bytes,uptime_s].",
    ),
]
PollSecondsOption = Annotated[
    int | None,
    typer.Option(min=1, max=86_400, help="How often the samples were taken. Default: as each AP."),
]
TimezoneOption = Annotated[
    str | None, typer.Option(help="Time zone of times without an offset; refused without it.")
]
RejectedOption = Annotated[
    Path | None, typer.Option(help="Write every refused row's line, column and reason to this CSV.")
]


def import_samples(
    file: FileArgument,
    config: ConfigOption = None,
    poll_seconds: PollSecondsOption = None,
    timezone: TimezoneOption = None,
    rejected: RejectedOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Import samples from a file; afterwards the usage of the time that it touches is up to date.

    Importing the same file twice changes nothing. A row with `up` 0 is a poll that failed; no row
    is no poll.
    """
    deployment = open_deployment(config)
    zone = _zone(timezone)
    if rejected and rejected.exists() and file.exists() and rejected.samefile(file):
        raise refuse(f"--rejected: {rejected} is the file to import; name another one")
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    with (
        opened(deployment) as (store, state),
        _repeatable(),
        bad_input(),
        _refusals(rejected) as on_refused,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        importer = Importer(deployment, store, state)
        source = open_source(file)
        reading = bar.add_task("Importing", total=source.size)
        report = importer.run(
            source,
            now_ms=now_ms,
            poll_seconds=poll_seconds,
            zone=zone,
            on_refused=on_refused,
            progress=lambda done, total: bar.update(reading, completed=done, total=total),
        )
        settle(store)
        adding_up = bar.add_task("Aggregating", total=None)
        importer.aggregate(
            report,
            now_ms=now_ms,
            progress=lambda done, total: bar.update(adding_up, completed=done, total=total),
        )
    if as_json:
        print_json(document(report))
    else:
        _show(file, report, rejected)
    if report.refused and not report.imported:
        raise typer.Exit(EXIT_BAD_INPUT)


def document(report: Report) -> dict[str, Any]:
    """The JSON of `import`."""
    return {
        "rows": report.rows,
        "imported": report.imported,
        "refused": report.refused,
        "duplicates": report.duplicates,
        "spacing_s": report.spacing_s,
        "poll_seconds": report.interval_s,
        "reasons": dict(report.reasons.most_common()),
        "first": iso(report.first_ms),
        "last": iso(report.last_ms),
        "sites": len(report.sites),
        "aps": len(report.aps),
        "examples": [
            {"line": e.line, "column": e.column or None, "message": e.message}
            for e in report.examples
        ],
    }


def _show(file: Path, report: Report, rejected: Path | None) -> None:
    out.print(
        f"{report.imported} of {report.rows} rows imported: {len(report.aps)} access points at "
        f"{len(report.sites)} sites, {iso(report.first_ms)} to {iso(report.last_ms)}."
        if report.imported
        else f"None of {report.rows} rows imported.",
        soft_wrap=True,
    )
    if report.duplicates:
        out.print(f"{report.duplicates} of them complete or correct an earlier row.")
    if report.spacing_s and report.interval_s and report.spacing_s > HOLD * report.interval_s:
        err.print(
            f"The samples of an access point are about {report.spacing_s:.0f} s apart, but are "
            f"taken to come every {report.interval_s} s: the time between counts as unknown. If "
            f"they were polled so rarely, import again with --poll-seconds {report.spacing_s:.0f}.",
            style="yellow",
            soft_wrap=True,
        )
    if not report.refused:
        return
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.most_common())
    err.print(f"{report.refused} rows refused: {reasons}.", highlight=False, soft_wrap=True)
    for example in report.examples:
        column = f"{example.column}: " if example.column else ""
        line = f"{file}:{example.line}: {column}{example.message}"
        err.print(line, markup=False, highlight=False, soft_wrap=True)
    if report.refused > len(report.examples):
        where = f"all are in {rejected}" if rejected else "--rejected FILE writes all of them"
        err.print(f"... and {report.refused - len(report.examples)} more; {where}.", soft_wrap=True)


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"--timezone: {name!r} is no time zone; write such as Europe/Brussels"
        raise refuse(message) from error


@contextmanager
def _repeatable() -> Iterator[None]:
    """Say of a store that fails what becomes of an import that was cut short."""
    try:
        yield
    except StoreError as error:
        raise StoreError(
            f"{error}. Import the file again once that is cured: what was taken is kept and counts "
            "once"
        ) from error


@contextmanager
def _refusals(path: Path | None) -> Iterator[Callable[[Sequence[Refusal]], None]]:
    """What takes refused rows: a CSV, where asked for."""
    if path is None:
        yield lambda _: None
        return
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise refuse(f"--rejected: {path} cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "reason", "message"))
        yield writer.writerows
