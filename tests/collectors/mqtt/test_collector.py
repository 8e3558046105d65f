"""The collector against real brokers."""

import asyncio
import json
import math
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from structlog.testing import capture_logs

from collectors.fleet.broker import Broker, Kind, find_mosquitto, start_broker
from collectors.mqtt.backoff import Backoff
from collectors.mqtt.collector import MqttCollector
from config.deployment import Deployment

MQTTv5, MQTTv311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
SOON = Backoff(first_s=0.02, most_s=0.1)
# amqtt forgets what is not acknowledged when a connection ends, so sessions are tried on mosquitto.
needs_mosquitto = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
BOTH = pytest.mark.parametrize("kind", [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"])
TOPIC = "hotspots/library/hall/telemetry"
STATUS = "hotspots/library/hall/status"

Publication = tuple[str, bytes]


@pytest.fixture
def kind() -> Kind:
    """What a test runs on that does not choose."""
    return "mosquitto" if find_mosquitto() else "amqtt"


@pytest.fixture
def broker(kind: Kind, tmp_path: Path) -> Iterator[Broker]:
    with start_broker(kind=kind, state_dir=tmp_path / "broker") as broker:
        yield broker


class Listening:
    """Makes collectors of one deployment, session and store."""

    def __init__(
        self, deployment: Deployment, store: Any, version: MQTTProtocolVersion = MQTTv5
    ) -> None:
        self.deployment = deployment
        self.store = store
        self.version = version

    @asynccontextmanager
    async def __call__(self, **options: Any) -> AsyncIterator[MqttCollector]:
        collector = MqttCollector(
            self.deployment,
            self.store,
            self.store,
            self.store,
            backoff=SOON,
            protocol=self.version,
            **options,
        )
        await collector.start()
        try:
            async with asyncio.timeout(6):
                await collector.wait_connected()
            yield collector
        finally:
            await collector.stop()


@pytest.fixture
def listening(broker: Broker, make_deployment: Any, store: Any) -> Listening:
    # Straight to what the broker speaks: falling back takes seconds and has its own test.
    version = MQTTv311 if broker.kind == "amqtt" else MQTTv5
    return Listening(make_deployment(port=broker.port), store, version)


def connect_ap(broker: Broker, in_flight: int = 20, **options: Any) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, **options)
    client.max_inflight_messages_set(in_flight)
    client.connect(broker.host, broker.port)
    client.loop_start()
    return client


def publish_now(broker: Broker, publications: Iterable[Publication], retain: bool) -> None:
    client = connect_ap(broker, in_flight=0)
    for sent in [client.publish(topic, body, 1, retain) for topic, body in publications]:
        sent.wait_for_publish(20)
        assert sent.is_published()
    client.disconnect()
    client.loop_stop()


async def publish(broker: Broker, *publications: Publication, retain: bool = False) -> None:
    """Publish and wait until the broker has everything."""
    await asyncio.to_thread(publish_now, broker, publications, retain)


def clients(number: int) -> Publication:
    """A telemetry of its own instant."""
    ts = time.time_ns() // 1_000_000 - 1_000_000 + number
    return TOPIC, json.dumps({"ts": ts, "clients": number}).encode()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(6):
        while not holds():  # noqa: ASYNC110 - other threads and processes change it
            await asyncio.sleep(0.005)


@BOTH
async def test_a_message_becomes_a_stored_reading(
    listening: Listening, broker: Broker, store: Any
) -> None:
    async with listening() as collector:
        await publish(broker, (TOPIC, b'{"clients": 12, "rx_bytes": 5, "firmware": "1.2"}'))
        await store.until(lambda: store.readings)
        assert collector.health().ok
    [reading] = store.readings
    assert (reading.ap, reading.site, reading.up) == ("hall", "library", 1)
    assert (reading.clients, reading.rx_bytes, reading.interval_s) == (12, 5, 300)
    assert abs(reading.ts_ms - time.time() * 1000) < 10_000
    assert collector.counters.written == 1


async def test_keys_that_nobody_knows_are_told_once(
    listening: Listening, broker: Broker, store: Any
) -> None:
    telemetry = b'{"clients": 12, "noise": -90, "b8:27:eb:12:34:56": 1}'
    with capture_logs() as logs:
        async with listening() as collector:
            await publish(broker, (TOPIC, telemetry), (TOPIC, telemetry), clients(3))
            await store.until(lambda: 3 in store.clients())
    assert collector.counters.unknown_keys == 2
    told = [(e["ap"], e["keys"]) for e in logs if e["event"] == "mqtt keys unknown"]
    assert told == [("hall", ["noise", "and 1 more"])]


async def test_a_broker_of_mqtt_3_1_1_is_spoken_to_in_3_1_1(
    make_deployment: Any, store: Any
) -> None:
    async with start_broker(kind="amqtt") as broker:
        with capture_logs() as logs:
            async with Listening(make_deployment(port=broker.port), store)():
                pass
    [connected] = [entry for entry in logs if entry["event"] == "mqtt connected"]
    assert connected["protocol"] == "MQTTv311"
    assert not [entry for entry in logs if entry["log_level"] in {"warning", "error"}]


@needs_mosquitto
async def test_what_is_published_while_away_arrives_on_return(
    listening: Listening, broker: Broker, store: Any
) -> None:
    async with listening():
        pass
    await publish(broker, *(clients(n) for n in range(20)))
    async with listening():
        await store.until(lambda: len(store.readings) >= 20)
    assert store.clients() == list(range(20))


@needs_mosquitto
async def test_what_the_store_refused_is_not_acknowledged_and_comes_again(
    listening: Listening, broker: Broker, store: Any
) -> None:
    store.good_writes = 0
    async with listening() as collector:
        await publish(broker, clients(7))
        await eventually(lambda: store.attempts >= 3)
        assert not collector.health().ok
        assert "disk full" in collector.health().detail
    assert store.readings == []
    store.good_writes = math.inf
    async with listening() as collector:
        await store.until(lambda: store.readings)
        assert collector.health().ok
    assert store.clients() == [7]


@needs_mosquitto
async def test_a_store_that_recovers_gets_everything_once_in_order(
    listening: Listening, broker: Broker, store: Any
) -> None:
    store.good_writes = 0
    async with listening():
        await publish(broker, *(clients(n) for n in range(50)))
        await eventually(lambda: store.attempts >= 3)
        store.good_writes = math.inf
        await store.until(lambda: len(store.readings) >= 50)
    assert store.clients() == list(range(50))
    async with listening():
        await publish(broker, clients(99))
        await store.until(lambda: 99 in store.clients())
    assert store.clients() == [*range(50), 99]


@needs_mosquitto
async def test_memory_is_bounded_and_nothing_is_lost_while_the_store_waits(
    listening: Listening, broker: Broker, store: Any
) -> None:
    store.may_write.clear()
    async with listening(max_pending=10) as collector:
        await publish(broker, *(clients(n) for n in range(100)))
        await eventually(lambda: store.attempts == 0 and collector.counters.received > 0)
        assert collector.counters.received <= 20
        store.may_write.set()
        await store.until(lambda: set(store.clients()) == set(range(100)))


async def test_five_thousand_messages_and_none_lost(
    listening: Listening, broker: Broker, store: Any, kind: Kind
) -> None:
    total = 5_000 if kind == "mosquitto" else 1_000
    async with listening() as collector:
        await publish(broker, *(clients(n) for n in range(total)))
        await store.until(lambda: len(store.readings) >= total)
    assert store.clients() == [n % 10_001 for n in range(total)]
    assert collector.counters.written == collector.counters.received == total


@needs_mosquitto
async def test_a_broker_that_restarts_is_found_again(
    make_deployment: Any, store: Any, tmp_path: Path
) -> None:
    with start_broker(state_dir=tmp_path) as broker:
        listening = Listening(make_deployment(port=broker.port), store)
        async with listening() as collector:
            await asyncio.to_thread(broker.stop)
            await eventually(lambda: not collector.health().ok)
            with start_broker(port=broker.port, state_dir=tmp_path):
                await publish(broker, clients(3))
                await store.until(lambda: store.readings)
                await eventually(lambda: collector.health().ok)
            assert collector.counters.reconnects >= 1


@needs_mosquitto
async def test_an_acknowledgement_never_goes_down_a_later_connection(
    make_deployment: Any, store: Any, tmp_path: Path
) -> None:
    """The first delivery is stored after its connection is gone; the broker numbers the second
    delivery alike. The second is not stored: it must come a third time.
    """
    with start_broker(state_dir=tmp_path) as first:
        listening = Listening(make_deployment(port=first.port), store)
        store.may_write.clear()
        async with listening() as collector:
            await publish(first, clients(1))
            await eventually(lambda: collector.counters.received == 1)
            await asyncio.to_thread(first.stop)
            await eventually(lambda: not collector.health().ok)
            with start_broker(port=first.port, state_dir=tmp_path):
                await eventually(lambda: collector.health().ok)
                # Behind the redelivery, so once this has come, so has that.
                await publish(first, clients(2))
                await eventually(lambda: len(collector._inbox._messages) == 2)
                store.good_writes = 1
                store.may_write.set()
                await eventually(lambda: collector.counters.store_failures > 0)
                await collector.stop()
                assert store.clients() == [1]
                store.good_writes = math.inf
                async with listening():
                    await store.until(lambda: 2 in store.clients())
    assert store.clients() == [1, 1, 2]


CLIENT_MAC = "b8:27:eb:12:34:56"


@BOTH
async def test_what_cannot_be_used_is_kept_aside_and_hinders_nobody(
    listening: Listening, broker: Broker, store: Any
) -> None:
    bad: list[Publication] = [
        (TOPIC, b""),
        (TOPIC, b"\xff\xfe\x00"),
        (TOPIC, b'{"clients": "' + CLIENT_MAC.encode() + b'"}'),
        (TOPIC, b"x" * 20_000),
        (TOPIC, b'{"ts": 4000000000, "clients": 1}'),
        ("hotspots/baths/hall/telemetry", b'{"clients": 1}'),
        ("hotspots/baths/lobby/telemetry", b'{"clients": 1}'),
        ("hotspots/library/nobody/telemetry", b'{"clients": 1}'),
        (STATUS, b"perhaps"),
    ]
    unheard: list[Publication] = [
        ("hotspots/library/hall/radio/telemetry", b'{"clients": 1}'),
        ("hotspots/library/hall", b'{"clients": 1}'),
        ("elsewhere/library/hall/telemetry", b'{"clients": 1}'),
    ]
    with capture_logs() as logs:
        async with listening() as collector:
            await publish(broker, *bad, *unheard, clients(5))
            await store.until(lambda: store.readings and len(store.refused) == len(bad))
    assert [(r.subject, r.content) for r in store.refused] == [
        (topic, body[:16_384]) for topic, body in bad
    ]
    assert collector.counters.refused == {
        "format": 3, "field": 1, "size": 1, "time": 1, "unknown_ap": 3
    }  # fmt: skip
    assert store.clients() == [5]
    assert sum(e["messages"] for e in logs if e["event"] == "mqtt messages refused") == len(bad)
    assert CLIENT_MAC not in repr(logs)


@needs_mosquitto
async def test_a_refused_message_is_acknowledged_only_once_it_is_kept_aside(
    listening: Listening, broker: Broker, store: Any
) -> None:
    store.good_writes = 0
    async with listening():
        await publish(broker, (TOPIC, b"garbage"))
        await eventually(lambda: store.attempts >= 2)
    store.good_writes = math.inf
    async with listening():
        await store.until(lambda: store.refused)
    async with listening():
        await publish(broker, clients(1))
        await store.until(lambda: store.readings)
    assert len(store.refused) == 1


@BOTH
async def test_the_last_will_of_an_ap_that_dies_is_down(
    listening: Listening, broker: Broker, store: Any
) -> None:
    def die() -> None:
        ap = paho.Client(CallbackAPIVersion.VERSION2)
        ap.will_set(STATUS, "offline", 1, retain=True)
        ap.connect(broker.host, broker.port)
        ap.loop_start()
        ap.publish(STATUS, "online", 1, retain=True).wait_for_publish(20)
        ap.publish(*clients(4), 1).wait_for_publish(20)
        connection = ap.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)
        ap.loop_stop()

    async with listening():
        await asyncio.to_thread(die)
        await store.until(lambda: any(r.up == 0 for r in store.readings))
    assert [(r.clients, r.up) for r in store.readings] == [(4, 1), (None, 0)]


@BOTH
async def test_a_retained_offline_is_the_state_now(
    listening: Listening, broker: Broker, store: Any
) -> None:
    await publish(broker, (STATUS, b"offline"), retain=True)
    async with listening():
        await store.until(lambda: store.readings)
    assert [(r.ap, r.up) for r in store.readings] == [("hall", 0)]


async def test_silent_access_points_are_counted(
    listening: Listening, broker: Broker, store: Any
) -> None:
    clock = [1_772_705_040_000]
    async with listening(now_ms=lambda: clock[0]) as collector:
        assert (collector.health().targets, collector.health().silent) == (3, 0)
        await publish(broker, (STATUS, b"online"), (TOPIC, b'{"clients": 1}'))
        await store.until(lambda: store.readings)
        clock[0] += 100_000  # the attic publishes every 60 s, the others every 300
        assert collector.health().silent == 1
        assert collector.health().last_seen_ms == 1_772_705_040_000
        clock[0] += 400_000
        assert collector.health().silent == 3


@needs_mosquitto
async def test_a_rival_with_the_same_client_id_is_named(
    listening: Listening, broker: Broker
) -> None:
    with capture_logs() as logs:
        async with listening() as collector:
            rival = await asyncio.to_thread(
                connect_ap, broker, client_id="spotwatch", reconnect_on_failure=False
            )
            await eventually(lambda: collector.counters.reconnects > 0)
            await collector.wait_connected()
            await asyncio.to_thread(rival.loop_stop)
    reasons = [e["reason"] for e in logs if e["event"] == "mqtt not connected"]
    assert "mqtt.client_id" in reasons[0]


@needs_mosquitto
async def test_stopping_writes_and_acknowledges_what_was_taken(
    listening: Listening, broker: Broker, store: Any
) -> None:
    store.may_write.clear()
    async with listening() as collector:
        await publish(broker, *(clients(n) for n in range(30)))
        await eventually(lambda: collector.counters.received > 0)
        stopping = asyncio.create_task(collector.stop())
        await asyncio.sleep(0)
        store.may_write.set()
        await stopping
    async with listening():
        await store.until(lambda: len(store.clients()) >= 30)
        await publish(broker, clients(30))
        await store.until(lambda: 30 in store.clients())
    assert store.clients() == list(range(31))


async def test_a_deployment_without_a_broker_is_refused(deployment: Deployment, store: Any) -> None:
    bare = deployment.model_copy(
        update={"settings": deployment.settings.model_copy(update={"mqtt": None})}
    )
    with pytest.raises(ValueError, match="no mqtt section"):
        MqttCollector(bare, store, store, store)
