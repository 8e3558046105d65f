"""Which devices to ask again, soon after access points of theirs failed a poll. Pure."""

from collections.abc import Collection, Container, Iterable, Mapping
from typing import Final

from collectors.snmp.jobs import Job

OFTEN: Final = 8
"""A controller that answers, but says that an AP is down, is asked so often in its interval: less
often, and that it is down would be certain a good while later.
"""


class Repolls:
    """Knows which device answers for an AP, and when each was asked."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._job_of: Mapping[str, Job] = {ap.ap: job for job in jobs for ap in job.aps}
        self._answered_ms: dict[str, int] = {}

    def note(self, job: Job, at_ms: int, *, answered: bool) -> None:
        """Take note of a poll."""
        if answered:
            self._answered_ms[job.target.name] = at_ms
        else:
            self._answered_ms.pop(job.target.name, None)

    def chosen(
        self, aps: Collection[str], now_ms: int, most: int, busy: Container[str]
    ) -> list[Job]:
        """The devices to ask for some APs, each once, at most so many; the others have to wait.

        `busy`: the names of those that are being asked already.
        """
        jobs = {job.target.name: job for ap in aps if (job := self._job_of.get(ap))}
        due = [
            job for name, job in jobs.items() if name not in busy and not self._rests(job, now_ms)
        ]
        return due[: max(most, 0)]

    def _rests(self, job: Job, now_ms: int) -> bool:
        """A walk through a controller costs a thousand times what an AP's poll does."""
        answered_ms = self._answered_ms.get(job.target.name)
        if not job.is_controller or answered_ms is None:
            return False
        return now_ms - answered_ms < job.poll_seconds * 1000 / OFTEN
