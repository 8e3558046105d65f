"""A round: many devices polled at the same time, and what came of it."""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from collectors.presence import Presence, PresenceSink
from collectors.reading import Reading
from collectors.sink import NotDurableError, Sink
from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.engine import SnmpEngine, SnmpError, Target
from collectors.snmp.holding import Holding
from collectors.snmp.jobs import Job, jobs_of
from collectors.snmp.listed import Listed
from collectors.snmp.poll import Identity, UnknownProfileError, poll_device
from collectors.snmp.presences import Anonymiser, EmptyTables, presences
from collectors.snmp.profiles import Profiles
from collectors.snmp.readings import failed_readings, match_aps, own_row, reading
from collectors.snmp.repolls import Repolls
from config.deployment import AccessPoint, Deployment

__all__ = ["ControllerPoll", "Failure", "Job", "Poller", "RoundReport"]

log = structlog.get_logger(__name__)

_SHOWN: Final = 5
"""Names of APs in one log line."""
_REPOLL_SHARE: Final = 4
"""Of the devices that are polled at the same time, one in so many is polled again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A device that could not be polled."""

    device: str
    reason: str
    """Names the device and what was asked."""


@dataclass(slots=True)
class RoundReport:
    """What came of a round."""

    targets: int = 0
    ok: int = 0
    failed: list[Failure] = field(default_factory=list)
    warnings: int = 0
    """Told by devices that answered: refused tables, dropped values."""
    readings: int = 0
    """Handed over and durable, those that waited from former rounds among them."""
    is_durable: bool = True
    """False: the sink refused some; they wait in memory for the next round."""
    presences: int = 0
    """Client tables of APs handed over and durable."""
    presences_lost: int = 0
    """Refused by their sink. They do not wait: nobody watched then, which is a gap and no zero."""
    duration_s: float = 0.0


class ControllerPoll(NamedTuple):
    """What a poll of a controller came to."""

    controller: str
    """Its id."""
    ts_ms: int
    """UTC milliseconds."""
    answered: bool
    interval_s: int


class _Heard(NamedTuple):
    """What one device gave."""

    readings: Sequence[Reading]
    presences: Sequence[Presence] = ()


class Poller:
    """Polls a deployment's devices, round after round.

    Keeps what it learns of them: which profile fits, and which of their APs nobody knows. With
    `presence` it also says who is at the APs, as far as devices list their clients: as hashes,
    made before anything else is done with the addresses.
    """

    def __init__(
        self,
        deployment: Deployment,
        engine: SnmpEngine,
        profiles: Profiles,
        now: Callable[[], datetime],
        presence: tuple[Anonymiser, PresenceSink] | None = None,
        *,
        on_controller: Callable[[ControllerPoll], None] = lambda _: None,
    ) -> None:
        """`on_controller` is told of each poll of one before the readings of its APs are."""
        self.jobs = jobs_of(deployment)
        self._deployment = deployment
        self._engine = engine
        self._profiles = profiles
        self._now = now
        self._presence = presence if deployment.settings.snmp.client_tables else None
        self._empty_tables = EmptyTables()
        self._on_controller = on_controller
        self._repolls = Repolls(self.jobs)
        self._listed = Listed()
        self._busy: set[str] = set()
        """Devices that are being polled now."""
        self._again: set[str] = set()
        """Devices that are polled again now, or after a while."""
        self._identities: dict[str, Identity] = {}
        self._told: set[tuple[str, ...]] = set()
        self._silent: set[str] = set()
        """Devices whose last poll failed."""
        self._holding = Holding()

    async def round(self, sink: Sink, jobs: Sequence[Job] | None = None) -> RoundReport:
        """Poll all jobs, or some; one device that fails or hangs never stops the others.

        Each device's readings are handed over as soon as it has answered.
        """
        concurrency = self._deployment.settings.snmp.concurrency
        return await self._round(sink, self.jobs if jobs is None else jobs, concurrency)

    async def repoll(self, sink: Sink, aps: Collection[str], jitter_s: float = 0) -> RoundReport:
        """Poll again what answers for these APs, each device once and after a random while.

        Not beside a regular round of the same device, nor too many at a time: whoever is left out
        can be asked for again.
        """
        most = max(1, self._deployment.settings.snmp.concurrency // _REPOLL_SHARE)
        busy = self._busy | self._again
        chosen = self._repolls.chosen(aps, self._now_ms(), most - len(self._again), busy)
        names = {job.target.name for job in chosen}
        self._again |= names
        try:
            return await self._round(sink, chosen, most, jitter_s)
        finally:
            self._again -= names

    async def _round(
        self, sink: Sink, jobs: Sequence[Job], workers: int, jitter_s: float = 0
    ) -> RoundReport:
        loop = asyncio.get_running_loop()
        started = loop.time()
        now = self._now()
        due = [(job, aps) for job in jobs if (aps := job.in_service(self._deployment, now))]
        report = RoundReport(targets=len(due))
        queue = iter(due)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers, len(due))):
                group.create_task(self._work(queue, sink, report, jitter_s))
        report.duration_s = loop.time() - started
        return report

    async def flush(self, sink: Sink) -> None:
        """Hand over what still waits, before the end. What is refused once more is lost."""
        if not self._holding.held:
            return
        try:
            await self._holding.write(sink, ())
        except NotDurableError as error:
            log.error(  # noqa: TRY400 - foreseen: a traceback would say no more
                "readings lost", readings=self._holding.held, reason=str(error)
            )

    async def _work(
        self,
        queue: Iterator[tuple[Job, Sequence[AccessPoint]]],
        sink: Sink,
        report: RoundReport,
        jitter_s: float,
    ) -> None:
        for job, aps in queue:
            if jitter_s:
                await asyncio.sleep(random.uniform(0, jitter_s))  # noqa: S311 - hides no secret
            if job.target.name in self._busy:
                report.targets -= 1  # what it says there is what it would say here
                continue
            self._busy.add(job.target.name)
            try:
                heard = await self._poll(job, aps, report)
            finally:
                self._busy.discard(job.target.name)
            try:
                written = await self._holding.write(sink, heard.readings)
            except NotDurableError as error:
                report.is_durable = False
                log.error(  # noqa: TRY400 - foreseen
                    "readings wait", device=str(job.target), reason=str(error)
                )
            else:
                # Not in one step with the waiting: others add to it meanwhile.
                report.readings += written
            await self._hand_over(job, heard.presences, report)

    async def _hand_over(self, job: Job, found: Sequence[Presence], report: RoundReport) -> None:
        if not found or not self._presence:
            return
        try:
            await self._presence[1].note(found)
        except NotDurableError as error:
            report.presences_lost += len(found)
            log.error(  # noqa: TRY400 - foreseen
                "presences lost", device=str(job.target), aps=len(found), reason=str(error)
            )
        else:
            report.presences += len(found)

    async def _poll(self, job: Job, aps: Sequence[AccessPoint], report: RoundReport) -> _Heard:
        try:
            poll = await poll_device(
                self._engine,
                job.target,
                self._profiles,
                job.profile,
                identities=self._identities,
                # A poll that is not over when the next one is due would delay it for ever.
                limit_s=job.poll_seconds,
                client_tables=self._presence is not None,
            )
        except (SnmpError, UnknownProfileError) as error:
            report.failed.append(Failure(job.target.name, str(error)))
            self._tell_failure(job.target, str(error))
            ts_ms = self._note(job, answered=False)
            return _Heard(failed_readings(aps, ts_ms, job.poll_seconds))
        report.ok += 1
        if job.target.name in self._silent:
            self._silent.discard(job.target.name)
            log.info("answers again", device=str(job.target))
        report.warnings += len(poll.warnings)
        for warning in poll.warnings:
            log.warning("poll incomplete", reason=warning)
        ts_ms = self._note(job, answered=True)
        rows = self._rows(job, aps, poll)
        return _Heard(
            [reading(ap, row, ts_ms, job.poll_seconds) for ap, row in rows],
            self._presences(job, rows, poll, ts_ms),
        )

    def _note(self, job: Job, *, answered: bool) -> int:
        """Take note of a poll; return its time, UTC milliseconds."""
        ts_ms = self._now_ms()
        self._repolls.note(job, ts_ms, answered=answered)
        if job.controller is not None:
            self._on_controller(ControllerPoll(job.controller, ts_ms, answered, job.poll_seconds))
        return ts_ms

    def _rows(
        self, job: Job, aps: Sequence[AccessPoint], poll: DevicePoll
    ) -> list[tuple[AccessPoint, ApPoll]]:
        """What the device says of each of its APs in service."""
        if job.controller is None:
            return [(ap, own_row(ap, poll)) for ap in aps]
        # Matched with all of the controller's APs, so that one out of service is not unknown.
        matched = match_aps(job.aps, poll.aps)
        unknown = [row.name or row.mac or "without a name" for row in matched.unknown]
        self._tell_once(job, "not in access_points.csv", unknown)
        self._tell_once(job, "not listed by its controller", [ap.ap for ap in matched.unlisted])
        serving = {ap.ap for ap in aps}
        left = [(ap, ApPoll(up=False)) for ap in self._listed.left(job.controller, matched, poll)]
        return [(ap, row) for ap, row in (*matched.known, *left) if ap.ap in serving]

    def _presences(
        self,
        job: Job,
        rows: Sequence[tuple[AccessPoint, ApPoll]],
        poll: DevicePoll,
        ts_ms: int,
    ) -> list[Presence]:
        if self._presence is None or poll.stations is None:
            return []
        device = job.target.name
        if self._empty_tables.note(device, poll):
            log.warning(
                "client table empty", device=str(job.target), clients_counted=poll.clients_total
            )
        if poll.elsewhere:
            self._tell_elsewhere(job, poll.elsewhere)
        if not self._empty_tables.believes(device, poll):
            return []
        return presences(rows, self._deployment, self._presence[0], ts_ms, job.poll_seconds)

    def _tell_failure(self, target: Target, reason: str) -> None:
        """Warn when a device falls silent, not in every round that it stays so."""
        tell = log.debug if target.name in self._silent else log.warning
        tell("poll failed", device=str(target), reason=reason)
        self._silent.add(target.name)

    def _tell_elsewhere(self, job: Job, clients: int) -> None:
        """Warn once: some controllers list, all day long, the clients of others for them."""
        told = (job.target.name, "clients elsewhere")
        if told not in self._told:
            self._told.add(told)
            log.warning("clients at no AP listed", device=str(job.target), clients=clients)

    def _tell_once(self, job: Job, what: str, names: Sequence[str]) -> None:
        """Log when the set of names changes, not in every round."""
        told = (job.target.name, what, *sorted(names))
        if names and told not in self._told:
            self._told = {t for t in self._told if t[:2] != told[:2]} | {told}
            log.warning(
                f"APs {what}",
                controller=job.target.name,
                count=len(names),
                aps=sorted(names)[:_SHOWN],
            )

    def _now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)
