"""Which APs and sites are in service when: what can be expected to be observed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from config.deployment import Deployment, local_day_ms
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.periods import window_floor

NEVER: Final = 2**62
"""An instant that does not come."""
NO_SESSIONS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Service:
    """APs and sites with their times in service, [since, until) in UTC ms.

    An AP that is in no file has no row here; one that is, has its configured site's index.
    """

    aps: tuple[str, ...]
    ap_site: Ints
    ap_since: Ints
    ap_until: Ints
    sites: tuple[str, ...]
    """Sorted: those of the files and those that samples name."""
    site_since: Ints
    site_until: Ints
    rows_since: Ints
    """Start of the first window that each site has usage of; NEVER: none yet."""


def in_service(
    deployment: Deployment,
    span: Mapping[str, tuple[int, int]],
    sessions: Mapping[str, tuple[int, int]] = NO_SESSIONS,
) -> Service:
    """Derive the times in service from the files, the first and last sample of each site, and the
    first and last time at which its sessions were watched.

    Dates count from the store's first sample or the site's first session on (nobody watched
    before); a site or AP without a date from its site's first sample or session.
    """
    first = min((seen[0] for seen in span.values()), default=NEVER)
    sites = tuple(sorted(deployment.sites.keys() | span.keys() | sessions.keys()))
    index = {site: i for i, site in enumerate(sites)}

    def begins(site: str, dated: int | None) -> int:
        watched = sessions.get(site, (NEVER, 0))[0]
        if dated is None:
            return min(span.get(site, (NEVER, 0))[0], watched)
        return max(dated, min(first, watched))

    site_times = []
    for site in sites:
        since, until = _dates(deployment, site)
        site_times.append((begins(site, since), NEVER if until is None else until))
    rows = [since for since, _ in site_times]
    aps = tuple(deployment.access_points)
    ap_site, ap_since, ap_until = [], [], []
    for ap in deployment.access_points.values():
        since, until = deployment.service_ms(ap)
        start = begins(ap.site, since)
        ap_site.append(index[ap.site])
        ap_since.append(start)
        ap_until.append(NEVER if until is None else until)
        rows[index[ap.site]] = min(rows[index[ap.site]], start)
    return Service(
        aps=aps,
        ap_site=np.array(ap_site, dtype=np.int64),
        ap_since=np.array(ap_since, dtype=np.int64),
        ap_until=np.array(ap_until, dtype=np.int64),
        sites=sites,
        site_since=np.array([since for since, _ in site_times], dtype=np.int64),
        site_until=np.array([until for _, until in site_times], dtype=np.int64),
        rows_since=np.array([r if r == NEVER else window_floor(r) for r in rows], dtype=np.int64),
    )


def maintenance_of(deployment: Deployment) -> Mapping[str, Intervals]:
    """Announced maintenance of each site that has any, overlapping announcements merged."""
    return _by_site(
        [(p.site, p.start.timestamp(), p.end.timestamp()) for p in deployment.maintenance]
    )


def closures_of(deployment: Deployment) -> Mapping[str, Intervals]:
    """Announced closures of each site that has any, overlapping announcements merged."""
    return _by_site([(p.site, p.start.timestamp(), p.end.timestamp()) for p in deployment.closures])


def _by_site(periods: list[tuple[str, float, float]]) -> Mapping[str, Intervals]:
    pairs: dict[str, list[tuple[int, int]]] = {}
    for site, start, end in periods:
        pairs.setdefault(site, []).append((round(start * 1000), round(end * 1000)))
    return {site: Intervals.of(found) for site, found in pairs.items()}


def _dates(deployment: Deployment, site: str) -> tuple[int | None, int | None]:
    """When the files say that a site's service begins and ends, UTC milliseconds."""
    known = deployment.sites.get(site)
    zone = deployment.zone(site)
    since = known.in_service_since if known else None
    until = known.out_of_service_since if known else None
    return (
        local_day_ms(since, zone) if since else None,
        local_day_ms(until, zone) if until else None,
    )
