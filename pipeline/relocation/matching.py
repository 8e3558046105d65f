"""Which spot moves to which place: the choice with the highest total, proven. Pure.

Where neither the budget nor a distance stands in the way the problem is the linear assignment.
Where one does, choices depend on each other (two places too close for both, a place that is free
only when the spot beside it leaves), and it is an integer program, solved by HiGHS. An answer of
the first that keeps all the rules is the best of the second too, as it has more to choose from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from pipeline.underuse.intensity import Floats
from pipeline.usage.intervals import Ints

TIME_LIMIT_S: Final = 60.0
"""Of one run of the solver; hundreds of spots and places take seconds."""
SOLVED: Final = 0
"""The solver's status when it has proven its answer; 1 when its time was up."""

Pairs = Mapping[int, int]
"""The place of each spot that moves."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Spots (rows) and places (columns)."""

    values: Floats
    """What a move is worth; one that is not worth more than 0 is never made."""
    costs: tuple[int, ...]
    """Of each place, in cents."""
    budget: int | None
    """In cents; None: any cost."""
    apart: frozenset[tuple[int, int]]
    """Two places too close to each other for both."""
    beside: frozenset[tuple[int, int]]
    """(place, spot): a place too close to where a spot is now, if that spot stays."""

    def allows(self, pairs: Pairs) -> bool:
        """Whether moves keep within the budget and the distances."""
        chosen = set(pairs.values())
        return (
            (self.budget is None or sum(self.costs[place] for place in chosen) <= self.budget)
            and not any(a in chosen and b in chosen for a, b in self.apart)
            and not any(place in chosen and spot not in pairs for place, spot in self.beside)
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """The moves chosen, and how."""

    pairs: Pairs
    method: Literal["assignment", "integer"]
    optimal: bool
    """False: the solver's time was up; they keep all the rules, and may not be the best."""


def match(problem: Problem, time_limit_s: float = TIME_LIMIT_S) -> Matching:
    """Choose moves of the highest total value. The same problem gives the same moves."""
    rows, columns = linear_sum_assignment(np.maximum(problem.values, 0), maximize=True)
    pairs = {
        int(spot): int(place)
        for spot, place in zip(rows, columns, strict=True)
        if problem.values[spot, place] > 0
    }
    if problem.allows(pairs):
        return Matching(pairs, "assignment", optimal=True)
    return _integer_program(problem, time_limit_s)


def _integer_program(problem: Problem, time_limit_s: float) -> Matching:
    """Decide which places are used and which spots leave; who goes where is an assignment again.

    The variables are the moves there may be, then the places, then the spots. Only the last two
    have to be whole: for a choice of these the best moves are whole by themselves.
    """
    spots, places = np.nonzero(problem.values > 0)
    counts = (len(spots), *problem.values.shape[::-1])
    moves, rules = _one_each(problem, spots, places), _rules(problem)
    none = csr_array((1, counts[0]))
    while True:
        rows = vstack([hstack([none, csr_array([row])]) for row, _ in rules], format="csr")
        answer = milp(
            np.concatenate([-problem.values[spots, places], np.zeros(sum(counts[1:]))]),
            constraints=[
                LinearConstraint(moves, 0, 0),
                LinearConstraint(rows, -np.inf, [limit for _, limit in rules]),
            ],
            integrality=np.repeat([0, 1, 1], counts),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": 0.0, "time_limit": time_limit_s},
        )
        if answer.x is None:
            return Matching({}, "integer", optimal=False)
        _, used, leaving = np.split(np.round(answer.x), np.cumsum(counts)[:-1])
        pairs = _paired(problem, np.flatnonzero(leaving), np.flatnonzero(used))
        if problem.allows(pairs):
            return Matching(pairs, "integer", optimal=answer.status == SOLVED)
        # To the solver a budget is kept that is exceeded by a millionth: not these places together.
        rules.append((np.concatenate([used, 0 * leaving]), used.sum() - 1))


def _paired(problem: Problem, leaving: Ints, used: Ints) -> Pairs:
    values = problem.values[np.ix_(leaving, used)]
    rows, columns = linear_sum_assignment(np.where(values > 0, values, -np.inf), maximize=True)
    return {int(leaving[row]): int(used[column]) for row, column in zip(rows, columns, strict=True)}


def _one_each(problem: Problem, spots: Ints, places: Ints) -> csr_array:
    """Rows that are 0 where each place used is moved to once, and each spot that leaves, once."""
    moves, (spot_count, place_count) = np.arange(len(spots)), problem.values.shape
    to_place = csr_array((np.ones(len(moves)), (places, moves)), (place_count, len(moves)))
    of_spot = csr_array((np.ones(len(moves)), (spots, moves)), (spot_count, len(moves)))
    one_each = -eye_array(place_count + spot_count)
    return hstack([vstack([to_place, of_spot]), one_each], format="csr")


def _rules(problem: Problem) -> list[tuple[Floats, float]]:
    """Coefficients of the places and the spots, and what their sum may be at most."""
    spot_count, place_count = problem.values.shape
    found = []
    for a, b in sorted(problem.apart):
        found.append((_coefficients(place_count + spot_count, {a: 1, b: 1}), 1.0))
    for place, spot in sorted(problem.beside):
        of = {place: 1, place_count + spot: -1}
        found.append((_coefficients(place_count + spot_count, of), 0.0))
    if problem.budget is not None:
        # In units of the dearest place, as the solver's tolerances are absolute.
        unit = max(*problem.costs, 1)
        costs = np.concatenate([problem.costs, np.zeros(spot_count)]) / unit
        found.append((costs, problem.budget / unit))
    return found


def _coefficients(count: int, of: Mapping[int, int]) -> Floats:
    found = np.zeros(count)
    found[list(of)] = list(of.values())
    return found
