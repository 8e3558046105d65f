"""The main job, wired: collectors to ingest to store, and what is computed from it.

`run` keeps it going as a daemon, `demo` lets it run on a simulated city.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from cli.judging import replay
from cli.outage_watch import OutageWatch, Since, Surroundings
from cli.service_health import of_listening, of_round
from cli.sinks import Announcements, DeadLetters
from cli.spool_status import spool_health
from cli.stores import open_ledger, open_store
from cli.watched_sink import WatchedSink
from collectors.anonymiser import Anonymiser
from collectors.day_keys import DayKeys
from collectors.mqtt.collector import MqttCollector
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poller import Job, Poller, RoundReport
from collectors.snmp.profiles import load_profiles
from config.deployment import Deployment
from pipeline.alerts.alerting import Alerting
from pipeline.alerts.usual import reader
from pipeline.ingest import AsyncIngest, Ingest
from pipeline.jobs import schedule
from pipeline.maintenance import Announced, changed, periods
from pipeline.outages.stuck_record import StuckRecord
from pipeline.outages.stuck_watch import StuckWatch
from pipeline.sessions.intake import AsyncIntake, Intake
from pipeline.state import State
from pipeline.store.influx.store import InfluxStore
from pipeline.underuse.changes import changes
from pipeline.usage.aggregator import Aggregator

log = structlog.get_logger(__name__)

STOP_PATIENCE_S: Final = 20
"""Jobs under way may finish for so long; what was read by then is stored in any case."""
ALIVE: Final = "alive"
"""A file in the state's folder; the container's health check looks at its age."""
MOST_JITTER_S: Final = 5.0
"""Devices that are polled again are asked within so long, not all at once."""


class Service:
    """Everything that runs. `start` and `stop` belong to one event loop."""

    def __init__(self, deployment: Deployment) -> None:
        """Raise ConfigError for wrong profiles, StoreError where the store cannot be opened."""
        profiles = load_profiles(deployment.profiles_dir)
        self.state = State(deployment.state_path)
        self.announced = Announced(self.state)
        self._known = self.announced.all()
        self._files = deployment
        """Without what is announced beside them."""
        deployment = deployment.with_maintenance(periods(self._known, deployment))
        self.deployment = deployment
        self.store = open_store(deployment)
        self.ledger = open_ledger(deployment)
        self.aggregator = Aggregator(deployment, self.store, self.state, sessions=self.ledger)
        gap_ms = round(deployment.settings.usage.max_counter_gap_hours * 3_600_000)
        self._ingest = AsyncIngest(Ingest(self.store, self.state, gap_ms))
        self.ingest = WatchedSink(self._ingest, _now_ms)
        self.presences = AsyncIntake(Intake(deployment, self.ledger, self.state))
        gap = timedelta(minutes=deployment.settings.usage.session_gap_minutes)
        self.anonymiser = Anonymiser(DayKeys(deployment.day_keys_path), gap)
        presence = self.anonymiser, self.presences
        unused = StuckRecord(self.state)
        self.unused = StuckWatch(deployment, self.store, unused)
        usual = reader(deployment, self.store)
        self.alerting = Alerting(deployment, usual=usual, unused=unused.lately)
        self.watch = OutageWatch(
            deployment,
            self.store,
            self.state,
            self.alerting,
            self.ingest,
            surroundings=Surroundings(
                blind_since=self._blind_since,
                ask_again=self._ask_again,
                clock_set_back=self._clock_set_back,
                now_ms=_now_ms,
                monotonic_ms=lambda: time.monotonic_ns() // 1_000_000,
            ),
        )
        self.poller = Poller(
            deployment,
            GufoEngine(),
            profiles,
            _now,
            presence,
            on_controller=self.watch.polled,
        )
        self.mqtt = (
            MqttCollector(
                deployment, self.ingest, DeadLetters(self.state), Announcements(self.announced)
            )
            if deployment.settings.mqtt
            else None
        )
        self._schedule = schedule.Schedule()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen to the broker; poll, aggregate and judge on schedule from now on."""
        if isinstance(self.store, InfluxStore):
            self.store.forwarder.start()
        await self.listen()
        self.alerting.start()
        self._watching = asyncio.create_task(self.watch.run(self._stopping), name="outages")
        now = _now()
        by_interval: dict[int, list[Job]] = {}
        for job in self.poller.jobs:
            by_interval.setdefault(job.poll_seconds, []).append(job)
        for seconds, jobs in by_interval.items():
            self._every(schedule.poll_round(seconds, now), partial(self.poll, jobs))
        self._every(schedule.look_for_maintenance(now), self.look_for_maintenance)
        self._every(schedule.close_windows(now), self.close_windows)
        zone = self.deployment.settings.zone
        self._every(schedule.weekly_verdicts(zone, now), self._judge_week)
        self._every(schedule.change_keys(now), self.change_keys)
        self._every(schedule.expire_sessions(zone, now), self.expire_sessions)
        self._every(schedule.note_health(now), self.note_health)
        self._schedule.start()

    async def listen(self) -> None:
        """Begin to listen to the broker, where the deployment names one."""
        if self.mqtt:
            await self.mqtt.start()

    async def poll(self, jobs: Sequence[Job] | None = None) -> RoundReport:
        """Poll these devices now, or all of them."""
        report = await self.poller.round(self.ingest, jobs)
        log.info(
            "round done",
            targets=report.targets,
            ok=report.ok,
            failed=len(report.failed),
            readings=report.readings,
            seconds=round(report.duration_s, 2),
        )
        await asyncio.to_thread(self.state.set_collector, of_round(report, jobs))
        return report

    async def close_windows(self) -> None:
        """Aggregate what is complete, and again what late samples changed.

        Not while another process does, such as an import: it may take longer than we may to stop.
        """
        await self.look_for_maintenance()
        await asyncio.to_thread(self.aggregator.close_windows, _now_ms(), wait=False)
        closed_ms = await asyncio.to_thread(self.state.closed_until_ms)
        if closed_ms is not None:
            await asyncio.to_thread(self.unused.look, closed_ms, _now_ms())

    async def look_for_maintenance(self) -> None:
        """Go by what was announced or ended since, by whomever; mark the usage that it changes."""
        known = await asyncio.to_thread(self.announced.all)
        if known == self._known:
            return
        log.info("maintenance announced", known=len(known))
        self.deployment = self._files.with_maintenance(periods(known, self._files))
        self.aggregator = Aggregator(self.deployment, self.store, self.state, sessions=self.ledger)
        self.watch.announced(self.deployment)
        self.unused.announced(self.deployment)
        # Last: windows may have been closed without it until now.
        spans = changed(self._known, known, _now_ms())
        self._known = known
        await asyncio.to_thread(self.state.mark_dirty, spans)

    async def stop(self) -> None:
        """Start nothing more, let what is under way finish, store what was read."""
        self._schedule.stop()
        if self._under_way:
            done, late = await asyncio.wait(self._under_way, timeout=STOP_PATIENCE_S)
            for task in done:
                if not task.cancelled() and (error := task.exception()) is not None:
                    log.error("job failed", job=task.get_name(), error=repr(error))
            for task in late:
                log.warning("stopped before its end", job=task.get_name())
                task.cancel()
        if self.mqtt:
            await self.mqtt.stop()
        await self.poller.flush(self.ingest)
        await self._ingest.close()
        await self.presences.close()
        self._stopping.set()
        if self._watching:
            await asyncio.wait([self._watching], timeout=STOP_PATIENCE_S)
        await asyncio.to_thread(self.alerting.stop)
        # In a thread: what is on its way to InfluxDB may take its time.
        await asyncio.to_thread(self.store.close)
        self.ledger.close()
        self.state.close()

    def _blind_since(self) -> Since:
        refusing_ms = self.ingest.refusing_ms
        lost_ms = self.mqtt.lost_ms if self.mqtt else None
        deaf = [since for since in (refusing_ms, lost_ms) if since is not None]
        return {"snmp": refusing_ms, "mqtt": min(deaf, default=None)}

    def _ask_again(self, aps: Sequence[str]) -> None:
        """Not awaited: what does not answer takes its time."""
        repoll_s = self.deployment.settings.outages.repoll_seconds
        jitter_s = min(repoll_s / 6, MOST_JITTER_S)
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self.poller.repoll(self.ingest, aps, jitter_s), name="poll again")
        ]
        if self.mqtt:
            tasks.append(asyncio.create_task(self.mqtt.repeat(aps), name="repeat"))
        for task in tasks:
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job failed", job=task.get_name(), exc_info=error)

    def _clock_set_back(self) -> None:
        log.warning("clock set back")
        self._schedule.clock_was_set_back(_now())

    def _every(self, job: schedule.Job, action: Callable[[], Awaitable[object]]) -> None:
        async def tracked() -> None:
            task = asyncio.ensure_future(action())
            task.set_name(job.name)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            # Whoever stops the schedule cancels its jobs; what is under way is to finish.
            await asyncio.shield(task)

        self._schedule.add(job, tracked)

    async def change_keys(self) -> None:
        """Destroy the keys of addresses whose day is over, though nobody is seen."""
        await asyncio.to_thread(self.anonymiser.expire, _now_ms())

    async def expire_sessions(self) -> None:
        """Delete the sessions that are older than usage.sessions_days."""
        kept = timedelta(days=self.deployment.settings.usage.sessions_days)
        before_ms = round((_now() - kept).timestamp() * 1000)
        deleted = await asyncio.to_thread(self.ledger.expire, before_ms)
        if deleted:
            log.info("sessions expired", sessions=deleted)
        await asyncio.to_thread(self.alerting.expire, _now_ms())

    async def _judge_week(self) -> None:
        await asyncio.to_thread(self._tell_verdicts, _now())

    def _tell_verdicts(self, now: datetime) -> None:
        """Log the week's verdicts, and each that is another than the week before."""
        weeks = replay(self.deployment, self.store, self.state.closed_until_ms(), now)
        week, before = weeks.standing(), weeks.standing(1)
        log.info("verdicts", **dict(Counter[str](found.verdict for found in week)))
        for change in changes(before, week):
            log.info("verdict changed", site=change.site, before=change.before, now=change.after)

    async def note_health(self) -> None:
        """Note how listening and storing go, for `status` and `doctor`, and that we live."""
        await asyncio.to_thread((self.deployment.state_dir / ALIVE).touch)
        await self.note_mqtt()
        await asyncio.to_thread(self._note_outages)
        if isinstance(self.store, InfluxStore):
            await asyncio.to_thread(self._note_store, self.store)

    def _note_outages(self) -> None:
        self.state.set_collector(self.watch.health())
        alerts = self.alerting.health(_now_ms())
        if alerts is not None:
            self.state.set_collector(alerts)

    def _note_store(self, store: InfluxStore) -> None:
        now_ms = _now_ms()
        spool = store.spool.health()
        health = spool_health(spool, store.forwarder.trouble, now_ms)
        self.state.set_collector(health)
        tell = log.info if health.ok else log.warning
        if spool.lines or not health.ok:
            tell("spool", waiting=spool.lines, waiting_s=round(spool.age_s(now_ms)), ok=health.ok)

    async def note_mqtt(self) -> None:
        """Note how listening goes, for `status` and `doctor`."""
        if self.mqtt:
            health = of_listening(self.mqtt.health())
            await asyncio.to_thread(self.state.set_collector, health)


def _now() -> datetime:
    return datetime.now(UTC)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
