"""Samples a second to InfluxDB and usage back, beside influxdb-client's own ways: `bench.influx`.

Everything talks to one `influxd` (Debian's 1.6.7) through one small proxy with the v2 write
endpoint; each way runs in a process of its own, so that its CPU time and peak memory are its own.
Ours makes every sample durable on the local disk first, and sends gzip; the others keep samples in
memory, lose them with the process, and send plain text, their default.

    python -m bench.influx [SAMPLES [SITES]]
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pandas as pd
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.domain.write_precision import WritePrecision
from pydantic import SecretStr

from collectors.reading import Reading
from pipeline.spool.forwarder import BATCH_LINES
from pipeline.spool.spool import Spool
from pipeline.store.influx.server import InfluxServer
from pipeline.store.influx.store import InfluxStore
from pipeline.store.schema import SAMPLE_FIELDS, USAGE_COLUMNS
from tests.integration.influx.influxd import INFLUXD, MISSING, Influxd
from tests.integration.influx.proxy import Proxy

TOKEN = "bench"
APS = 1_000
BATCH = BATCH_LINES
"""The others send batches as large as ours."""
START = 1_782_856_800_000  # 30 June 2026, 22:00 UTC: the third quarter begins in Brussels
DAYS = 92
CITY = 1_000
"""Sites of a large city."""


class Job(NamedTuple):
    """Where to write, and how much."""

    url: str
    bucket: str
    folder: Path
    samples: int
    sites: int


class Spent(NamedTuple):
    """What something took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def readings(samples: int) -> Iterator[list[Reading]]:
    """Rounds of a thousand APs, as a poller hands them over."""
    for turn in range(samples // APS):
        ts_ms = START + turn * 60_000
        yield [
            Reading(
                f"ap{n:04}", f"site{n // 4:03}", ts_ms + n % 50, 1, n % 40, n % 13, n % 27, None,
                turn * 10**6 + n, turn * 10**7 + n, 64, turn * 60, n % 1000 / 10, 60,
            )
            for n in range(APS)
        ]  # fmt: skip


def open_store(job: Job) -> InfluxStore:
    """Ours."""
    server = InfluxServer(url=job.url, org="city", token=SecretStr(TOKEN))
    spool = Spool(job.folder / f"{job.bucket}.db")
    tags = {f"site{n:04}": ("library", "Charleroi") for n in range(job.sites)}
    return InfluxStore(
        server, spool, raw_bucket=job.bucket, usage_bucket=job.bucket, site_tags=tags
    )


def fill_spool(job: Job) -> Callable[[], None]:
    """Readings to the disk: durable, a transaction a round."""
    store = open_store(job)
    rounds = list(readings(job.samples))

    def work() -> None:
        for one in rounds:
            store.write_samples(one)
        store.spool.close()

    return work


def empty_spool(job: Job) -> Callable[[], None]:
    """From the disk to InfluxDB."""
    return open_store(job).forwarder.drain


def write_all(job: Job) -> Callable[[], None]:
    """Readings to the disk and on to InfluxDB."""
    fill, store = fill_spool(job), open_store(job)

    def work() -> None:
        fill()
        store.forwarder.drain()

    return work


def points(one: list[Reading]) -> list[Point]:
    """As the client's documentation has it."""
    made = []
    new: Any = Point  # not annotated
    for r in one:
        point = new("sample").tag("ap", r.ap).tag("site", r.site)
        for name, value in zip(SAMPLE_FIELDS, r[3:], strict=True):
            if value is not None:
                point.field(name, value)
        made.append(point.time(r.ts_ms, WritePrecision.MS))
    return made


def client(job: Job) -> InfluxDBClient:
    """The client with its defaults."""
    return InfluxDBClient(url=job.url, org="city", token=TOKEN, timeout=60_000)


def write_points_batching(job: Job) -> Callable[[], None]:
    """The batching API: a queue in memory and a thread that sends."""
    rounds = list(readings(job.samples))

    def work() -> None:
        with client(job) as api, api.write_api(WriteOptions(batch_size=BATCH)) as write:
            for one in rounds:
                write.write(job.bucket, record=points(one))

    return work


def write_points(job: Job) -> Callable[[], None]:
    """The synchronous API with `Point`s, in batches as large as ours."""
    rounds = list(readings(job.samples))

    def work() -> None:
        with client(job) as api, api.write_api(write_options=SYNCHRONOUS) as write:
            for first in range(0, len(rounds), BATCH // APS):
                batch = [p for one in rounds[first : first + BATCH // APS] for p in points(one)]
                write.write(job.bucket, record=batch)

    return work


def write_frame(job: Job) -> Callable[[], None]:
    """The DataFrame writer, in batches as large as ours."""
    rows = [r for one in readings(job.samples) for r in one]
    frame = pd.DataFrame(rows, columns=list(Reading._fields)).drop(columns="clients_6g")
    frame.index = pd.to_datetime(frame.pop("ts_ms"), unit="ms", utc=True)

    def work() -> None:
        with client(job) as api, api.write_api(write_options=SYNCHRONOUS) as write:
            for first in range(0, len(frame), BATCH):
                write.write(
                    job.bucket,
                    record=frame.iloc[first : first + BATCH],
                    data_frame_measurement_name="sample",
                    data_frame_tag_columns=["ap", "site"],
                )

    return work


def usage(sites: range, step_ms: int) -> pd.DataFrame:
    """A quarter of usage of some sites."""
    starts = np.arange(START, START + DAYS * 86_400_000, step_ms)
    random = np.random.default_rng(sites.start)
    rows = len(sites) * len(starts)
    frame = pd.DataFrame({"site": np.repeat([f"site{n:04}" for n in sites], len(starts))})
    frame["start_ms"] = np.tile(starts, len(sites))
    frame["end_ms"] = frame["start_ms"] + step_ms
    for name, kind in USAGE_COLUMNS.items():
        if name not in frame:
            frame[name] = pd.Series(random.integers(0, 10**9, rows), dtype=kind)
    return frame.astype(USAGE_COLUMNS)


def write_usage(job: Job) -> Callable[[], None]:
    """A quarter, hourly and daily, site by site as a recompute does."""
    store = open_store(job)

    def work() -> None:
        for first in range(0, job.sites, 20):
            some = range(first, min(first + 20, job.sites))
            store.write_usage("hour", usage(some, 3_600_000))
            store.write_usage("day", usage(some, 86_400_000))

    return work


def read_usage(job: Job) -> Callable[[], None]:
    """The quarter back as two frames."""
    store = open_store(job)

    def work() -> None:
        end = START + DAYS * 86_400_000
        rows = sum(len(store.read_usage(level, START, end)) for level in ("hour", "day"))
        assert rows == job.sites * DAYS * 25, rows

    return work


def read_usage_plainly(job: Job) -> Callable[[], None]:
    """The same through the client's generic call: one answer, one JSON document, one frame."""
    api: Any = client(job).api_client

    def ask(measurement: str) -> pd.DataFrame:
        answer = api.call_api(
            "/query",
            "POST",
            header_params={"Content-Type": "application/x-www-form-urlencoded"},
            post_params=[
                ("db", job.bucket),
                ("q", f'SELECT * FROM "{measurement}"'),
                ("epoch", "ms"),
            ],
            response_type=object,
            _return_http_data_only=True,
        )
        series = answer["results"][0]["series"][0]
        return pd.DataFrame(series["values"], columns=series["columns"])

    def work() -> None:
        rows = len(ask("usage_hour")) + len(ask("usage_day"))
        assert rows == job.sites * DAYS * 25, rows

    return work


def measured(work: Callable[[Job], Callable[[], None]], job: Job) -> Spent:
    """Run something in a process of its own. Preparing its input is not counted in its time."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(work, job, sender))
    process.start()
    sender.close()
    try:
        return Spent(*receiver.recv())
    finally:
        process.join()


def _measure(work: Callable[[Job], Callable[[], None]], job: Job, sender: Connection) -> None:
    prepared = work(job)
    wall, cpu = time.perf_counter(), time.process_time()
    prepared()
    spent = (time.perf_counter() - wall, time.process_time() - cpu)
    sender.send((*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _serve(upstream: str, sender: Connection) -> None:
    proxy = Proxy(upstream, TOKEN)
    proxy.start()
    sender.send(proxy.url)
    while True:
        time.sleep(3600)  # until it is ended from outside


def stored(influxd: Influxd, bucket: str) -> int:
    """How many samples arrived."""
    answer = orjson.loads(influxd.query('SELECT count("interval_s") FROM "sample"', bucket))
    series = answer["results"][0].get("series")
    return int(series[0]["values"][0][1]) if series else 0


def row(name: str, count: int, spent: Spent, note: str = "") -> str:
    """A line of the table."""
    return (
        f"{name:<44}{count / spent.wall_s:>11,.0f}/s{spent.wall_s:>8.1f} s"
        f"{spent.cpu_s:>8.1f} s CPU{spent.peak_mb:>8.0f} MB  {note}"
    )


WRITERS: dict[str, Callable[[Job], Callable[[], None]]] = {
    "ours: readings to spool to InfluxDB": write_all,
    "influxdb-client: batching, Point": write_points_batching,
    "influxdb-client: synchronous, Point": write_points,
    "influxdb-client: synchronous, DataFrame": write_frame,
}


def run(influxd: Influxd, url: str, folder: Path, samples: int, sites: int) -> None:
    """Print the tables."""
    print(f"{samples:,} samples of {APS:,} APs; influxd, proxy and writer share this machine")
    rates: dict[str, float] = {}
    for number, (name, work) in enumerate(WRITERS.items()):
        job = Job(url, f"w{number}", folder, samples, sites)
        influxd.query(f"CREATE DATABASE {job.bucket}")
        spent = measured(work, job)
        rates[name] = samples / spent.wall_s
        lost = samples - stored(influxd, job.bucket)
        print(row(name, samples, spent, f"{lost:,} lost"), flush=True)
        influxd.query(f"DROP DATABASE {job.bucket}")
    job = Job(url, "parts", folder, samples, sites)
    influxd.query("CREATE DATABASE parts")
    print(row("  of it: readings to spool, durable", samples, measured(fill_spool, job)))
    spent = measured(empty_spool, job)
    print(row("  of it: spool to InfluxDB", samples, spent), flush=True)
    for name in list(WRITERS)[1:]:
        print(
            f"spool to InfluxDB is {samples / spent.wall_s / rates[name]:.1f}, with the spool "
            f"before it {next(iter(rates.values())) / rates[name]:.1f} times {name}"
        )

    rows = sites * DAYS * 25
    quarter = datetime.fromtimestamp(START / 1000 + 86_400, UTC)
    print(f"\n{rows:,} rows of usage: {sites:,} sites, hourly and daily, from {quarter:%Y-%m-%d}")
    job = Job(url, "usage", folder, samples, sites)
    influxd.query("CREATE DATABASE usage")
    print(row("ours: write_usage", rows, measured(write_usage, job)), flush=True)
    print(row("ours: read_usage", rows, measured(read_usage, job)), flush=True)
    spent = measured(read_usage_plainly, job)
    print(row("influxdb-client: call_api, JSON, DataFrame", rows, spent), flush=True)
    if sites < CITY:
        print(
            f"scaled down to stay near a minute; of {CITY:,} sites: bench.influx {samples} {CITY}"
        )


def main() -> int:
    """Measure, or say what is missing."""
    if INFLUXD is None:
        print(f"skipped: {MISSING}")
        return 0
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    sites = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as name:
        influxd = Influxd(Path(name) / "influxd")
        influxd.start()
        proxy = context.Process(target=_serve, args=(influxd.url, sender), daemon=True)
        proxy.start()
        try:
            run(influxd, receiver.recv(), Path(name), samples, sites)
        finally:
            proxy.terminate()
            proxy.join()
            influxd.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
