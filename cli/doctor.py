"""`spotwatch doctor`: is every part reachable and sane, and what to do if not."""

import asyncio
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Final

import typer
from rich.table import Table

from cli.doctor_influx import examine_influx
from cli.options import (
    EXIT_FAILED,
    ConfigOption,
    JsonOption,
    out,
    place_of,
    print_json,
)
from cli.profiles import open_with_profiles
from cli.stores import opened
from collectors.snmp.engine import SnmpError
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.jobs import Job, jobs_of
from collectors.snmp.poll import poll_device
from collectors.snmp.profiles import Profiles
from config.deployment import Deployment
from config.settings import InfluxdbStore, Mqtt, SqliteStore
from pipeline import diagnosis
from pipeline.alerts.health import diagnosed
from pipeline.alerts.outbox import Outbox
from pipeline.alerts.routing import target_names
from pipeline.diagnosis import Finding
from pipeline.store.base import StoreError

CONNECT_S: Final = 5.0
_COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "bold red"}


def doctor(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Look at every part of the installation; exit code 1 if one of them is not well."""
    deployment, profiles = open_with_profiles(config)
    findings = list(examine(deployment, profiles))
    healthy = all(finding.health != "error" for finding in findings)
    if as_json:
        print_json({"ok": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    if not healthy:
        raise typer.Exit(EXIT_FAILED)


def examine(deployment: Deployment, profiles: Profiles) -> Iterator[Finding]:
    """Look at one part after the other, from the inside out."""
    yield Finding(
        "configuration",
        "ok",
        f"{len(deployment.sites)} sites, {len(deployment.access_points)} access points",
    )
    yield diagnosis.opening_hours(deployment)
    yield diagnosis.peers(deployment)
    folder = _existing(_local_folder(deployment))
    yield diagnosis.disk(shutil.disk_usage(folder).free, str(folder))
    now_ms = time.time_ns() // 1_000_000
    if isinstance(deployment.settings.store, InfluxdbStore):
        yield from examine_influx(deployment, deployment.settings.store, now_ms)
    yield from _store(deployment, now_ms)
    if deployment.settings.mqtt:
        yield _broker(deployment.settings.mqtt)
    yield _alerts(deployment, now_ms)
    jobs = jobs_of(deployment)
    if jobs:
        yield asyncio.run(_devices(deployment, jobs, profiles))


def _store(deployment: Deployment, now_ms: int) -> Iterator[Finding]:
    try:
        with opened(deployment) as (store, state):
            spans = store.span()
            closed, dirty = state.closed_until_ms(), len(state.dirty())
            refused, latest = state.count_dead_letters(), state.dead_letters(1)
    except StoreError as error:
        advice = "Check that the folder exists, belongs to this user and has room."
        yield Finding("store", "error", str(error), advice)
        return
    yield Finding("store", "ok", f"{place_of(deployment)}: samples of {len(spans)} sites")
    yield diagnosis.silent_sites(deployment, spans, now_ms)
    yield diagnosis.aggregation(deployment, closed, dirty, now_ms)
    yield diagnosis.dead_letters(refused, latest[0].reason if latest else None)


def _alerts(deployment: Deployment, now_ms: int) -> Finding:
    names = target_names(deployment.settings.alerts)
    try:
        with closing(Outbox(deployment.alerts_path)) as outbox:
            return diagnosed([outbox.health(name) for name in names], now_ms)
    except StoreError as error:
        return Finding("alerts", "error", str(error), "Check the folder of the state.")


def _broker(mqtt: Mqtt) -> Finding:
    where = f"{mqtt.host}:{mqtt.port}"
    try:
        with socket.create_connection((mqtt.host, mqtt.port), timeout=CONNECT_S):
            return Finding("MQTT broker", "ok", f"{where} accepts connections")
    except OSError as error:
        advice = "Start the broker, or correct mqtt.host and mqtt.port in spotwatch.yaml."
        return Finding("MQTT broker", "error", f"{where}: {error}", advice)


async def _devices(deployment: Deployment, jobs: tuple[Job, ...], profiles: Profiles) -> Finding:
    """Poll every device once."""
    engine = GufoEngine()
    together = asyncio.Semaphore(deployment.settings.snmp.concurrency)

    async def ask(job: Job) -> str | None:
        async with together:
            try:
                await poll_device(engine, job.target, profiles, job.profile)
            except SnmpError as error:
                return error.reason
        return None

    answers = await asyncio.gather(*map(ask, jobs))
    silent = {job.target.name: why for job, why in zip(jobs, answers, strict=True) if why}
    return diagnosis.devices(len(jobs) - len(silent), silent)


def _local_folder(deployment: Deployment) -> Path:
    """Where what is collected is made durable on this machine."""
    chosen = deployment.settings.store
    if isinstance(chosen, SqliteStore):
        return (deployment.folder / chosen.path).parent
    return deployment.state_dir


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _show(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "part", "what was seen", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.health]
        table.add_row(f"[{colour}]{finding.health}[/]", finding.part, finding.seen, finding.advice)
    out.print(table)
