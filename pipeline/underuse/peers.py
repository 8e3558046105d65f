"""A site's intensity beside that of its peers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from config.settings import Underuse
from pipeline.underuse.intensity import Floats, median_of_others, midmean, ratios, resampled

INTERVAL: Final = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A site against its peers."""

    intensity: float
    peers: int
    """Other sites of the same kind that it was compared with."""
    peer_median: float | None
    """None: there is no other site in the city to compare with."""
    ratio: float | None
    """None: the peers' median is 0 or there is none."""
    low: float | None
    high: float | None
    """None: no upper bound, the peers may well have no users."""


def compare(
    weekly: Mapping[str, Floats],
    kinds: Mapping[str, str],
    *,
    eligible: Collection[str],
    seeds: Mapping[str, str],
    rule: Underuse,
) -> dict[str, Comparison]:
    """Compare each site, known by its weeks, with the eligible others of its kind.

    With fewer than `rule.min_peers` of them, the whole city's median stands in for those that are
    missing. The first column of every array is what was measured, the others are resampled weeks.
    """
    columns = {
        site: np.concatenate(([midmean(weeks)], resampled(weeks, rule.resamples, seeds[site])))
        for site, weeks in weekly.items()
    }
    city = _references(columns, list(columns), eligible)
    found = {}
    for kind in sorted(set(kinds.values())):
        members = [site for site in columns if kinds[site] == kind]
        same = _references(columns, members, eligible)
        for site in members:
            peers = sum(1 for other in members if other in eligible and other != site)
            weight = min(peers / rule.min_peers, 1.0)
            reference = city[site]
            if weight == 1:
                reference = same[site]
            elif peers:
                reference = weight * same[site] + (1 - weight) * city[site]
            found[site] = _comparison(columns[site], reference, peers)
    return found


def _references(
    columns: Mapping[str, Floats], members: list[str], eligible: Collection[str]
) -> dict[str, Floats]:
    """For each member the median of the eligible others, column by column; NaN if there is none."""
    inside = [site for site in members if site in eligible]
    outside = [site for site in members if site not in eligible]
    found: dict[str, Floats] = {}
    if inside:
        stack = np.stack([columns[site] for site in inside])
        found.update(zip(inside, median_of_others(stack), strict=True))
        found.update(dict.fromkeys(outside, np.median(stack, axis=0)))
    else:
        found.update({site: np.full_like(columns[site], np.nan) for site in outside})
    return found


def _comparison(values: Floats, reference: Floats, peers: int) -> Comparison:
    intensity = float(values[0])
    if np.isnan(reference[0]):
        return Comparison(intensity, peers, None, None, None, None)
    median = float(reference[0])
    if median == 0:
        return Comparison(intensity, peers, median, None, None, None)
    draws = np.sort(ratios(values[1:], reference[1:]))
    last = len(draws) - 1
    low, high = draws[int(INTERVAL[0] * last)], draws[int(np.ceil(INTERVAL[1] * last))]
    return Comparison(
        intensity=intensity,
        peers=peers,
        peer_median=median,
        ratio=intensity / median,
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
    )
