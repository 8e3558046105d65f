"""What `underused --explain` says around its figures, in the deployments' languages."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections.abc import Mapping
from typing import Final

from config.settings import Language

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "{name} ({site}): {verdict}",
        "window": "Weeks judged: {weeks}, from {first} up to {last}. Local time, {zone}.",
        "weeks": "The weeks, in open hours",
        "week": "week of", "open_hours": "open h", "coverage_of": "cover", "known_of": "known",
        "up": "up", "user_hours": "user-h", "known_hours": "known h", "users": "users",
        "peers_users": "peers",
        "legend": "users: user-h / known h, the hours in which it could be used and the number "
        "of its users is known. peers: the median of its peers that week. * is in the middle half "
        "of the weeks.",
        "sum": "A typical week, the mean of those marked *: {intensity} users here, {median} at "
        "its peers: {intensity} / {median} = {ratio}.",
        "no_sum": "A typical week, the mean of those marked *: {intensity} users here.",
        "resampled": "95 % interval: {low} to {high}, of {times} draws of the same weeks on both "
        "sides, with replacement; seed {seed}.",
        "checks": "The questions, in their order",
        "question": "question", "value": "value", "limit": "limit", "outcome": "outcome",
        "in_service": "in service, heard", "ever_open": "open hours",
        "weeks_in": "weeks in service",
        "coverage": "coverage", "open_days": "open days observed",
        "clients_known": "number of users known", "availability": "availability",
        "peers": "peers of its kind", "ratio": "ratio to the peers' median",
        "interval": "upper end of the interval",
        "met": "go on", "city_counts": "go on: the city counts in", "under": "under: go on",
        "decides": "decides: {verdict}", "not_asked": "not asked",
        "yes": "yes", "no": "no",
        "peer_list": "Its peers, users at a time in a typical week",
        "mixed": "They count for {kind}; the median of all {city} other sites with good evidence "
        "counts for {rest}.",
        "no_peers": "none with good evidence",
        "history": "The weekly verdicts, latest first",
        "history_one": "The first assessment stands.",
        "history_agree": "The verdict that stands is the one on which two weeks in a row agree.",
        "history_first": "No two weeks in a row agree; the first assessment stands.",
        "history_assessable": "It could not be assessed before; the first verdict after that "
        "stands at once.",
        "alone": "The figures of this week alone say {verdict}.",
        "hours": "Open hours",
        "always": "around the clock", "assumed": "not known: around the clock",
        "in_use": "not known; in use: {hours}",
        "holidays": "Public holidays inside: {days}.",
        "closure": "Closed: {span}", "maintenance": "Maintenance: {span}",
        "samples": "The samples",
        "sample": "{ap}: {samples} samples, {failed} of them failed polls, {silent} without a "
        "count of clients; from {first} to {last}{every}; open hours covered: {coverage}.",
        "every": ", polled every {seconds} s", "no_samples": "{ap}: none.",
        "no_aps": "No access point is listed.",
        "reasons": "In words",
    },
    "fr": {
        "title": "{name} ({site}) : {verdict}",
        "window": "Semaines évaluées : {weeks}, du {first} au {last} exclu. Heure locale, {zone}.",
        "weeks": "Les semaines, aux heures d’ouverture",
        "week": "semaine du", "open_hours": "h ouv.", "coverage_of": "couv.", "known_of": "connu",
        "up": "marche", "user_hours": "h util.", "known_hours": "h conn.", "users": "util.",
        "peers_users": "pairs",
        "legend": "util. : h util. / h conn., les heures où le site pouvait servir et où le nombre "
        "d’utilisateurs est connu. pairs : la médiane de ses pairs cette semaine-là. * est dans "
        "la moitié centrale des semaines.",
        "sum": "Une semaine typique, moyenne de celles marquées * : {intensity} utilisateurs ici, "
        "{median} chez ses pairs : {intensity} / {median} = {ratio}.",
        "no_sum": "Une semaine typique, moyenne de celles marquées * : {intensity} utilisateurs "
        "ici.",
        "resampled": "Intervalle à 95 % : de {low} à {high}, par {times} tirages des mêmes "
        "semaines des deux côtés, avec remise ; graine {seed}.",
        "checks": "Les questions, dans leur ordre",
        "question": "question", "value": "valeur", "limit": "limite", "outcome": "issue",
        "in_service": "en service, entendu", "ever_open": "heures d’ouverture",
        "weeks_in": "semaines en service",
        "coverage": "couverture", "open_days": "jours d’ouverture observés",
        "clients_known": "nombre d’utilisateurs connu", "availability": "disponibilité",
        "peers": "pairs du même type", "ratio": "rapport à la médiane des pairs",
        "interval": "haut de l’intervalle",
        "met": "on continue", "city_counts": "on continue : la ville compte",
        "under": "dessous : on continue",
        "decides": "décide : {verdict}", "not_asked": "non posée",
        "yes": "oui", "no": "non",
        "peer_list": "Ses pairs, utilisateurs à la fois d’une semaine typique",
        "mixed": "Ils comptent pour {kind} ; la médiane des {city} autres sites bien observés "
        "compte pour {rest}.",
        "no_peers": "aucun de bien observé",
        "history": "Les verdicts hebdomadaires, le dernier d’abord",
        "history_one": "La première évaluation reste valable.",
        "history_agree": "Reste valable le verdict sur lequel deux semaines de suite concordent.",
        "history_first": "Jamais deux semaines de suite ne concordent ; la première évaluation "
        "reste valable.",
        "history_assessable": "Avant, le site n’était pas évaluable ; le premier verdict qui suit "
        "vaut aussitôt.",
        "alone": "Les chiffres de cette semaine seuls disent {verdict}.",
        "hours": "Heures d’ouverture",
        "always": "jour et nuit", "assumed": "inconnues : jour et nuit",
        "in_use": "inconnues ; utilisé : {hours}",
        "holidays": "Jours fériés compris : {days}.",
        "closure": "Fermé : {span}", "maintenance": "Maintenance : {span}",
        "samples": "Les échantillons",
        "sample": "{ap} : {samples} échantillons, dont {failed} interrogations échouées et "
        "{silent} sans nombre d’utilisateurs ; de {first} à {last}{every} ; heures d’ouverture "
        "couvertes : {coverage}.",
        "every": ", interrogée toutes les {seconds} s", "no_samples": "{ap} : aucun.",
        "no_aps": "Aucune borne n’est renseignée.",
        "reasons": "En mots",
    },
    "nl": {
        "title": "{name} ({site}): {verdict}",
        "window": "Beoordeelde weken: {weeks}, van {first} tot {last}. Lokale tijd, {zone}.",
        "weeks": "De weken, tijdens de openingsuren",
        "week": "week van", "open_hours": "open u", "coverage_of": "dekk.", "known_of": "bekend",
        "up": "werkt", "user_hours": "gebr.u", "known_hours": "bek. u", "users": "gebr.",
        "peers_users": "verg.",
        "legend": "gebr.: gebr.u / bek. u, de uren waarin het punt bruikbaar was en het aantal "
        "gebruikers bekend is. verg.: de mediaan van de vergelijkbare punten die week. * ligt in "
        "de middelste helft van de weken.",
        "sum": "Een typische week, het gemiddelde van die met *: {intensity} gebruikers hier, "
        "{median} bij de vergelijkbare punten: {intensity} / {median} = {ratio}.",
        "no_sum": "Een typische week, het gemiddelde van die met *: {intensity} gebruikers hier.",
        "resampled": "95 %-interval: {low} tot {high}, uit {times} trekkingen van dezelfde weken "
        "aan beide kanten, met teruglegging; zaad {seed}.",
        "checks": "De vragen, in hun volgorde",
        "question": "vraag", "value": "waarde", "limit": "grens", "outcome": "uitkomst",
        "in_service": "in dienst, gehoord", "ever_open": "openingsuren",
        "weeks_in": "weken in dienst",
        "coverage": "dekking", "open_days": "waargenomen openingsdagen",
        "clients_known": "aantal gebruikers bekend", "availability": "beschikbaarheid",
        "peers": "vergelijkbare punten", "ratio": "verhouding tot hun mediaan",
        "interval": "bovenkant van het interval",
        "met": "verder", "city_counts": "verder: de stad telt mee", "under": "eronder: verder",
        "decides": "beslist: {verdict}", "not_asked": "niet gevraagd",
        "yes": "ja", "no": "nee",
        "peer_list": "De vergelijkbare punten, gebruikers tegelijk in een typische week",
        "mixed": "Ze tellen voor {kind}; de mediaan van alle {city} andere goed waargenomen "
        "punten telt voor {rest}.",
        "no_peers": "geen goed waargenomen",
        "history": "De wekelijkse oordelen, het laatste eerst",
        "history_one": "De eerste beoordeling geldt.",
        "history_agree": "Het oordeel waarover twee weken na elkaar overeenstemmen, geldt.",
        "history_first": "Nooit stemmen twee weken na elkaar overeen; de eerste beoordeling "
        "geldt.",
        "history_assessable": "Voordien was de site niet te beoordelen; het eerste oordeel daarna "
        "geldt meteen.",
        "alone": "De cijfers van deze week alleen zeggen {verdict}.",
        "hours": "Openingsuren",
        "always": "dag en nacht", "assumed": "niet bekend: dag en nacht",
        "in_use": "niet bekend; gebruikt: {hours}",
        "holidays": "Feestdagen erin: {days}.",
        "closure": "Gesloten: {span}", "maintenance": "Onderhoud: {span}",
        "samples": "De metingen",
        "sample": "{ap}: {samples} metingen, waarvan {failed} mislukte bevragingen en {silent} "
        "zonder aantal gebruikers; van {first} tot {last}{every}; gedekte openingsuren: "
        "{coverage}.",
        "every": ", bevraagd om de {seconds} s", "no_samples": "{ap}: geen.",
        "no_aps": "Er is geen toegangspunt bekend.",
        "reasons": "In woorden",
    },
}  # fmt: skip
