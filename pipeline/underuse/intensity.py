"""A typical week out of many, its uncertainty, and what the peers' typical week is."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def midmean(weeks: Floats) -> Floats:
    """Mean of the middle half of the weeks, along the last axis.

    A quarter of the weeks is cut off at each end, rounded down, so that neither a festival nor a
    holiday decides; three weeks or fewer are averaged.
    """
    ordered = np.sort(weeks, axis=-1)
    count = ordered.shape[-1]
    cut = count // 4
    middle: Floats = ordered[..., cut : count - cut].mean(axis=-1)
    return middle


def draws(weeks: int, times: int, seed: str) -> Places:
    """Which weeks to take, with replacement, `times` times; the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    return random.integers(0, weeks, (times, weeks))


def resampled(weeks: Floats, times: int, seed: str) -> Floats:
    """The midmean of `times` samples of the weeks with replacement; the same for the same seed."""
    return midmean(weeks[draws(len(weeks), times, seed)])


def weekly_median(sites: Sequence[Floats], weeks: int) -> Floats:
    """Week by week, the median of the sites that are known then; NaN where none is."""
    median = np.full(weeks, np.nan)
    if sites:
        stack = np.stack(sites)
        known = ~np.isnan(stack).all(axis=0)
        median[known] = np.nanmedian(stack[:, known], axis=0)
    return median


def ratios(values: Floats, references: Floats) -> Floats:
    """Quotients. Nothing against nothing is like its peers (1), something against nothing inf."""
    out = np.where(values > 0, np.inf, 1.0)
    return np.divide(values, references, out=out, where=references > 0)
