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
from cli.sinks import Announcements, DeadLetters
from cli.spool_status import spool_health
from cli.stores import open_ledger, open_store
from collectors.anonymiser import Anonymiser
from collectors.day_keys import DayKeys
from collectors.mqtt.collector import MqttCollector
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poller import Job, Poller, RoundReport
from collectors.snmp.profiles import load_profiles
from config.deployment import Deployment
from pipeline.ingest import AsyncIngest, Ingest
from pipeline.jobs import schedule
from pipeline.maintenance import Announced
from pipeline.sessions.intake import AsyncIntake, Intake
from pipeline.state import CollectorHealth, State
from pipeline.store.influx.store import InfluxStore
from pipeline.underuse.changes import changes
from pipeline.usage.aggregator import Aggregator

log = structlog.get_logger(__name__)

STOP_PATIENCE_S: Final = 20
"""Jobs under way may finish for so long; what was read by then is stored in any case."""
ALIVE: Final = "alive"
"""A file in the state's folder; the container's health check looks at its age."""
SHOWN: Final = 3
"""Failed devices named in a collector's detail."""


class Service:
    """Everything that runs. `start` and `stop` belong to one event loop."""

    def __init__(self, deployment: Deployment) -> None:
        """Raise ConfigError for wrong profiles, StoreError where the store cannot be opened."""
        self.deployment = deployment
        profiles = load_profiles(deployment.profiles_dir)
        self.state = State(deployment.state_path)
        self.store = open_store(deployment)
        self.ledger = open_ledger(deployment)
        self.aggregator = Aggregator(deployment, self.store, self.state, sessions=self.ledger)
        gap_ms = round(deployment.settings.usage.max_counter_gap_hours * 3_600_000)
        self.ingest = AsyncIngest(Ingest(self.store, self.state, gap_ms))
        self.presences = AsyncIntake(Intake(deployment, self.ledger, self.state))
        gap = timedelta(minutes=deployment.settings.usage.session_gap_minutes)
        self.anonymiser = Anonymiser(DayKeys(deployment.day_keys_path), gap)
        presence = self.anonymiser, self.presences
        self.poller = Poller(deployment, GufoEngine(), profiles, _now, presence)
        self.mqtt = (
            MqttCollector(
                deployment,
                self.ingest,
                DeadLetters(self.state),
                Announcements(Announced(self.state)),
            )
            if deployment.settings.mqtt
            else None
        )
        self._schedule = schedule.Schedule()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen to the broker; poll, aggregate and judge on schedule from now on."""
        if isinstance(self.store, InfluxStore):
            self.store.forwarder.start()
        await self.listen()
        now = _now()
        by_interval: dict[int, list[Job]] = {}
        for job in self.poller.jobs:
            by_interval.setdefault(job.poll_seconds, []).append(job)
        for seconds, jobs in by_interval.items():
            self._every(schedule.poll_round(seconds, now), partial(self.poll, jobs))
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
        await asyncio.to_thread(self.state.set_collector, _round_health(report, jobs))
        return report

    async def close_windows(self) -> None:
        """Aggregate what is complete, and again what late samples changed.

        Not while another process does, such as an import: it may take longer than we may to stop.
        """
        now_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(self.aggregator.close_windows, now_ms, wait=False)

    async def stop(self) -> None:
        """Start nothing more, let what is under way finish, store what was read."""
        self._schedule.stop()
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=STOP_PATIENCE_S)
            for task in late:
                log.warning("stopped before its end", job=task.get_name())
                task.cancel()
        if self.mqtt:
            await self.mqtt.stop()
        await self.poller.flush(self.ingest)
        await self.ingest.close()
        await self.presences.close()
        # In a thread: what is on its way to InfluxDB may take its time.
        await asyncio.to_thread(self.store.close)
        self.ledger.close()
        self.state.close()

    def _every(self, job: schedule.Job, action: Callable[[], Awaitable[object]]) -> None:
        async def tracked() -> None:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("jobs run as tasks")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await action()

        self._schedule.add(job, tracked)

    async def change_keys(self) -> None:
        """Destroy the keys of addresses whose day is over, though nobody is seen."""
        await asyncio.to_thread(self.anonymiser.expire, time.time_ns() // 1_000_000)

    async def expire_sessions(self) -> None:
        """Delete the sessions that are older than usage.sessions_days."""
        kept = timedelta(days=self.deployment.settings.usage.sessions_days)
        before_ms = round((_now() - kept).timestamp() * 1000)
        deleted = await asyncio.to_thread(self.ledger.expire, before_ms)
        if deleted:
            log.info("sessions expired", sessions=deleted)

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
        if isinstance(self.store, InfluxStore):
            await asyncio.to_thread(self._note_store, self.store)

    def _note_store(self, store: InfluxStore) -> None:
        now_ms = time.time_ns() // 1_000_000
        spool = store.spool.health()
        health = spool_health(spool, store.forwarder.trouble, now_ms)
        self.state.set_collector(health)
        tell = log.info if health.ok else log.warning
        if spool.lines or not health.ok:
            tell("spool", waiting=spool.lines, waiting_s=round(spool.age_s(now_ms)), ok=health.ok)

    async def note_mqtt(self) -> None:
        """Note how listening goes, for `status` and `doctor`."""
        if self.mqtt:
            seen = self.mqtt.health()
            health = CollectorHealth(
                collector="mqtt",
                kind="mqtt",
                last_seen_ms=seen.last_seen_ms,
                ok=seen.ok,
                targets=seen.targets,
                failed=seen.silent,
                detail=seen.detail,
            )
            await asyncio.to_thread(self.state.set_collector, health)


def _round_health(report: RoundReport, jobs: Sequence[Job] | None) -> CollectorHealth:
    failed = [failure.device for failure in report.failed]
    interval = f" every {jobs[0].poll_seconds} s" if jobs else ""
    detail = f"{report.ok} of {report.targets} answered in {report.duration_s:.1f} s"
    if failed:
        more = f" and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
        detail += f"; not: {', '.join(failed[:SHOWN])}{more}"
    return CollectorHealth(
        collector=f"snmp{interval}",
        kind="snmp",
        last_seen_ms=time.time_ns() // 1_000_000 if report.ok else None,
        ok=report.is_durable and (report.ok > 0 or not report.targets),
        targets=report.targets,
        failed=len(failed),
        detail=detail,
    )


def _now() -> datetime:
    return datetime.now(UTC)
