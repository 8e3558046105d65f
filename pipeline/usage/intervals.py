"""Sets of time as sorted, disjoint intervals in UTC milliseconds."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals [start, end), sorted and disjoint; build them with `of`."""

    starts: Ints
    ends: Ints
    _before: Ints = field(init=False, repr=False)
    """Milliseconds in all the intervals before each one."""

    def __post_init__(self) -> None:
        total = np.cumsum(self.ends - self.starts)
        object.__setattr__(self, "_before", np.concatenate(([0], total[:-1])).astype(np.int64))

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "Intervals":
        """Merge pairs in any order, overlapping or not; empty and inverted ones are nothing."""
        merged: list[list[int]] = []
        for start, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        flat = np.array(merged, dtype=np.int64).reshape(-1, 2)
        return cls(flat[:, 0], flat[:, 1])

    def __len__(self) -> int:
        return len(self.starts)

    def minus(self, other: "Intervals") -> "Intervals":
        """What is in this set and not in the other."""
        left: list[tuple[int, int]] = []
        holes = list(zip(other.starts.tolist(), other.ends.tolist(), strict=True))
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            at = start
            for hole_start, hole_end in holes:
                if hole_end <= at or hole_start >= end:
                    continue
                left.append((at, hole_start))
                at = hole_end
            left.append((at, end))
        return Intervals.of(left)

    def until(self, instants: Ints) -> Ints:
        """Milliseconds of the set before each instant."""
        if not len(self.starts):
            return np.zeros(len(instants), dtype=np.int64)
        last = np.searchsorted(self.starts, instants, side="right") - 1
        started = np.maximum(last, 0)
        inside = np.minimum(instants, self.ends[started]) - self.starts[started]
        return np.where(last < 0, 0, self._before[started] + inside)

    def within(self, starts: Ints, ends: Ints) -> Ints:
        """Milliseconds of the set inside each span [start, end)."""
        return self.until(ends) - self.until(starts)
