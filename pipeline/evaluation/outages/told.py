"""What people are told of incidents: the desk, asked again and again as the daemon asks it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from config.deployment import Deployment
from pipeline.alerts.desk import decide
from pipeline.alerts.outage import Outage, outages
from pipeline.alerts.routing import HOUR_MS, Order
from pipeline.alerts.telling import Case, Desk, Note, Rules
from pipeline.evaluation.outages.alert import Alert
from pipeline.outages.calendar import Calendar
from pipeline.outages.incident import Incident

ALERTS: Final = ("opened", "flapping", "escalated")
"""Messages that call somebody to work."""
_ORDERS: Final = {"on call": Order("en", remind_ms=24 * HOUR_MS)}


class Told:
    """Keeps what people were told, by true time."""

    def __init__(
        self,
        deployment: Deployment,
        calendar: Calendar,
        true_ms: Callable[[int], int],
        end_ms: int,
    ) -> None:
        """`true_ms`: when our own clock showed a time; `end_ms`: of what is watched."""
        self.messages = 0
        """That call somebody to work; each may tell of several incidents."""
        self.rules: Final = Rules.of(deployment.settings)
        self._deployment = deployment
        self._calendar = calendar
        self._true_ms = true_ms
        self._end_ms = end_ms
        self._desk = Desk()
        self._open: dict[str, Alert] = {}
        self._over: list[Alert] = []

    @property
    def alerts(self) -> list[Alert]:
        """All of them, by when they were told."""
        return sorted([*self._over, *self._open.values()], key=lambda one: (one.at_ms, one.subject))

    @property
    def waits(self) -> bool:
        """Whether something is about to be told, and others may yet join it."""
        return bool(self._desk.waiting)

    def tell(self, incidents: Iterable[Incident], at_ms: int, now_ms: int) -> None:
        """Decide at an instant, at which our own clock shows `now_ms`."""
        known = outages(self._deployment, incidents)
        if not known and self._desk == Desk():
            return
        cases = [
            Case(outage, in_maintenance=self._is_excused(outage, now_ms))
            for outage in known.values()
        ]
        self._desk, notes = decide(self._desk, cases, _everybody, self.rules, now_ms)
        self._close(at_ms)
        for note in notes:
            if note.kind in ALERTS:
                self._note(note, at_ms)

    def _is_excused(self, outage: Outage, now_ms: int) -> bool:
        return bool(outage.sites) and all(
            self._calendar.is_excused(site, now_ms) for site in outage.sites
        )

    def _note(self, note: Note, at_ms: int) -> None:
        self.messages += 1
        for outage in note.outages:
            incident = outage.incident
            before = self._open.pop(incident.id, None)
            if before is not None:
                self._over.append(replace(before, until_ms=at_ms))
            self._open[incident.id] = Alert(
                at_ms=at_ms,
                until_ms=self._end_ms,
                start_ms=self._true_ms(incident.spells[-1].start_ms),
                scope=incident.scope,
                subject=incident.subject,
                aps=() if outage.is_blind else outage.aps,
            )

    def _close(self, at_ms: int) -> None:
        """What is no longer told to be down, by whatever name it goes."""
        down = {told.incident for told, one in self._desk.tellings.items() if one.says == "down"}
        others = [(name, self._desk.known[name].incident) for name in down - self._open.keys()]
        names = {(incident.scope, incident.subject): name for name, incident in others}
        for name in self._open.keys() - down:
            alert = self._open.pop(name)
            renamed = names.get((alert.scope, alert.subject))
            if renamed is not None:
                self._open[renamed] = alert
            else:
                self._over.append(replace(alert, until_ms=at_ms))


def _everybody(_: Outage) -> dict[str, Order]:
    """One notifier, told of everything at any hour."""
    return _ORDERS
