"""A typical week out of many, its uncertainty, and what the peers' typical week is."""

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


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


def resampled(weeks: Floats, draws: int, seed: str) -> Floats:
    """The midmean of `draws` samples of the weeks with replacement; the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    return midmean(weeks[random.integers(0, len(weeks), (draws, len(weeks)))])


def median_of_others(values: Floats) -> Floats:
    """For each row, in each column, the median of the other rows; NaN where there is no other."""
    others = len(values) - 1
    if others < 1:
        return np.full_like(values, np.nan)
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    rank = np.argsort(order, axis=0, kind="stable")
    columns = np.arange(values.shape[1])
    low, high = (others - 1) // 2, others // 2
    # With a row taken out, what stood at or above its rank moves down by one place.
    below = ordered[low + (rank <= low), columns]
    above = ordered[high + (rank <= high), columns]
    middle: Floats = (below + above) / 2
    return middle


def ratios(values: Floats, references: Floats) -> Floats:
    """Quotients. Nothing against nothing is like its peers (1), something against nothing inf."""
    out = np.where(values > 0, np.inf, 1.0)
    return np.divide(values, references, out=out, where=references > 0)
