"""Availability for the terminal, in the language of whoever reads it."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from config.settings import Language
from dashboards.terminal import NOTHING
from pipeline.outages.availability import LeftOut, Line, Row, Subject
from pipeline.outages.availability_tally import Usable
from pipeline.usage.intervals import Intervals

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "Availability, {city}, {start} to {end}",
        "ap": "access point", "site": "site", "kind": "kind", "commune": "commune", "city": "city",
        "up": "up", "open": "open", "closed": "closed", "usable": "usable", "coverage": "known",
        "outages": "outages", "mttr": "MTTR", "mtbf": "MTBF", "none": "(none)",
        "legend": "In % of known time, per access point: up, the same in open hours, and in closed "
        "ones. Usable: at least one access point served. Known: % of the time in service. MTTR: "
        "median time to restore. MTBF: up time of access points per failure of one. Maintenance "
        "is left out.",
        "blind": "Unknown, as we were blind ourselves: {collector}, {start} to {end}, {minutes} "
        "min.",
        "listed": "Outages that were counted", "start": "from", "end": "to",
        "minutes": "AP-min", "in_open": "in open", "id": "id", "goes_on": "goes on",
        "sum": "{outages} AP-min in outages + {single} in failed polls that are no outage = "
        "{down} down, of {known} known; {maintenance} in maintenance, {unknown} unknown.",
        "left_out": "Announced maintenance that was left out", "reason": "reason",
        "nothing": "none", "min": "min", "h": "h", "d": "d",
    },
    "fr": {
        "title": "Disponibilité, {city}, du {start} au {end}",
        "ap": "borne", "site": "lieu", "kind": "type", "commune": "commune", "city": "ville",
        "up": "total", "open": "ouvert", "closed": "fermé", "usable": "usage", "coverage": "connu",
        "outages": "pannes", "mttr": "MTTR", "mtbf": "MTBF", "none": "(aucune)",
        "legend": "En % du temps connu, par borne : en marche au total, pendant les heures "
        "d’ouverture, et en dehors. Usage : au moins une borne fonctionnait. Connu : % du temps "
        "en service. MTTR : durée médiane de rétablissement. MTBF : temps de marche des bornes "
        "par panne de l’une d’elles. La maintenance n’est pas comptée.",
        "blind": "Inconnu, car nous étions nous-mêmes aveugles : {collector}, du {start} au "
        "{end}, {minutes} min.",
        "listed": "Pannes comptées", "start": "de", "end": "à",
        "minutes": "min-borne", "in_open": "ouvert", "id": "id", "goes_on": "en cours",
        "sum": "{outages} min-borne de pannes + {single} de relevés échoués qui n’en sont pas = "
        "{down} hors service, sur {known} connues ; {maintenance} en maintenance, {unknown} "
        "inconnues.",
        "left_out": "Maintenance annoncée, non comptée", "reason": "motif",
        "nothing": "aucune", "min": "min", "h": "h", "d": "j",
    },
    "nl": {
        "title": "Beschikbaarheid, {city}, van {start} tot {end}",
        "ap": "access point", "site": "plaats", "kind": "soort", "commune": "gemeente",
        "city": "stad",
        "up": "totaal", "open": "open", "closed": "dicht", "usable": "bruikb", "coverage": "bekend",
        "outages": "storing", "mttr": "MTTR", "mtbf": "MTBF", "none": "(geen)",
        "legend": "In % van de bekende tijd, per access point: in werking, tijdens de "
        "openingsuren, en erbuiten. Bruikb: minstens één access point werkte. Bekend: % van de "
        "tijd in dienst. MTTR: mediane hersteltijd. MTBF: werktijd van access points per storing "
        "van een ervan. Onderhoud telt niet mee.",
        "blind": "Onbekend, want wij waren zelf blind: {collector}, van {start} tot {end}, "
        "{minutes} min.",
        "listed": "Meegetelde storingen", "start": "van", "end": "tot",
        "minutes": "AP-min", "in_open": "open", "id": "id", "goes_on": "duurt voort",
        "sum": "{outages} AP-min storing + {single} mislukte metingen die geen storing zijn = "
        "{down} buiten werking, van {known} bekend; {maintenance} onderhoud, {unknown} onbekend.",
        "left_out": "Aangekondigd onderhoud, niet meegeteld", "reason": "reden",
        "nothing": "geen", "min": "min", "h": "u", "d": "d",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that there is to say about [start, end)."""

    span: tuple[int, int]
    by: Subject
    rows: Sequence[Row]
    blind: Mapping[str, Intervals]
    """When each collector was blind."""
    lines: Sequence[Line] | None
    """None: not asked for."""
    left_out: Sequence[LeftOut] | None


def availability_view(deployment: Deployment, report: Report, language: Language) -> RenderableType:
    """The table, what was unknown to us, and where asked for what the figures are made of."""
    words, zone = WORDS[language], deployment.settings.zone
    parts: list[RenderableType] = [
        _rows(deployment, report, language),
        Text(words["legend"], style="dim"),
    ]
    for collector, spans in sorted(report.blind.items()):
        for start, end in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True):
            said = words["blind"].format(
                collector=collector,
                start=_local(start, zone),
                end=_local(end, zone),
                minutes=_minutes(end - start, language),
            )
            parts.append(Text(said))
    if report.lines is not None:
        parts += [Text(), *_listed(deployment, report.lines, language), _sum(report.rows, language)]
    if report.left_out is not None:
        parts += [Text(), *_left_out(deployment, report.left_out, language)]
    return Group(*parts)


def _rows(deployment: Deployment, report: Report, language: Language) -> Table:
    words, zone = WORDS[language], deployment.settings.zone
    start, end = (_local(ms, zone) for ms in report.span)
    title = words["title"].format(city=deployment.settings.city, start=start, end=end)
    table = _table(title)
    table.add_column(words[report.by], ratio=1, min_width=12, overflow="fold")
    shown = ["up", "open", "closed", "usable", "coverage", "outages", "mttr", "mtbf"]
    if report.by == "ap":
        shown.remove("usable")
    for name in shown:
        table.add_column(words[name], justify="right", no_wrap=True)
    for row in report.rows:
        times, told = row.times, row.failures
        shares = [times.total.availability, times.open.availability, times.closed.availability]
        cells = [_percent(share, language) for share in shares]
        if row.usable is not None:
            cells.append(_usable(row.usable, language))
        table.add_row(
            _subject(deployment, row, report.by, language),
            *cells,
            _percent(times.total.coverage, language),
            str(told.outages),
            _duration(told.mttr_median_minutes, language),
            _duration(None if told.mtbf_hours is None else told.mtbf_hours * 60, language),
        )
    return table


def _table(title: str) -> Table:
    """Narrower than others: as many figures as fit in 80 columns."""
    return Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1)
    )


def _subject(deployment: Deployment, row: Row, by: Subject, language: Language) -> Text:
    site = deployment.sites.get(row.site or "")
    if by == "site" and site:
        name = site.name(language)
        return Text(name).append("" if name == row.subject else f"\n{row.subject}", style="dim")
    if by == "ap" and row.site:
        return Text(row.subject).append(f"\n{row.site}", style="dim")
    return Text(row.subject or WORDS[language]["none"])


def _listed(
    deployment: Deployment, lines: Sequence[Line], language: Language
) -> Iterator[RenderableType]:
    words = WORDS[language]
    if not lines:
        yield Text(f"{words['listed']}: {words['nothing']}.")
        return
    table = _table(words["listed"])
    table.add_column(words["ap"], ratio=1, overflow="fold")
    for name in ("id", "start", "end"):
        table.add_column(words[name], no_wrap=True)
    for name in ("minutes", "in_open"):
        table.add_column(words[name], justify="right", no_wrap=True)
    for line in lines:
        incident, zone = line.incident, deployment.zone(line.site)
        over = words["goes_on"] if incident.end_ms is None else _local(incident.end_ms, zone)
        table.add_row(
            Text(incident.subject).append(f"\n{line.site}", style="dim"),
            incident.id,
            _local(incident.start_ms, zone),
            over,
            _minutes(line.counted.total_ms, language),
            _minutes(line.counted.open_ms, language),
        )
    yield table


def _sum(rows: Sequence[Row], language: Language) -> Text:
    total = {
        "outages": sum(row.outages_ms for row in rows),
        "single": sum(row.times.total.down_ms - row.outages_ms for row in rows),
        "down": sum(row.times.total.down_ms for row in rows),
        "known": sum(row.times.total.known_ms for row in rows),
        "maintenance": sum(row.times.total.maintenance_ms for row in rows),
        "unknown": sum(row.times.total.unknown_ms for row in rows),
    }
    shown = {name: _minutes(ms, language) for name, ms in total.items()}
    return Text(WORDS[language]["sum"].format(**shown))


def _left_out(
    deployment: Deployment, left_out: Sequence[LeftOut], language: Language
) -> Iterator[RenderableType]:
    words = WORDS[language]
    if not left_out:
        yield Text(f"{words['left_out']}: {words['nothing']}.")
        return
    table = _table(words["left_out"])
    table.add_column(words["site"], ratio=1, overflow="fold")
    for name in ("start", "end"):
        table.add_column(words[name], no_wrap=True)
    for name in ("minutes", "in_open"):
        table.add_column(words[name], justify="right", no_wrap=True)
    table.add_column(words["reason"], ratio=1, overflow="fold")
    for one in left_out:
        period, zone = one.period, deployment.zone(one.period.site)
        table.add_row(
            period.site,
            *(f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (period.start, period.end)),
            _minutes(one.counted.total_ms, language),
            _minutes(one.counted.open_ms, language),
            Text(period.reason or ""),
        )
    yield table


def _usable(usable: Usable, language: Language) -> str:
    least, most = (_percent(share, language) for share in (usable.least, usable.most))
    return least if least == most else f"≥{least}"


def _percent(share: float | None, language: Language) -> str:
    """With two decimals, as a contract has it; 100 only where it is whole."""
    if share is None:
        return NOTHING
    shown = round(share * 100, 2)
    if shown == 100:
        return "100" if share == 1 else str(format_decimal(99.99, "0.00", locale=language))
    return str(format_decimal(shown, "0.00", locale=language))


def _duration(minutes: float | None, language: Language) -> str:
    if minutes is None:
        return NOTHING
    words = WORDS[language]
    for unit, length in (("d", 2 * 1440), ("h", 120)):
        if minutes >= length:
            return f"{minutes / (length / 2):.0f} {words[unit]}"
    return f"{minutes:.0f} {words['min']}"


def _minutes(ms: int, language: Language) -> str:
    return str(format_decimal(ms / 60_000, "#,##0.0", locale=language))


def _local(ms: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
