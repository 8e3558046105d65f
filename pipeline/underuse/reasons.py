"""Reasons as data, and their wording in the languages of the deployments."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from babel.numbers import format_decimal, format_percent

from config.settings import Language, Underuse


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: a key of the catalogue and its figures."""

    code: str
    figures: Mapping[str, float | str | None]


CATALOGUE: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "not_in_service": "Not in service during the weeks assessed.",
        "no_access_points": "No access point of it is listed.",
        "never_heard": "Nothing was received from its access points before the end of the weeks "
        "assessed.",
        "out_of_service": "No longer in service at the end of the weeks assessed.",
        "never_open": "Never open during the weeks assessed.",
        "few_weeks": "In service and watched for {weeks:tenths} weeks only; {limit:whole} needed.",
        "low_coverage": "Only {coverage:percent} of the open hours were observed; "
        "{limit:percent} needed.",
        "few_open_days": "Only {days:whole} open days were observed; {limit:whole} needed.",
        "clients_unknown": "The number of users is known for {known:percent} of the open hours "
        "only; {limit:percent} needed.",
        "no_peers": "{intensity:decimal} users at a time in open hours, and no other spot with "
        "good evidence to compare with.",
        "low_availability": "Up {availability:percent} of the open hours, under "
        "{limit:percent}: broken is not unwanted.",
        "underused": "{intensity:decimal} users at a time in open hours, {ratio:percent} of the "
        "median of its peers ({peer_median:decimal}); the whole 95 % interval, {low:percent} to "
        "{high:percent}, is under {limit:percent}.",
        "unused": "No user in the open hours of a typical week; the median of its peers is "
        "{peer_median:decimal} users at a time.",
        "unsure": "{intensity:decimal} users at a time in open hours, {ratio:percent} of the "
        "median of its peers ({peer_median:decimal}), under {limit:percent}; but the 95 % "
        "interval, {low:percent} to {high:percent}, is not.",
        "used": "{intensity:decimal} users at a time in open hours, {ratio:percent} of the median "
        "of its peers ({peer_median:decimal}; 95 % interval: {low:percent} to {high:percent}).",
        "all_idle": "No user in the open hours of a typical week; nor do its peers have any "
        "(median {peer_median:decimal}).",
        "only_used": "{intensity:decimal} users at a time in open hours; the median of its peers "
        "is {peer_median:decimal}.",
        "few_peers": "Other spots of its kind with good evidence: {peers:whole}, fewer than "
        "{limit:whole}; the whole city counts in.",
        "hours_assumed": "No opening hours known: judged around the clock.",
        "hours_by_use": "No opening hours known: judged in the {hours:whole} hours of the week "
        "in which it is usually used.",
        "hours_by_kind": "No opening hours known: judged in the {hours:whole} hours of the week "
        "in which it is usually used, among those in which spots of its kind are open.",
        "alone_underused": "This week's figures alone would say underused; a verdict changes when "
        "two weeks in a row agree.",
        "alone_repair_first": "This week's figures alone would say repair first (repair_first); a "
        "verdict changes when two weeks in a row agree.",
        "alone_watch": "This week's figures alone would say watch; a verdict changes when two weeks"
        " in a row agree.",
        "alone_not_assessable": "This week's figures alone would say not assessable "
        "(not_assessable); a verdict changes when two weeks in a row agree.",
        "alone_ok": "This week's figures alone would say ok; a verdict changes when two weeks in a "
        "row agree.",
        "surplus": "Access point {ap:name} is surplus: {intensity:decimal} users at a time in open "
        "hours, {ratio:percent} of the median of the others here ({median:decimal}; "
        "{others:whole} compared); the whole 95 % interval, {low:percent} to {high:percent}, is "
        "under {limit:percent}.",
        "definition": "Underused: over {weeks:whole} weeks, users at a time in open hours are so "
        "far under the median of spots of the same kind that the whole 95 % interval of the ratio "
        "is under {ratio:percent}; watch: the ratio is under it, the interval is not. A typical "
        "week is the mean of the middle half of the weeks. Repair first: up less than "
        "{availability:percent} of the open hours. Not assessable: under {coverage:percent} of "
        "the open hours observed, under {min_weeks:whole} weeks in service or under "
        "{days:whole} open days. With fewer than {peers:whole} peers the whole city counts in. "
        "Every Monday is a new assessment; the first verdict stands at once, after that it "
        "changes when two in a row agree.",
    },
    "fr": {
        "not_in_service": "Pas en service pendant les semaines évaluées.",
        "no_access_points": "Aucune borne n’est renseignée pour ce site.",
        "never_heard": "Rien n’a été reçu de ses bornes avant la fin des semaines évaluées.",
        "out_of_service": "Plus en service à la fin des semaines évaluées.",
        "never_open": "Jamais ouvert pendant les semaines évaluées.",
        "few_weeks": "En service et suivi pendant {weeks:tenths} semaines seulement ; il en faut "
        "{limit:whole}.",
        "low_coverage": "Seulement {coverage:percent} des heures d’ouverture ont été observées ; "
        "il en faut {limit:percent}.",
        "few_open_days": "Jours d’ouverture observés : {days:whole} seulement ; il en faut "
        "{limit:whole}.",
        "clients_unknown": "Le nombre d’utilisateurs n’est connu que pour {known:percent} des "
        "heures d’ouverture ; il en faut {limit:percent}.",
        "no_peers": "{intensity:decimal} utilisateurs à la fois aux heures d’ouverture, et aucun "
        "autre point d’accès assez bien observé pour comparer.",
        "low_availability": "En marche pendant {availability:percent} des heures d’ouverture, "
        "moins que {limit:percent} : en panne ne veut pas dire inutile.",
        "underused": "{intensity:decimal} utilisateurs à la fois aux heures d’ouverture, soit "
        "{ratio:percent} de la médiane de ses pairs ({peer_median:decimal}) ; tout l’intervalle à "
        "95 %, de {low:percent} à {high:percent}, est sous {limit:percent}.",
        "unused": "Aucun utilisateur aux heures d’ouverture d’une semaine typique ; la médiane de "
        "ses pairs est de {peer_median:decimal} utilisateurs à la fois.",
        "unsure": "{intensity:decimal} utilisateurs à la fois aux heures d’ouverture, soit "
        "{ratio:percent} de la médiane de ses pairs ({peer_median:decimal}), sous "
        "{limit:percent} ; mais pas tout l’intervalle à 95 %, de {low:percent} à {high:percent}.",
        "used": "{intensity:decimal} utilisateurs à la fois aux heures d’ouverture, soit "
        "{ratio:percent} de la médiane de ses pairs ({peer_median:decimal} ; intervalle à 95 % : "
        "de {low:percent} à {high:percent}).",
        "all_idle": "Aucun utilisateur aux heures d’ouverture d’une semaine typique ; ses pairs "
        "n’en ont pas non plus (médiane {peer_median:decimal}).",
        "only_used": "{intensity:decimal} utilisateurs à la fois aux heures d’ouverture ; la "
        "médiane de ses pairs est de {peer_median:decimal}.",
        "few_peers": "Autres points du même type assez bien observés : {peers:whole}, moins que "
        "{limit:whole} ; toute la ville est prise en compte.",
        "hours_assumed": "Horaire d’ouverture inconnu : évalué jour et nuit.",
        "hours_by_use": "Horaire d’ouverture inconnu : évalué pendant les {hours:whole} heures de "
        "la semaine où il est habituellement utilisé.",
        "hours_by_kind": "Horaire d’ouverture inconnu : évalué pendant les {hours:whole} heures "
        "de la semaine où il est habituellement utilisé, parmi celles où les points de son type "
        "sont ouverts.",
        "alone_underused": "Les chiffres de cette semaine seuls diraient : sous-utilisé (underused)"
        " ; un verdict change quand deux semaines de suite concordent.",
        "alone_repair_first": "Les chiffres de cette semaine seuls diraient : à réparer d’abord "
        "(repair_first) ; un verdict change quand deux semaines de suite concordent.",
        "alone_watch": "Les chiffres de cette semaine seuls diraient : à suivre (watch) ; un "
        "verdict change quand deux semaines de suite concordent.",
        "alone_not_assessable": "Les chiffres de cette semaine seuls diraient : non évaluable "
        "(not_assessable) ; un verdict change quand deux semaines de suite concordent.",
        "alone_ok": "Les chiffres de cette semaine seuls diraient : en ordre (ok) ; un verdict "
        "change quand deux semaines de suite concordent.",
        "surplus": "La borne {ap:name} est superflue : {intensity:decimal} utilisateurs à la fois "
        "aux heures d’ouverture, soit {ratio:percent} de la médiane des autres d’ici "
        "({median:decimal} ; {others:whole} comparées) ; tout l’intervalle à 95 %, de "
        "{low:percent} à {high:percent}, est sous {limit:percent}.",
        "definition": "Sous-utilisé (underused) : sur {weeks:whole} semaines, le nombre "
        "d’utilisateurs à la fois aux heures d’ouverture est si loin sous la médiane des points "
        "du même type que tout l’intervalle à 95 % du rapport est sous {ratio:percent} ; à suivre "
        "(watch) : le rapport l’est, l’intervalle non. Une semaine typique est la moyenne de la "
        "moitié centrale des semaines. À réparer d’abord (repair_first) : en marche moins de "
        "{availability:percent} des heures d’ouverture. Non évaluable (not_assessable) : moins de "
        "{coverage:percent} des heures d’ouverture observées, moins de {min_weeks:whole} semaines "
        "en service ou moins de {days:whole} jours d’ouverture. Avec moins de {peers:whole} pairs, "
        "toute la ville est prise en compte. Chaque lundi apporte une nouvelle évaluation ; le "
        "premier verdict vaut aussitôt, puis il change quand deux de suite concordent.",
    },
    "nl": {
        "not_in_service": "Niet in dienst tijdens de beoordeelde weken.",
        "no_access_points": "Er is geen toegangspunt van bekend.",
        "never_heard": "Er is niets ontvangen van de toegangspunten vóór het einde van de "
        "beoordeelde weken.",
        "out_of_service": "Niet meer in dienst aan het einde van de beoordeelde weken.",
        "never_open": "Nooit open tijdens de beoordeelde weken.",
        "few_weeks": "Slechts {weeks:tenths} weken in dienst en gevolgd; {limit:whole} nodig.",
        "low_coverage": "Slechts {coverage:percent} van de openingsuren is waargenomen; "
        "{limit:percent} nodig.",
        "few_open_days": "Waargenomen openingsdagen: slechts {days:whole}; {limit:whole} nodig.",
        "clients_unknown": "Het aantal gebruikers is slechts voor {known:percent} van de "
        "openingsuren bekend; {limit:percent} nodig.",
        "no_peers": "{intensity:decimal} gebruikers tegelijk tijdens de openingsuren, en geen "
        "ander goed waargenomen punt om mee te vergelijken.",
        "low_availability": "In werking tijdens {availability:percent} van de openingsuren, minder "
        "dan {limit:percent}: defect is niet ongewenst.",
        "underused": "{intensity:decimal} gebruikers tegelijk tijdens de openingsuren, "
        "{ratio:percent} van de mediaan van de vergelijkbare punten ({peer_median:decimal}); het "
        "hele 95 %-interval, {low:percent} tot {high:percent}, ligt onder {limit:percent}.",
        "unused": "Geen gebruiker tijdens de openingsuren van een typische week; de mediaan van de "
        "vergelijkbare punten is {peer_median:decimal} gebruikers tegelijk.",
        "unsure": "{intensity:decimal} gebruikers tegelijk tijdens de openingsuren, "
        "{ratio:percent} van de mediaan van de vergelijkbare punten ({peer_median:decimal}), onder "
        "{limit:percent}; maar niet het hele 95 %-interval, {low:percent} tot {high:percent}.",
        "used": "{intensity:decimal} gebruikers tegelijk tijdens de openingsuren, {ratio:percent} "
        "van de mediaan van de vergelijkbare punten ({peer_median:decimal}; 95 %-interval: "
        "{low:percent} tot {high:percent}).",
        "all_idle": "Geen gebruiker tijdens de openingsuren van een typische week; de "
        "vergelijkbare punten hebben er ook geen (mediaan {peer_median:decimal}).",
        "only_used": "{intensity:decimal} gebruikers tegelijk tijdens de openingsuren; de mediaan "
        "van de vergelijkbare punten is {peer_median:decimal}.",
        "few_peers": "Andere goed waargenomen punten van hetzelfde soort: {peers:whole}, minder "
        "dan {limit:whole}; de hele stad telt mee.",
        "hours_assumed": "Geen openingsuren bekend: dag en nacht beoordeeld.",
        "hours_by_use": "Geen openingsuren bekend: beoordeeld tijdens de {hours:whole} uren van de "
        "week waarin het gewoonlijk wordt gebruikt.",
        "hours_by_kind": "Geen openingsuren bekend: beoordeeld tijdens de {hours:whole} uren van "
        "de week waarin het gewoonlijk wordt gebruikt, onder die waarin punten van zijn soort open "
        "zijn.",
        "alone_underused": "De cijfers van deze week alleen zouden zeggen: te weinig gebruikt "
        "(underused); een oordeel verandert wanneer twee weken na elkaar overeenstemmen.",
        "alone_repair_first": "De cijfers van deze week alleen zouden zeggen: eerst herstellen "
        "(repair_first); een oordeel verandert wanneer twee weken na elkaar overeenstemmen.",
        "alone_watch": "De cijfers van deze week alleen zouden zeggen: op te volgen (watch); een "
        "oordeel verandert wanneer twee weken na elkaar overeenstemmen.",
        "alone_not_assessable": "De cijfers van deze week alleen zouden zeggen: niet te beoordelen "
        "(not_assessable); een oordeel verandert wanneer twee weken na elkaar overeenstemmen.",
        "alone_ok": "De cijfers van deze week alleen zouden zeggen: in orde (ok); een oordeel "
        "verandert wanneer twee weken na elkaar overeenstemmen.",
        "surplus": "Toegangspunt {ap:name} is overtollig: {intensity:decimal} gebruikers tegelijk "
        "tijdens de openingsuren, {ratio:percent} van de mediaan van de andere hier "
        "({median:decimal}; {others:whole} vergeleken); het hele 95 %-interval, {low:percent} tot "
        "{high:percent}, ligt onder {limit:percent}.",
        "definition": "Te weinig gebruikt (underused): over {weeks:whole} weken ligt het aantal "
        "gebruikers tegelijk tijdens de openingsuren zo ver onder de mediaan van punten van "
        "hetzelfde soort dat het hele 95 %-interval van de verhouding onder {ratio:percent} ligt; "
        "op te volgen (watch): de verhouding ligt eronder, het interval niet. Een typische week "
        "is het gemiddelde van de middelste helft van de weken. Eerst herstellen (repair_first): "
        "minder dan {availability:percent} van de openingsuren in werking. Niet te beoordelen "
        "(not_assessable): minder dan {coverage:percent} van de openingsuren waargenomen, minder "
        "dan {min_weeks:whole} weken in dienst of minder dan {days:whole} openingsdagen. Met "
        "minder dan {peers:whole} vergelijkbare punten telt de hele stad mee. Elke maandag wordt "
        "opnieuw beoordeeld; het eerste oordeel geldt meteen, daarna verandert het wanneer twee "
        "na elkaar overeenstemmen.",
    },
}

_DECIMALS: Final = {
    "whole": "#,##0", "tenths": "#,##0.0", "decimal": "#,##0.00", "plain": "#,##0.##",
}  # fmt: skip


class _Figure:
    """A number that a template formats as `percent` or as one of _DECIMALS; or a `name`."""

    def __init__(self, value: float | str | None, language: Language) -> None:
        self._value = value
        self._language = language

    def __format__(self, spec: str) -> str:
        if self._value is None:
            return "∞"
        if spec == "name":
            return str(self._value)
        if spec == "percent":
            return str(format_percent(self._value, locale=self._language))
        return str(format_decimal(self._value, _DECIMALS[spec], locale=self._language))


def worded(
    reason: Reason,
    language: Language,
    catalogue: Mapping[Language, Mapping[str, str]] = CATALOGUE,
) -> str:
    """A reason as a sentence, its numbers as the language writes them."""
    figures = {name: _Figure(value, language) for name, value in reason.figures.items()}
    return catalogue[language][reason.code].format(**figures)


def definition(rule: Underuse, language: Language) -> str:
    """The definition of the verdicts, with the numbers in force."""
    figures = {
        "weeks": rule.window_weeks,
        "ratio": rule.ratio,
        "availability": rule.min_availability,
        "coverage": rule.min_coverage,
        "min_weeks": min(rule.min_weeks, rule.window_weeks),
        "days": rule.min_open_days,
        "peers": rule.min_peers,
    }
    return worded(Reason("definition", figures), language)
