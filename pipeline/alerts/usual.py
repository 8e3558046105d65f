"""How many people usually are at a site at this hour: how much an outage hurts."""

from collections.abc import Callable, Collection, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd
import structlog

from config.deployment import Deployment
from pipeline.store.base import Store, StoreError

log = structlog.get_logger(__name__)

WEEKS: Final = 4
WEEK_MS: Final = 7 * 86_400_000
MIN_KNOWN: Final = 0.5
"""Of an hour: the number of clients is known for so much of it."""
MIN_HOURS: Final = 2


def usual_users(
    hours: pd.DataFrame, zones: Mapping[str, ZoneInfo], now_ms: int
) -> Mapping[str, float]:
    """The median number of users at a time in the same hour of the same weekday.

    `hours`: usage of the last WEEKS weeks by the hour. Sites with fewer than MIN_HOURS such hours
    that are known well enough are left out.
    """
    found = {}
    for site, rows in hours.groupby("site"):
        zone = zones.get(str(site))
        if zone is None:
            continue
        local = pd.to_datetime(rows["start_ms"], unit="ms", utc=True).dt.tz_convert(zone)
        now = pd.Timestamp(now_ms, unit="ms", tz="UTC").tz_convert(zone)
        same = (local.dt.day_of_week == now.day_of_week) & (local.dt.hour == now.hour)
        known = rows["clients_ms"] >= MIN_KNOWN * rows["expected_ms"]
        alike = rows[same & known & (rows["clients_ms"] > 0)]
        if len(alike) >= MIN_HOURS:
            length_ms = alike["end_ms"] - alike["start_ms"]
            share = alike["clients_ms"] / alike["expected_ms"]
            found[str(site)] = float((alike["user_ms"] / (length_ms * share)).median())
    return found


def reader(
    deployment: Deployment, store: Store
) -> Callable[[Collection[str], int], Mapping[str, float]]:
    """The same from stored usage; nothing where the store is away, for an alert does not wait."""

    def read(sites: Collection[str], now_ms: int) -> Mapping[str, float]:
        try:
            hours = store.read_usage("hour", now_ms - WEEKS * WEEK_MS, now_ms, sites=sites)
        except StoreError as error:
            log.warning("usual use not known", reason=str(error))
            return {}
        return usual_users(hours, {site: deployment.zone(site) for site in sites}, now_ms)

    return read
