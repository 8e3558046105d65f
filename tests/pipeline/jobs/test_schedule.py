"""When the daemon's jobs run, and what a failing or slow one does to the others."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from pipeline.jobs.schedule import (
    Job,
    Schedule,
    close_windows,
    poll_round,
    weekly_verdicts,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 3, 4, 10, 0, 7, tzinfo=UTC)


def fire_times(job: Job, start: datetime, n: int) -> list[datetime]:
    times: list[datetime] = []
    previous: datetime | None = None
    for _ in range(n):
        previous = job.trigger.get_next_fire_time(previous, previous or start)
        assert previous is not None
        times.append(previous)
    return times


def test_the_first_round_is_at_once_and_the_next_about_an_interval_later() -> None:
    job = poll_round(300, NOW)
    assert job.first_run == NOW
    due = job.trigger.get_next_fire_time(NOW, NOW)
    assert timedelta(seconds=270) <= due - NOW <= timedelta(seconds=330)


def test_a_round_that_is_half_an_interval_late_is_left_out() -> None:
    assert poll_round(300, NOW).misfire_grace_s == 150


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        # 2026-03-29 is the day that summer time begins in Brussels.
        (datetime(2026, 3, 24, 12, tzinfo=UTC), datetime(2026, 3, 30, 4, 30, tzinfo=BRUSSELS)),
        (datetime(2026, 10, 20, 12, tzinfo=UTC), datetime(2026, 10, 26, 4, 30, tzinfo=BRUSSELS)),
    ],
)
def test_verdicts_come_on_monday_morning_of_the_city(now: datetime, monday: datetime) -> None:
    assert fire_times(weekly_verdicts(BRUSSELS, now), now, 1) == [monday]


def test_verdicts_after_a_start_leave_the_first_minutes_to_collecting_and_aggregating() -> None:
    first = weekly_verdicts(BRUSSELS, NOW).first_run
    assert first is not None
    assert timedelta(minutes=1) < first - NOW < timedelta(hours=1)


def test_windows_are_closed_and_verdicts_judged_however_late() -> None:
    assert close_windows(NOW).misfire_grace_s is None
    assert weekly_verdicts(BRUSSELS, NOW).misfire_grace_s is None


def test_every_job_says_why_it_is_set_so() -> None:
    jobs = [poll_round(60, NOW), close_windows(NOW), weekly_verdicts(BRUSSELS, NOW)]
    assert all(job.reason.endswith(".") and job.coalesce for job in jobs)


async def test_a_failing_job_is_told_and_the_others_run() -> None:
    ran = asyncio.Event()

    async def fails() -> None:
        raise RuntimeError("disk on fire")

    async def works() -> None:
        ran.set()

    schedule = Schedule()
    now = datetime.now(UTC)
    schedule.add(close_windows(now), fails)
    schedule.add(poll_round(300, now), works)
    with capture_logs() as logs:
        schedule.start()
        await asyncio.wait_for(ran.wait(), 5)
        for _ in range(10):  # the scheduler's own callbacks come after the jobs
            await asyncio.sleep(0)
    schedule.stop()
    assert logs[0]["event"] == "job failed"
    assert "disk on fire" in logs[0]["error"]


async def test_a_clock_that_is_set_back_does_not_stop_what_is_repeated() -> None:
    ran = asyncio.Event()
    waited: list[datetime] = []

    async def polls() -> None:
        ran.set()

    async def judges() -> None:
        waited.append(datetime.now(UTC))

    schedule = Schedule()
    ahead = datetime.now(UTC) + timedelta(days=30)  # as it was before
    schedule.add(poll_round(300, ahead), polls)
    schedule.add(weekly_verdicts(BRUSSELS, ahead), judges)
    schedule.start()
    schedule.clock_was_set_back(datetime.now(UTC))
    await asyncio.wait_for(ran.wait(), 5)
    schedule.stop()
    assert waited == []


async def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    schedule = Schedule()
    schedule.stop()
    schedule.start()
    schedule.stop()
    schedule.stop()
