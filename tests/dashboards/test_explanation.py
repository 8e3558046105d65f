"""The page on which a verdict is explained, in every language."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from config.deployment import SitePeriod
from config.settings import Language
from dashboards.explanation import explanation_view
from dashboards.explanation_words import WORDS
from pipeline.underuse.basis import Basis
from pipeline.underuse.explain import Explanation, OpenHours, explain
from pipeline.underuse.replay import Replay
from tests.pipeline.underuse.cities import AS_OF, PEERS, deployment, steady, usage

LANGUAGES: tuple[Language, ...] = ("en", "fr", "nl")
FIGURE = re.compile(r"{(\w+)}")
CITY = deployment(["lib0", *PEERS], underuse={"window_weeks": 4, "min_weeks": 2, "resamples": 200})


def explained(*users: float | None) -> Explanation:
    """The library lib0 beside six others, over four weeks and those before."""
    weekly = {"lib0": users} | {site: steady(v, len(users)) for site, v in PEERS.items()}
    rows = usage(CITY, weekly)

    def read(start_ms: int, end_ms: int) -> pd.DataFrame:
        return rows[(rows["start_ms"] >= start_ms) & (rows["start_ms"] < end_ms)]

    replay = Replay(CITY, read, AS_OF)
    (standing,) = (found for found in replay.standing() if found.site == "lib0")
    return explain(CITY, replay, standing, AS_OF)


def page(found: Explanation, language: Language = "en", samples: tuple[Basis, ...] = ()) -> str:
    console = Console(width=80)
    with console.capture() as said:
        console.print(explanation_view(CITY, found, samples, language))
    return said.get()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_figures(language: Language) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()
    for word, text in WORDS[language].items():
        assert set(FIGURE.findall(text)) == set(FIGURE.findall(WORDS["en"][word])), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_80_columns(language: Language) -> None:
    text = page(explained(*steady(4, 5)), language)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_verdict_that_waits_for_a_second_week_is_told_apart_from_this_weeks_figures() -> None:
    text = page(explained(*[12.0] * 8, 0.5, 0.5))
    assert "The figures of this week alone say watch." in text
    assert "on which two weeks in a row agree" in text
    assert text.splitlines()[0].startswith("lib0 (lib0): ● ok")


def test_where_no_two_weeks_agree_the_first_verdict_stands() -> None:
    assert "It could not be assessed before; the first verdict" in page(explained(12.0, 12.0))
    assert "The first assessment stands." in page(explained(12.0))
    found = replace(explained(*steady(12, 8)), history=((2, "ok"), (1, "underused")))
    swayed = replace(found, standing=replace(found.standing, verdict="underused"))
    assert "No two weeks in a row agree; the first assessment stands." in page(swayed)


def test_hours_in_use_closures_and_maintenance_are_named() -> None:
    in_use = np.zeros(168, dtype=np.bool_)
    for day in range(5):
        in_use[day * 24 + 9 : day * 24 + 12] = in_use[day * 24 + 14 : day * 24 + 17] = True
    in_use[6 * 24 + 23] = True
    works = SitePeriod(
        site="lib0", start=datetime(2026, 6, 1, tzinfo=UTC), end=datetime(2026, 6, 3, tzinfo=UTC),
        reason="works",
    )  # fmt: skip
    hours = OpenHours(None, in_use, (date(2026, 5, 1),), (works,), (works,))
    text = page(replace(explained(*steady(4, 5)), open_hours=hours))
    assert "Mo-Fr 09:00-12:00,14:00-17:00; Su 23:00-24:00" in text
    assert "Public holidays inside: 2026-05-01." in text
    assert "Closed: 2026-06-01 00:00 – 2026-06-03 00:00 (works)" in text  # noqa: RUF001
    assert "Maintenance: 2026-06-01" in text
    always = OpenHours(None, np.ones(168, dtype=np.bool_), (), (), ())
    assert "not known: around the clock" in page(
        replace(explained(*steady(4, 5)), open_hours=always)
    )


def test_an_access_point_without_samples_is_listed_and_so_is_one_that_is_in_no_file() -> None:
    gone = Basis("old", None, samples=3, failed=1, first_ms=0, last_ms=1000, coverage=0.997)
    text = page(explained(*steady(4, 5)), samples=(Basis("lib0-ap", 300), gone))
    assert "lib0-ap: none." in text
    normal = " ".join(text.split())
    assert "old: 3 samples, 1 of them failed polls" in normal
    # 99.7 % is not all; how often it was polled nobody knows.
    assert "to 1970-01-01 00:00; open hours covered: 99%." in normal
    assert "No access point is listed." in page(explained(*steady(4, 5)))
