import re

import pytest

from config.settings import Language, Underuse
from pipeline.underuse.reasons import CATALOGUE, Reason, definition, worded

LANGUAGES: tuple[Language, ...] = ("en", "fr", "nl")
FIGURE = re.compile(r"{(\w+):(\w+)}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_words_every_reason_with_the_same_figures(language: Language) -> None:
    assert CATALOGUE[language].keys() == CATALOGUE["en"].keys()
    for code, text in CATALOGUE[language].items():
        assert sorted(FIGURE.findall(text)) == sorted(FIGURE.findall(CATALOGUE["en"][code])), code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CATALOGUE["en"])
def test_every_reason_can_be_worded(language: Language, code: str) -> None:
    figures = {name: 0.25 for name, _ in FIGURE.findall(CATALOGUE[language][code])}
    text = worded(Reason(code, figures), language)
    assert "{" not in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ("1,234.50", "31%")),
        ("fr", ("1\u202f234,50", "31\u202f%")),
        ("nl", ("1.234,50", "31%")),
    ],
)
def test_numbers_are_written_as_the_language_does(
    language: Language, expected: tuple[str, str]
) -> None:
    figures = {"intensity": 1234.5, "peer_median": 1.0, "ratio": 0.31, "low": 0.3, "high": None}
    text = worded(Reason("used", figures), language)
    normal = text.replace("\u00a0", "\u202f")
    for number in expected:
        assert number in normal
    assert "∞" in text


def test_the_definition_names_the_settings_in_force() -> None:
    text = definition(Underuse(window_weeks=26, ratio=0.4), "en")
    assert "26 weeks" in text
    assert "40%" in text
