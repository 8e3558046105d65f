"""The rules of thumb do what they say, gaps and all."""

import pandas as pd

from pipeline.evaluation.naive import lowest_totals, nobody_for_three_days, under_half_of_kind

DAY = 86_400_000
END = 10 * DAY


def usage(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["site", "start_ms", "user_ms"])


def test_the_lowest_totals_as_many_as_asked() -> None:
    rows = usage([("a", 0, 5), ("a", DAY, 5), ("b", 0, 9), ("c", 0, 20), ("d", 0, 9)])
    assert lowest_totals(rows, ["a", "b", "c", "d"], 1) == {"b"}
    assert lowest_totals(rows, ["a", "b", "c", "d"], 3) == {"a", "b", "d"}
    assert lowest_totals(rows, ["a", "b", "c", "d"], 0) == set()


def test_who_was_never_heard_has_the_lowest_total() -> None:
    assert lowest_totals(usage([("a", 0, 1)]), ["a", "silent"], 1) == {"silent"}


def test_nobody_for_three_days() -> None:
    rows = usage(
        [
            ("busy", END - DAY, 1),
            ("left", END - 3 * DAY - 1, 500), ("left", END - DAY, 0),
            ("just", END - 3 * DAY, 1),
        ]
    )  # fmt: skip
    sites = ["busy", "left", "just", "silent"]
    assert nobody_for_three_days(rows, sites, END) == {"left", "silent"}


def test_under_half_of_the_median_of_the_kind() -> None:
    rows = usage([("a", 0, 10), ("b", 0, 20), ("c", 0, 9), ("p", 0, 1), ("q", 0, 1)])
    kinds = {"a": "library", "b": "library", "c": "library", "p": "park", "q": "park"}
    assert under_half_of_kind(rows, kinds, 0.5) == set()
    assert under_half_of_kind(rows, kinds, 0.95) == {"c"}
