"""A site's intensity beside that of its peers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from config.settings import Underuse
from pipeline.underuse.intensity import Floats, draws, midmean, ratios, weekly_median

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


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What the weeks of a site are compared with."""

    peers: tuple[str, ...]
    """The other sites of its kind."""
    kind_weight: float
    """How much they count; the rest is the whole city's median."""
    by_week: Floats
    """The median of each week; NaN where nobody is known."""


def compare(
    by_week: Mapping[str, Floats],
    kinds: Mapping[str, str],
    *,
    eligible: Collection[str],
    seeds: Mapping[str, str],
    rule: Underuse,
) -> dict[str, Comparison]:
    """Compare each site that has a seed with the eligible others of its kind.

    Week against week: what peers share, such as a school holiday or the weather, weighs on both
    sides, and a site that was closed is compared over the weeks in which it was open. With fewer
    than `rule.min_peers` of them, the whole city's median stands in for those that are missing.

    Args:
        by_week: one value a week of the window, NaN where it is not known; at least one known.
        kinds: of the same sites.
        eligible: those that others may be compared with.
        seeds: what the resampled weeks follow from, of each site that is wanted.
        rule: how many peers are enough, and how often to resample.
    """
    usable = {site: weeks for site, weeks in by_week.items() if site in eligible}
    found = {}
    for site, seed in seeds.items():
        weeks = by_week[site]
        beside = reference(site, len(weeks), usable, kinds, rule.min_peers)
        found[site] = against(
            weeks, beside.by_week, peers=len(beside.peers), seed=seed, resamples=rule.resamples
        )
    return found


def reference(
    site: str, weeks: int, usable: Mapping[str, Floats], kinds: Mapping[str, str], min_peers: int
) -> Reference:
    """What a site is held beside, of the sites that may be compared with; itself apart."""
    others = [other for other in usable if other != site]
    same = [other for other in others if kinds[other] == kinds[site]]
    weight = min(len(same) / min_peers, 1.0)
    by_week = _median_peer([usable[other] for other in same], weeks)
    if weight < 1:
        everywhere = _median_peer([usable[other] for other in others], weeks)
        mixed = weight * by_week + (1 - weight) * everywhere
        by_week = np.where(np.isnan(by_week), everywhere, mixed)
    return Reference(tuple(same), weight, by_week)


def _median_peer(peers: Sequence[Floats], weeks: int) -> Floats:
    """The weeks of a peer whose typical week is the median of theirs; NaN where nobody is known.

    The ups and downs that the peers share are those of the weekly medians. Their level is not: each
    week moves each peer a little, and the median of what moved lies towards where most of them are.
    """
    shared = weekly_median(peers, weeks)
    if not peers:
        return shared
    rows = np.stack(peers)
    known = ~np.isnan(rows) & ~np.isnan(shared)
    whole = known.all(axis=1)
    usual = np.full(len(rows), np.nan)
    level = np.full(len(rows), np.nan)
    # Most have every week: these at once.
    level[whole], usual[whole] = midmean(rows[whole]), midmean(shared)
    for at in np.flatnonzero(~whole & known.any(axis=1)):
        level[at], usual[at] = midmean(rows[at, known[at]]), midmean(shared[known[at]])
    compared = usual > 0
    return shared * np.median(level[compared] / usual[compared]) if compared.any() else shared


def against(
    weeks: Floats, reference: Floats, *, peers: int, seed: str, resamples: int
) -> Comparison:
    """Compare weeks, at least one of them known, with those of so many peers. NaN: not known."""
    known = ~np.isnan(weeks)
    both = known & ~np.isnan(reference)
    if not both.any():
        return Comparison(float(midmean(weeks[known])), peers, None, None, None, None)
    weeks, reference = weeks[both], reference[both]
    intensity, median = float(midmean(weeks)), float(midmean(reference))
    if median == 0:
        return Comparison(intensity, peers, median, None, None, None)
    # The same weeks are drawn on both sides.
    drawn = draws(len(weeks), resamples, seed)
    spread = np.sort(ratios(midmean(weeks[drawn]), midmean(reference[drawn])))
    last = len(spread) - 1
    low, high = spread[int(INTERVAL[0] * last)], spread[int(np.ceil(INTERVAL[1] * last))]
    return Comparison(
        intensity=intensity,
        peers=peers,
        peer_median=median,
        ratio=intensity / median,
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
    )
