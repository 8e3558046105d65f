"""Open hours: a site's opening hours in its own time zone, holidays and closures taken out.

Where the clocks change, a time of day that comes twice means its second coming, and one that does
not exist the instant of the change: what opens at one time and closes at another loses or gains the
hour that the night does.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State

from config.deployment import Deployment, Site, local_day_ms
from pipeline.holidays import NONE, Holidays, affected, by_commune, kinds_named, on
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
    are not open: nobody can count on them. The public holidays are those of the country and those
    of `holidays.csv`; the school holidays those of `holidays.csv`.
    """
    holidays = by_commune(deployment.holidays)
    closures = closures_of(deployment)
    country = deployment.settings.country
    found = {}
    for site in deployment.sites.values():
        expression = site.opening_hours or "24/7"
        hours = _scheduled(
            expression,
            zone=deployment.zone(site.site),
            country=country,
            holidays=_concerning(expression, holidays.get(site.commune, holidays[None])),
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


def _concerning(expression: str, holidays: Holidays) -> Holidays:
    """Those that the expression speaks of: sites of many communes share what is computed."""
    kinds = kinds_named(expression)
    return Holidays(
        holidays.public if "PH" in kinds else NONE.public,
        holidays.school if "SH" in kinds else NONE.school,
    )


@lru_cache(maxsize=4096)
def _scheduled(
    expression: str,
    *,
    zone: ZoneInfo,
    country: str,
    holidays: Holidays,
    position: tuple[float, float] | None,
    span: tuple[int, int],
) -> Intervals:
    """The hours of a span: day by day where a holiday of our own matters, else in one go."""
    first, last = (datetime.fromtimestamp(ms / 1000, zone).date() for ms in span)

    def opened(text: str, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
        start_ms, end_ms = max(start_ms, span[0]), min(end_ms, span[1])
        if start_ms >= end_ms:
            return
        start, end = (datetime.fromtimestamp(ms / 1000, zone) for ms in (start_ms, end_ms))
        hours = _parsed(text, zone, country, position)
        for opens, closes, state, _ in hours.intervals(start, end):
            if state == State.OPEN:
                yield max(_ms(opens), start_ms), min(_ms(closes), end_ms)

    def says(days: str, day: date) -> bool:
        return _holds(days, day, country)

    found: list[tuple[int, int]] = []
    done_ms = span[0]
    for day in affected(expression, holidays, first, last):
        start_ms, end_ms = local_day_ms(day, zone), local_day_ms(day + timedelta(days=1), zone)
        found += opened(expression, done_ms, start_ms)
        found += opened(on(expression, day, holidays, says), start_ms, end_ms)
        done_ms = end_ms
    found += opened(expression, done_ms, span[1])
    return Intervals.of(found)


@lru_cache(maxsize=65536)
def _holds(days: str, day: date, country: str) -> bool:
    return OpeningHours(days, country=country).is_open(datetime.combine(day, time(12)))


@lru_cache(maxsize=4096)
def _parsed(
    expression: str, zone: ZoneInfo, country: str, position: tuple[float, float] | None
) -> OpeningHours:
    return OpeningHours(expression, timezone=zone, country=country, coords=position)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
