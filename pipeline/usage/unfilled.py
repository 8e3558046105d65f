"""Closed time of which no usage is stored yet: the files were changed, older samples came in, or an
older version of Spotwatch did not keep it.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from pipeline.store.base import Store
from pipeline.usage.periods import HOUR_MS, WINDOW_MS, Span
from pipeline.usage.service import Service


def unfilled(
    store: Store, service: Service, known: Mapping[str, int], kept_ms: int, closed_ms: int
) -> Iterator[Span]:
    """Spans to compute, from where the usage of a site, or of its access points, has to begin.

    Args:
        store: looked into at the beginning of each site's service only.
        service: who is in service since when.
        known: sites whose usage is known to begin at an instant.
        kept_ms: samples before it have expired.
        closed_ms: end of the last closed window.
    """
    starts = dict(zip(service.sites, service.rows_since.tolist(), strict=True))
    unsure = {s: at for s, at in starts.items() if at < closed_ms and known.get(s) != at}
    for start, sites in _by_start(unsure).items():
        there = store.read_usage("15min", start, start + WINDOW_MS, sites=sites)
        missing = set(sites) - set(there["site"])
        days = store.read_usage("day", 0, closed_ms, sites=missing) if missing else there
        yield from _until_first(days, missing, start, closed_ms)
    # The hour that samples expire in is not stored any more.
    with_aps = {s: max(at, kept_ms + HOUR_MS) if kept_ms else at for s, at in unsure.items()}
    for start, sites in _by_start(with_aps).items():
        serving = set(sites) & _with_aps_in_service(service, start)
        if start >= closed_ms or not serving:
            continue
        there = store.read_ap_usage("hour", start - HOUR_MS, start + HOUR_MS, sites=serving)
        missing = serving - set(there["site"])
        days = store.read_ap_usage("day", start, closed_ms, sites=missing) if missing else there
        yield from _until_first(days, missing, start, closed_ms)


def _by_start(starts: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for site, start in starts.items():
        found.setdefault(start, []).append(site)
    return found


def _until_first(
    days: pd.DataFrame, sites: Collection[str], start_ms: int, closed_ms: int
) -> Iterator[Span]:
    """From a start to the end of each site's first stored day, part of which may be missing."""
    first = days.groupby("site")["end_ms"].min()
    for site in sorted(sites):
        yield site, start_ms, min(int(first.get(site, closed_ms)), closed_ms)


def _with_aps_in_service(service: Service, at_ms: int) -> set[str]:
    serving = (service.ap_since < at_ms + HOUR_MS) & (service.ap_until > at_ms)
    return {service.sites[i] for i in np.unique(service.ap_site[serving]).tolist()}
