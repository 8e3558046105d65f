"""Tables for the terminal. A colour never stands alone: a word or a sign says the same."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from config.settings import Language
from pipeline.status import SiteStatus
from pipeline.underuse.assess import Assessment
from pipeline.underuse.reasons import worded
from pipeline.underuse.surplus import Surplus
from pipeline.usage.figures import Figures

NOTHING: Final = "–"  # noqa: RUF001 -- a dash in place of an unknown figure
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
    for column in ("clients", "APs up", "last seen"):
        table.add_column(column, justify="right", no_wrap=True)
    for found in sites:
        table.add_row(
            found.site,
            deployment.sites[found.site].name(language),
            _styled(found.state, STATE_STYLES),
            _whole(found.clients),
            f"{found.aps_up}/{found.aps_total}",
            _local(found.last_seen_ms, deployment.zone(found.site)),
        )
    return table


def usage_table(deployment: Deployment, usage: Sequence[Figures], language: Language) -> Table:
    """Usage of sites and periods; coverage stands beside what it qualifies."""
    sites = {found.site for found in usage}
    aps = deployment.access_points.values()
    polled = {deployment.poll_seconds(ap) for ap in aps if ap.site in sites}
    spans = {(found.start_ms, found.end_ms) for found in usage}
    city_zone = deployment.settings.zone
    title = f"Usage, {deployment.settings.city}"
    if len(spans) == 1:
        title += ", " + " to ".join(_local(ms, city_zone) for ms in spans.pop())
    table = _table(title)
    if polled:
        often = "–".join(str(n) for n in sorted({min(polled), max(polled)}))  # noqa: RUF001
        table.caption = f"Peaks as seen by polls every {often} s; {NOTHING} is unknown."
    table.add_column("site", min_width=8, overflow="fold")
    table.add_column("name", ratio=1, min_width=12)
    if spans:
        table.add_column("from", no_wrap=True)
    for column in ("clients", "peak", "user-hours", "coverage", "up", "in", "out", "APs"):
        table.add_column(column, justify="right", no_wrap=True)
    for found in usage:
        start = [_local(found.start_ms, deployment.zone(found.site))] if spans else []
        table.add_row(
            found.site,
            deployment.sites[found.site].name(language),
            *start,
            _decimal(found.clients_mean),
            _whole(found.clients_peak),
            _decimal(found.user_hours),
            percent(found.coverage),
            percent(found.availability),
            _bytes(found.rx_bytes),
            _bytes(found.tx_bytes),
            str(found.aps),
        )
    return table


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
