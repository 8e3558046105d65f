"""The whole local weeks that sites are assessed over: counted back from the last Monday."""

from datetime import datetime

from config.deployment import Deployment
from pipeline.usage.periods import week_start_ms


def week_span(deployment: Deployment, site: str, as_of: datetime, back: int) -> tuple[int, int]:
    """A site's week, UTC milliseconds: 0 is the last that was over at a moment, 1 the one before.

    It ends on a local Monday, 00:00.
    """
    at_ms, zone = _ms(as_of), deployment.zone(site)
    return week_start_ms(at_ms, zone, back + 1), week_start_ms(at_ms, zone, back)


def assessment_span(
    deployment: Deployment, site: str, as_of: datetime, back: int = 0
) -> tuple[int, int]:
    """The weeks that a site is assessed over, the last of them being the week `back`."""
    at_ms, zone = _ms(as_of), deployment.zone(site)
    weeks = deployment.settings.underuse.window_weeks
    return week_start_ms(at_ms, zone, back + weeks), week_start_ms(at_ms, zone, back)


def city_week_span(deployment: Deployment, as_of: datetime, back: int) -> tuple[int, int]:
    """The span that holds the same week of every site, whatever its time zone."""
    return _around([week_span(deployment, site, as_of, back) for site in deployment.sites], as_of)


def usage_span(deployment: Deployment, as_of: datetime) -> tuple[int, int]:
    """The span that holds the weeks that every site is assessed over."""
    return _around([assessment_span(deployment, site, as_of) for site in deployment.sites], as_of)


def _around(spans: list[tuple[int, int]], as_of: datetime) -> tuple[int, int]:
    if not spans:
        return _ms(as_of), _ms(as_of)
    return min(start for start, _ in spans), max(end for _, end in spans)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
