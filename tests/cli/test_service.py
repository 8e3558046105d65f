"""What the daemon does with sessions, beside collecting: in time, and not beyond it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from cli.service import Service
from collectors.fleet.agent import Agent
from collectors.presence import Device, Presence
from collectors.sink import Announcement
from config.loader import load
from pipeline.maintenance import Announced
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore

DAY_MS = 86_400_000
OLD_KEY = "ab" * 32


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    files = {
        "spotwatch.yaml": "city: C\ntimezone: Europe/Brussels\nusage: {sessions_days: 30}\n",
        "sites.csv": "site,kind\nlibrary,library\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\n",
        "state/day_keys.json": orjson.dumps(
            {"Europe/Brussels": {"day": "2026-03-05", "key": OLD_KEY, "former": None}}
        ).decode(),
    }
    (tmp_path / "state").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    running = Service(load(tmp_path))
    yield running
    await running.stop()


def seen(ago_ms: int) -> Presence:
    now_ms = time.time_ns() // 1_000_000
    return Presence("ap-1", "library", now_ms - ago_ms, 300, (Device(b"12345678", None, False),))


async def test_a_key_that_is_over_is_destroyed_though_nobody_is_seen(service: Service) -> None:
    path = service.deployment.day_keys_path
    assert OLD_KEY in path.read_text(encoding="utf-8")
    await service.start()
    async with asyncio.timeout(20):
        while OLD_KEY in path.read_text(encoding="utf-8"):  # noqa: ASYNC110 - another thread writes
            await asyncio.sleep(0.01)


async def test_sessions_are_kept_as_long_as_the_setting_says(service: Service) -> None:
    await service.presences.note([seen(40 * DAY_MS), seen(20 * DAY_MS)])
    await service.expire_sessions()
    now_ms = time.time_ns() // 1_000_000
    assert len(service.ledger.lengths(now_ms - 60 * DAY_MS, now_ms)) == 1


async def test_sessions_join_usage(service: Service) -> None:
    await service.presences.note([seen(DAY_MS)])
    await service.close_windows()
    usage = service.store.read_usage("15min", 0, time.time_ns() // 1_000_000)
    assert usage["sessions"].sum() == 1


async def test_maintenance_announced_by_another_process_counts_and_marks_usage(
    service: Service,
) -> None:
    now_ms = time.time_ns() // 1_000_000
    hour = 3_600_000
    with closing(State(service.deployment.state_path)) as other:
        works = Announcement("library", now_ms - hour, now_ms + hour, "switch", "mqtt", now_ms)
        Announced(other).add([works, works._replace(site="gone")])
    aggregator = service.aggregator
    await service.look_for_maintenance()
    assert [one.reason for one in service.deployment.maintenance] == ["switch"]
    assert service.aggregator is not aggregator
    assert {span.site for span in service.state.dirty()} == {"library", "gone"}

    aggregator = service.aggregator
    await service.look_for_maintenance()
    assert service.aggregator is aggregator
    (ours,) = (one for one in service.announced.all() if one.site == "library")
    service.announced.end(ours.id, now_ms)
    await service.look_for_maintenance()
    assert service.deployment.maintenance[0].end.timestamp() * 1000 == pytest.approx(now_ms, abs=1)


async def test_how_outages_are_watched_is_noted(service: Service) -> None:
    await service.start()
    async with asyncio.timeout(20):
        while not _watched(service):
            await service.note_health()
            await asyncio.sleep(0.01)


def _watched(service: Service) -> bool:
    return any(one.collector == "outages" and one.ok for one in service.state.collectors())


async def test_a_poll_that_is_under_way_when_it_stops_is_stored(tmp_path: Path) -> None:
    async with Agent({"public": lambda: None}) as silent:
        files = {
            "spotwatch.yaml": "city: C\ntimezone: Europe/Brussels\nsnmp: {timeout_s: 0.3, "
            "retries: 1, credentials: {default: {community: 'file:community'}}}\n",
            "community": "public",
            "sites.csv": "site,kind\nlibrary,library\n",
            "access_points.csv": "ap,site,source,host,port\n"
            f"ap-1,library,snmp,127.0.0.1,{silent.port}\n",
        }
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        service = Service(load(tmp_path))
        await service.start()
        async with asyncio.timeout(20):
            while not silent.requests:  # noqa: ASYNC110 - datagrams arrive elsewhere
                await asyncio.sleep(0.001)
        with capture_logs() as logs:
            await service.stop()
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    store = SqliteStore(tmp_path / "spotwatch.db")
    samples = store.read_samples(0, 2**53)
    store.close()
    assert samples["up"].tolist() == [0]
