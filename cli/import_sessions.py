"""`spotwatch import --sessions`: who stayed how long, as another system recorded it."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress

from cli.options import EXIT_BAD_INPUT, bad_input, err, iso, out, print_json, refuse
from cli.stores import open_ledger, opened, settle
from config.deployment import Deployment
from pipeline.imports.cells import Refusal
from pipeline.imports.session_importer import OnRefused, SessionImporter, SessionReport
from pipeline.imports.source import open_source


def import_sessions(
    deployment: Deployment,
    files: Sequence[Path],
    *,
    zone: ZoneInfo | None,
    rejected: Path | None,
    as_json: bool,
) -> None:
    """Import sessions from files; afterwards the usage of the time that they touch is up to date.

    Importing the same files twice changes nothing.
    """
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    with (
        opened(deployment) as (store, state),
        closing(open_ledger(deployment)) as ledger,
        bad_input(),
        _refusals(rejected) as on_refused,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        sources = [open_source(file) for file in files]
        reading = bar.add_task("Importing", total=None)
        importer = SessionImporter(deployment, ledger, state)
        report = importer.run(
            sources,
            now_ms=now_ms,
            zone=zone,
            on_refused=on_refused,
            progress=lambda done, total: bar.update(reading, completed=done, total=total),
        )
        adding_up = bar.add_task("Aggregating", total=None)
        importer.aggregate(
            store,
            report,
            now_ms=now_ms,
            progress=lambda done, total: bar.update(adding_up, completed=done, total=total),
        )
        settle(store)
    if as_json:
        print_json(document(report))
    else:
        _show(report, rejected, deployment.settings.usage.passer_by_seconds)
    if report.rows and not report.imported:
        raise typer.Exit(EXIT_BAD_INPUT)


def document(report: SessionReport) -> dict[str, Any]:
    """The JSON of `import --sessions`."""
    return {
        "rows": report.rows,
        "imported": report.imported,
        "refused": report.refused,
        "sessions": report.sessions,
        "added": report.added,
        "passers_by": report.passers_by,
        "devices": report.devices,
        "reasons": dict(report.reasons.most_common()),
        "first": iso(report.first_ms),
        "last": iso(report.last_ms),
        "sites": len(report.sites),
        "examples": [
            {"file": str(path), "line": e.line, "column": e.column or None, "message": e.message}
            for path, e in report.examples
        ],
    }


def _show(report: SessionReport, rejected: Path | None, passer_by_s: int) -> None:
    rows = _many(report.rows, "row")
    if report.imported:
        _say(
            out,
            f"{report.imported} of {rows} imported: {_many(report.sessions, 'session')} at "
            f"{_many(len(report.sites), 'site')}, {iso(report.first_ms)} to {iso(report.last_ms)}; "
            f"{report.passers_by} of them shorter than {passer_by_s} s.",
        )
        there = report.sessions - report.added
        if there:
            _say(out, f"{there} of them were there already.")
        if not report.devices:
            _say(
                out,
                "No row names its device, so each is a session of its own, and the number of "
                "devices stays unknown.",
            )
    else:
        _say(out, f"None of {rows} imported.")
    if not report.refused:
        return
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.most_common())
    _say(err, f"{_many(report.refused, 'row')} refused: {reasons}.")
    for path, example in report.examples:
        column = f"{example.column}: " if example.column else ""
        _say(err, f"{path}:{example.line}: {column}{example.message}")
    more = report.refused - len(report.examples)
    if more:
        where = f"all are in {rejected}" if rejected else "--rejected FILE writes all of them"
        _say(err, f"... and {more} more; {where}.")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@contextmanager
def _refusals(path: Path | None) -> Iterator[OnRefused]:
    """What takes refused rows: a CSV, where asked for. No cell that names a device is in it."""
    if path is None:
        yield lambda _file, _refusals: None
        return
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise refuse(f"--rejected: {path} cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(("file", *Refusal._fields))
        yield lambda of, refusals: writer.writerows((of, *refusal) for refusal in refusals)
