"""The kinds of notifiers. Another one is a file beside this one and a line here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from config.settings import Alerts
from config.settings import Notifier as Settings
from pipeline.alerts.notifiers.alertmanager import AlertmanagerNotifier
from pipeline.alerts.notifiers.apprise import AppriseNotifier
from pipeline.alerts.notifiers.base import Notifier, UnusableError
from pipeline.alerts.routing import target_names

NOTIFIERS: Final[Mapping[str, Callable[[Any], tuple[Notifier, ...]]]] = {
    "apprise": lambda said: tuple(AppriseNotifier(url, short=said.short) for url in said.url),
    "alertmanager": lambda said: (AlertmanagerNotifier(said),),
}
"""From the settings of a notifier to its targets, of which each is sent to for itself."""


def targets_of(alerts: Alerts) -> Mapping[str, Mapping[str, Notifier]]:
    """By notifier, and by target as `target_names` names it.

    Raises UnusableError, which the loader has told before with file and line.
    """
    made = {name: list(NOTIFIERS[said.kind](said)) for name, said in alerts.notifiers.items()}
    found: dict[str, dict[str, Notifier]] = {name: {} for name in made}
    for target, name in target_names(alerts).items():
        found[name][target] = made[name].pop(0)
    return found


def problem_of(notifier: Settings) -> str | None:
    """What is wrong with the settings of a notifier; a `config.recipients.NotifierCheck`."""
    try:
        NOTIFIERS[notifier.kind](notifier)
    except UnusableError as error:
        return str(error)
    return None
