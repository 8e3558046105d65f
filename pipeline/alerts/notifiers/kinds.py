"""The kinds of notifiers. Another one is a file beside this one and a line here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from config.settings import Alerts
from config.settings import Notifier as Settings
from pipeline.alerts.notifiers.alertmanager import AlertmanagerNotifier
from pipeline.alerts.notifiers.apprise import AppriseNotifier
from pipeline.alerts.notifiers.base import Notifier, UnusableError

NOTIFIERS: Final[Mapping[str, Callable[[Any], tuple[Notifier, ...]]]] = {
    "apprise": lambda said: tuple(AppriseNotifier(url, short=said.short) for url in said.url),
    "alertmanager": lambda said: (AlertmanagerNotifier(said),),
}
"""From the settings of a notifier to its targets, of which each is sent to for itself."""


def targets_of(alerts: Alerts) -> Mapping[str, Mapping[str, Notifier]]:
    """By notifier, and by target: `oncall`, or `oncall#2` for the second of its URLs.

    Raises UnusableError, which the loader has told before with file and line.
    """
    return {
        name: {
            name if place == 1 else f"{name}#{place}": target
            for place, target in enumerate(NOTIFIERS[said.kind](said), 1)
        }
        for name, said in alerts.notifiers.items()
    }


def problem_of(notifier: Settings) -> str | None:
    """What is wrong with the settings of a notifier; a `config.recipients.NotifierCheck`."""
    try:
        NOTIFIERS[notifier.kind](notifier)
    except UnusableError as error:
        return str(error)
    return None
