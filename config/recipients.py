"""What the settings of alerts say of notifiers, sites and communes, held against what is there."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from config.deployment import SITE_KINDS, Site
from config.problems import Problem, did_you_mean, listed, shown
from config.rows import Rows
from config.settings import Alerts, Escalation, Notifier
from config.yamlfile import Keys, YamlFile, dotted

NotifierCheck = Callable[[Notifier], str | None]
"""What is wrong with a notifier, in words that hold no secret; None: nothing."""


def check_alerts(
    alerts: Alerts,
    written: tuple[Path, YamlFile],
    sites: Rows[Site],
    check: NotifierCheck | None,
    problems: list[Problem],
) -> None:
    """Every name in the alerts' settings is one of something that exists."""
    path, file = written

    def tell(keys: Keys, message: str) -> None:
        problems.append(Problem(path, file.line(keys), dotted(keys), message))

    for name, notifier in alerts.notifiers.items():
        wrong = check(notifier) if check else None
        if wrong:
            tell(("alerts", "notifiers", name, "url"), wrong)
    for keys, recipient in _recipients(alerts):
        if recipient not in alerts.notifiers:
            there = listed(alerts.notifiers) or "none yet"
            hint = did_you_mean(recipient, alerts.notifiers)
            message = (
                f"no notifier {shown(recipient)} under alerts: notifiers:{hint}; there: {there}"
            )
            tell(keys, message)
    for keys, place in _places(alerts):
        known, where = _known(str(keys[-2]), sites)
        if known is not None and place not in known:
            hint = did_you_mean(place, known)
            tell(keys, f"{shown(place)} is not {where}{hint}; it would never be told of")


def _known(filter_: str, sites: Rows[Site]) -> tuple[Collection[str] | None, str]:
    """What a filter can name, and where that is; None: it could not be read."""
    if filter_ == "kinds":
        return SITE_KINDS, "among the kinds of sites"
    where = f"in {sites.path.name}"
    if not sites.readable:
        return None, where
    if filter_ == "sites":
        return sites.lines, where
    return {row.cells["commune"] for row in sites.written if row.cells.get("commune")}, where


def _places(alerts: Alerts) -> Iterator[tuple[Keys, str]]:
    """Every site, kind and commune that a route names, and where."""
    for place, route in enumerate(alerts.routes):
        for filter_ in ("sites", "kinds", "communes"):
            for position, name in enumerate(getattr(route, filter_)):
                yield ("alerts", "routes", place, filter_, position), name


def _recipients(alerts: Alerts) -> Iterator[tuple[Keys, str]]:
    """Every notifier that is named somewhere, and where."""
    yield from _escalated(("alerts",), alerts.escalate)
    for place, route in enumerate(alerts.routes):
        keys: Keys = ("alerts", "routes", place)
        for position, name in enumerate(route.to):
            yield (*keys, "to", position), name
        yield from _escalated(keys, route.escalate or ())


def _escalated(keys: Keys, steps: tuple[Escalation, ...]) -> Iterator[tuple[Keys, str]]:
    for place, step in enumerate(steps):
        for position, name in enumerate(step.to):
            yield (*keys, "escalate", place, "to", position), name
