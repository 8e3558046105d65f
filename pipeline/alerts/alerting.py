"""From incidents to messages in the outbox: routes, the desk and the wording, put together."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from random import Random

import structlog

from config.deployment import Deployment
from pipeline.alerts.desk import decide
from pipeline.alerts.health import collector_health
from pipeline.alerts.hours import Hours
from pipeline.alerts.message import Message
from pipeline.alerts.notifiers.base import Notifier
from pipeline.alerts.notifiers.kinds import targets_of
from pipeline.alerts.outage import Outage, outages
from pipeline.alerts.outbox import Acknowledgement, Outbox
from pipeline.alerts.routing import HOUR_MS, Order, orders
from pipeline.alerts.sender import Sender
from pipeline.alerts.telling import Case, Desk, Note, Rules
from pipeline.alerts.wording import Wording
from pipeline.outages.incident import Incident
from pipeline.outages.stuck import Stuck
from pipeline.outages.stuck_record import incident_of
from pipeline.state import CollectorHealth

DAY_MS = 24 * HOUR_MS

InMaintenance = Callable[[str, int], bool]
"""Whether a site is in announced maintenance at an instant (UTC milliseconds)."""
Usual = Callable[[Collection[str], int], Mapping[str, float]]
"""How many users these sites usually have at this hour, as far as known."""
Unused = Callable[[int], Sequence[Stuck]]
"""What is up and of no use at an instant, or was until lately."""

log = structlog.get_logger(__name__)


class Alerting:
    """Tells people of outages. `tick` belongs to one thread at a time."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        usual: Usual = lambda _sites, _now_ms: {},
        unused: Unused = lambda _now_ms: (),
        targets: Mapping[str, Mapping[str, Notifier]] | None = None,
        random: Random | None = None,
    ) -> None:
        """Raise StoreError where `alerts.db` cannot be opened, UnusableError for a wrong URL.

        `targets`: what the notifiers send to, in place of what the settings say.
        """
        alerts = deployment.settings.alerts
        self._deployment = deployment
        self._usual = usual
        self._unused = unused
        self._targets = targets_of(alerts) if targets is None else targets
        self._rules = Rules.of(deployment.settings)
        self._hours = Hours(deployment)
        self.outbox = Outbox(deployment.alerts_path)
        self._desk = self.outbox.desk()
        all_targets = {name: one for each in self._targets.values() for name, one in each.items()}
        self._all = tuple(all_targets)
        self._renewing = [
            name for name, each in self._targets.items() if any(t.renew_s for t in each.values())
        ]
        self.sender = Sender(
            self.outbox,
            all_targets,
            give_up_ms=round(alerts.give_up_hours * HOUR_MS),
            random=random,
        )

    def start(self) -> None:
        """Send what waits, and whatever is decided from now on."""
        self.sender.start()

    def tick(
        self, incidents: Iterable[Incident], now_ms: int, in_maintenance: InMaintenance
    ) -> list[Message]:
        """Decide what is told now, and have it sent. What was decided is durable on return.

        `incidents`: all that may still change, as known now: open ones, those that explain and
        those that are explained, those that ended lately. To be called every few seconds.
        """
        unused = {incident_of(found): found for found in self._unused(now_ms)}
        known = outages(self._deployment, [*incidents, *unused])
        if not known and self._desk == Desk():
            return []
        cases = self._cases(known, now_ms, in_maintenance)
        orders_of = partial(self._orders, now_ms=now_ms)
        desk, notes = decide(self._desk, cases, orders_of, self._rules, now_ms)
        # Of a notifier that is no longer in the settings nothing can be delivered.
        notes = tuple(note for note in notes if note.notifier in self._targets)
        figures = {incident.id: found for incident, found in unused.items()}
        messages = [self._worded(note, figures, now_ms) for note in notes]
        if messages or desk != self._desk:
            names = {name: tuple(each) for name, each in self._targets.items()}
            self.outbox.commit(desk, messages, names)
            self._desk = desk
        for message in messages:
            log.info("alert", to=message.notifier, subject=message.subject, **message.about)
        self.sender.stands(self._standing(now_ms))
        if messages:
            self.sender.wake()
        return messages

    def health(self, now_ms: int) -> CollectorHealth | None:
        """For `status`; None: nobody is told."""
        if not self._all:
            return None
        return collector_health([self.outbox.health(name) for name in self._all], now_ms)

    def expire(self, now_ms: int) -> int:
        """Forget what was told long ago; how many messages that were."""
        return self.outbox.expire(now_ms - self._deployment.settings.alerts.keep_days * DAY_MS)

    def stop(self, patience_s: float = 10.0) -> None:
        """Stop sending; what waits is sent after the next start."""
        self.sender.stop(patience_s)
        self.outbox.close()

    def _cases(
        self, known: Mapping[str, Outage], now_ms: int, in_maintenance: InMaintenance
    ) -> list[Case]:
        acknowledged = self.outbox.acknowledgements()
        return [
            Case(
                outage=outage,
                acknowledged=_is_among(outage.incident, acknowledged),
                in_maintenance=bool(outage.sites)
                and all(in_maintenance(site, now_ms) for site in outage.sites),
            )
            for outage in known.values()
        ]

    def _orders(self, outage: Outage, *, now_ms: int) -> Mapping[str, Order]:
        settings = self._deployment.settings
        is_in = partial(self._hours.is_in, now_ms=now_ms)
        return orders(settings.alerts, outage, self._deployment.sites, settings.language, is_in)

    def _worded(self, note: Note, unused: Mapping[str, Stuck], now_ms: int) -> Message:
        lone = len(note.outages) == 1 and note.kind == "opened"
        site = note.outages[0].incident.site if lone else None
        usual = self._usual([site], now_ms) if site else {}
        return Wording(self._deployment, usual, unused).message(note, now_ms)

    def _standing(self, now_ms: int) -> Mapping[str, Message]:
        """What is told to be down, by target, for those that want to hear of it again and again."""
        found = {}
        for name in self._renewing:
            down = {
                told.incident: telling.language
                for told, telling in self._desk.tellings.items()
                if told.notifier == name and telling.says == "down"
            }
            if down:
                standing = tuple(self._desk.known[incident] for incident in down)
                note = Note(name, "reminder", next(iter(down.values())), standing)
                message = Wording(self._deployment).message(note, now_ms)
                found.update(dict.fromkeys(self._targets[name], message))
        return found


def _is_among(incident: Incident, acknowledged: Mapping[str, Acknowledgement]) -> bool:
    """Who takes on a root takes on what it explains."""
    return incident.id in acknowledged or incident.parent in acknowledged
