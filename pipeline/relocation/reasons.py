"""The reasons of proposals and of what became of moves, worded in the deployments' languages."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

from collections.abc import Mapping
from typing import Final

from config.settings import Language, Settings
from pipeline.underuse.reasons import Reason
from pipeline.underuse.reasons import worded as worded_from

CATALOGUE: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        # The spot
        "here": "Now {current:tenths} user-hours a day in open hours; {ratio:percent} of the "
        "median of its peers (95 % interval: {low:percent} to {high:percent}).",
        "here_ap": "Surplus access point {ap:name}: now {current:tenths} user-hours a day in open "
        "hours, {ratio:percent} of the median of the {others:whole} others of its site (95 % "
        "interval: {low:percent} to {high:percent}). It takes its own use along; the site keeps "
        "the rest.",
        "target_unknown_here": "Its target public is not known: {value:plain} stands in.",
        "promote": "It serves a target public ({target:plain}; from {limit:plain} on a spot is "
        "not moved): tell people that it is there.",
        "potential": "Used like the median of its peers it would have {more:tenths} user-hours a "
        "day more.",
        # The move
        "expected": "Expected there: {expected:tenths} user-hours a day (95 % interval of one "
        "place: {low:tenths} to {high:tenths}). Spots of that kind known in this city: "
        "{peers:whole}; their median, at {aps:whole} access point(s): {median:tenths}.",
        "few_peers": "Fewer than {limit:whole} of them: how far one may be from the median is "
        "taken from spots of all kinds.",
        "stated": "The city itself expects {stated:tenths}; it counts as {weight:plain} of them.",
        "not_stated": "The city itself states no expectation.",
        "stated_far": "That is outside what the others say, {low:tenths} to {high:tenths}: ask "
        "why.",
        "gain": "Gain: {gain:tenths} user-hours a day ({low:tenths} to {high:tenths}); weighted "
        "by target public, {here:plain} here and {there:plain} there: {weighted:tenths}, with a "
        "chance of a loss of {loss:percent}.",
        "fewer": "Fewer user-hours in all, more where the target public is.",
        "cost": "Cost: {cost:whole} EUR. Weighted user-hours gained per 1,000 EUR over "
        "{years:plain} years: {per_1000:whole}.",
        "free": "Cost: nothing.",
        "apart": "The nearest other spot is {nearest:whole} m away ({limit:whole} m needed).",
        "target_unknown_there": "The target public of the place is not known: {value:plain} "
        "stands in.",
        "ready_unknown": "Whether the place is ready is not known: ask first.",
        "unready": "The place is not ready yet.",
        "unplaced": "Spots without a position, whose distance could not be checked: {spots:whole}.",
        # No move
        "no_places": "No candidate places are known (candidate_places.csv).",
        "none_open": "None of the {places:whole} candidate places is open to it.",
        "outbid": "It would gain by moving ({weighted:tenths} weighted user-hours a day at best), "
        "but within the budget and the distances other moves gain more in all.",
        "no_gain": "No open place gains enough, surely enough. The best: {weighted:tenths} "
        "weighted user-hours a day ({limit:plain} needed), chance of a loss {loss:percent} "
        "(at most {most:percent}); 1,000 EUR must gain {per_1000:whole}.",
        # The place
        "taken": "A spot was moved there already.",
        "has_spot": "It is a site already.",
        "no_kind": "Its kind is not known, so nothing can be expected of it.",
        "no_peers": "No spot of its kind in this city could be assessed, or too few of any kind: "
        "nothing honest can be expected of it.",
        "no_position": "It has no position, so distances cannot be checked.",
        "no_cost": "Its cost is not known.",
        "not_ready": "It is not ready (--include-unready proposes it nevertheless).",
        "over_budget": "It costs {cost:whole} EUR, more than the budget of {budget:whole} EUR.",
        "too_close": "A spot that stays is {nearest:whole} m away; {limit:whole} m are needed.",
        "nobody_moves": "No underused spot is to be moved.",
        "outbid_there": "A spot would gain there ({weighted:tenths} weighted user-hours a day at "
        "best), but within the budget and the distances other moves gain more in all.",
        "no_gain_there": "No spot gains enough there, surely enough. The best: {weighted:tenths} "
        "weighted user-hours a day ({limit:plain} needed), chance of a loss {loss:percent} "
        "(at most {most:percent}); 1,000 EUR must gain {per_1000:whole}.",
        # What became of a move
        "no_new_site": "The new spot has no row in sites.csv yet.",
        "too_early": "Observed for {weeks:tenths} weeks since the move; {limit:whole} needed.",
        "unobserved": "Of its open hours since the move {coverage:percent} were observed; "
        "{limit:percent} needed.",
        "no_expectation": "Observed: {observed:tenths} user-hours a day; what was expected is not "
        "on record.",
        "as_expected": "It came true: {observed:tenths} user-hours a day observed, "
        "{expected:tenths} expected ({low:tenths} to {high:tenths}).",
        "better": "Better than expected: {observed:tenths} user-hours a day observed, "
        "{expected:tenths} expected ({low:tenths} to {high:tenths}).",
        "worse": "It did not come true: {observed:tenths} user-hours a day observed, "
        "{expected:tenths} expected ({low:tenths} to {high:tenths}).",
        "before": "Where it was before: {before:tenths}.",
        "definition": "Expected of a place: the median of the spots of its kind in this city, "
        "their use taken at as many access points as move; the city's own figure counts as "
        "{stated:plain} of them. Gain: that less the use now, each weighted by its target public; "
        "chosen are the moves with the highest total within the budget, at least {metres:whole} m "
        "from every other spot, that gain {gain:plain} weighted user-hours a day or more, lose "
        "with a chance of {loss:percent} at most, and gain {per_1000:whole} or more per 1,000 EUR "
        "over {years:plain} years. From a target public of {promote:plain} on a spot is promoted.",
        "assignment": "Proven the best: neither budget nor distances stand in the way of the best "
        "assignment.",
        "integer": "Proven the best within the budget and the distances (integer program).",
        "unproven": "Within the budget and the distances, but not proven the best: the solver's "
        "time was up.",
    },
    "fr": {
        "here": "Actuellement {current:tenths} heures d’utilisation par jour aux heures "
        "d’ouverture ; {ratio:percent} de la médiane de ses pairs (intervalle à 95 % : de "
        "{low:percent} à {high:percent}).",
        "here_ap": "Borne superflue {ap:name} : actuellement {current:tenths} heures d’utilisation "
        "par jour aux heures d’ouverture, {ratio:percent} de la médiane des {others:whole} autres "
        "de son site (intervalle à 95 % : de {low:percent} à {high:percent}). Elle emporte sa "
        "propre utilisation ; le site garde le reste.",
        "target_unknown_here": "Son public cible n’est pas connu : {value:plain} en tient lieu.",
        "promote": "Il sert un public cible ({target:plain} ; à partir de {limit:plain} un point "
        "n’est pas déplacé) : faites savoir qu’il existe.",
        "potential": "Utilisé comme la médiane de ses pairs, il aurait {more:tenths} heures "
        "d’utilisation par jour de plus.",
        "expected": "Attendu là-bas : {expected:tenths} heures d’utilisation par jour (intervalle "
        "à 95 % pour un lieu : de {low:tenths} à {high:tenths}). Points de ce type connus dans "
        "cette ville : {peers:whole} ; leur médiane, pour {aps:whole} borne(s) : "
        "{median:tenths}.",
        "few_peers": "Moins de {limit:whole} : l’écart possible à la médiane est pris de tous les "
        "types de points.",
        "stated": "La ville elle-même attend {stated:tenths} ; cela compte comme {weight:plain} "
        "d’entre eux.",
        "not_stated": "La ville elle-même n’indique pas ce qu’elle attend.",
        "stated_far": "C’est hors de ce que disent les autres, de {low:tenths} à {high:tenths} : "
        "demandez pourquoi.",
        "gain": "Gain : {gain:tenths} heures d’utilisation par jour (de {low:tenths} à "
        "{high:tenths}) ; pondéré par le public cible, {here:plain} ici et {there:plain} là-bas : "
        "{weighted:tenths}, avec un risque de perte de {loss:percent}.",
        "fewer": "Moins d’heures d’utilisation en tout, davantage là où est le public cible.",
        "cost": "Coût : {cost:whole} EUR. Heures d’utilisation pondérées gagnées par "
        "1\u202f000 EUR en {years:plain} ans : {per_1000:whole}.",
        "free": "Coût : rien.",
        "apart": "L’autre point le plus proche est à {nearest:whole} m (il faut {limit:whole} m).",
        "target_unknown_there": "Le public cible du lieu n’est pas connu : {value:plain} en tient "
        "lieu.",
        "ready_unknown": "On ne sait pas si le lieu est prêt : renseignez-vous d’abord.",
        "unready": "Le lieu n’est pas encore prêt.",
        "unplaced": "Points sans position, dont la distance n’a pas pu être vérifiée : "
        "{spots:whole}.",
        "no_places": "Aucun lieu candidat n’est connu (candidate_places.csv).",
        "none_open": "Aucun des {places:whole} lieux candidats ne lui est ouvert.",
        "outbid": "Il gagnerait à être déplacé (au mieux {weighted:tenths} heures d’utilisation "
        "pondérées par jour), mais avec ce budget et ces distances d’autres déplacements gagnent "
        "davantage en tout.",
        "no_gain": "Aucun lieu ouvert ne fait gagner assez, assez sûrement. Le meilleur : "
        "{weighted:tenths} heures d’utilisation pondérées par jour (il en faut {limit:plain}), "
        "risque de perte {loss:percent} (au plus {most:percent}) ; 1\u202f000 EUR doivent en faire "
        "gagner {per_1000:whole}.",
        "taken": "Un point y a déjà été déplacé.",
        "has_spot": "C’est déjà un site.",
        "no_kind": "Son type n’est pas connu : on ne peut rien en attendre.",
        "no_peers": "Aucun point de ce type n’a pu être évalué dans cette ville, ou trop peu de "
        "tout type : on ne peut honnêtement rien en attendre.",
        "no_position": "Il n’a pas de position : les distances ne peuvent être vérifiées.",
        "no_cost": "Son coût n’est pas connu.",
        "not_ready": "Il n’est pas prêt (--include-unready le propose malgré tout).",
        "over_budget": "Il coûte {cost:whole} EUR, plus que le budget de {budget:whole} EUR.",
        "too_close": "Un point qui reste est à {nearest:whole} m ; il faut {limit:whole} m.",
        "nobody_moves": "Aucun point sous-utilisé n’est à déplacer.",
        "outbid_there": "Un point y gagnerait (au mieux {weighted:tenths} heures d’utilisation "
        "pondérées par jour), mais avec ce budget et ces distances d’autres déplacements gagnent "
        "davantage en tout.",
        "no_gain_there": "Aucun point n’y gagne assez, assez sûrement. Le meilleur : "
        "{weighted:tenths} heures d’utilisation pondérées par jour (il en faut {limit:plain}), "
        "risque de perte {loss:percent} (au plus {most:percent}) ; 1\u202f000 EUR doivent en faire "
        "gagner {per_1000:whole}.",
        "no_new_site": "Le nouveau point n’a pas encore de ligne dans sites.csv.",
        "too_early": "Observé pendant {weeks:tenths} semaines depuis le déplacement ; il en faut "
        "{limit:whole}.",
        "unobserved": "De ses heures d’ouverture depuis le déplacement, {coverage:percent} ont "
        "été observés ; il en faut {limit:percent}.",
        "no_expectation": "Observé : {observed:tenths} heures d’utilisation par jour ; ce qui "
        "était attendu n’est pas enregistré.",
        "as_expected": "L’attente s’est réalisée : {observed:tenths} heures d’utilisation par "
        "jour observées, {expected:tenths} attendues (de {low:tenths} à {high:tenths}).",
        "better": "Mieux qu’attendu : {observed:tenths} heures d’utilisation par jour observées, "
        "{expected:tenths} attendues (de {low:tenths} à {high:tenths}).",
        "worse": "L’attente ne s’est pas réalisée : {observed:tenths} heures d’utilisation par "
        "jour observées, {expected:tenths} attendues (de {low:tenths} à {high:tenths}).",
        "before": "Là où il était auparavant : {before:tenths}.",
        "definition": "Attendu d’un lieu : la médiane des points de son type dans cette ville, "
        "leur utilisation prise pour autant de bornes que l’on déplace ; le chiffre de la ville "
        "elle-même compte comme {stated:plain} d’entre eux. Gain : cela moins l’utilisation "
        "actuelle, chacun pondéré par son public cible ; sont choisis les déplacements dont le "
        "total est le plus élevé dans les limites du budget, à {metres:whole} m au moins de tout "
        "autre point, qui gagnent {gain:plain} heures d’utilisation pondérées par jour ou plus, "
        "avec un risque de perte de {loss:percent} au plus, et {per_1000:whole} ou plus par "
        "1\u202f000 EUR en {years:plain} ans. À partir d’un public cible de {promote:plain} un "
        "point est promu.",
        "assignment": "Prouvé le meilleur choix : ni budget ni distances ne gênent la meilleure "
        "affectation.",
        "integer": "Prouvé le meilleur choix dans les limites du budget et des distances "
        "(programme en nombres entiers).",
        "unproven": "Dans les limites du budget et des distances, sans preuve que c’est le "
        "meilleur choix : le temps de calcul était écoulé.",
    },
    "nl": {
        "here": "Nu {current:tenths} gebruikersuren per dag tijdens de openingsuren; "
        "{ratio:percent} van de mediaan van de vergelijkbare punten (95 %-interval: {low:percent} "
        "tot {high:percent}).",
        "here_ap": "Overtollig toegangspunt {ap:name}: nu {current:tenths} gebruikersuren per dag "
        "tijdens de openingsuren, {ratio:percent} van de mediaan van de {others:whole} andere van "
        "zijn site (95 %-interval: {low:percent} tot {high:percent}). Het neemt zijn eigen gebruik "
        "mee; de site houdt de rest.",
        "target_unknown_here": "Het doelpubliek is niet bekend: {value:plain} komt in de plaats.",
        "promote": "Het bedient een doelpubliek ({target:plain}; vanaf {limit:plain} wordt een "
        "punt niet verplaatst): maak bekend dat het er is.",
        "potential": "Gebruikt als de mediaan van de vergelijkbare punten zou het "
        "{more:tenths} gebruikersuren per dag meer hebben.",
        "expected": "Daar verwacht: {expected:tenths} gebruikersuren per dag (95 %-interval voor "
        "één plaats: {low:tenths} tot {high:tenths}). Bekende punten van dat soort in deze stad: "
        "{peers:whole}; hun mediaan, voor {aps:whole} toegangspunt(en): {median:tenths}.",
        "few_peers": "Minder dan {limit:whole}: hoe ver één punt van de mediaan kan liggen, komt "
        "van alle soorten punten.",
        "stated": "De stad zelf verwacht {stated:tenths}; dat telt als {weight:plain} ervan.",
        "not_stated": "De stad zelf geeft geen verwachting.",
        "stated_far": "Dat ligt buiten wat de andere zeggen, {low:tenths} tot {high:tenths}: vraag "
        "waarom.",
        "gain": "Winst: {gain:tenths} gebruikersuren per dag ({low:tenths} tot {high:tenths}); "
        "gewogen naar doelpubliek, {here:plain} hier en {there:plain} daar: {weighted:tenths}, "
        "met een kans op verlies van {loss:percent}.",
        "fewer": "Minder gebruikersuren in totaal, meer waar het doelpubliek is.",
        "cost": "Kosten: {cost:whole} EUR. Gewogen gebruikersuren gewonnen per 1.000 EUR in "
        "{years:plain} jaar: {per_1000:whole}.",
        "free": "Kosten: geen.",
        "apart": "Het dichtstbijzijnde andere punt ligt op {nearest:whole} m ({limit:whole} m "
        "nodig).",
        "target_unknown_there": "Het doelpubliek van de plaats is niet bekend: {value:plain} komt "
        "in de plaats.",
        "ready_unknown": "Of de plaats klaar is, is niet bekend: vraag het eerst.",
        "unready": "De plaats is nog niet klaar.",
        "unplaced": "Punten zonder positie, waarvan de afstand niet kon worden nagegaan: "
        "{spots:whole}.",
        "no_places": "Er zijn geen kandidaat-plaatsen bekend (candidate_places.csv).",
        "none_open": "Geen van de {places:whole} kandidaat-plaatsen staat ervoor open.",
        "outbid": "Het zou winnen bij een verplaatsing (ten beste {weighted:tenths} gewogen "
        "gebruikersuren per dag), maar binnen het budget en de afstanden winnen andere "
        "verplaatsingen samen meer.",
        "no_gain": "Geen open plaats wint genoeg, zeker genoeg. De beste: {weighted:tenths} "
        "gewogen gebruikersuren per dag ({limit:plain} nodig), kans op verlies {loss:percent} "
        "(hoogstens {most:percent}); 1.000 EUR moet er {per_1000:whole} winnen.",
        "taken": "Er is al een punt naartoe verplaatst.",
        "has_spot": "Het is al een site.",
        "no_kind": "De soort is niet bekend: er valt niets van te verwachten.",
        "no_peers": "Geen punt van die soort in deze stad kon worden beoordeeld, of te weinig van "
        "welke soort ook: er valt eerlijk niets van te verwachten.",
        "no_position": "Er is geen positie: afstanden kunnen niet worden nagegaan.",
        "no_cost": "De kosten zijn niet bekend.",
        "not_ready": "Niet klaar (--include-unready stelt het toch voor).",
        "over_budget": "Het kost {cost:whole} EUR, meer dan het budget van {budget:whole} EUR.",
        "too_close": "Een punt dat blijft, ligt op {nearest:whole} m; {limit:whole} m nodig.",
        "nobody_moves": "Geen te weinig gebruikt punt hoeft te verhuizen.",
        "outbid_there": "Een punt zou er winnen (ten beste {weighted:tenths} gewogen "
        "gebruikersuren per dag), maar binnen het budget en de afstanden winnen andere "
        "verplaatsingen samen meer.",
        "no_gain_there": "Geen punt wint er genoeg, zeker genoeg. Het beste: {weighted:tenths} "
        "gewogen gebruikersuren per dag ({limit:plain} nodig), kans op verlies {loss:percent} "
        "(hoogstens {most:percent}); 1.000 EUR moet er {per_1000:whole} winnen.",
        "no_new_site": "Het nieuwe punt heeft nog geen rij in sites.csv.",
        "too_early": "Sinds de verplaatsing {weeks:tenths} weken waargenomen; {limit:whole} nodig.",
        "unobserved": "Van de openingsuren sinds de verplaatsing is {coverage:percent} "
        "waargenomen; {limit:percent} nodig.",
        "no_expectation": "Waargenomen: {observed:tenths} gebruikersuren per dag; wat verwacht "
        "werd, is niet opgetekend.",
        "as_expected": "De verwachting kwam uit: {observed:tenths} gebruikersuren per dag "
        "waargenomen, {expected:tenths} verwacht ({low:tenths} tot {high:tenths}).",
        "better": "Beter dan verwacht: {observed:tenths} gebruikersuren per dag waargenomen, "
        "{expected:tenths} verwacht ({low:tenths} tot {high:tenths}).",
        "worse": "De verwachting kwam niet uit: {observed:tenths} gebruikersuren per dag "
        "waargenomen, {expected:tenths} verwacht ({low:tenths} tot {high:tenths}).",
        "before": "Waar het voordien was: {before:tenths}.",
        "definition": "Verwacht van een plaats: de mediaan van de punten van dat soort in deze "
        "stad, hun gebruik genomen voor zoveel toegangspunten als er verhuizen; het cijfer van de "
        "stad zelf telt als {stated:plain} ervan. Winst: dat min het gebruik nu, elk gewogen naar "
        "doelpubliek; gekozen worden de verplaatsingen met het hoogste totaal binnen het budget, "
        "op minstens {metres:whole} m van elk ander punt, die {gain:plain} gewogen gebruikersuren "
        "per dag of meer winnen, met een kans op verlies van hoogstens {loss:percent}, en "
        "{per_1000:whole} of meer per 1.000 EUR in {years:plain} jaar. Vanaf een doelpubliek "
        "van {promote:plain} wordt een punt gepromoot.",
        "assignment": "Bewezen de beste keuze: budget noch afstanden staan de beste toewijzing in "
        "de weg.",
        "integer": "Bewezen de beste keuze binnen het budget en de afstanden (geheeltallig "
        "programma).",
        "unproven": "Binnen het budget en de afstanden, maar niet bewezen de beste keuze: de "
        "rekentijd was om.",
    },
}


def worded(reason: Reason, language: Language) -> str:
    """A reason as a sentence, its numbers as the language writes them."""
    return worded_from(reason, language, CATALOGUE)


def definition(settings: Settings, language: Language) -> str:
    """What is expected, gained and chosen, with the numbers in force."""
    rule = settings.relocation
    figures = {
        "stated": rule.stated_weight,
        "metres": rule.min_distance_m,
        "gain": rule.min_gain_user_hours_day,
        "loss": rule.max_loss_chance,
        "per_1000": rule.min_gain_per_1000_eur,
        "years": rule.horizon_years,
        "promote": rule.promote_from,
    }
    return worded(Reason("definition", figures), language)
