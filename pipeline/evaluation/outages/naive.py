"""Rules of thumb for outages, as most installations have them. Pure.

They count failed polls of one access point at a time, and know nothing of what hangs on what, of
our own blindness, of maintenance nor of closed sites.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.outages.alert import Alert

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def after_misses(ap: str, at_ms: Ints, failed: Bools, misses: int, end_ms: int) -> Iterator[Alert]:
    """Alert at the `misses`-th poll that failed in a row, until the first good one.

    `at_ms`, `failed`: every regular poll of an access point, by time.
    """
    edges = np.flatnonzero(np.diff(failed.astype(np.int8), prepend=0, append=0))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if after - first < misses:
            continue
        until_ms = int(at_ms[after]) if after < len(at_ms) else end_ms
        told_ms, start_ms = int(at_ms[first + misses - 1]), int(at_ms[first])
        yield Alert(told_ms, until_ms, start_ms, "ap", ap, (ap,))


def down_ms(at_ms: Ints, failed: Bools, end_ms: int) -> list[tuple[int, int]]:
    """When it was down if each poll counts until the next: [start, end)."""
    until = np.append(at_ms[1:], end_ms)
    return list(zip(at_ms[failed].tolist(), until[failed].tolist(), strict=True))
