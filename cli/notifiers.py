"""What is wrong with a notifier of the settings; its library is loaded where there is one only."""

from importlib import import_module

from config.settings import Notifier


def problem_of(notifier: Notifier) -> str | None:
    """A `config.recipients.NotifierCheck`."""
    kinds = import_module("pipeline.alerts.notifiers.kinds")
    problem: str | None = kinds.problem_of(notifier)
    return problem
