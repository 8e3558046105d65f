import re

import pytest

from config.settings import Language, Relocation, Settings
from pipeline.relocation.reasons import CATALOGUE, definition, worded
from pipeline.underuse.reasons import Reason

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
    ("language", "cost", "share"),
    [("en", "12,500 EUR", "0.9 there"), ("fr", "12\u202f500 EUR", "0,9 là-bas"),
     ("nl", "12.500 EUR", "0,9 daar")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_does(
    language: Language, cost: str, share: str
) -> None:
    figures = {"cost": 12_500.0, "per_1000": 40.0, "years": 5.0}
    assert cost in worded(Reason("cost", figures), language).replace("\u00a0", "\u202f")
    gain = {"gain": 3.0, "low": 1.0, "high": 4.0, "here": 0.4, "there": 0.9, "weighted": 2.0}
    assert share in worded(Reason("gain", gain | {"loss": 0.1}), language)


def test_the_definition_names_the_settings_in_force() -> None:
    rule = Relocation(min_distance_m=350, horizon_years=2.5, promote_from=0.8)
    text = definition(Settings(city="T", timezone="UTC", relocation=rule), "en")
    for figure in ("350 m", "2.5 years", "0.8"):
        assert figure in text
