"""The daemon's jobs as data, and the scheduler that runs them (APScheduler 3, asyncio)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.events import EVENT_JOB_MAX_INSTANCES as EVENT_JOB_OVERRUN
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger(__name__)

MAX_JITTER_S: Final = 30
FIRST_DAY_OF_WEEK: Final = "mon"
VERDICTS_AFTER_START: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its trigger and what to do when its time passed without it."""

    name: str
    trigger: BaseTrigger
    misfire_grace_s: int | None
    """Still run when so late; None: however late."""
    coalesce: bool
    """Run once for all the times that were missed."""
    reason: str
    """Why these settings."""
    first_run: datetime | None = None
    """Run then for the first time; None: when the trigger says."""


def poll_round(interval_s: int, now: datetime) -> Job:
    """Poll every device that has this interval; the first round at once.

    The jitter keeps rounds of different intervals, and of several installations, from asking the
    same controllers in the same second.
    """
    jitter = min(interval_s // 10, MAX_JITTER_S)
    return Job(
        name=f"poll every {interval_s} s",
        trigger=IntervalTrigger(seconds=interval_s, jitter=jitter or None, start_date=now),
        misfire_grace_s=max(interval_s // 2, 1),
        coalesce=True,
        reason="A round that was missed is a gap: polling twice now would not fill it, and one "
        "that is over half an interval late would crowd the next.",
        first_run=now,
    )


def look_for_maintenance(now: datetime) -> Job:
    """Look for maintenance that was announced or ended, by whomever."""
    return Job(
        name="look for maintenance",
        trigger=IntervalTrigger(seconds=5, start_date=now),
        misfire_grace_s=None,
        coalesce=True,
        reason="Only the present is of interest.",
        first_run=now,
    )


def close_windows(now: datetime) -> Job:
    """Aggregate what is complete, every minute; at once after a start, to catch up."""
    return Job(
        name="close windows",
        trigger=IntervalTrigger(minutes=1, start_date=now),
        misfire_grace_s=None,
        coalesce=True,
        reason="One run closes every window that is due, however late it comes.",
        first_run=now,
    )


def note_health(now: datetime) -> Job:
    """Write down how listening goes, for `status` to tell."""
    return Job(
        name="note health",
        trigger=IntervalTrigger(seconds=15, start_date=now),
        misfire_grace_s=15,
        coalesce=True,
        reason="Only the present is of interest.",
        first_run=now,
    )


def change_keys(now: datetime) -> Job:
    """Destroy the keys of client addresses soon after their day, every minute."""
    return Job(
        name="change keys",
        trigger=IntervalTrigger(minutes=1, start_date=now),
        misfire_grace_s=None,
        coalesce=True,
        reason="A key that is over has to go, however late it is noticed.",
        first_run=now,
    )


def expire_sessions(zone: ZoneInfo, now: datetime) -> Job:
    """Delete sessions that are old enough, at night; also some minutes after a start."""
    return Job(
        name="expire sessions",
        trigger=CronTrigger(hour=5, minute=10, timezone=zone),
        misfire_grace_s=None,
        coalesce=True,
        reason="One run deletes all that is due, however late it comes.",
        first_run=now + VERDICTS_AFTER_START,
    )


def weekly_verdicts(zone: ZoneInfo, now: datetime) -> Job:
    """Judge every site on Monday morning, once the last day of the week is complete.

    Also some minutes after a start, because a Monday may have passed while the daemon was down: by
    then the first rounds are done, and what was missed is aggregated.
    """
    return Job(
        name="weekly verdicts",
        trigger=CronTrigger(day_of_week=FIRST_DAY_OF_WEEK, hour=4, minute=30, timezone=zone),
        misfire_grace_s=None,
        coalesce=True,
        reason="Verdicts follow from usage and the week alone: late is as good as on time.",
        first_run=now + VERDICTS_AFTER_START,
    )


class Schedule:
    """Runs jobs in the current event loop. One failing job never stops the others."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone=ZoneInfo("UTC"))
        self._scheduler.add_listener(
            _report, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_OVERRUN
        )

    def add(self, job: Job, action: Callable[[], Awaitable[None]]) -> None:
        """Add a job. It never runs beside itself: two rounds at once would ask a slow device
        twice, and usage has one writer.
        """
        timing = {} if job.first_run is None else {"next_run_time": job.first_run}
        self._scheduler.add_job(
            action,
            job.trigger,
            id=job.name,
            name=job.name,
            max_instances=1,
            misfire_grace_time=job.misfire_grace_s,
            coalesce=job.coalesce,
            **timing,
        )

    def start(self) -> None:
        """Start; needs a running event loop."""
        self._scheduler.start()

    def clock_was_set_back(self, now: datetime) -> None:
        """Run what is repeated now: it waits for a time that will not come for long."""
        for job in self._scheduler.get_jobs():
            repeats = isinstance(job.trigger, IntervalTrigger)
            job.modify(next_run_time=now if repeats else job.trigger.get_next_fire_time(None, now))

    def stop(self) -> None:
        """Start no more jobs. Those under way are the caller's to wait for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _report(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_ERROR and isinstance(event.exception, asyncio.CancelledError):
        log.debug("job under way when the schedule stopped", job=event.job_id)
    elif event.code == EVENT_JOB_ERROR:
        log.error("job failed", job=event.job_id, error=repr(event.exception))
    elif event.code == EVENT_JOB_MISSED:
        log.warning("job missed its time", job=event.job_id, due=str(event.scheduled_run_time))
    else:
        log.warning("job still runs, start left out", job=event.job_id)
