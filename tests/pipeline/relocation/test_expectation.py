from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.deployment import SiteKind
from config.settings import Settings
from pipeline.relocation.expectation import Expectation, expect
from pipeline.relocation.use import Use


def spots(kind: SiteKind, days: Sequence[float], aps: int = 2) -> list[Use]:
    return [Use(f"{kind}{i}", kind, aps, day, np.array([day])) for i, day in enumerate(days)]


def expected(
    known: Sequence[Use], *, aps: int = 2, stated: float | None = None, **rule: Any
) -> Expectation | None:
    settings = Settings(city="T", timezone="UTC", relocation=rule)
    return expect(known, "library", aps, stated, settings=settings, seed="place|2")


LIBRARIES = spots("library", [10, 20, 30, 40, 50])


def found(*arguments: Any, **more: Any) -> Expectation:
    answer = expected(*arguments, **more)
    assert answer is not None
    return answer


def test_it_is_the_median_of_spots_of_the_kind_and_of_no_other() -> None:
    answer = found([*LIBRARIES, *spots("park", [900] * 9)])
    assert (answer.day, answer.peers, answer.peer_median) == (30, 5, 30)
    assert not answer.borrowed


def test_few_access_points_carry_a_share_and_many_carry_no_more_than_there_was() -> None:
    assert found(LIBRARIES, aps=1).day == 15
    assert found(LIBRARIES, aps=3).day == 30


def test_the_interval_is_that_of_one_place_and_not_of_the_mean() -> None:
    answer = found(LIBRARIES)
    # As wide as the spots themselves differ, at least.
    assert answer.low <= 10
    assert answer.high >= 50
    alike = found(spots("library", [30] * 5))
    assert (alike.low, alike.day, alike.high) == (30, 30, 30)


def test_the_figure_of_the_city_counts_as_a_few_spots_and_the_interval_covers_both() -> None:
    alone, blended = found(LIBRARIES), found(LIBRARIES, stated=200.0, stated_weight=2)
    assert blended.day == pytest.approx((5 * 30 + 2 * 200) / 7)
    assert (blended.peer_median, blended.peer_high) == (30, alone.high)
    assert blended.low <= 10
    assert blended.high >= 200
    assert np.mean(blended.draws == 200) == pytest.approx(2 / 7, abs=0.05)
    assert found(LIBRARIES, stated=200.0, stated_weight=0).day == 30
    assert found(LIBRARIES, stated=0.0).day == pytest.approx(5 * 30 / 7)


def test_without_a_spot_of_the_kind_nothing_is_expected_whatever_the_city_says() -> None:
    assert expected(spots("park", [10, 20, 30]), stated=64.0) is None
    assert expected([], stated=64.0) is None


def test_one_spot_alone_borrows_from_other_kinds_how_much_spots_differ() -> None:
    one = spots("library", [30])
    answer = found([*one, *spots("park", [50, 100, 200])])
    assert answer.borrowed
    assert (answer.low, answer.day, answer.high) == (15, 30, 60)
    # Nowhere two of a kind: how far one may be from the median, nobody can say.
    assert expected([*one, *spots("park", [50])]) is None


def test_where_most_stand_idle_what_the_city_expects_is_a_mere_chance() -> None:
    answer = found([*spots("library", [0] * 6), *spots("park", [50, 100])], stated=40.0)
    assert answer.day == pytest.approx(2 * 40 / 8)
    assert (answer.low, answer.high) == (0, 40)
    assert np.mean(answer.draws == 40) == pytest.approx(0.25, abs=0.05)


@given(
    days=st.lists(st.integers(0, 50_000).map(lambda d: d / 100), min_size=1, max_size=12),
    others=st.lists(st.floats(1, 500), min_size=2, max_size=5),
    aps=st.integers(1, 5),
    stated=st.none() | st.floats(0, 500),
)
def test_the_interval_holds_the_expectation_and_the_answer_does_not_depend_on_the_order(
    days: list[float], others: list[float], aps: int, stated: float | None
) -> None:
    known = [*spots("library", days), *spots("park", others)]
    answer = found(known, aps=aps, stated=stated)
    assert 0 <= answer.low <= answer.day <= answer.high
    again = found(known[::-1], aps=aps, stated=stated)
    assert (again.low, again.day, again.high) == (answer.low, answer.day, answer.high)
    assert np.array_equal(again.draws, answer.draws)
