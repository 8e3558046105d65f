import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.underuse.intensity import median_of_others, midmean, ratios, resampled

values = st.floats(0, 1000, allow_nan=False)


@given(st.lists(values, min_size=1, max_size=12), st.integers(1, 4))
def test_median_of_others_is_the_median_without_the_row(rows: list[float], columns: int) -> None:
    table = np.array([[v * (c + 1) % 37 for c in range(columns)] for v in rows])
    found = median_of_others(table)
    for i in range(len(rows)):
        others = np.delete(table, i, axis=0)
        if len(others):
            np.testing.assert_allclose(found[i], np.median(others, axis=0))
        else:
            assert np.isnan(found[i]).all()


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
