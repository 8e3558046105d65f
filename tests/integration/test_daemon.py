"""The daemon as a process: stopped kindly, and killed in the middle of its work."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from collectors.fleet.broker import find_mosquitto, start_broker
from pipeline.store.sqlite import SqliteStore

needs_mosquitto = pytest.mark.skipif(
    not find_mosquitto(),
    reason="mosquitto is not on the PATH; amqtt keeps no session for a consumer that was killed",
)
SPOTWATCH = Path(sys.executable).with_name("spotwatch")
APS = 20
MESSAGES = 4_000
KILLS = 3
PATIENCE_S = 60

Key = tuple[str, int]


def deployment(folder: Path, port: int) -> Path:
    (folder / "spotwatch.yaml").write_text(
        "city: Valmont\ntimezone: Europe/Brussels\n"
        f"mqtt: {{host: 127.0.0.1, port: {port}, poll_seconds: 60}}\n",
        encoding="utf-8",
    )
    (folder / "sites.csv").write_text("site,kind\nbib,library\n", encoding="utf-8")
    aps = "".join(f"ap{i},bib,mqtt\n" for i in range(APS))
    (folder / "access_points.csv").write_text("ap,site,source\n" + aps, encoding="utf-8")
    return folder


@contextmanager
def daemon(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "daemon.log").open("ab") as log:
        process = subprocess.Popen([SPOTWATCH, "run", "--config", folder], stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def stored(folder: Path) -> set[Key]:
    store = SqliteStore(folder / "spotwatch.db")
    frame = store.read_samples(0, 2**53)
    store.close()
    return set(zip(frame["ap"], frame["ts_ms"], strict=True))


def wait_until(folder: Path, enough: Callable[[set[Key]], bool]) -> set[Key]:
    """Until enough samples are durable."""
    deadline = time.monotonic() + PATIENCE_S
    while not enough(keys := stored(folder)):
        assert time.monotonic() < deadline, f"only {len(keys)} samples after {PATIENCE_S} s"
        time.sleep(0.02)
    return keys


def at_least(count: int) -> Callable[[set[Key]], bool]:
    return lambda keys: len(keys) >= count


def make_known(folder: Path, publisher: "Publisher") -> None:
    """Publish until one message has come through: from then on the broker keeps the rest too."""
    while not stored(folder):
        publisher.publish(1)
    publisher.taken.clear()


class Publisher:
    """Publishes telemetry at QoS 1; what the broker has taken over is in `taken`."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="publisher")
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._since_ms = time.time_ns() // 1_000_000 - 600_000
        self._sent = 0
        self.taken: set[Key] = set()

    def publish(self, count: int) -> None:
        """Return once the broker has acknowledged them all."""
        sent = []
        for number in range(self._sent, self._sent + count):
            ap, ts_ms = f"ap{number % APS}", self._since_ms + number
            payload = orjson.dumps({"ts": ts_ms, "clients": number % 30})
            topic = f"hotspots/bib/{ap}/telemetry"
            sent.append((self._client.publish(topic, payload, qos=1), (ap, ts_ms)))
        self._sent += count
        for message, key in sent:
            message.wait_for_publish(PATIENCE_S)
            assert message.is_published()
            self.taken.add(key)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@needs_mosquitto
def test_a_killed_daemon_loses_no_message_and_no_sample(tmp_path: Path) -> None:
    with start_broker(state_dir=tmp_path / "broker", kind="mosquitto") as broker:
        folder = deployment(tmp_path, broker.port)
        publisher = Publisher(broker.port)
        with daemon(folder):
            make_known(folder, publisher)
        durable = stored(folder)
        for _ in range(KILLS):
            publisher.publish(MESSAGES // KILLS)
            with daemon(folder) as process:
                wait_until(folder, at_least(len(durable) + MESSAGES // KILLS // 4))
                process.send_signal(signal.SIGKILL)
                process.wait()
            after = stored(folder)
            assert durable <= after
            durable = after
        with daemon(folder):
            wait_until(folder, publisher.taken.issubset)
        publisher.close()


@needs_mosquitto
def test_sigterm_stores_what_was_taken_and_ends_cleanly(tmp_path: Path) -> None:
    with start_broker(state_dir=tmp_path / "broker", kind="mosquitto") as broker:
        folder = deployment(tmp_path, broker.port)
        publisher = Publisher(broker.port)
        with daemon(folder) as process:
            make_known(folder, publisher)
            publisher.publish(MESSAGES)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        with daemon(folder):
            wait_until(folder, publisher.taken.issubset)
        publisher.close()
    log = (folder / "daemon.log").read_text(encoding="utf-8")
    assert '"event": "stopped"' in log or '"event":"stopped"' in log
    assert "Traceback" not in log
