"""Whether somebody is to be told now: the hours of what is down, or of who is told."""

from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from config.deployment import Deployment, Site, local_day_ms
from pipeline.alerts.outage import Outage
from pipeline.open_hours import open_hours
from pipeline.usage.intervals import Intervals

OWN_HOURS = "own hours"
"""Stands for a site in whose hours somebody is told."""


class Hours:
    """Of a deployment. What was asked of a day is kept."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._of_site = lru_cache(maxsize=4096)(self._read_site)
        self._of_expression = lru_cache(maxsize=256)(self._read_expression)

    def is_in(self, when: str, outage: Outage, now_ms: int) -> bool:
        """`when`: open_hours, closed_hours, or hours as OpenStreetMap writes them, which are those
        of the city's time zone and public holidays.

        A place is open where one of those struck is. Where our poller is blind it may be any.
        """
        day = datetime.fromtimestamp(now_ms / 1000, self._deployment.settings.zone).date()
        start_ms = local_day_ms(day, self._deployment.settings.zone)
        if when not in ("open_hours", "closed_hours"):
            return _covers(self._of_expression(when, start_ms), now_ms)
        known = [site for site in outage.sites if site in self._deployment.sites]
        if outage.is_blind or not known:
            return True
        is_open = any(_covers(self._of_site(site, start_ms), now_ms) for site in known)
        return is_open == (when == "open_hours")

    def _read_site(self, site: str, start_ms: int) -> Intervals:
        return self._read(self._deployment.sites[site], start_ms)

    def _read_expression(self, expression: str, start_ms: int) -> Intervals:
        return self._read(Site(site=OWN_HOURS, kind="other", opening_hours=expression), start_ms)

    def _read(self, site: Site, start_ms: int) -> Intervals:
        alone = self._deployment.model_copy(update={"sites": {site.site: site}})
        # A day of the city may be 25 hours long.
        end_ms = start_ms + timedelta(hours=26) // timedelta(milliseconds=1)
        return open_hours(alone, start_ms, end_ms)[site.site]


def _covers(intervals: Intervals, at_ms: int) -> bool:
    at = np.array([at_ms], dtype=np.int64)
    return bool(intervals.within(at, at + 1)[0])
