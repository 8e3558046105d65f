"""Messages a second from mosquitto to durable samples, beside a bare consumer: `bench.mqtt`.

Both find the same messages waiting in a session of their own, so that no publisher competes with
them. The bare consumer is paho acknowledging by itself and counting: nobody who uses it is faster.
"""

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collectors.fleet.broker import Broker, find_mosquitto, start_broker
from collectors.mqtt.collector import MqttCollector
from collectors.reading import Reading
from collectors.sink import Announcement, Refused
from config.deployment import AccessPoint, Deployment, Site
from config.settings import Mqtt, Settings
from pipeline.ingest import AsyncIngest, Ingest
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore

APS = 1_000
ROUNDS = 30
MESSAGES = APS * ROUNDS
PATIENCE_S = 60
BARE_ID = "bare"


class Rate(NamedTuple):
    """What a consumer took for all messages."""

    wall_s: float
    cpu_s: float

    def row(self, name: str) -> str:
        """A line of the table."""
        return (
            f"{name:<32}{MESSAGES / self.wall_s:>12,.0f}{MESSAGES / self.cpu_s:>16,.0f}"
            f"{self.wall_s:>10.2f}"
        )


class Counting:
    """Passes readings on to a sink and says when all have become durable."""

    def __init__(self, sink: AsyncIngest) -> None:
        self._sink = sink
        self._written = 0
        self.done = asyncio.Event()

    async def write(self, readings: Sequence[Reading]) -> None:
        """Pass on and count."""
        await self._sink.write(readings)
        self._written += len(readings)
        if self._written >= MESSAGES:
            self.done.set()

    async def set_aside(self, refused: Sequence[Refused]) -> None:
        """Fail."""
        raise AssertionError(f"no message is wrong, but: {refused[0].reason}")

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Fail."""
        raise AssertionError(f"nobody announces anything, but: {announcements[0]}")


def city(folder: Path, port: int) -> Deployment:
    """One site per ten APs, all heard over MQTT."""
    aps = [AccessPoint(ap=f"ap{n:04}", site=f"site{n // 10:03}", source="mqtt") for n in range(APS)]
    return Deployment(
        folder=folder,
        settings=Settings(
            city="Bench", timezone="Europe/Brussels", mqtt=Mqtt(host="127.0.0.1", port=port)
        ),
        sites={ap.site: Site(site=ap.site, kind="library") for ap in aps},
        access_points={ap.ap: ap for ap in aps},
    )


def publish(broker: Broker, deployment: Deployment) -> None:
    """Publish some hours of telemetry, as APs do."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(0)
    client.connect(broker.host, broker.port)
    client.loop_start()
    start_ms = time.time_ns() // 1_000_000 - ROUNDS * 300_000
    sent = None
    for turn in range(ROUNDS):
        for number, ap in enumerate(deployment.access_points.values()):
            telemetry = {
                "ts": start_ms + turn * 300_000 + number,
                "clients_2g": number % 7,
                "clients_5g": number % 23,
                "rx_bytes": 1_000_000 * turn,
                "tx_bytes": 9_000_000 * turn,
                "counter_bits": 64,
                "uptime_s": 300 * turn,
            }
            topic = f"hotspots/{ap.site}/{ap.ap}/telemetry"
            sent = client.publish(topic, orjson.dumps(telemetry), 1)
        if sent is not None:
            sent.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


class Bare:
    """A paho consumer with a session, which counts."""

    def __init__(self, broker: Broker) -> None:
        self._received = 0
        self._ready = threading.Event()
        self._done = threading.Event()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=BARE_ID, clean_session=False
        )
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe("hotspots/+/+/telemetry", 1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.connect_async(broker.host, broker.port)

    def _on_message(self, _client: paho.Client, _data: object, _message: paho.MQTTMessage) -> None:
        self._received += 1
        if self._received >= MESSAGES:
            self._done.set()

    def consume(self, *, everything: bool) -> None:
        """Connect and wait until subscribed, or until everything is there."""
        self.client.loop_start()
        if not (self._done if everything else self._ready).wait(PATIENCE_S):
            raise TimeoutError(f"{self._received} of {MESSAGES} messages in {PATIENCE_S} s")
        self.client.disconnect()
        self.client.loop_stop()


def measure_bare(broker: Broker) -> Rate:
    """Consume everything with paho alone."""
    bare = Bare(broker)
    wall, cpu = time.perf_counter(), time.process_time()
    bare.consume(everything=True)
    return Rate(time.perf_counter() - wall, time.process_time() - cpu)


async def measure_collector(deployment: Deployment, ingest: AsyncIngest) -> Rate:
    """Collect everything until it is durable."""
    counting = Counting(ingest)
    collector = MqttCollector(deployment, counting, counting, counting)
    wall, cpu = time.perf_counter(), time.process_time()
    await collector.start()
    async with asyncio.timeout(PATIENCE_S):
        await counting.done.wait()
    rate = Rate(time.perf_counter() - wall, time.process_time() - cpu)
    await collector.stop()
    return rate


async def subscribe(deployment: Deployment, ingest: AsyncIngest) -> None:
    """Let the broker begin a session for the collector."""
    counting = Counting(ingest)
    collector = MqttCollector(deployment, counting, counting, counting)
    await collector.start()
    await collector.wait_connected()
    await collector.stop()


async def compare(folder: Path) -> tuple[Rate, Rate]:
    """Measure the bare consumer and the collector, one after the other."""
    store, state = SqliteStore(folder / "bench.db"), State(folder / "state.db")
    ingest = AsyncIngest(Ingest(store, state, 86_400_000))
    async with start_broker(kind="mosquitto") as broker:
        deployment = city(folder, broker.port)
        await asyncio.to_thread(Bare(broker).consume, everything=False)
        await subscribe(deployment, ingest)
        await asyncio.to_thread(publish, broker, deployment)
        bare = await asyncio.to_thread(measure_bare, broker)
        collector = await measure_collector(deployment, ingest)
    await ingest.close()
    stored = len(store.read_samples(0, 2**62))
    if stored != MESSAGES:
        raise AssertionError(f"{stored} of {MESSAGES} messages are stored")
    store.close()
    state.close()
    return bare, collector


def main() -> int:
    """Print the table."""
    if find_mosquitto() is None:
        print("skipped: mosquitto is not installed")
        return 0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    with tempfile.TemporaryDirectory() as folder:
        bare, collector = asyncio.run(compare(Path(folder)))
    print(f"{MESSAGES:,} QoS 1 messages of {APS:,} APs waiting in mosquitto")
    print(f"{'':<32}{'messages/s':>12}{'per CPU-second':>16}{'seconds':>10}")
    print(bare.row("bare paho consumer, counts"))
    print(collector.row("collector, parsed and durable"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
