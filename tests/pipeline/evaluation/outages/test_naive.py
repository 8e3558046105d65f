"""Rules of thumb do what most installations do."""

import numpy as np
import pytest

from pipeline.evaluation.outages.naive import after_misses, down_ms

STEP = 300_000


@pytest.mark.parametrize(
    ("polls", "misses", "told"),
    [
        ("uuddduu", 1, [(2, 5)]),
        ("uuddduu", 3, [(4, 5)]),
        ("udduddud", 3, []),
        ("udduddud", 2, [(2, 3), (5, 6)]),
        ("udduddud", 1, [(1, 3), (4, 6), (7, 8)]),
        ("dddd", 3, [(2, 4)]),
        ("", 1, []),
    ],
)
def test_after_so_many_misses(polls: str, misses: int, told: list[tuple[int, int]]) -> None:
    at_ms = np.arange(len(polls), dtype=np.int64) * STEP
    failed = np.array([poll == "d" for poll in polls], dtype=np.bool_)
    found = after_misses("a", at_ms, failed, misses, len(polls) * STEP)
    assert [(one.at_ms // STEP, one.until_ms // STEP) for one in found] == told


def test_an_alert_names_its_access_point_and_the_first_failed_poll() -> None:
    failed = np.array([False, True, True, True])
    (one,) = after_misses("a", np.arange(4) * STEP, failed, 3, 4 * STEP)
    assert (one.scope, one.aps, one.start_ms) == ("ap", ("a",), STEP)


def test_a_failed_poll_counts_until_the_next() -> None:
    at_ms = np.array([0, 300, 610, 900], dtype=np.int64)
    failed = np.array([True, False, True, True])
    assert down_ms(at_ms, failed, 1000) == [(0, 300), (610, 900), (900, 1000)]
