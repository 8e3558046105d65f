"""Open hours: a site's opening hours in its own time zone, holidays and closures taken out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State

from config.deployment import Deployment, Site
from pipeline.usage.intervals import Intervals
from pipeline.usage.service import closures_of

_SUN: Final = ("sun", "dawn", "dusk")
ALWAYS_OPEN_KINDS: Final = frozenset({"park", "street"})
"""Public ground: open around the clock where no opening hours are given."""


def hours_assumed(site: Site) -> bool:
    """Whether a site counts as open around the clock for want of opening hours."""
    return not site.opening_hours and site.kind not in ALWAYS_OPEN_KINDS


def open_hours(deployment: Deployment, start_ms: int, end_ms: int) -> Mapping[str, Intervals]:
    """When each site of the files is open in [start, end), UTC milliseconds.

    Without opening hours a site is open around the clock; `underuse.rhythm` narrows that to the
    hours in which it is used. Hours that the expression calls unknown
    are not open: nobody can count on them.
    """
    closures = closures_of(deployment)
    country = deployment.settings.country
    found = {}
    for site in deployment.sites.values():
        hours = _scheduled(
            site.opening_hours or "24/7",
            zone=deployment.zone(site.site),
            country=country,
            position=_position(site),
            span=(start_ms, end_ms),
        )
        closed = closures.get(site.site)
        found[site.site] = hours.minus(closed) if closed else hours
    return found


def _position(site: Site) -> tuple[float, float] | None:
    """Where the hours follow the sun the place matters; elsewhere sites share what is computed."""
    follows_sun = any(word in (site.opening_hours or "") for word in _SUN)
    if not follows_sun or site.lat is None or site.lon is None:
        return None
    return site.lat, site.lon


@lru_cache(maxsize=4096)
def _scheduled(
    expression: str,
    *,
    zone: ZoneInfo,
    country: str,
    position: tuple[float, float] | None,
    span: tuple[int, int],
) -> Intervals:
    hours = OpeningHours(expression, timezone=zone, country=country, coords=position)
    start, end = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone) for ms in span)
    return Intervals.of(
        (max(_ms(opens), span[0]), min(_ms(closes), span[1]))
        for opens, closes, state, _ in hours.intervals(start, end)
        if state == State.OPEN
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
