"""When something that is down is no news: announced maintenance, and closed sites that may be
switched off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from config.deployment import Deployment, Site
from pipeline.open_hours import open_hours
from pipeline.usage.intervals import Intervals
from pipeline.usage.service import maintenance_of

Announced = tuple[str, int, int]
"""A site and its maintenance, [start, end) in UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Of each site that has any. What was not asked for when it was made is not in it."""

    maintenance: Mapping[str, Intervals] = field(default_factory=dict)
    off: Mapping[str, Intervals] = field(default_factory=dict)
    """When a site that may be switched off while it is closed, is closed."""

    @classmethod
    def of(
        cls,
        deployment: Deployment,
        start_ms: int,
        end_ms: int,
        announced: Iterable[Announced] = (),
    ) -> "Calendar":
        """What the files say of [start, end), and what was announced in other ways."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for site, intervals in maintenance_of(deployment).items():
            pairs = zip(intervals.starts.tolist(), intervals.ends.tolist(), strict=True)
            spans.setdefault(site, []).extend(pairs)
        for site, since_ms, until_ms in announced:
            spans.setdefault(site, []).append((since_ms, until_ms))
        maintenance = {site: Intervals.of(pairs) for site, pairs in spans.items()}
        named = deployment.settings.outages.off_when_closed
        may_be_off = [s for s in deployment.sites.values() if _is_named(s, named)]
        if not may_be_off:
            return cls(maintenance)
        hours = open_hours(deployment, start_ms, end_ms)
        whole = Intervals.of([(start_ms, end_ms)])
        return cls(maintenance, {s.site: whole.minus(hours[s.site]) for s in may_be_off})

    def in_maintenance(self, site: str, at_ms: int) -> bool:
        """Whether an instant lies inside announced maintenance of a site."""
        return _covers(self.maintenance.get(site), at_ms)

    def may_be_off(self, site: str, at_ms: int) -> bool:
        """Whether a poll that fails then says nothing."""
        return _covers(self.off.get(site), at_ms)

    def is_excused(self, site: str, at_ms: int) -> bool:
        """Whether nobody is to be told then that something of a site is down."""
        return self.in_maintenance(site, at_ms) or self.may_be_off(site, at_ms)


def _is_named(site: Site, named: Iterable[str]) -> bool:
    return any(name in (site.site, site.kind) for name in named)


def _covers(intervals: Intervals | None, at_ms: int) -> bool:
    if intervals is None:
        return False
    at = np.array([at_ms], dtype=np.int64)
    return bool(intervals.within(at, at + 1)[0])
