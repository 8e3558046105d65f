"""`spotwatch import`: the history of another system."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import Progress

from cli.import_report import many, rejected_file, say
from cli.import_sessions import import_sessions
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
from cli.stores import open_ledger, opened, settle
from collectors.reading import HOLD
from config.deployment import Deployment
from config.mapping import load_mapping, ready_mappings
from pipeline.imports.cells import Refusal
from pipeline.imports.importer import AS_WRITTEN, Importer, Report
from pipeline.imports.layout import Layout
from pipeline.imports.mapped import Mapped
from pipeline.imports.source import open_source
from pipeline.store.base import StoreError

MOST_NAMED: Final = 8
"""Of the reasons, and of the access points, that a report counts."""

LONG_AGO_MS: Final = 8 * 86_400_000
"""Behind now: the week that is assessed now is not that of the file."""

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="CSV (also .csv.gz) or Parquet with the columns ts,ap[,site,up,clients,clients_2g,"
        "clients_5g,clients_6g,rx_bytes,tx_bytes,uptime_s]; with --sessions "
        "site,start,duration_s[,device,rx_bytes,tx_bytes], and several files may come together.",
    ),
]
SessionsOption = Annotated[
    bool, typer.Option("--sessions", help="The rows are sessions of devices, not samples.")
]
PollSecondsOption = Annotated[
    int | None,
    typer.Option(min=1, max=86_400, help="How often the samples were taken. Default: as each AP."),
]
TimezoneOption = Annotated[
    str | None, typer.Option(help="Time zone of times without an offset; refused without it.")
]
MappingOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAME",
        help="How another system's file says it: a YAML file, or by name "
        f"{' or '.join(ready_mappings())}.",
    ),
]
RejectedOption = Annotated[
    Path | None, typer.Option(help="Write every refused row's line, column and reason to this CSV.")
]


def import_samples(
    files: FilesArgument,
    config: ConfigOption = None,
    *,
    sessions: SessionsOption = False,
    mapping: MappingOption = None,
    poll_seconds: PollSecondsOption = None,
    timezone: TimezoneOption = None,
    rejected: RejectedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import samples, or sessions, from a file; afterwards the usage of its time is up to date.

    Importing the same file twice changes nothing. A row with `up` 0 is a poll that failed; no row
    is no poll.
    """
    deployment = open_deployment(config)
    for file in files:
        if rejected and rejected.exists() and file.exists() and rejected.samefile(file):
            raise refuse(f"--rejected: {rejected} is the file to import; name another one")
    if sessions:
        if mapping or poll_seconds:
            option = "--mapping" if mapping else "--poll-seconds"
            raise refuse(f"{option}: is of samples, and of no use with --sessions")
        import_sessions(deployment, files, zone=_zone(timezone), rejected=rejected, as_json=as_json)
        return
    if len(files) > 1:
        raise refuse(f"{files[1]}: samples come one file at a time; import it after {files[0]}")
    (file,) = files
    layout, zone = _layout(mapping, deployment)
    zone = _zone(timezone) or zone
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    with (
        opened(deployment) as (store, state),
        closing(open_ledger(deployment)) as ledger,
        _repeatable(),
        bad_input(),
        rejected_file(rejected, Refusal._fields) as on_refused,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        importer = Importer(deployment, store, state)
        source = open_source(file)
        reading = bar.add_task("Importing", total=source.size)
        report = importer.run(
            source,
            layout,
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
            sessions=ledger,
            progress=lambda done, total: bar.update(adding_up, completed=done, total=total),
        )
    if as_json:
        print_json(document(report))
    else:
        _show(file, report, rejected, layout)
        _advise(report, deployment, now_ms)
    if report.rows and not report.imported:
        raise typer.Exit(EXIT_BAD_INPUT)


def document(report: Report) -> dict[str, Any]:
    """The JSON of `import`."""
    return {
        "rows": report.rows,
        "imported": report.imported,
        "refused": report.refused,
        "left_out": dict(report.left_out.most_common()),
        "duplicates": report.duplicates,
        "samples": report.samples,
        "spacing_s": report.spacing_s,
        "poll_seconds": report.interval_s,
        "reasons": dict(report.reasons.most_common()),
        "unknown_aps": dict(report.unknown_aps.most_common()),
        "first": iso(report.first_ms),
        "last": iso(report.last_ms),
        "sites": len(report.sites),
        "aps": len(report.aps),
        "examples": [
            {"line": e.line, "column": e.column or None, "message": e.message}
            for e in report.examples
        ],
    }


def _show(file: Path, report: Report, rejected: Path | None, layout: Layout) -> None:
    """What came of it: what is well on standard output, what is not on standard error."""
    samples = report.samples != report.imported
    say(
        out,
        f"{report.imported} of {many(report.rows, 'row')} imported: "
        + (f"{many(report.samples, 'sample')} of " if samples else "")
        + f"{many(len(report.aps), 'access point')} at {many(len(report.sites), 'site')}, "
        f"{iso(report.first_ms)} to {iso(report.last_ms)}."
        if report.imported
        else f"None of {many(report.rows, 'row')} imported.",
    )
    if report.left_out:
        passed_over = f"{many(report.left_out.total(), 'row')} passed over, as the mapping has it"
        say(out, f"{passed_over}: {_counted(report.left_out)}.")
    if report.duplicates and layout.is_long:
        say(
            out,
            f"{many(report.duplicates, 'figure')} came again for the same access point and time; "
            "the later one counts.",
        )
    elif report.duplicates:
        say(out, f"{report.duplicates} of them complete or correct an earlier row.")
    for warning in _warnings(report):
        err.print(warning, style="yellow", highlight=False, soft_wrap=True)
    if not report.refused:
        return
    say(err, f"{many(report.refused, 'row')} refused: {_counted(report.reasons)}.")
    if report.unknown_aps:
        say(
            err,
            f"Unknown access points: {_counted(report.unknown_aps)}. Add them to "
            "access_points.csv, or give the names there under aps: of a mapping.",
        )
    for example in report.examples:
        column = f"{example.column}: " if example.column else ""
        say(err, f"{file}:{example.line}: {column}{example.message}")
    if report.refused > len(report.examples):
        where = f"all are in {rejected}" if rejected else "--rejected FILE writes all of them"
        say(err, f"... and {report.refused - len(report.examples)} more; {where}.")


def _advise(report: Report, deployment: Deployment, now_ms: int) -> None:
    """Of what ended long ago, what can be asked: by default questions are of now."""
    if report.last_ms is None or now_ms - report.last_ms < LONG_AGO_MS:
        return
    last = datetime.fromtimestamp(report.last_ms / 1000, deployment.settings.zone).date()
    asked = last + timedelta(days=1)
    say(out, f"It ends on {last}: ask as of the day after, spotwatch underused --as-of {asked}.")


def _warnings(report: Report) -> Iterator[str]:
    """What is imported, and may not be what was meant."""
    if report.spacing_s and report.interval_s and report.spacing_s > HOLD * report.interval_s:
        yield (
            f"The samples of an access point are about {report.spacing_s:.0f} s apart, but are "
            f"taken to come every {report.interval_s} s: the time between counts as unknown. If "
            f"they were polled so rarely, import again with --poll-seconds {report.spacing_s:.0f}."
        )
    if report.scattered:
        yield (
            "The figures of an access point have different times, so that each is a sample of its "
            "own and the others are unknown in it. Give the mapping align_seconds: the seconds "
            "between two polls, and import again into an empty store."
        )


def _counted(counts: Counter[str]) -> str:
    """The most frequent ones, and how many others."""
    named = ", ".join(f"{name} {count}" for name, count in counts.most_common(MOST_NAMED))
    others = len(counts) - MOST_NAMED
    rest = counts.total() - sum(count for _, count in counts.most_common(MOST_NAMED))
    return f"{named} and {others} more {rest}" if others > 0 else named


def _layout(name: str | None, deployment: Deployment) -> tuple[Layout, ZoneInfo | None]:
    """What the file's columns mean, and the zone that the mapping gives its times."""
    if name is None:
        return AS_WRITTEN, None
    with bad_input():
        mapping = load_mapping(name, deployment.access_points)
    return Mapped(mapping), ZoneInfo(mapping.timezone) if mapping.timezone else None


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
