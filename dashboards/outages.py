"""Outages for the terminal, in the language of whoever reads them."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment
from config.settings import Language
from pipeline.alerts.outbox import Acknowledgement, Queued
from pipeline.outages.incident import Incident
from pipeline.outages.timeline import Seen

UNITS: Final[Mapping[Language, tuple[str, str, str]]] = {
    "en": ("d", "h", "min"), "fr": ("j", "h", "min"), "nl": ("d", "u", "min"),
}  # fmt: skip
"""Days, hours and minutes, as tables have them."""
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "Outages, {city}", "since": "since", "lasted": "lasted", "what": "what, why",
        "id": "id", "none": "No outage.", "goes_on": "{lasted} so far",
        "ap": "{site}, access point {ap}", "site": "{site}, all access points",
        "controller": "controller {subject}", "uplink": "all behind {subject}",
        "poller": "monitoring itself: {subject}",
        "no_answer": "polls failed", "said_down": "said to be down",
        "controller_silent": "the controller does not answer",
        "all_behind_it": "all behind it failed together",
        "all_of_site": "all of the site failed together",
        "blind": "all that it asks failed together: what was down then is unknown",
        "explains": "explains {count} more", "flaps": "came back and failed again: {count}",
        "maintenance": "in maintenance",
        "legend": "Since the first failed poll, until the first good one. What another outage "
        "explains is counted there; --json lists all.",
        "times": "Down", "confirmed": "certain at {at}", "struck": "What it explains",
        "part_of": "part of outage {id}",
        "evidence": "Last answer {at}; {failed} failed polls.",
        "no_answer_before": "No answer of late; {failed} failed polls.",
        "restarted": "Then it had restarted, at {at}.",
        "ran_on": "It had been running since {at}: the way to it was cut.",
        "told": "Who was told", "nobody": "nobody", "taken": "Taken on by {by}, {at}. {note}",
    },
    "fr": {
        "title": "Pannes, {city}", "since": "depuis", "lasted": "durée", "what": "quoi, pourquoi",
        "id": "id", "none": "Aucune panne.", "goes_on": "{lasted}, en cours",
        "ap": "{site}, borne {ap}", "site": "{site}, toutes les bornes",
        "controller": "contrôleur {subject}", "uplink": "tout ce qui dépend de {subject}",
        "poller": "la surveillance elle-même : {subject}",
        "no_answer": "relevés échoués", "said_down": "annoncé hors service",
        "controller_silent": "le contrôleur ne répond pas",
        "all_behind_it": "tout ce qui en dépend a échoué ensemble",
        "all_of_site": "tout le site a échoué ensemble",
        "blind": "tout ce qu’elle interroge a échoué ensemble : ce qui était en panne est inconnu",
        "explains": "en explique {count} autres", "flaps": "revenu puis retombé : {count}",
        "maintenance": "en maintenance",
        "legend": "Du premier relevé échoué au premier réussi. Ce qu’une autre panne explique est "
        "compté là ; --json donne tout.",
        "times": "En panne", "confirmed": "certain à {at}", "struck": "Ce qu’elle explique",
        "part_of": "fait partie de la panne {id}",
        "evidence": "Dernière réponse {at} ; {failed} relevés échoués.",
        "no_answer_before": "Aucune réponse récente ; {failed} relevés échoués.",
        "restarted": "Elle venait de redémarrer, à {at}.",
        "ran_on": "Elle tournait depuis {at} : c’est le chemin vers elle qui était coupé.",
        "told": "Qui a été averti", "nobody": "personne",
        "taken": "Prise en charge par {by}, {at}. {note}",
    },
    "nl": {
        "title": "Storingen, {city}", "since": "sinds", "lasted": "duur", "what": "wat, waarom",
        "id": "id", "none": "Geen storing.", "goes_on": "{lasted} tot nu",
        "ap": "{site}, access point {ap}", "site": "{site}, alle access points",
        "controller": "controller {subject}", "uplink": "alles achter {subject}",
        "poller": "de bewaking zelf: {subject}",
        "no_answer": "metingen mislukt", "said_down": "zei zelf buiten werking te zijn",
        "controller_silent": "de controller antwoordt niet",
        "all_behind_it": "alles erachter viel samen uit",
        "all_of_site": "alles op de site viel samen uit",
        "blind": "alles wat zij ondervraagt viel samen uit: wat toen stuk was, is onbekend",
        "explains": "verklaart er {count} meer", "flaps": "kwam terug en viel weer uit: {count}",
        "maintenance": "in onderhoud",
        "legend": "Van de eerste mislukte meting tot de eerste geslaagde. Wat een andere storing "
        "verklaart, is daar geteld; --json geeft alles.",
        "times": "Buiten werking", "confirmed": "zeker om {at}", "struck": "Wat zij verklaart",
        "part_of": "hoort bij storing {id}",
        "evidence": "Laatste antwoord {at}; {failed} mislukte metingen.",
        "no_answer_before": "Geen recent antwoord; {failed} mislukte metingen.",
        "restarted": "Het was net herstart, om {at}.",
        "ran_on": "Het werkte al sinds {at}: de weg ernaartoe was onderbroken.",
        "told": "Wie verwittigd is", "nobody": "niemand",
        "taken": "Opgenomen door {by}, {at}. {note}",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class InFull:
    """All that is known of one outage."""

    incident: Incident
    children: Sequence[Incident]
    """What it explains."""
    told: Sequence[Queued]
    """In order of time."""
    taken_on: Acknowledgement | None
    evidence: Sequence[Seen]
    """Of an access point: what was seen of it each time."""


def outages_table(
    deployment: Deployment, incidents: Sequence[Incident], now_ms: int, language: Language
) -> RenderableType:
    """The outages that explain the others, the latest first; `now_ms` ends what goes on."""
    words = WORDS[language]
    title = Text(words["title"].format(city=deployment.settings.city), style="bold")
    there = {incident.id for incident in incidents}
    explained = Counter(incident.parent for incident in incidents if incident.parent in there)
    roots = [incident for incident in incidents if incident.parent not in there]
    if not roots:
        return Group(title, Text(words["none"]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("since", "lasted", "what", "id"):
        table.add_column(words[name], overflow="fold", no_wrap=name in ("since", "id"))
    for incident in reversed(roots):
        what = Text("\n").join(
            [
                Text(_named(deployment, incident, language), style="bold"),
                *(Text(why) for why in _why(incident, explained[incident.id], words)),
            ]
        )
        since = _local(incident.start_ms, deployment.settings.zone)
        lasted = _lasted(incident.start_ms, incident.end_ms, now_ms, language)
        table.add_row(since, lasted, what, incident.id)
    return Group(title, table, Text(words["legend"], style="dim"))


def outage_view(
    deployment: Deployment, known: InFull, now_ms: int, language: Language
) -> RenderableType:
    """One outage in full."""
    words, zone = WORDS[language], deployment.settings.zone
    incident, taken_on = known.incident, known.taken_on

    def lines() -> Iterator[Text]:
        name = _named(deployment, incident, language)
        yield Text(f"{incident.id}  {name}", style="bold")
        why = [*_why(incident, len(known.children), words)]
        if incident.parent:
            why.append(words["part_of"].format(id=incident.parent))
        yield Text("; ".join(why))
        if taken_on:
            at = _local(taken_on.at_ms, zone)
            said = words["taken"].format(by=taken_on.by or "?", at=at, note=taken_on.note)
            yield Text(said.rstrip())
        yield Text(f"\n{words['times']}", style="bold")
        evidence = {seen.spell: seen for seen in known.evidence}
        for spell in incident.spells:
            span = f"{_local(spell.start_ms, zone)} – {_local(spell.end_ms, zone)}"
            lasted = _lasted(spell.start_ms, spell.end_ms, now_ms, language)
            sure = words["confirmed"].format(at=_local(spell.confirmed_ms, zone))
            yield Text(f"{span}  {lasted}; {sure}")
            if spell in evidence:
                yield Text(" ".join(_evidence(evidence[spell], zone, words)), style="dim")
        if known.children:
            yield Text(f"\n{words['struck']}", style="bold")
        for child in known.children:
            lasted = _lasted(child.start_ms, child.end_ms, now_ms, language)
            yield Text(f"{_named(deployment, child, language)}: {lasted} ({child.id})")
        yield Text(f"\n{words['told']}", style="bold")
        for queued in known.told:
            at = _local(queued.message.at_ms, zone)
            yield Text(f"{at}  {queued.target} ({queued.state}): {queued.message.subject}")
        if not known.told:
            yield Text(words["nobody"])

    return Group(*lines())


def _evidence(seen: Seen, zone: ZoneInfo, words: Mapping[str, str]) -> Iterator[str]:
    code = "no_answer_before" if seen.answered_ms is None else "evidence"
    yield words[code].format(at=_local(seen.answered_ms, zone), failed=seen.failed)
    if seen.restarted is not None:
        said = words["restarted" if seen.restarted else "ran_on"]
        yield said.format(at=_local(seen.started_ms, zone))


def _named(deployment: Deployment, incident: Incident, language: Language) -> str:
    site = deployment.sites.get(incident.site or "")
    return WORDS[language][incident.scope].format(
        site=site.name(language) if site else incident.site or "?",
        ap=incident.ap,
        subject=incident.subject,
    )


def _why(incident: Incident, explained: int, words: Mapping[str, str]) -> Iterator[str]:
    yield words[incident.cause]
    if explained:
        yield words["explains"].format(count=explained)
    if incident.flaps:
        yield words["flaps"].format(count=incident.flaps)
    if incident.maintenance:
        yield words["maintenance"]


def _lasted(start_ms: int, end_ms: int | None, now_ms: int, language: Language) -> str:
    lasted = _brief((now_ms if end_ms is None else end_ms) - start_ms, language)
    return lasted if end_ms is not None else WORDS[language]["goes_on"].format(lasted=lasted)


def _brief(ms: int, language: Language) -> str:
    """The two largest units: `4 h 14 min`."""
    days, rest = divmod(ms // 60_000, 24 * 60)
    parts = zip((days, *divmod(rest, 60)), UNITS[language], strict=True)
    said = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(said[:2]) or f"< 1 {UNITS[language][-1]}"


def _local(ts_ms: int | None, zone: ZoneInfo) -> str:
    if ts_ms is None:
        return "…"
    return f"{datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
