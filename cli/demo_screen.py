"""What `spotwatch demo` shows: the sites as they change, and what was found wrong with them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from dashboards.terminal import NOTHING, STATE_STYLES, underused_table
from pipeline.outages.incident import Incident
from pipeline.status import SiteStatus
from pipeline.underuse.assess import Assessment

FRAME_LINES: Final = 8
"""Lines of a screen that are not rows: titles, rules, the summary."""
MOST_OUTAGES: Final = 4
"""That are named under the table."""
STATES: Final = ("up", "degraded", "down", "unknown", "maintenance")


def line(
    deployment: Deployment,
    found: Sequence[SiteStatus],
    at_ms: int,
    outages: Sequence[Incident] = (),
) -> str:
    """The city in one line."""
    moment = datetime.fromtimestamp(at_ms / 1000, deployment.settings.zone)
    clients = sum(site.clients or 0 for site in found)
    states = Counter(site.state for site in found)
    told = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    down = f". Outages under way: {len(outages)}" if outages else ""
    return f"{moment:%H:%M:%S}  {clients} clients at {len(found)} sites: {told}{down}"


def sites(deployment: Deployment, found: Sequence[SiteStatus]) -> Table:
    """Trouble first, then the busiest; a line a site."""
    table = Table(title=deployment.settings.city, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("site", ratio=1)  # the one that gives way on a narrow screen
    for column, widest in (("kind", "neighbourhood_house"), ("state", "? maintenance")):
        table.add_column(column, no_wrap=True, min_width=len(widest))
    for column in ("clients", "APs up"):
        table.add_column(column, no_wrap=True, justify="right", min_width=len(column))
    for site in _worst_first(found):
        known = deployment.sites[site.site]
        sign, style = STATE_STYLES[site.state]
        table.add_row(
            Text(known.name(deployment.settings.language), no_wrap=True, overflow="ellipsis"),
            known.kind,
            Text(f"{sign} {site.state}", style=style),
            NOTHING if site.clients is None else str(site.clients),
            f"{site.aps_up}/{site.aps_total}",
        )
    return table


def live(
    deployment: Deployment,
    found: Sequence[SiteStatus],
    at_ms: int,
    height: int,
    outages: Sequence[Incident] = (),
) -> Group:
    """As many sites as the screen has room for, the latest outages, a line on all of it."""
    latest = [outage_line(deployment, one) for one in outages[-MOST_OUTAGES:]]
    shown = _worst_first(found)[: max(height - FRAME_LINES - len(latest), 5)]
    sign, style = STATE_STYLES["down"]
    return Group(
        sites(deployment, shown),
        *(Text(f"  {sign} {told}", style=style, no_wrap=True) for told in latest),
        Text(f"{line(deployment, found, at_ms, outages)}. Ctrl-C stops."),
    )


def outage_line(deployment: Deployment, outage: Incident) -> str:
    """What is down since when."""
    site = deployment.sites.get(outage.site or "")
    where = site.name(deployment.settings.language) if site else ""
    what = {
        "ap": f"{where}, access point {outage.subject}",
        "site": where,
        "poller": f"our own eyes ({outage.subject})",
    }.get(outage.scope, f"{outage.scope} {outage.subject}")
    zone = deployment.settings.zone
    return f"{what}, since {datetime.fromtimestamp(outage.start_ms / 1000, zone):%H:%M}"


def verdicts(deployment: Deployment, found: Sequence[Assessment]) -> Table:
    """Every site that is not as it should be, with the reasons."""
    trouble = [assessment for assessment in found if assessment.verdict != "ok"]
    table = underused_table(deployment, trouble, deployment.settings.language)
    table.caption = f"The other {len(found) - len(trouble)} of {len(found)} sites are ok."
    table.caption_justify = "left"
    return table


def _worst_first(found: Sequence[SiteStatus]) -> list[SiteStatus]:
    return sorted(found, key=lambda site: (site.state == "up", -(site.clients or 0)))
