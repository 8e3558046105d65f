"""Who is told of an outage, in which language, when, and who else if nobody reacts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from config.deployment import Site
from config.settings import Alerts, AppriseNotifier, Escalation, Language, Route
from pipeline.alerts.outage import Outage

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000

IsIn = Callable[[str, Outage], bool]
"""Whether the hours that a route names (`open_hours`, an expression) are now, for an outage."""


@dataclass(frozen=True, slots=True)
class Order:
    """How one notifier is told of one outage."""

    language: Language
    remind_ms: int = 0
    """0: never."""
    after_ms: int = 0
    """Told so long after `behind` was, if nobody acknowledged; 0: told first."""
    behind: tuple[str, ...] = ()
    may_tell: bool = True
    """Now: that it is down."""
    may_tell_back: bool = True
    """Now: that it is back. Out of somebody's own hours that waits too; out of a site's not."""


def orders(
    alerts: Alerts, outage: Outage, sites: Mapping[str, Site], default: Language, is_in: IsIn
) -> Mapping[str, Order]:
    """By notifier. The first route that fits and names a notifier decides how it is told.

    `default`: the language where the settings of alerts say none.
    """
    fitting = [route for route in routes_of(alerts) if _fits(route, outage, sites)]
    found: dict[str, Order] = {}
    for route in fitting:
        order = _order(alerts, route, outage, default, is_in)
        for name in route.to:
            found.setdefault(name, order)
    for route in fitting:
        order = _order(alerts, route, outage, default, is_in)
        for step in () if outage.is_unused else _steps(alerts, route):
            later = Order(
                language=order.language,
                remind_ms=order.remind_ms,
                after_ms=step.after_minutes * MINUTE_MS,
                behind=route.to,
                may_tell=order.may_tell,
                may_tell_back=order.may_tell_back,
            )
            for name in step.to:
                found.setdefault(name, later)
    return {name: order for name, order in found.items() if name in alerts.notifiers}


def routes_of(alerts: Alerts) -> tuple[Route, ...]:
    """Those of the settings; without any, one to everybody who is not told later only."""
    if alerts.routes:
        return alerts.routes
    later = {name for step in alerts.escalate for name in step.to}
    first = tuple(name for name in alerts.notifiers if name not in later)
    return (Route(to=first),) if first else ()


def target_names(alerts: Alerts) -> Mapping[str, str]:
    """The notifier of each target: `oncall`, and `oncall#2` for the second of its URLs."""
    found = {}
    for name, said in alerts.notifiers.items():
        several = len(said.url) if isinstance(said, AppriseNotifier) else 1
        for place in range(1, several + 1):
            found[name if place == 1 else f"{name}#{place}"] = name
    return found


def _order(alerts: Alerts, route: Route, outage: Outage, default: Language, is_in: IsIn) -> Order:
    remind = alerts.remind_hours if route.remind_hours is None else route.remind_hours
    now = route.when == "always" or is_in(route.when, outage)
    of_site = route.when in ("open_hours", "closed_hours")
    return Order(
        language=route.language or alerts.language or default,
        # What may be a quiet day is told once.
        remind_ms=0 if outage.is_unused else round(remind * HOUR_MS),
        may_tell=now,
        may_tell_back=now or of_site,
    )


def _steps(alerts: Alerts, route: Route) -> tuple[Escalation, ...]:
    steps = alerts.escalate if route.escalate is None else route.escalate
    return tuple(sorted(steps, key=lambda step: step.after_minutes))


def _fits(route: Route, outage: Outage, sites: Mapping[str, Site]) -> bool:
    if route.scopes and outage.incident.scope not in route.scopes:
        return False
    if route.severities and outage.severity not in route.severities:
        return False
    if outage.is_blind or not (route.sites or route.kinds or route.communes):
        return True  # who is told of a place is told that nobody watches it
    return any(
        (not route.sites or name in route.sites)
        and (not route.kinds or (name in sites and sites[name].kind in route.kinds))
        and (not route.communes or (name in sites and sites[name].commune in route.communes))
        for name in outage.sites
    )
