import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.underuse.intensity import midmean, ratios, resampled, weekly_median

known = st.floats(0, 1000, allow_nan=False)


@given(st.lists(st.lists(st.none() | known, min_size=3, max_size=3), max_size=7))
def test_a_week_has_the_median_of_those_that_are_known_in_it(table: list[list[float]]) -> None:
    found = weekly_median([np.array(row, dtype=float) for row in table], 3)
    for week in range(3):
        values = [row[week] for row in table if row[week] is not None]
        if values:
            assert found[week] == pytest.approx(statistics.median(values))
        else:
            assert np.isnan(found[week])


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [([1, 2, 3], 2), ([0, 4, 6, 900], 5), ([5] * 12 + [10_000], 5), ([7], 7)],
)
def test_the_midmean_is_of_the_middle_half(weeks: list[float], expected: float) -> None:
    assert midmean(np.array(weeks, dtype=float)) == expected


def test_resampling_follows_from_its_seed() -> None:
    weeks = np.arange(13.0)
    assert resampled(weeks, 500, "a").tolist() == resampled(weeks, 500, "a").tolist()
    assert resampled(weeks, 500, "a").tolist() != resampled(weeks, 500, "b").tolist()


def test_the_interval_of_resampled_weeks_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    held = 0
    for i in range(200):
        draws = np.sort(resampled(random.normal(10, 2, 13), 400, str(i)))
        held += draws[10] <= 10 <= draws[390]
    # Thirteen weeks are few for a bootstrap: it is a little too sure of itself.
    assert 0.82 * 200 < held < 0.99 * 200


def test_nothing_against_nothing_is_like_its_peers() -> None:
    found = ratios(np.array([0.0, 2.0, 3.0]), np.array([0.0, 0.0, 2.0]))
    assert found.tolist() == [1.0, np.inf, 1.5]
