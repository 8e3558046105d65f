"""`spotwatch import --sessions`: who stayed how long, as another system recorded it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress

from cli.import_report import many, rejected_file, say
from cli.options import EXIT_BAD_INPUT, bad_input, err, iso, out, print_json
from cli.stores import open_ledger, opened, settle
from config.deployment import Deployment
from pipeline.imports.cells import Refusal
from pipeline.imports.session_importer import SessionImporter, SessionReport
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
        rejected_file(rejected, ("file", *Refusal._fields)) as write,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        sources = [open_source(file) for file in files]
        reading = bar.add_task("Importing", total=None)
        importer = SessionImporter(deployment, ledger, state)
        report = importer.run(
            sources,
            now_ms=now_ms,
            zone=zone,
            on_refused=lambda file, rows: write((file, *row) for row in rows),
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
    rows = many(report.rows, "row")
    if report.imported:
        say(
            out,
            f"{report.imported} of {rows} imported: {many(report.sessions, 'session')} at "
            f"{many(len(report.sites), 'site')}, {iso(report.first_ms)} to {iso(report.last_ms)}; "
            f"{report.passers_by} of them shorter than {passer_by_s} s.",
        )
        there = report.sessions - report.added
        if there:
            say(out, f"{there} of them were there already.")
        if not report.devices:
            say(
                out,
                "No row names its device, so each is a session of its own, and the number of "
                "devices stays unknown.",
            )
    else:
        say(out, f"None of {rows} imported.")
    if not report.refused:
        return
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.most_common())
    say(err, f"{many(report.refused, 'row')} refused: {reasons}.")
    for path, example in report.examples:
        column = f"{example.column}: " if example.column else ""
        say(err, f"{path}:{example.line}: {column}{example.message}")
    more = report.refused - len(report.examples)
    if more:
        where = f"all are in {rejected}" if rejected else "--rejected FILE writes all of them"
        say(err, f"... and {more} more; {where}.")
