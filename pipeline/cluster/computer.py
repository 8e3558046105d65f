"""Usage computed by a Dask cluster, in order, equal to the last bit to what one machine computes.

The only module that imports Dask, which is an extra: `pip install 'spotwatch[dask]'`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, TypeVar

from distributed import CancelledError, Client, Future, KilledWorker

from config.deployment import Deployment
from pipeline.cluster.job import Job, Partitions, compute, job_of
from pipeline.usage.compute import MAX_CELLS, Chunk
from pipeline.usage.periods import bounds
from pipeline.usage.service import Service

CONNECT_S: Final = 15
JOIN_S: Final = 60
"""How long to wait for the first worker."""
RETRIES: Final = 2
"""How often a task that failed is tried again, such as when InfluxDB was busy. One whose worker
died is started anew by Dask."""
AHEAD: Final = 2
"""Tasks handed out for each thread of the cluster; what they bring waits on the workers."""

AGAIN: Final = "run the same command again; what was written before that is right"

T = TypeVar("T")


class ClusterError(Exception):
    """The cluster cannot do what was asked; the message says why and what to do."""


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A connection to a Dask scheduler with at least one worker.

    `address`: such as tcp://10.0.0.5:8786, or tls:// with the certificates of Dask's own
    configuration. Raises ClusterError.
    """
    try:
        client = Client(address, timeout=CONNECT_S, name="spotwatch")
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"{address}: no Dask scheduler answers there: {error}; allowed: the address that "
            "`dask scheduler` prints, such as tcp://10.0.0.5:8786"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=JOIN_S)
        except TimeoutError as error:
            raise ClusterError(
                f"{address}: no worker joined in {JOIN_S} s; start some: dask worker {address}"
            ) from error
        yield client


class ClusterComputer:
    """Computes usage as `pipeline.usage.compute.Computer` does, on the workers of a cluster."""

    def __init__(self, deployment: Deployment, client: Client, partitions: Partitions) -> None:
        self._deployment = deployment
        self._client = client
        self._partitions = partitions

    def chunks(self, start_ms: int, end_ms: int, service: Service) -> Iterator[Chunk]:
        """Compute [start, end), both on the window; in order of time.

        Raises ClusterError where a task fails, and StoreError where partitions cannot be made.
        """
        threads = sum(self._client.nthreads().values())
        # A task of its own and not a part of each: where its worker dies, it is done again.
        job = self._submit(_shared, job_of(self._deployment, service))
        waiting: deque[tuple[tuple[int, int], Future[list[Chunk]]]] = deque()
        try:
            for span in self._spans(start_ms, end_ms, service, threads):
                source = self._partitions.ready(*span)
                waiting.append((span, self._submit(compute, job, source, *span)))
                if len(waiting) >= AHEAD * threads:
                    yield from _result(*waiting.popleft())
            while waiting:
                yield from _result(*waiting.popleft())
        finally:
            self._client.cancel([future for _, future in waiting])

    def _submit(self, work: Callable[..., T], *arguments: object) -> "Future[T]":
        # Not by its content: two recomputes of the same span are two pieces of work.
        return self._client.submit(work, *arguments, pure=False, retries=RETRIES)

    def _spans(
        self, start_ms: int, end_ms: int, service: Service, threads: int
    ) -> Iterator[tuple[int, int]]:
        """Stretches of whole local days: no larger than memory allows, enough for every thread."""
        days = bounds("day", start_ms, end_ms, self._deployment.settings.zone).tolist()
        cells_a_day = max(len(service.aps), len(service.sites), 1) * 96
        each = min(MAX_CELLS // cells_a_day, len(days) // (2 * AHEAD * threads))
        cuts = [*days[: -1 : max(each, 1)], days[-1]]
        for start, end in pairwise(cuts):
            yield max(start, start_ms), min(end, end_ms)


def _shared(job: Job) -> Job:
    return job


def _result(span: tuple[int, int], future: "Future[list[Chunk]]") -> list[Chunk]:
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in span)
    stretch = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    try:
        error = future.exception()
    except (CancelledError, OSError) as lost:
        raise ClusterError(f"the cluster gave up {stretch}: {lost}; {AGAIN}") from lost
    if isinstance(error, KilledWorker):
        raise ClusterError(
            f"{stretch}: every worker that tried it died; give them more memory and {AGAIN}"
        ) from error
    if error is not None:
        raise ClusterError(
            f"a worker failed at {stretch}: {type(error).__name__}: {error}; mend that and {AGAIN}"
        ) from error
    return future.result()
