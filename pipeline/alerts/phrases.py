"""The sentences of alerts in the three languages: no jargon, no relative times, short."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections.abc import Mapping
from typing import Final

from config.settings import Language

CATALOGUE: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        # What is down, in a few words: the subject of a message and its place in lists.
        "what_ap": "{site}, access point {ap}",
        "what_site": "{site}",
        "what_controller": "controller {subject}",
        "what_uplink": "{subject}",
        "what_poller": "monitoring ({subject})",
        "opened_ap": "Access point down: {what}",
        "opened_site": "No Wi-Fi: {what}",
        "opened_controller": "Controller down: {subject}, {sites:count:site|sites} affected",
        "opened_uplink": "Out of reach: {subject}, {sites:count:site|sites} affected",
        "opened_poller": "Monitoring is blind: {subject}",
        "flapping": "Comes and goes: {what}",
        "reminder": "Still down since {since}: {what}",
        "escalated": "Not acknowledged: {what}",
        "resolved": "Back after {lasted}: {what}",
        "withdrawn": "Withdrawn: {what}",
        "several_opened": "{count:count:outage|outages}: {some}",
        "several_flapping": "{count:count:outage|outages} coming and going: {some}",
        "several_reminder": "{count:count:outage|outages} not over: {some}",
        "several_escalated": "{count:count:outage|outages} nobody has acknowledged: {some}",
        "several_resolved": "Back, {count:count:outage|outages}: {some}",
        "several_withdrawn": "{count:count:outage|outages} withdrawn: {some}",
        # What is known of it.
        "is_ap": "Access point {ap} of {site} has been down since {since}. The site has "
        "{total:count:access point|access points}.",
        "is_lone": "No Wi-Fi at {site} since {since}: access point {ap}, its only one, is down.",
        "is_site": "No Wi-Fi at {site} since {since}: none of its {total:count:access point|access "
        "points} answers.",
        "is_controller": "Controller {subject} has not answered since {since}. Behind it: "
        "{total:count:access point|access points} at {sites:count:site|sites} ({places}).",
        "is_behind": "Everything behind controller {subject} has been down since {since}: "
        "{total:count:access point|access points} at {sites:count:site|sites} ({places}).",
        "is_uplink": "Nothing behind {subject} has answered since {since}: "
        "{total:count:access point|access points} at {sites:count:site|sites} ({places}).",
        "is_poller": "Spotwatch has seen nothing through {subject} since {since}. What is up and "
        "what is down is unknown; no outage is reported meanwhile.",
        "said_down": "It said so itself, or its controller or broker did.",
        "usual": "Usually {users:count:user|users} at this hour.",
        "often": "It has come back and failed again {flaps:count:time|times}.",
        "steady": "{what} has come back and failed again {flaps:count:time|times} since {since}. "
        "The next message comes when it has been up for a while.",
        "not_over": "Nobody has acknowledged it.",
        "back": "{what}: works again since {until}. Down from {since}, for {lasted}.",
        "back_poller": "Spotwatch sees through {subject} again since {until}. It was blind from "
        "{since}, for {lasted}; what happened meanwhile is unknown and is charged to nobody.",
        "back_often": "{what}: up without a break since {until}. It was down "
        "{downs:count:time|times} from {since} on, for {lasted} in all.",
        "left": "Still down there: {left}.",
        "void": "{what}: on later evidence this was not down since {since} as told. What is "
        "down is told apart.",
        # What to do.
        # A site that is up, where nobody is seen.
        "opened_unused": "Up, but nobody uses it: {what}",
        "resolved_unused": "No longer up without users: {what}",
        "several_opened_unused": "Up, but nobody uses {count:count:site|sites}: {some}",
        "several_resolved_unused": "No longer up without users, {count:count:site|sites}: {some}",
        "is_unused": "{site} is up, but nobody has been seen there since {since}.",
        "unused_longest": "At these hours it had {users} users at a time on average in the last "
        "{weeks:count:week|weeks}, and was never empty for more than {longest} in a row.",
        "unused_never": "At these hours it had {users} users at a time on average in the last "
        "{weeks:count:week|weeks}, and was never empty.",
        "unused_odds": "By chance that happens less than once in {odds} times.",
        "do_unused": "Try its Wi-Fi: the name of the network, the sign-in page, addresses (DHCP).",
        "back_unused": "{site}: nobody was seen from {since} to {until}, for {lasted}. Since "
        "then it is used again, or down, which is told apart.",
        "do_ap": "Check its power and its cable.",
        "do_lone": "Check its power, its cable and the line of the site.",
        "do_site": "Check the power and the line of the site first.",
        "do_controller": "Check the controller first: its access points come back with it.",
        "do_uplink": "Check {subject} and its line first: the rest comes back with it.",
        "do_poller": "Check the network of the monitoring machine; `spotwatch doctor` says more.",
        "ack": "On it: spotwatch outages ack {id}",
        # Several in one message.
        "item": "- {what}, since {since} ({id})",
        "item_back": "- {what}, after {lasted} ({id})",
        "more": "- and {more} more: spotwatch outages --open",
        "more_back": "- and {more} more: spotwatch outages",
        "both": "{one}; {other}",
        "some_more": "{some} and {more} more",
        "test": "Test by Spotwatch, {city}",
        "test_body": "If you read this, {notifier} gets the alerts of {city}. Nothing is down.",
        "minute": "minute|minutes",
        "hour": "hour|hours",
        "day": "day|days",
        "under_a_minute": "less than a minute",
    },
    "fr": {
        "what_ap": "{site}, borne {ap}",
        "what_site": "{site}",
        "what_controller": "contrôleur {subject}",
        "what_uplink": "{subject}",
        "what_poller": "surveillance ({subject})",
        "opened_ap": "Borne en panne : {what}",
        "opened_site": "Plus de Wi-Fi : {what}",
        "opened_controller": "Contrôleur en panne : {subject}, {sites:count:site touché|sites "
        "touchés}",
        "opened_uplink": "Injoignable : {subject}, {sites:count:site touché|sites touchés}",
        "opened_poller": "Surveillance aveugle : {subject}",
        "flapping": "Va et vient : {what}",
        "reminder": "Toujours en panne depuis {since} : {what}",
        "escalated": "Personne ne s’en occupe : {what}",
        "resolved": "Rétabli après {lasted} : {what}",
        "withdrawn": "Alerte annulée : {what}",
        "several_opened": "{count:count:panne|pannes} : {some}",
        "several_flapping": "{count:count:panne qui va et vient|pannes qui vont et viennent} : "
        "{some}",
        "several_reminder": "{count:count:panne pas encore finie|pannes pas encore finies} : "
        "{some}",
        "several_escalated": "{count:count:panne|pannes} dont personne ne s’occupe : {some}",
        "several_resolved": "Rétabli, {count:count:panne|pannes} : {some}",
        "several_withdrawn": "{count:count:alerte annulée|alertes annulées} : {some}",
        "is_ap": "La borne {ap} est en panne depuis {since}. Site : {site}, "
        "{total:count:borne|bornes} en tout.",
        "is_lone": "Plus de Wi-Fi depuis {since}. Site : {site} ; sa seule borne, {ap}, est en "
        "panne.",
        "is_site": "Plus de Wi-Fi depuis {since}. Site : {site} ; aucune de ses bornes ne répond "
        "(il y en a {total}).",
        "is_controller": "Le contrôleur {subject} ne répond plus depuis {since}. Derrière lui : "
        "{total:count:borne|bornes}, {sites:count:site|sites} ({places}).",
        "is_behind": "Tout est en panne derrière le contrôleur {subject} depuis {since} : "
        "{total:count:borne|bornes}, {sites:count:site|sites} ({places}).",
        "is_uplink": "Plus rien ne répond derrière {subject} depuis {since} : "
        "{total:count:borne|bornes}, {sites:count:site|sites} ({places}).",
        "is_poller": "Spotwatch ne voit plus rien par {subject} depuis {since}. On ne sait pas ce "
        "qui marche ni ce qui est en panne ; aucune panne n’est signalée entre-temps.",
        "said_down": "La borne l’a dit elle-même, ou son contrôleur, ou le courtier MQTT.",
        "usual": "D’habitude {users:count:utilisateur|utilisateurs} à cette heure.",
        "often": "Revenu puis retombé {flaps:count:fois|fois}.",
        "steady": "{what} : revenu puis retombé {flaps:count:fois|fois} depuis {since}. Le "
        "prochain message viendra quand tout aura tenu un bon moment.",
        "not_over": "Personne n’a dit s’en occuper.",
        "back": "{what} : fonctionne à nouveau depuis {until}. Panne à partir de {since}, durée "
        "{lasted}.",
        "back_poller": "Spotwatch voit à nouveau par {subject} depuis {until}. Aveugle à partir de "
        "{since}, pendant {lasted} ; ce qui s’est passé entre-temps est inconnu et n’est imputé à "
        "personne.",
        "back_often": "{what} : en marche sans interruption depuis {until}. En panne "
        "{downs:count:fois|fois} à partir de {since}, {lasted} au total.",
        "left": "Encore en panne là-bas : {left}.",
        "void": "{what} : d’après des données plus récentes, pas de panne depuis {since} comme "
        "signalé. Ce qui est en panne est signalé à part.",
        "opened_unused": "En marche, mais personne : {what}",
        "resolved_unused": "N’est plus en marche sans personne : {what}",
        "several_opened_unused": "En marche, mais personne, {count:count:site|sites} : {some}",
        "several_resolved_unused": "Plus en marche sans personne, {count:count:site|sites} : "
        "{some}",
        "is_unused": "Site : {site}. En marche, mais personne n’y a été vu depuis {since}.",
        "unused_longest": "À ces heures, il y avait en moyenne {users} utilisateurs à la fois, "
        "sur {weeks:count:semaine|semaines}, et jamais plus de {longest} de suite sans personne.",
        "unused_never": "À ces heures, il y avait en moyenne {users} utilisateurs à la fois, sur "
        "{weeks:count:semaine|semaines}, et toujours quelqu’un.",
        "unused_odds": "Par hasard, cela arrive moins d’une fois sur {odds}.",
        "do_unused": "Essayez son Wi-Fi : nom du réseau, page de connexion, adresses (DHCP).",
        "back_unused": "Site : {site}. Personne n’a été vu de {since} à {until}, durée {lasted}. "
        "Depuis, il y a de nouveau du monde, ou une panne, qui est signalée à part.",
        "do_ap": "Vérifiez son alimentation et son câble.",
        "do_lone": "Vérifiez son alimentation, son câble et la ligne du site.",
        "do_site": "Vérifiez d’abord le courant et la ligne du site.",
        "do_controller": "Vérifiez d’abord le contrôleur : ses bornes reviendront avec lui.",
        "do_uplink": "Vérifiez d’abord {subject} et sa ligne : le reste suivra.",
        "do_poller": "Vérifiez le réseau de la machine de surveillance ; `spotwatch doctor` en dit "
        "plus.",
        "ack": "Je m’en occupe : spotwatch outages ack {id}",
        "item": "- {what}, depuis {since} ({id})",
        "item_back": "- {what}, après {lasted} ({id})",
        "more": "- et {more} de plus : spotwatch outages --open",
        "more_back": "- et {more} de plus : spotwatch outages",
        "both": "{one} ; {other}",
        "some_more": "{some} et {more} de plus",
        "test": "Test de Spotwatch, {city}",
        "test_body": "Si vous lisez ceci, {notifier} reçoit les alertes de {city}. Rien n’est en "
        "panne.",
        "minute": "minute|minutes",
        "hour": "heure|heures",
        "day": "jour|jours",
        "under_a_minute": "moins d’une minute",
    },
    "nl": {
        "what_ap": "{site}, toegangspunt {ap}",
        "what_site": "{site}",
        "what_controller": "controller {subject}",
        "what_uplink": "{subject}",
        "what_poller": "bewaking ({subject})",
        "opened_ap": "Toegangspunt uitgevallen: {what}",
        "opened_site": "Geen wifi: {what}",
        "opened_controller": "Controller uitgevallen: {subject}, {sites:count:locatie|locaties} "
        "getroffen",
        "opened_uplink": "Onbereikbaar: {subject}, {sites:count:locatie|locaties} getroffen",
        "opened_poller": "Bewaking ziet niets: {subject}",
        "flapping": "Valt telkens weer uit: {what}",
        "reminder": "Nog altijd uitgevallen sinds {since}: {what}",
        "escalated": "Niemand is ermee bezig: {what}",
        "resolved": "Hersteld na {lasted}: {what}",
        "withdrawn": "Melding ingetrokken: {what}",
        "several_opened": "{count:count:storing|storingen}: {some}",
        "several_flapping": "{count:count:storing die telkens terugkomt|storingen die telkens "
        "terugkomen}: {some}",
        "several_reminder": "{count:count:storing|storingen} nog niet voorbij: {some}",
        "several_escalated": "{count:count:storing|storingen} waar niemand mee bezig is: {some}",
        "several_resolved": "Hersteld, {count:count:storing|storingen}: {some}",
        "several_withdrawn": "{count:count:melding|meldingen} ingetrokken: {some}",
        "is_ap": "Toegangspunt {ap} werkt niet meer sinds {since}. Locatie: {site}, "
        "{total:count:toegangspunt|toegangspunten} in totaal.",
        "is_lone": "Geen wifi sinds {since}. Locatie: {site}; het enige toegangspunt, {ap}, is "
        "uitgevallen.",
        "is_site": "Geen wifi sinds {since}. Locatie: {site}; geen enkel toegangspunt antwoordt "
        "(er zijn er {total}).",
        "is_controller": "Controller {subject} antwoordt niet meer sinds {since}. Erachter: "
        "{total:count:toegangspunt|toegangspunten} op {sites:count:locatie|locaties} ({places}).",
        "is_behind": "Alles achter controller {subject} is uitgevallen sinds {since}: "
        "{total:count:toegangspunt|toegangspunten} op {sites:count:locatie|locaties} ({places}).",
        "is_uplink": "Achter {subject} antwoordt niets meer sinds {since}: "
        "{total:count:toegangspunt|toegangspunten} op {sites:count:locatie|locaties} ({places}).",
        "is_poller": "Spotwatch ziet niets meer via {subject} sinds {since}. Wat werkt en wat niet "
        "is onbekend; intussen wordt geen storing gemeld.",
        "said_down": "Het toegangspunt meldde het zelf, of zijn controller of de MQTT-broker.",
        "usual": "Gewoonlijk {users:count:gebruiker|gebruikers} op dit uur.",
        "often": "{flaps:count:keer|keer} teruggekomen en weer uitgevallen.",
        "steady": "{what}: {flaps:count:keer|keer} teruggekomen en weer uitgevallen sinds {since}. "
        "Het volgende bericht komt wanneer alles een tijd blijft werken.",
        "not_over": "Niemand heeft gezegd ermee bezig te zijn.",
        "back": "{what}: werkt weer sinds {until}. Uitgevallen vanaf {since}, {lasted} lang.",
        "back_poller": "Spotwatch ziet weer via {subject} sinds {until}. Het zag niets vanaf "
        "{since}, {lasted} lang; wat er intussen gebeurde is onbekend en telt voor niemand.",
        "back_often": "{what}: werkt zonder onderbreking sinds {until}. "
        "{downs:count:keer|keer} uitgevallen vanaf {since}, samen {lasted}.",
        "left": "Daar nog uitgevallen: {left}.",
        "void": "{what}: volgens latere gegevens niet uitgevallen sinds {since}, zoals gemeld. Wat "
        "wel uitgevallen is, wordt apart gemeld.",
        "opened_unused": "Werkt, maar niemand gebruikt het: {what}",
        "resolved_unused": "Niet langer zonder gebruikers: {what}",
        "several_opened_unused": "Werkt, maar niemand op {count:count:locatie|locaties}: {some}",
        "several_resolved_unused": "Niet langer zonder gebruikers, "
        "{count:count:locatie|locaties}: {some}",
        "is_unused": "Locatie: {site}. De wifi werkt, maar sinds {since} is er niemand gezien.",
        "unused_longest": "Op deze uren waren er gemiddeld {users} gebruikers tegelijk, over "
        "{weeks:count:week|weken}, en nooit langer dan {longest} na elkaar niemand.",
        "unused_never": "Op deze uren waren er gemiddeld {users} gebruikers tegelijk, over "
        "{weeks:count:week|weken}, en altijd wel iemand.",
        "unused_odds": "Toevallig gebeurt dat minder dan één keer op {odds}.",
        "do_unused": "Probeer de wifi: netwerknaam, aanmeldpagina, adressen (DHCP).",
        "back_unused": "Locatie: {site}. Van {since} tot {until} is er niemand gezien, {lasted} "
        "lang. Sindsdien wordt de wifi weer gebruikt, of is er een storing, die apart gemeld "
        "wordt.",
        "do_ap": "Controleer de voeding en de kabel.",
        "do_lone": "Controleer de voeding, de kabel en de lijn van de locatie.",
        "do_site": "Controleer eerst de stroom en de lijn van de locatie.",
        "do_controller": "Controleer eerst de controller: zijn toegangspunten komen dan terug.",
        "do_uplink": "Controleer eerst {subject} en de lijn: de rest volgt dan.",
        "do_poller": "Controleer het netwerk van de bewakingsmachine; `spotwatch doctor` zegt "
        "meer.",
        "ack": "Ik ben ermee bezig: spotwatch outages ack {id}",
        "item": "- {what}, sinds {since} ({id})",
        "item_back": "- {what}, na {lasted} ({id})",
        "more": "- en nog {more}: spotwatch outages --open",
        "more_back": "- en nog {more}: spotwatch outages",
        "both": "{one}; {other}",
        "some_more": "{some} en nog {more}",
        "test": "Test van Spotwatch, {city}",
        "test_body": "Als u dit leest, krijgt {notifier} de meldingen van {city}. Er is geen "
        "storing.",
        "minute": "minuut|minuten",
        "hour": "uur|uur",
        "day": "dag|dagen",
        "under_a_minute": "minder dan een minuut",
    },
}
"""Figures are formatted by their names: `{sites:count:site|sites}` is `1 site` or `12 sites`."""
