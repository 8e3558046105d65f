"""Alerts in `spotwatch.yaml`: three lines are enough, and what is wrong is told where it stands."""

from pathlib import Path

import pytest

from config.loader import load
from config.problems import ConfigError
from config.settings import AlertmanagerNotifier, AppriseNotifier, Notifier, Route
from pipeline.outages.incident import SCOPES
from tests.config.conftest import COMMUNITY, Told, Write

CITY = "city: Havremont\ntimezone: Europe/Brussels\n"
ONCALL = f"{CITY}alerts:\n  notifiers:\n    oncall: ${{SPOTWATCH_COMMUNITY}}\n"
SITES = "site,kind,commune\nbib,library,Havremont\nparc,park,\n"


def folder_of(write: Write, text: str) -> Path:
    return write(
        {"spotwatch.yaml": text, "sites.csv": SITES, "access_points.csv": "ap,site,source\n"}
    )


def test_three_lines_are_enough(write: Write) -> None:
    alerts = load(folder_of(write, ONCALL)).settings.alerts
    oncall = alerts.notifiers["oncall"]
    assert isinstance(oncall, AppriseNotifier)
    assert [url.get_secret_value() for url in oncall.url] == [COMMUNITY]
    assert COMMUNITY not in repr(alerts) + alerts.model_dump_json()


def test_everything_can_be_said(write: Write) -> None:
    text = f"""{CITY}alerts:
  language: nl
  notifiers:
    oncall: {{url: ["${{SPOTWATCH_COMMUNITY}}", "${{SPOTWATCH_COMMUNITY}}"], short: yes}}
    prometheus: {{kind: alertmanager, url: "http://127.0.0.1:9093/"}}
  routes:
    - to: [oncall, prometheus]
      sites: [bib]
      kinds: [library, park]
      communes: [Havremont]
      scopes: [ap, site]
      severities: [critical]
      when: open_hours
      language: fr
      remind_hours: 4
      escalate: [{{after_minutes: 60, to: [prometheus]}}]
    - to: [oncall]
      when: Mo-Fr 08:00-18:00; PH off
"""
    alerts = load(folder_of(write, text)).settings.alerts
    assert isinstance(alerts.notifiers["oncall"], AppriseNotifier)
    assert len(alerts.notifiers["oncall"].url) == 2
    prometheus = alerts.notifiers["prometheus"]
    assert isinstance(prometheus, AlertmanagerNotifier)
    assert prometheus.url == "http://127.0.0.1:9093"
    assert alerts.routes[0].escalate is not None
    assert alerts.routes[1].when == "Mo-Fr 08:00-18:00; PH off"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("    x: hunter2", "6: alerts.notifiers.x.url: a secret may not stand in the file"),
        ("    x: []", "6: alerts.notifiers.x.url: is an empty list; allowed: ${NAME_OF"),
        (
            "    x: {url: [hunter2]}",
            "6: alerts.notifiers.x.url: a secret may not stand in the file",
        ),
        (
            "    x: {kind: mail, url: hunter2}",
            "6: alerts.notifiers.x.kind: 'mail' is not one of",
        ),
        ("    x: {kind: alertmanager}", "6: alerts.notifiers.x.url: is missing: such as http"),
        ("    x y: ${SPOTWATCH_COMMUNITY}", "6: alerts.notifiers.x y: 'x y' cannot name"),
        (
            "  routes:\n    - to: [onkall]",
            "7: alerts.routes[0].to[0]: no notifier 'onkall' under",
        ),
        ("  routes:\n    - to: []", "7: alerts.routes[0].to: is an empty list; name at least one"),
        (
            "  routes:\n    - kinds: [park]",
            "7: alerts.routes[0].to: is missing: names of notif",
        ),
        (
            "  routes:\n    - to: [oncall]\n      sites: [bibb]",
            "8: alerts.routes[0].sites[0]: 'bibb' is not in sites.csv; did you mean 'bib'?",
        ),
        (
            "  routes:\n    - to: [oncall]\n      kinds:\n        - libary",
            "9: alerts.routes[0].kinds[0]: 'libary' is not among the kinds of sites; did you mean",
        ),
        (
            "  routes:\n    - to: [oncall]\n      communes: [Havre]",
            "8: alerts.routes[0].communes[0]: 'Havre' is not in sites.csv",
        ),
        (
            "  routes:\n    - to: [oncall]\n      when: opening_hours",
            "8: alerts.routes[0].when: 'opening_hours' does not say when; did you mean 'open_h",
        ),
        (
            "  routes:\n    - to: [oncall]\n      severities: [high]",
            "8: alerts.routes[0].severities[0]: 'high' is not one of those allowed",
        ),
        (
            "  escalate:\n    - {after_minutes: 30, to: [chief]}",
            "7: alerts.escalate[0].to[0]: no notifier 'chief' under alerts: notifiers:; there: onc",
        ),
        (
            "  escalate:\n    - {after_minutes: 0, to: [oncall]}",
            "7: alerts.escalate[0].after_minutes: '0' is too small; it must be at least 1",
        ),
        (
            "  routes:\n    - to: [oncall]\n      lang: fr",
            "8: alerts.routes[0].lang: unknown key; did you mean 'language'?; allowed: to, sites, ",
        ),
        ("  quiet: yes", "6: alerts.quiet: unknown key; allowed: notifiers, routes, "),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    write: Write, told: Told, more: str, problem: str
) -> None:
    lines = told(folder_of(write, f"{ONCALL}{more}\n"))
    assert any(line.startswith(f"spotwatch.yaml:{problem}") for line in lines), lines
    assert not any("hunter2" in line for line in lines)


def test_a_url_that_cannot_be_used_is_told_on_its_own_line(write: Write) -> None:
    folder = folder_of(write, f"{ONCALL}    other: ${{SPOTWATCH_COMMUNITY}}\n")

    def check(notifier: Notifier) -> str | None:
        return "is no good"

    with pytest.raises(ConfigError) as caught:
        load(folder, notifiers=check)
    assert [(p.line, p.key, p.message) for p in caught.value.problems] == [
        (5, "alerts.notifiers.oncall.url", "is no good"),
        (6, "alerts.notifiers.other.url", "is no good"),
    ]


def test_a_route_can_name_every_scope_of_an_outage() -> None:
    assert Route(to=("a",), scopes=SCOPES).scopes == SCOPES
