"""What `spotwatch demo` shows: the sites as they change, and what was found wrong with them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from dashboards.terminal import status_table, underused_table
from pipeline.status import SiteStatus
from pipeline.underuse.assess import Assessment

FRAME_LINES: Final = 8
"""Lines of a screen that are not rows: titles, rules, the summary."""
STATES: Final = ("up", "degraded", "down", "unknown", "maintenance")


def line(deployment: Deployment, found: Sequence[SiteStatus], at_ms: int) -> str:
    """The city in one line."""
    moment = datetime.fromtimestamp(at_ms / 1000, deployment.settings.zone)
    clients = sum(site.clients or 0 for site in found)
    states = Counter(site.state for site in found)
    told = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    return f"{moment:%H:%M:%S}  {clients} clients at {len(found)} sites: {told}"


def sites(deployment: Deployment, found: Sequence[SiteStatus], at_ms: int) -> Table:
    """Trouble first, then the busiest."""
    ordered = sorted(found, key=lambda site: (site.state == "up", -(site.clients or 0)))
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return status_table(deployment, ordered, moment, deployment.settings.language)


def live(deployment: Deployment, found: Sequence[SiteStatus], at_ms: int, height: int) -> Group:
    """As many sites as the screen has room for, and a line on all of them."""
    ordered = sorted(found, key=lambda site: (site.state == "up", -(site.clients or 0)))
    shown = ordered[: max(height - FRAME_LINES, 5)]
    return Group(
        sites(deployment, shown, at_ms),
        Text(f"{line(deployment, found, at_ms)}. Ctrl-C stops."),
    )


def verdicts(deployment: Deployment, found: Sequence[Assessment]) -> Table:
    """Every site that is not as it should be, with the reasons."""
    trouble = [assessment for assessment in found if assessment.verdict != "ok"]
    table = underused_table(deployment, trouble, deployment.settings.language)
    table.caption = f"The other {len(found) - len(trouble)} of {len(found)} sites are ok."
    table.caption_justify = "left"
    return table
