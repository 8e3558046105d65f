"""`spotwatch availability`: how much of the time the Wi-Fi was up, and why not."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.stores import opened
from config.deployment import Deployment, local_day_ms
from config.settings import Language
from dashboards.availability import Report, availability_view
from pipeline.outages.archive import Archive
from pipeline.outages.availability import (
    LeftOut,
    Line,
    Row,
    Subject,
    left_out_of,
    lines_of,
    rows_of,
)
from pipeline.outages.availability_reader import Known, blind_times, tally_of
from pipeline.outages.availability_tally import Time, Times
from pipeline.outages.calendar import Calendar
from pipeline.outages.record import Record
from pipeline.usage.periods import DAY_MS, local_date, window_floor

DEFAULT_DAYS: Final = 91
LOOK_BACK_MS: Final = DAY_MS
"""What was down when the period began is no failure of the period: it is looked for before."""

FromOption = Annotated[
    str | None, typer.Option("--from", help="A date (that local day's start) or a date-time.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Likewise; up to it. Default: the moment of --as-of.")
]
QuarterOption = Annotated[
    str | None, typer.Option("--quarter", help="Instead of both: a quarter, such as 2026-Q3.")
]
ByOption = Annotated[Subject, typer.Option("--by", help="What a row is of.")]
SiteOption = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site; may be repeated.")
]
ListOption = Annotated[
    bool,
    typer.Option(
        "--list",
        help="Also each outage that was counted and each maintenance left out, with its minutes.",
    ),
]
LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the table. Default: the deployment's."),
]


def availability(
    config: ConfigOption = None,
    *,
    start: FromOption = None,
    end: ToOption = None,
    quarter: QuarterOption = None,
    by: ByOption = "site",
    site: SiteOption = None,
    listed: ListOption = False,
    lang: LangOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much of the known time access points were up, in open hours and outside.

    By default over the last 91 whole local days. Unknown time counts for nobody and shows as
    coverage, announced maintenance is left out. In --json every figure that is not known is null,
    and `missing` says why.
    """
    deployment = open_deployment(config)
    now = datetime.now(UTC)
    moment = parse_as_of(as_of, deployment.settings.zone, now)
    span = _span(deployment, start, end, quarter, moment)
    sites = _sites(deployment, site or [])
    with opened(deployment) as (store, state):
        before = span[0] - LOOK_BACK_MS
        declared = Record(state).blindness(before, span[1])
        maintained = Calendar.of(deployment, before, span[1])
        incidents = Archive(deployment, store).incidents(
            before, span[1], maintained, declared_blind=declared
        )
        blind = blind_times(incidents, declared, span)
        tally = tally_of(
            deployment,
            store,
            Known(incidents, blind, maintained),
            span=span,
            sites=sites,
            closed_until_ms=state.closed_until_ms(),
            now_ms=_ms(now),
        )
    report = Report(
        span=span,
        by=by,
        rows=rows_of(deployment, tally, incidents, span=span, by=by, sites=sites),
        blind=blind,
        lines=lines_of(tally, incidents, span) if listed else None,
        left_out=left_out_of(deployment, tally, span, sites) if listed else None,
    )
    if as_json:
        print_json(document(deployment, report))
    else:
        view = availability_view(deployment, report, lang or deployment.settings.language)
        out.print(view, highlight=False)


def document(deployment: Deployment, report: Report) -> dict[str, Any]:
    """The JSON of `availability`."""
    found: dict[str, Any] = {
        "from": iso(report.span[0]),
        "to": iso(report.span[1]),
        "by": report.by,
        "rows": [_row(deployment, row, report.by) for row in report.rows],
        "blind": [
            {"collector": collector, "start": iso(a), "end": iso(b), "minutes": _minutes(b - a)}
            for collector, spans in sorted(report.blind.items())
            for a, b in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
        ],
    }
    if report.lines is not None:
        found["outages"] = [_line(line) for line in report.lines]
    if report.left_out is not None:
        found["maintenance"] = [_left_out(one) for one in report.left_out]
    return found


def _row(deployment: Deployment, row: Row, by: Subject) -> dict[str, Any]:
    told, times = row.failures, row.times
    place = deployment.sites.get(row.site or "")
    names: Mapping[str, Any] = {by: row.subject or None}
    if by == "ap":
        names = {"ap": row.subject, "site": row.site}
    if place:
        name = place.name(deployment.settings.language)
        names = {**names, "name": name, "kind": place.kind, "commune": place.commune}
    shares = {
        f"{figure}{suffix}": getattr(time, figure)
        for figure in ("availability", "coverage")
        for suffix, time in zip(("", "_open", "_closed"), times, strict=True)
    }
    return {
        **names,
        **shares,
        "usable_least": row.usable and row.usable.least,
        "usable_most": row.usable and row.usable.most,
        "outages": told.outages,
        "ap_outages": told.ap_outages,
        "flaps": told.flaps,
        "mttr_mean_minutes": told.mttr_mean_minutes,
        "mttr_median_minutes": told.mttr_median_minutes,
        "mtbf_hours": told.mtbf_hours,
        "ap_minutes": _times(times),
        "down_in_outages_minutes": _minutes(row.outages_ms),
        "down_in_single_polls_minutes": _minutes(times.total.down_ms - row.outages_ms),
        "missing": dict(row.missing),
    }


def _times(times: Times) -> dict[str, Any]:
    """Minutes of access points in each state; of open hours null where they are not known."""
    parted = times.open.expected_ms + times.closed.expected_ms > 0
    return {
        "total": _time(times.total),
        "open": _time(times.open) if parted else None,
        "closed": _time(times.closed) if parted else None,
    }


def _time(time: Time) -> dict[str, float]:
    return {
        "expected": _minutes(time.expected_ms),
        "up": _minutes(time.up_ms),
        "down": _minutes(time.down_ms),
        "maintenance": _minutes(time.maintenance_ms),
        "unknown": _minutes(time.unknown_ms),
    }


def _line(line: Line) -> dict[str, Any]:
    incident = line.incident
    return {
        "id": incident.id,
        "parent": incident.parent,
        "site": line.site,
        "ap": incident.ap,
        "start": iso(incident.start_ms),
        "end": iso(incident.end_ms),
        "cause": incident.cause,
        "flaps": incident.flaps,
        "began_before": line.began_before,
        "minutes": _minutes(line.counted.total_ms),
        "open_minutes": _minutes(line.counted.open_ms),
    }


def _left_out(one: LeftOut) -> dict[str, Any]:
    return {
        "site": one.period.site,
        "start": iso(_ms(one.period.start)),
        "end": iso(_ms(one.period.end)),
        "reason": one.period.reason,
        "minutes": _minutes(one.site_ms),
        "ap_minutes": _minutes(one.counted.total_ms),
        "open_ap_minutes": _minutes(one.counted.open_ms),
    }


def _span(
    deployment: Deployment,
    start: str | None,
    end: str | None,
    quarter: str | None,
    as_of: datetime,
) -> tuple[int, int]:
    """What is asked for, on the 15-minute window; nothing after the moment that it is asked at."""
    zone = deployment.settings.zone
    as_of_ms = window_floor(_ms(as_of))
    if quarter is not None:
        if start is not None or end is not None:
            raise refuse("--quarter: give it, or --from and --to")
        since, until = _quarter(quarter, zone)
    else:
        until = as_of_ms if end is None else _ms(parse_as_of(end, zone, as_of, "--to"))
        today = local_date(min(until, as_of_ms), zone)
        since = local_day_ms(today - timedelta(days=DEFAULT_DAYS), zone)
        if start is not None:
            since = _ms(parse_as_of(start, zone, as_of, "--from"))
        elif end is None:
            until = local_day_ms(today, zone)
    since, until = window_floor(since), window_floor(min(until, as_of_ms))
    if since >= until:
        asked = f"--quarter {quarter}" if quarter else f"--from {start}" if start else f"--to {end}"
        raise refuse(f"{asked}: it must begin before --to and --as-of, here {iso(until)}")
    return since, until


def _quarter(text: str, zone: ZoneInfo) -> tuple[int, int]:
    found = re.fullmatch(r"(19[7-9]\d|[2-9]\d{3})-?Q([1-4])", text.strip(), re.IGNORECASE)
    if not found or text.strip().startswith("9999"):
        raise refuse(f"--quarter: {text!r} is not a quarter; write 2026-Q3")
    year, nth = int(found[1]), int(found[2])
    first = date(year, 3 * nth - 2, 1)
    after = date(year + nth // 4, 3 * nth % 12 + 1, 1)
    return local_day_ms(first, zone), local_day_ms(after, zone)


def _sites(deployment: Deployment, sites: Sequence[str]) -> list[str]:
    for asked in sites:
        if asked not in deployment.sites:
            raise refuse(f"--site: {asked!r} is not in sites.csv")
    return [site for site in deployment.sites if not sites or site in sites]


def _minutes(ms: int) -> float:
    return ms / 60_000


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
