"""Stretches of time as arrays: merged, cut out of each other, and asked for many instants at once.

The truth of a trial is computed with these, and with nothing of what it judges.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Span = tuple[int, int]
"""[start, end) in UTC milliseconds."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order, none touching another; empty ones are nothing."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """What is in the spans and in none of the holes."""
    cuts = merged(holes)
    left: list[Span] = []
    for start, end in merged(spans):
        at = start
        for hole_start, hole_end in cuts:
            if hole_end > at and hole_start < end:
                left.append((at, hole_start))
                at = hole_end
        left.append((at, end))
    return merged(left)


def inside(spans: Sequence[Span], at: Ints) -> Bools:
    """Whether each instant lies in one of the spans, which are merged."""
    edges = np.array(spans, dtype=np.int64).ravel()
    return np.asarray(np.searchsorted(edges, at, side="right") % 2 == 1, dtype=np.bool_)


def is_inside(spans: Sequence[Span], at_ms: int) -> bool:
    """The same of one instant."""
    return any(start <= at_ms < end for start, end in spans)
