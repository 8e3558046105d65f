"""What travels to a worker of a cluster, and what it does there. No secret is in it but a source's.

Everything here is plain Python that pickles; the cluster's own library is `computer.py`'s alone.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from config.deployment import Deployment
from config.settings import Settings, Snmp
from pipeline.store.base import StoreError
from pipeline.usage.compute import Chunk, Computer, SampleSource
from pipeline.usage.service import Service


class Source(Protocol):
    """Where a worker reads samples. Pickles; its repr, which the cluster logs, shows no secret."""

    def opened(self) -> AbstractContextManager[SampleSource]:
        """Open it on the machine that this is called on."""


class Partitions(Protocol):
    """Samples as workers can read them."""

    def ready(self, start_ms: int, end_ms: int) -> Source:
        """Make all that the usage of [start, end) needs readable to any worker."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the tasks of a recompute have in common."""

    version: str
    """Of Spotwatch. Another one may compute something else."""
    deployment: Deployment
    service: Service


def job_of(deployment: Deployment, service: Service) -> Job:
    """Take along what computing depends on: the files' rows and the rules, and no credentials."""
    settings = deployment.settings
    needed = Settings(
        city=settings.city,
        timezone=settings.timezone,
        country=settings.country,
        usage=settings.usage,
        snmp=Snmp(poll_seconds=settings.snmp.poll_seconds),
    )
    bare = deployment.model_copy(
        update={"folder": Path(), "settings": needed, "candidate_places": {}}
    )
    return Job(version("spotwatch"), bare, service)


def compute(job: Job, source: Source, start_ms: int, end_ms: int) -> list[Chunk]:
    """Compute the usage of [start, end) from samples that this machine reads itself.

    Raises StoreError where another version of Spotwatch is installed here, or from the source.
    """
    here = version("spotwatch")
    if here != job.version:
        raise StoreError(
            f"this worker has Spotwatch {here}, the coordinator {job.version}; install the same "
            "on both"
        )
    with source.opened() as samples:
        return list(Computer(job.deployment, samples).chunks(start_ms, end_ms, job.service))
