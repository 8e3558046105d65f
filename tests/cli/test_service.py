"""What the daemon does with sessions, beside collecting: in time, and not beyond it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from cli.service import Service
from collectors.presence import Device, Presence
from config.loader import load

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
