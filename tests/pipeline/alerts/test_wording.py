"""Messages as their readers see them, in three languages."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

import re
from dataclasses import replace
from string import Formatter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Language
from pipeline.alerts.message import Kind, Message
from pipeline.alerts.outage import Outage, outages
from pipeline.alerts.phrases import CATALOGUE
from pipeline.alerts.telling import Note
from pipeline.alerts.wording import Wording, duration, shortened
from pipeline.outages.incident import SCOPES, Incident, Spell
from tests.pipeline.alerts.town import HOUR, MINUTE, SITES, THURSDAY, ended, incident, town

TOWN = town()
LANGUAGES: tuple[Language, ...] = ("fr", "nl", "en")
NOW = THURSDAY + 12 * MINUTE


def outage(of: Incident) -> Outage:
    return outages(TOWN, [of])[of.id]


def told(
    *incidents: Incident, kind: Kind = "opened", language: Language = "en", now_ms: int = NOW
) -> Message:
    note = Note("oncall", kind, language, tuple(map(outage, incidents)))
    return Wording(TOWN, {"bib": 14.4}).message(note, now_ms)


def test_an_outage_in_english() -> None:
    down = incident("site", "bib", cause="all_of_site")
    message = told(down)
    assert message.subject == "No Wi-Fi: Bibliothèque centrale"
    assert message.body.splitlines() == [
        "No Wi-Fi at Bibliothèque centrale since 10:04: none of its 3 access points answers.",
        "Usually 14 users at this hour.",
        "Check the power and the line of the site first.",
        f"On it: spotwatch outages ack {down.id}",
    ]
    assert message.line == f"No Wi-Fi: Bibliothèque centrale. 10:04 [{down.id}]"


def test_an_outage_in_french() -> None:
    down = incident("ap", "bib-1")
    message = told(down, language="fr")
    assert message.subject == "Borne en panne : Bibliothèque centrale, borne bib-1"
    assert message.body.splitlines() == [
        "La borne bib-1 est en panne depuis 10:04. Site : Bibliothèque centrale, 3 bornes en tout.",
        "Vérifiez son alimentation et son câble.",
        f"Je m’en occupe : spotwatch outages ack {down.id}",
    ]


def test_an_outage_in_dutch() -> None:
    down = incident("uplink", "switch-9", cause="all_behind_it")
    message = told(down, language="nl")
    assert message.subject == "Onbereikbaar: switch-9, 2 locaties getroffen"
    assert message.body.splitlines() == [
        "Achter switch-9 antwoordt niets meer sinds 10:04: 3 toegangspunten op 2 locaties (Parc du "
        "Lavoir, Les Tours du Verger).",
        "Controleer eerst switch-9 en de lijn: de rest volgt dan.",
        f"Ik ben ermee bezig: spotwatch outages ack {down.id}",
    ]


def test_the_only_access_point_is_the_whole_site() -> None:
    message = told(incident("ap", "parc-1", cause="said_down"))
    assert message.subject == "No Wi-Fi: Parc du Lavoir"
    assert message.severity == "critical"
    assert "access point parc-1, its only one, is down. It said so itself" in message.body


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("fr", "Rétabli après 42 minutes : Bibliothèque centrale"),
        ("nl", "Hersteld na 42 minuten: Centrale bibliotheek"),
        ("en", "Back after 42 minutes: Bibliothèque centrale"),
    ],
)
def test_the_end_says_how_long_it_was(language: Language, subject: str) -> None:
    over = ended(incident("site", "bib"), THURSDAY + 42 * MINUTE)
    message = told(over, kind="resolved", language=language)
    assert message.subject == message.line == subject
    assert "10:46" in message.body
    assert "ack" not in message.body


def test_the_end_of_what_came_and_went_counts_how_long_it_was_down() -> None:
    spells = (
        Spell(THURSDAY, THURSDAY, THURSDAY + 20 * MINUTE),
        Spell(THURSDAY + HOUR, THURSDAY + HOUR, THURSDAY + HOUR + 40 * MINUTE),
    )
    over = replace(incident("site", "bib"), spells=spells, end_ms=spells[-1].end_ms, flaps=1)
    message = told(over, kind="resolved", now_ms=THURSDAY + 3 * HOUR)
    assert message.subject == "Back after 1 hour: Bibliothèque centrale"
    assert message.body == (
        "Bibliothèque centrale: up without a break since 11:44. It was down 2 times from 10:04 on, "
        "for 1 hour in all."
    )


def test_the_end_says_what_is_left_of_it() -> None:
    root = ended(incident("site", "bib"), THURSDAY + HOUR)
    left = incident("ap", "bib-2", parent=root.id)
    back = ended(incident("ap", "bib-1", parent=root.id), THURSDAY + HOUR)
    known = outages(TOWN, [root, left, back])
    message = Wording(TOWN).message(Note("a", "resolved", "en", (known[root.id],)), THURSDAY + HOUR)
    assert message.body.splitlines()[-1] == "Still down there: bib-2."


def test_another_day_is_named_and_nothing_is_relative_to_now() -> None:
    message = told(incident("ap", "bib-1"), kind="reminder", now_ms=THURSDAY + 30 * HOUR)
    assert message.subject.startswith("Still down since Thu 5 Mar 10:04: ")
    assert "ago" not in message.body


def test_several_are_listed_worst_first_and_not_endlessly() -> None:
    warnings = [incident("ap", "bib-1", start_ms=THURSDAY + n) for n in range(11)]
    message = told(*warnings, incident("site", "tour"), language="fr")
    assert message.subject == (
        "12 pannes : Les Tours du Verger ; Bibliothèque centrale, borne bib-1 et 10 de plus"
    )
    lines = message.body.splitlines()
    assert lines[0].startswith("- Les Tours du Verger, depuis 10:04 (")
    assert lines[-2:] == [
        "- et 4 de plus : spotwatch outages --open",
        "Je m’en occupe : spotwatch outages ack ID",
    ]
    assert message.severity == "critical"
    assert len(message.facts) == 12, "who words it himself has them all"


def test_blind_is_no_outage_of_anybody() -> None:
    message = told(incident("poller", "snmp", cause="blind"))
    assert message.subject == "Monitoring is blind: SNMP"
    assert "no outage is reported meanwhile" in message.body


def test_a_controller_that_answers_is_not_called_dead() -> None:
    silent = told(incident("controller", "wlc", cause="controller_silent"))
    behind = told(incident("controller", "wlc", cause="all_behind_it"))
    assert "Controller wlc has not answered since 10:04" in silent.body
    assert "Everything behind controller wlc has been down since 10:04" in behind.body
    assert behind.subject == "Out of reach: wlc, 1 site affected"


def test_every_language_says_everything_with_the_same_figures() -> None:
    def figures(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    english = CATALOGUE["en"]
    for language in LANGUAGES:
        assert CATALOGUE[language].keys() == english.keys()
    places = {"site", "what"}
    for code, text in english.items():
        for language in ("fr", "nl"):
            assert figures(CATALOGUE[language][code]) - places == figures(text) - places, code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind != "test"])
def test_every_message_is_short_and_whole(kind: Kind, language: Language) -> None:
    subjects = {"ap": "bib-1", "site": "bib", "controller": "wlc", "uplink": "switch-9"}
    for scope in SCOPES:
        down = incident(scope, subjects.get(scope, "mqtt"))
        for one in ([down], [down, incident("ap", "parc-1")]):
            message = told(*one, kind=kind, language=language)
            assert 0 < len(message.subject) <= 160
            assert len(message.subject) + len(message.body) <= 480
            assert not re.search(r"[{}]|None|  |\(\)", message.subject + message.body)
            assert message.subject[0] == message.subject[0].upper()


def test_a_message_is_kept_whole() -> None:
    message = told(incident("ap", "bib-1"), language="fr")
    assert Message.of(message.document()) == message
    assert Message.of(message.document()).key == message.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_says_that_nothing_is_down(language: Language) -> None:
    message = Wording(TOWN).test("oncall", language, NOW)
    assert "Havremont" in message.subject
    assert "oncall" in message.body


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, ("moins d’une minute", "minder dan een minuut", "less than a minute")),
        (MINUTE, ("1 minute", "1 minuut", "1 minute")),
        (59 * MINUTE + 59_999, ("59 minutes", "59 minuten", "59 minutes")),
        (HOUR, ("1 heure", "1 uur", "1 hour")),
        (
            2 * HOUR + MINUTE,
            ("2 heures et 1 minute", "2 uur en 1 minuut", "2 hours and 1 minute"),
        ),
        (26 * HOUR + MINUTE, ("1 jour et 2 heures", "1 dag en 2 uur", "1 day and 2 hours")),
        (72 * HOUR, ("3 jours", "3 dagen", "3 days")),
    ],
)
def test_durations(ms: int, said: tuple[str, str, str]) -> None:
    assert tuple(duration(ms, language) for language in LANGUAGES) == said


@given(st.integers(0, 10**12), st.sampled_from(LANGUAGES))
def test_any_duration_can_be_said(ms: int, language: Language) -> None:
    assert duration(ms, language)


def test_long_names_do_not_push_the_rest_out() -> None:
    name = "Logements sociaux de la rue des Tanneurs et de la chaussée de Valmont, bloc C"
    long = SITES[0].model_copy(update={"name_en": name})
    deployment = TOWN.model_copy(update={"sites": {**TOWN.sites, "bib": long}})
    note = Note("a", "opened", "en", (outage(incident("site", "bib")),))
    message = Wording(deployment).message(note, NOW)
    assert message.subject == f"No Wi-Fi: {shortened(name)}"
    assert shortened(name).endswith("…")
    assert message.facts[0]["site_name"] == name
