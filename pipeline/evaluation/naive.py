"""Rules of thumb for idle spots, as one would write them first. Pure.

They take 15-minute usage of the weeks that are judged, and know no open hours, peers nor gaps.
"""

from collections.abc import Collection, Mapping
from typing import Final

import pandas as pd

THREE_DAYS_MS: Final = 3 * 86_400_000


def lowest_totals(usage: pd.DataFrame, sites: Collection[str], count: int) -> set[str]:
    """The `count` sites with the fewest user-hours; the first by name where they tie."""
    totals = _totals(usage, sites)
    return set(sorted(sites, key=lambda site: (totals[site], site))[:count])


def nobody_for_three_days(usage: pd.DataFrame, sites: Collection[str], end_ms: int) -> set[str]:
    """The sites with no client seen in the last three days before `end_ms`."""
    totals = _totals(usage[usage["start_ms"] >= end_ms - THREE_DAYS_MS], sites)
    return {site for site in sites if not totals[site]}


def under_half_of_kind(usage: pd.DataFrame, kinds: Mapping[str, str], ratio: float) -> set[str]:
    """The sites with fewer user-hours than `ratio` of the median of their kind, themselves in it.

    `kinds`: of every site.
    """
    totals = pd.Series(_totals(usage, kinds))
    medians = totals.groupby(pd.Series(kinds)).median()
    return {site for site, kind in kinds.items() if totals[site] < ratio * medians[kind]}


def _totals(usage: pd.DataFrame, sites: Collection[str]) -> dict[str, int]:
    """Of the sites that have no row it is 0: these rules do not tell a gap from nobody."""
    sums = usage.groupby("site")["user_ms"].sum()
    return {site: int(sums.get(site, 0)) for site in sites}
