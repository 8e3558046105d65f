"""Arithmetic of a score."""

from typing import Any

import pytest

from pipeline.evaluation.score import (
    Answer,
    Hits,
    Report,
    away_from_limit,
    by_circumstance,
    confusion,
    hits,
    hits_of,
    joined,
    share_right,
)


def answer(truth: str, verdict: str, **other: Any) -> Answer:
    plain: dict[str, Any] = {
        "seed": 1,
        "site": "a",
        "circumstance": "plain",
        "true_ratio": 0.2,
        "ratio": 0.2,
        "low": 0.1,
        "high": 0.3,
    }
    return Answer(truth=truth, verdict=verdict, **plain | other)


FOUR = [
    answer("underused", "underused"),
    answer("underused", "watch", circumstance="festival"),
    answer("ok", "underused", circumstance="festival", true_ratio=0.55),
    answer("ok", "ok", true_ratio=1.0),
]


def test_hits() -> None:
    found = hits({"a", "b", "c"}, {"b", "c", "d", "e", "f"})
    assert found == Hits(found=2, wrong=1, missed=3)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 5)
    assert found.f1 == pytest.approx(2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5))
    assert hits_of(FOUR) == Hits(found=1, wrong=1, missed=1)


def test_nothing_to_divide_by_is_not_zero() -> None:
    nothing = hits(set(), set())
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    silent = hits(set(), {"a"})
    assert (silent.precision, silent.recall, silent.f1) == (None, 0, 0)
    assert share_right([]) is None


def test_all_verdicts() -> None:
    assert share_right(FOUR) == 0.5
    assert confusion(FOUR) == {
        ("underused", "underused"): 1,
        ("underused", "watch"): 1,
        ("ok", "underused"): 1,
        ("ok", "ok"): 1,
    }
    assert by_circumstance(FOUR) == {"festival": (2, 0), "plain": (2, 2)}


def test_close_to_the_limit_is_told_apart() -> None:
    broken = answer("repair_first", "repair_first", true_ratio=0.5)
    assert away_from_limit([*FOUR, broken]) == [FOUR[0], FOUR[1], FOUR[3], broken]


def test_cities_add_up() -> None:
    one = Report(FOUR[:2], {"rule": Hits(1, 0, 1)})
    two = Report(FOUR[2:], {"rule": Hits(0, 1, 0)})
    both = joined([one, two])
    assert list(both.answers) == FOUR
    assert both.rules == {"rule": Hits(1, 1, 1)}
