"""Who is told: by site, kind, commune, scope, severity and hours."""

from typing import Any

import pytest

from config.settings import Alerts, AppriseNotifier, Escalation, Route
from pipeline.alerts.hours import Hours
from pipeline.alerts.outage import Outage, outages
from pipeline.alerts.routing import Order, orders
from pipeline.outages.incident import Incident
from tests.pipeline.alerts.town import HOUR, MINUTE, THURSDAY, incident, town

TOWN = town()
NAMES = ("oncall", "night", "chief")
NIGHT = THURSDAY + 12 * HOUR
"""22:04."""


def alerts(*routes: Route, **settings: Any) -> Alerts:
    url = AppriseNotifier.model_validate({"url": ["json://127.0.0.1:1"]})
    return Alerts(notifiers=dict.fromkeys(NAMES, url), routes=routes, **settings)


def outage(*incidents: Incident) -> Outage:
    """The first of them."""
    return outages(TOWN, incidents)[incidents[0].id]


def told(settings: Alerts, of: Outage, now_ms: int = THURSDAY) -> dict[str, Order]:
    hours = Hours(TOWN)
    return dict(orders(settings, of, TOWN.sites, "en", lambda w, o: hours.is_in(w, o, now_ms)))


BIB = outage(incident("ap", "bib-1"))
PARC = outage(incident("ap", "parc-1"))
SITE = outage(incident("site", "bib"))
UPLINK = outage(incident("uplink", "switch-9"))
BLIND = outage(incident("poller", "snmp"))


def test_without_routes_everybody_is_told_of_everything() -> None:
    for of in (BIB, PARC, SITE, UPLINK, BLIND):
        assert set(told(alerts(), of)) == set(NAMES)
    assert told(Alerts(), BIB) == {}


@pytest.mark.parametrize(
    ("filters", "fitting"),
    [
        ({"sites": ["bib"]}, [BIB, SITE, BLIND]),
        ({"kinds": ["park"]}, [PARC, UPLINK, BLIND]),
        ({"communes": ["Havremont"]}, [BIB, SITE, UPLINK, BLIND]),
        ({"kinds": ["library"], "communes": ["Lindeveld"]}, [BLIND]),
        ({"scopes": ["site", "poller"]}, [SITE, BLIND]),
        ({"severities": ["warning"]}, [BIB]),
        ({"severities": ["critical"]}, [PARC, SITE, UPLINK, BLIND]),
        ({"severities": ["critical"], "kinds": ["library"]}, [SITE, BLIND]),
        ({}, [BIB, PARC, SITE, UPLINK, BLIND]),
    ],
)
def test_a_route_takes_what_all_of_its_filters_fit(
    filters: dict[str, list[str]], fitting: list[Outage]
) -> None:
    route = Route.model_validate({"to": ["oncall"], **filters})
    found = [of for of in (BIB, PARC, SITE, UPLINK, BLIND) if told(alerts(route), of)]
    assert found == fitting


def test_the_first_route_that_fits_decides_how_somebody_is_told() -> None:
    settings = alerts(
        Route(to=("oncall",), kinds=("park",), language="nl", remind_hours=0),
        Route(to=("oncall", "chief"), language="fr"),
        language="en",
        remind_hours=2,
    )
    assert told(settings, PARC)["oncall"] == Order("nl", 0)
    assert told(settings, PARC)["chief"] == Order("fr", 2 * HOUR)
    assert told(settings, BIB)["oncall"] == Order("fr", 2 * HOUR)


def test_languages_fall_back_to_that_of_alerts_then_of_the_city() -> None:
    assert told(alerts(language="nl"), BIB)["oncall"].language == "nl"
    assert told(alerts(), BIB)["oncall"].language == "en"


def test_who_is_told_later_is_not_told_first() -> None:
    step = Escalation(after_minutes=60, to=("chief",))
    found = told(alerts(escalate=(step,)), BIB)
    assert found["oncall"].after_ms == 0
    assert found["chief"].after_ms == 60 * MINUTE
    assert found["chief"].behind == ("oncall", "night")


def test_a_route_may_have_steps_of_its_own_or_none() -> None:
    steps = (
        Escalation(after_minutes=90, to=("chief", "night")),
        Escalation(after_minutes=30, to=("night",)),
    )
    settings = alerts(
        Route(to=("oncall",), kinds=("park",), escalate=()),
        Route(to=("oncall",), escalate=steps),
        escalate=(Escalation(after_minutes=5, to=("chief",)),),
    )
    assert {name: order.after_ms for name, order in told(settings, BIB).items()} == {
        "oncall": 0,
        "night": 30 * MINUTE,
        "chief": 90 * MINUTE,
    }
    only_parks = alerts(Route(to=("oncall",), kinds=("park",), escalate=()))
    assert set(told(only_parks, PARC)) == {"oncall"}


@pytest.mark.parametrize(
    ("when", "of", "at_ms", "now"),
    [
        ("always", BIB, NIGHT, (True, True)),
        ("open_hours", BIB, THURSDAY, (True, True)),
        ("open_hours", BIB, NIGHT, (False, True)),
        ("closed_hours", BIB, NIGHT, (True, True)),
        ("closed_hours", BIB, THURSDAY, (False, True)),
        # A park has no door; an uplink strikes it, too.
        ("open_hours", PARC, NIGHT, (True, True)),
        ("open_hours", UPLINK, NIGHT, (True, True)),
        ("open_hours", BLIND, NIGHT, (True, True)),
        ("Mo-Fr 08:00-18:00", BIB, THURSDAY, (True, True)),
        ("Mo-Fr 08:00-18:00", BIB, NIGHT, (False, False)),
        ("Mo-Fr 08:00-18:00", BIB, THURSDAY + 48 * HOUR, (False, False)),
        ("22:00-06:00", PARC, NIGHT, (True, True)),
        # Easter Monday 2026.
        ("Mo-Fr 08:00-18:00; PH off", BIB, THURSDAY + (32 * 24 - 1) * HOUR, (False, False)),
    ],
)
def test_hours_are_those_of_the_place_or_of_who_is_told(
    when: str, of: Outage, at_ms: int, now: tuple[bool, bool]
) -> None:
    order = told(alerts(Route(to=("oncall",), when=when)), of, at_ms)["oncall"]
    assert (order.may_tell, order.may_tell_back) == now


def test_how_bad_it_is() -> None:
    assert (BIB.severity, PARC.severity, SITE.severity) == ("warning", "critical", "critical")


def test_what_is_struck() -> None:
    assert (SITE.sites, SITE.aps) == (("bib",), ("bib-1", "bib-2", "bib-3"))
    assert (UPLINK.sites, UPLINK.aps) == (("parc", "tour"), ("parc-1", "tour-1", "tour-2"))
    controller = incident("controller", "wlc")
    explained = outage(controller, incident("ap", "bib-2", parent=controller.id))
    assert (explained.sites, explained.aps) == (("bib",), ("bib-2",))
    assert [child.ap for child in explained.children] == ["bib-2"]
    assert BLIND.sites == ()
