from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.relocation.matching import Pairs, Problem, match


def problem(
    values: list[list[float]],
    costs: tuple[int, ...] = (),
    budget: int | None = None,
    apart: tuple[tuple[int, int], ...] = (),
    beside: tuple[tuple[int, int], ...] = (),
) -> Problem:
    array = np.array(values, dtype=np.float64)
    costs = costs or (0,) * array.shape[1]
    return Problem(array, costs, budget, frozenset(apart), frozenset(beside))


def keeps_the_rules(asked: Problem, pairs: Pairs) -> bool:
    """The rules, written down a second time."""
    places = list(pairs.values())
    once = len(set(places)) == len(places)
    worth_it = all(asked.values[spot, place] > 0 for spot, place in pairs.items())
    paid = asked.budget is None or sum(asked.costs[place] for place in places) <= asked.budget
    apart = all(not {a, b} <= set(places) for a, b in asked.apart)
    beside = all(spot in pairs for place, spot in asked.beside if place in places)
    return once and worth_it and paid and apart and beside


def worth(asked: Problem, pairs: Pairs) -> float:
    return float(sum(asked.values[spot, place] for spot, place in pairs.items()))


def best_of_all(asked: Problem) -> float:
    """Try every choice there is."""
    spots, places = asked.values.shape
    every = product((None, *range(places)), repeat=spots)
    choices = ({s: p for s, p in enumerate(c) if p is not None} for c in every)
    return max(worth(asked, pairs) for pairs in choices if keeps_the_rules(asked, pairs))


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    spots, places = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    values = st.floats(-50, 100).map(lambda value: round(value, 2))
    row = st.lists(values, min_size=places, max_size=places)
    indices = range(places)
    return problem(
        draw(st.lists(row, min_size=spots, max_size=spots)),
        tuple(draw(st.lists(st.integers(0, 500_000), min_size=places, max_size=places))),
        draw(st.none() | st.integers(0, 1_500_000)),
        tuple(draw(st.sets(st.sampled_from([(a, b) for a in indices for b in indices if a < b])))
              if places > 1 else ()),
        tuple(draw(st.sets(st.tuples(st.sampled_from(indices), st.integers(0, spots - 1))))),
    )  # fmt: skip


@given(problems())
def test_no_choice_is_better_and_no_rule_is_broken(asked: Problem) -> None:
    found = match(asked)
    assert keeps_the_rules(asked, found.pairs)
    assert worth(asked, found.pairs) == pytest.approx(best_of_all(asked), abs=1e-6)
    assert found.optimal
    assert match(asked) == found


def test_the_best_for_each_is_not_the_best_for_all() -> None:
    # Greedy gives the first spot its best place, and the second what is left: 10 + 1.
    found = match(problem([[10, 9], [9, 1]]))
    assert found.pairs == {0: 1, 1: 0}
    assert found.method == "assignment"


def test_a_budget_buys_two_cheap_moves_rather_than_one_dear_one() -> None:
    found = match(problem([[10, 6, 0], [0, 0, 6]], (300, 100, 100), budget=300))
    assert found.pairs == {0: 1, 1: 2}
    assert found.method == "integer"


def test_of_two_places_close_to_each_other_one_is_used() -> None:
    assert match(problem([[5, 1], [1, 4]], apart=((0, 1),))).pairs == {0: 0}


def test_a_place_beside_a_spot_is_free_once_the_spot_leaves() -> None:
    stays = problem([[8, 0], [0, 0]], beside=((0, 1),))
    assert match(stays).pairs == {}
    leaves = problem([[8, 0], [0, 1]], beside=((0, 1),))
    assert match(leaves).pairs == {0: 0, 1: 1}
    itself = problem([[8, 0], [0, 0]], beside=((0, 0),))
    assert match(itself).pairs == {0: 0}


@pytest.mark.parametrize("euros", [10**4, 10**7, 10**10])
def test_a_budget_is_kept_to_the_cent(euros: int) -> None:
    half = euros * 50
    for short in (0, 1):
        found = match(problem([[1, 0], [0, 1]], (half, half), budget=2 * half - short))
        assert len(found.pairs) == 2 - short
        assert found.optimal


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_choose_from(shape: tuple[int, int]) -> None:
    empty = Problem(np.zeros(shape), (0,) * shape[1], 0, frozenset(), frozenset())
    assert match(empty).pairs == {}


def test_an_answer_whose_time_was_up_says_so_and_keeps_the_rules() -> None:
    random = np.random.default_rng(1)
    costs = tuple(int(c) for c in random.integers(100, 10_000, 30))
    values = random.random((30, 30)) * 100 + np.array(costs) / 50
    asked = Problem(values, costs, sum(costs) // 2, frozenset(), frozenset())
    found = match(asked, time_limit_s=0.0)
    assert not found.optimal
    assert keeps_the_rules(asked, found.pairs)
