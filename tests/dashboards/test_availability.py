"""The table of availability fits in 80 columns, in every language."""

import io
from dataclasses import replace
from typing import get_args

import pytest
from rich.console import Console

from config.settings import Language
from dashboards.availability import WORDS, Report, availability_view
from pipeline.outages.availability import Failures, Row, Subject
from pipeline.outages.availability_tally import Time, Times, Usable
from tests.pipeline.outages.cities import MINUTE, T, deployment

TIME = Time(10_000_000, 9_876_000, 24_000, 0)
ROW = Row(
    subject="library-of-the-quarter-17",
    site=None,
    times=Times(TIME, TIME, TIME),
    usable=Usable(9_999_900, 10_000_000, 0, 100),
    failures=Failures(1234, 1300, 3, 50.0, 119.0, 400 * 24.0),
    outages_ms=0,
    missing={},
)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("by", get_args(Subject))
def test_nothing_is_cut_off_in_80_columns(language: Language, by: Subject) -> None:
    console = Console(file=io.StringIO(), width=80)
    row = replace(ROW, usable=None) if by == "ap" else ROW
    report = Report((T, T + 60 * MINUTE), by, [row], {}, [], [])
    console.print(availability_view(deployment({"a1": "a"}), report, language))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    comma = "." if language == "en" else ","
    shown = [f"99{comma}76", f"99{comma}00", "1234", "119 min"]
    assert [figure for figure in shown if figure not in text] == []
    assert f"400 {WORDS[language]['d']}" in text
    assert (f"≥99{comma}99" in text) == (by != "ap")


def test_every_language_says_everything() -> None:
    assert len({frozenset(words) for words in WORDS.values()}) == 1
