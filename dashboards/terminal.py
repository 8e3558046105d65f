"""Tables for the terminal. A colour never stands alone: a word or a sign says the same."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment, Site
from config.settings import Language
from pipeline.status import SiteStatus
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import worded
from pipeline.underuse.surplus import Surplus
from pipeline.usage.answers import Answer, Question
from pipeline.usage.figures import share

NOTHING: Final = "–"  # noqa: RUF001 -- a dash in place of an unknown figure
AROUND_THE_CLOCK: Final = "*"
DATE_WIDTH: Final = 14
"""Of the column that says when a period begins, with its margins."""
# From the palette of Okabe and Ito, which people with any colour vision tell apart.
STATE_STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("●", "#56b4e9"),
    "degraded": ("◐", "#e69f00"),
    "down": ("✖", "bold #d55e00"),
    "unknown": ("?", "dim"),
    "maintenance": ("⚒", "#cc79a7"),
}
VERDICT_STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "underused": ("▼", "bold #d55e00"),
    "repair_first": ("✖", "#cc79a7"),
    "watch": ("◐", "#e69f00"),
    "not_assessable": ("?", "dim"),
    "ok": ("●", "#56b4e9"),
}


def status_table(
    deployment: Deployment, sites: Sequence[SiteStatus], as_of: datetime, language: Language
) -> Table:
    """Every site at an instant."""
    when = f"{as_of.astimezone(deployment.settings.zone):%Y-%m-%d %H:%M}"
    table = _table(f"{deployment.settings.city}, {when}")
    for column in ("site", "name", "state"):
        table.add_column(column)
    for column in ("since", "clients", "APs up", "last seen"):
        table.add_column(column, justify="right", no_wrap=True)
    for found in sites:
        table.add_row(
            found.site,
            deployment.sites[found.site].name(language),
            _styled(found.state, STATE_STYLES),
            _local(found.since_ms, deployment.zone(found.site)),
            _whole(found.clients),
            f"{found.aps_up}/{found.aps_total}",
            _local(found.last_seen_ms, deployment.zone(found.site)),
        )
    return table


def usage_table(
    deployment: Deployment, answers: Sequence[Answer], question: Question, *, width: int
) -> Table:
    """Usage of sites or access points by periods; coverage stands beside what it qualifies.

    `width`: columns of the terminal. The most telling figures fit in 80; more are shown where there
    is room.
    """
    shown = {answer.figures.site for answer in answers}
    aps = deployment.access_points.values()
    polled = {deployment.poll_seconds(ap) for ap in aps if ap.site in shown}
    zone = deployment.settings.zone
    between = " to ".join(_local(ms, zone) for ms in (question.start_ms, question.end_ms))
    table = _table(f"Usage, {deployment.settings.city}, {between}")
    table.caption_justify = "left"
    dated = question.by != "total"
    width -= DATE_WIDTH if dated else 0
    room = [column for column in _USAGE_COLUMNS if width >= column.from_width]
    notes = [f"{NOTHING} is unknown."]
    if polled:
        often = "–".join(str(n) for n in sorted({min(polled), max(polled)}))  # noqa: RUF001
        notes.insert(0, f"Peaks as seen by polls, now every {often} s;")
    if any(column.header == "usual" for column in room):
        notes.append(
            "Usual: the median in open hours, and what it is between but for a tenth each."
        )
        if any(a.distribution and not a.distribution.in_open_hours for a in answers):
            notes.append(f"{AROUND_THE_CLOCK} around the clock: no opening hours are known.")
    if len(room) < len(_USAGE_COLUMNS):
        notes.append("More in a wider terminal and with --json.")
    table.caption = " ".join(notes)
    table.add_column("site", ratio=1, min_width=12, overflow="fold")
    if dated:
        table.add_column("from", no_wrap=True)
    for column in room:
        table.add_column(column.header, justify="right", no_wrap=True)
    for answer in answers:
        told = answer.figures
        site = deployment.sites[told.site]
        cells: list[Text | str] = [_subject(site, told.ap, deployment.settings.language, dated)]
        if dated:
            start = datetime.fromtimestamp(told.start_ms / 1000, deployment.zone(told.site))
            in_day = question.by in {"15min", "hour"}
            cells.append(f"{start:%m-%d %H:%M}" if in_day else f"{start:%Y-%m-%d}")
        table.add_row(*cells, *(column.cell(answer) for column in room))
    return table


def _subject(site: Site, ap: str | None, language: Language, dated: bool) -> Text:
    """What a row is of; in one line where every period repeats it."""
    name = site.name(language)
    first, second = (ap, site.site) if ap else (name, site.site)
    text = Text(first)
    if first == second or (dated and not ap):
        return text
    return text.append(f"\n{second}", style="dim")


def _usual(answer: Answer) -> str:
    spread = answer.distribution
    if spread is None or spread.clients_median is None:
        return NOTHING
    low, high = _decimal(spread.clients_p10), _decimal(spread.clients_p90)
    sign = " " if spread.in_open_hours else AROUND_THE_CLOCK
    return f"{_decimal(spread.clients_median)} ({low}–{high}){sign}"  # noqa: RUF001


def _share_open(answer: Answer) -> str:
    spread = answer.distribution
    if spread is None or spread.user_hours_open is None or spread.user_hours_closed is None:
        return NOTHING
    return percent(share(spread.user_hours_open, spread.user_hours_open + spread.user_hours_closed))


class _Column(NamedTuple):
    header: str
    from_width: int
    """Columns that a terminal must have to show it."""
    cell: Callable[[Answer], str]


_USAGE_COLUMNS: Final = (
    _Column("user-h", 0, lambda a: _decimal(a.figures.user_hours)),
    _Column("in open", 110, _share_open),
    _Column("clients", 0, lambda a: _decimal(a.figures.clients_mean)),
    _Column("usual", 110, _usual),
    _Column("peak", 70, lambda a: _whole(a.figures.clients_peak)),
    _Column("sessions", 0, lambda a: _whole(a.figures.sessions)),
    _Column("devices", 150, lambda a: _whole(a.figures.device_days)),
    _Column("coverage", 0, lambda a: percent(a.figures.coverage)),
    _Column("up", 0, lambda a: percent(a.figures.availability)),
    _Column("in", 150, lambda a: _bytes(a.figures.rx_bytes)),
    _Column("out", 150, lambda a: _bytes(a.figures.tx_bytes)),
    _Column("APs", 150, lambda a: str(a.figures.aps)),
)


def underused_table(
    deployment: Deployment, assessments: Sequence[Assessment], language: Language
) -> Table:
    """Every site's verdict and reasons, worst first."""
    table = _table(f"Verdicts, {deployment.settings.city}")
    table.add_column("site", ratio=1)
    table.add_column("verdict", no_wrap=True)
    for column in ("of peers", "coverage", "up"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("reasons", ratio=3)
    for found in assessments:
        name = Text(deployment.sites[found.site].name(language))
        table.add_row(
            name.append(f"\n{found.kind}", style="dim"),
            _styled(found.verdict, VERDICT_STYLES),
            percent(found.ratio),
            percent(found.coverage),
            percent(found.availability),
            Text("\n".join(worded(reason, language) for reason in found.reasons)),
        )
    return table


def surplus_table(
    deployment: Deployment, surplus: Sequence[Surplus], language: Language
) -> Table | Text:
    """The idle access points of busy sites, the idlest first."""
    if not surplus:
        return Text("No access point of a well-used site is surplus.")
    table = _table(f"Surplus access points, {deployment.settings.city}")
    table.add_column("site", ratio=1)
    table.add_column("access point", overflow="fold")
    for column in ("of others", "coverage", "up"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("reasons", ratio=3)
    for found in surplus:
        site = deployment.sites[found.site]
        table.add_row(
            Text(site.name(language)).append(f"\n{site.kind}", style="dim"),
            found.ap,
            percent(found.ratio),
            percent(found.coverage),
            percent(found.availability),
            Text("\n".join(worded(reason, language) for reason in found.reasons)),
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def percent(share: float | None) -> str:
    """A share in whole per cent; 100 only where it is whole, as 99.6 % is not all."""
    if share is None:
        return NOTHING
    whole = round(share * 100)
    return f"{99 if whole == 100 and share < 1 else whole} %"


def _styled(word: str, styles: Mapping[str, tuple[str, str]]) -> Text:
    sign, style = styles[word]
    return Text(f"{sign} {word}", style=style)


def _whole(value: int | None) -> str:
    return NOTHING if value is None else str(value)


def _decimal(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _bytes(value: int | None) -> str:
    if value is None:
        return NOTHING
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _local(ts_ms: int | None, zone: ZoneInfo) -> str:
    if ts_ms is None:
        return NOTHING
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M}"
