"""Silence on a real broker, by a clock that runs fast."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from collectors.fleet.broker import Broker, find_mosquitto, start_broker
from collectors.mqtt.backoff import Backoff
from collectors.mqtt.collector import MqttCollector
from config.deployment import AccessPoint, Deployment

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

BEGAN = time.monotonic()
FASTER = 10
INTERVAL_S = 5
"""Half a second of ours."""
QUIET_MS = 1500 * INTERVAL_S
HALL, ATTIC = "hotspots/library/hall", "hotspots/library/attic"


def now_ms() -> int:
    return 1_772_705_040_000 + round((time.monotonic() - BEGAN) * 1000 * FASTER)


@asynccontextmanager
async def listening(deployment: Deployment, store: Any) -> AsyncIterator[MqttCollector]:
    soon = Backoff(first_s=0.02, most_s=0.1)
    collector = MqttCollector(deployment, store, store, store, now_ms=now_ms, backoff=soon)
    await collector.start()
    try:
        async with asyncio.timeout(6):
            await collector.wait_connected()
        yield collector
    finally:
        await collector.stop()


@pytest.fixture
def city(deployment: Deployment) -> Deployment:
    """Two access points that publish every INTERVAL_S of the fast clock."""
    aps = [
        AccessPoint(ap=name, site="library", source="mqtt", poll_seconds=INTERVAL_S)
        for name in ("hall", "attic")
    ]
    return deployment.model_copy(update={"access_points": {ap.ap: ap for ap in aps}})


def at(deployment: Deployment, broker: Broker) -> Deployment:
    settings = deployment.settings
    assert settings.mqtt
    mqtt = settings.mqtt.model_copy(update={"port": broker.port})
    return deployment.model_copy(update={"settings": settings.model_copy(update={"mqtt": mqtt})})


def publish_now(broker: Broker, topic: str, payload: bytes, retain: bool) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.publish(topic, payload, 1, retain).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


async def publish(broker: Broker, topic: str, payload: bytes, *, retain: bool = False) -> None:
    await asyncio.to_thread(publish_now, broker, topic, payload, retain)


def times(store: Any, ap: str, up: int) -> list[int]:
    return [r.ts_ms for r in store.readings if r.ap == ap and r.up == up]


async def test_offline_is_down_again_each_interval_until_the_ap_speaks(
    city: Deployment, store: Any, tmp_path: Path
) -> None:
    async with start_broker(state_dir=tmp_path) as broker:
        await publish(broker, f"{HALL}/status", b"offline", retain=True)
        async with listening(at(city, broker), store) as collector:
            await store.until(lambda: len(times(store, "hall", 0)) == 4)
            seen = times(store, "hall", 0)
            assert all(b - a >= 1000 * INTERVAL_S for a, b in itertools.pairwise(seen))
            await collector.repeat(["hall", "attic"])
            assert len(times(store, "hall", 0)) == 5
            await publish(broker, f"{HALL}/telemetry", b'{"clients": 1}')
            await store.until(lambda: bool(times(store, "hall", 1)))
            spoke = times(store, "hall", 1)[0]
            await store.until(lambda: times(store, "hall", 0)[-1] > spoke)
            assert times(store, "hall", 0)[-1] >= spoke + QUIET_MS


async def test_a_broker_that_is_gone_makes_nobody_silent(
    city: Deployment, store: Any, tmp_path: Path
) -> None:
    broker = start_broker(state_dir=tmp_path)
    async with broker, listening(at(city, broker), store) as collector:
        await store.until(lambda: len(times(store, "attic", 0)) == 2)
        assert collector.lost_ms is None
        await asyncio.to_thread(broker.stop)
        async with asyncio.timeout(6):
            while collector.lost_ms is None:  # noqa: ASYNC110 - a thread changes it
                await asyncio.sleep(0.005)
        before = len(store.readings)
        async with start_broker(port=broker.port, state_dir=tmp_path):
            async with asyncio.timeout(6):
                await collector.wait_connected()
            back = now_ms()
            await store.until(lambda: len(store.readings) > before)
            # The broker may have been back for a moment when we came to look.
            assert store.readings[before].ts_ms >= back + QUIET_MS - 1_000 * FASTER / 4


async def test_what_comes_late_takes_back_what_was_noted_of_its_time(
    city: Deployment, store: Any, tmp_path: Path
) -> None:
    async with start_broker(state_dir=tmp_path) as broker, listening(at(city, broker), store):
        await store.until(lambda: len(times(store, "attic", 0)) == 3)
        first, second, _ = times(store, "attic", 0)
        ts_ms = second - 1
        await publish(broker, f"{ATTIC}/telemetry", json.dumps({"ts": ts_ms, "up": 1}).encode())
        await store.until(lambda: ts_ms in times(store, "attic", 1))
    assert second in times(store, "attic", 1)
    assert first not in times(store, "attic", 1)


async def test_silence_that_cannot_be_stored_is_unknown_and_told(
    city: Deployment, store: Any, tmp_path: Path
) -> None:
    async with (
        start_broker(state_dir=tmp_path) as broker,
        listening(at(city, broker), store) as collector,
    ):
        store.good_writes = 0
        with capture_logs() as logs:
            async with asyncio.timeout(6):
                while not logs:  # noqa: ASYNC110 - appended to elsewhere
                    await asyncio.sleep(0.01)
        assert {entry["event"] for entry in logs} == {"mqtt silence not stored"}
        assert collector.counters.silent == 0
        store.good_writes = 100
        await store.until(lambda: bool(store.readings))
        await asyncio.sleep(0)
        assert collector.counters.silent == len(store.readings)
