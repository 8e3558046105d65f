"""No address of a client that goes in comes out: not on disk, in a log, in a message, in a request.

Whole runs, as their users start them, with devices that list their clients and with devices that
misbehave. Everything that a run leaves behind is searched, while it runs and after it.
"""

import asyncio
import gzip
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiohttp import web
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from cli.demo_history import planned_hours
from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.clock import DAY_MS, HOUR_MS
from collectors.fleet.fleet import Fleet, Plan, Ports
from collectors.fleet.stays import client_tables
from collectors.fleet.visitors import address
from config import demo
from config.loader import load
from tests.addresses import Search
from tests.collectors.snmp.test_no_address_leaves import MACS as OF_THE_BROKEN
from tests.collectors.snmp.test_no_address_leaves import WRONG, city, right
from tests.integration.influx.conftest import TOKEN
from tests.integration.influx.influxd import INFLUXD, MISSING, Influxd
from tests.integration.influx.proxy import Proxy

pytestmark = pytest.mark.slow

SPOTWATCH: Final = Path(sys.executable).with_name("spotwatch")
PATIENCE_S: Final = 60
Command = list[str | Path]
OVER_MQTT: Final = [
    bytes.fromhex(f"{'ae' if n % 2 else 'ac'}5b73{n + 17:02x}c9d4") for n in range(12)
]
BROKEN: Final = "wlc-broken"

ADDRESSES_IN_MESSAGES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "in text where a number belongs": lambda mac: orjson.dumps({"clients": mac.hex(":")}),
    "in lists": lambda mac: orjson.dumps({"clients": 1, "stations": [mac.hex("-"), list(mac)]}),
    "as a key": lambda mac: orjson.dumps({"clients": 2, mac.hex(): -60, mac.hex(":"): -70}),
    "no JSON": lambda mac: b"client " + mac.hex(":").upper().encode() + b" left",
    "half JSON": lambda mac: b'{"clients": 3, "mac": "' + mac.hex().encode(),
    "octets": lambda mac: b"\x0a\x06" + mac,
    "a walk": lambda mac: b"1.3.6.1.4.1.14179.2.1.4.1.4." + ".".join(map(str, mac)).encode(),
}


@dataclass
class Produced:
    """What a run leaves behind, by where it was found."""

    folder: Path
    went_in: set[bytes] = field(default_factory=set)
    pieces: dict[str, bytes] = field(default_factory=dict)

    def keep_files(self, when: str) -> None:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                self.pieces[f"{when}: {path.relative_to(self.folder)}"] = path.read_bytes()

    def found(self) -> dict[str, list[str]]:
        search = Search(self.went_in)
        found = {where: search.found_in(content) for where, content in self.pieces.items()}
        return {where: told for where, told in found.items() if told}


class Recording(Proxy):
    """Keeps every body that is asked of InfluxDB."""

    def __init__(self, upstream: str, token: str) -> None:
        super().__init__(upstream, token)
        self.bodies: list[bytes] = []

    async def _write(self, request: web.Request) -> web.StreamResponse:
        await self._keep(request)
        return await super()._write(request)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        await self._keep(request)
        return await super()._pass_on(request)

    async def _keep(self, request: web.Request) -> None:
        content = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        self.bodies.append(str(request.rel_url).encode() + b"\n" + content)


class Devices:
    """The city's devices, and a controller that misbehaves, in a thread of their own."""

    def __init__(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        deployment = load(demo.FOLDER)
        always = [(now_ms - 9 * DAY_MS, now_ms + 9 * DAY_MS)]
        plan = Plan(began_ms=now_ms - HOUR_MS, days=2, seed=1)
        self.fleet = Fleet(
            deployment, plan.city(deployment, dict.fromkeys(deployment.sites, always))
        )
        self._broken = Agent({"valmont": broken_tree()})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Ports:
        self._thread.start()
        ports: Ports = self._run(self.fleet.start())
        self._run(self._broken.start())
        return Ports({**ports.snmp, BROKEN: self._broken.port}, ports.mqtt)

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._broken.close()
        await self.fleet.stop()
        await asyncio.sleep(0)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


def broken_tree() -> Mapping[Oid, Value]:
    """A client table with every kind of nonsense, and some rows that are right."""
    kinds = [right, *WRONG.values()]
    tree = city(lambda mac: kinds[OF_THE_BROKEN.index(mac) % len(kinds)](mac))
    return {oid: value for oid, value in tree.items() if value[0] != "counter64"}


def write_deployment(folder: Path, ports: Ports, store: str) -> None:
    folder.mkdir()
    demo.write(folder, {}, ports.snmp, ports.mqtt)
    settings = folder / "spotwatch.yaml"
    text = settings.read_text(encoding="utf-8").replace("poll_seconds: 10", "poll_seconds: 5")
    settings.write_text(text + store, encoding="utf-8")
    with (folder / "controllers.csv").open("a", encoding="utf-8") as file:
        file.write(f"{BROKEN},mc-valmont,127.0.0.1,cisco-airespace,{ports.snmp[BROKEN]}\n")
    with (folder / "access_points.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"library-{n},mc-valmont,snmp,,,{BROKEN},,\n" for n in (1, 2))


@contextmanager
def running(command: Command, folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose temporary files and output are in the folder too."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            env=os.environ | {"TMPDIR": str(temporary), "HOME": str(temporary)},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def wait_for(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"no {what} after {PATIENCE_S} s"
        time.sleep(0.1)  # another process is at work; no time is simulated by this


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            return db.execute(statement).fetchall()
        except sqlite3.OperationalError:
            return []  # not made yet


def devices_known(folder: Path) -> int:
    [*found] = rows(load(folder).sessions_path, "SELECT count(DISTINCT device) FROM sessions")
    return int(found[0][0]) if found else 0


def letters_kept(folder: Path) -> int:
    [*found] = rows(load(folder).state_path, "SELECT count(*) FROM dead_letters")
    return int(found[0][0]) if found else 0


class Bus:
    """Publishes what no device should, and hears everything else that is on the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[bytes] = []
        self._said: set[tuple[str, bytes]] = set()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="a-strange-device")
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if (message.topic, message.payload) not in self._said:
            self.heard.append(message.topic.encode() + b"\n" + message.payload)

    def say(self, topic: str, payload: bytes) -> None:
        self._said.add((topic, payload))
        self._client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def misbehave(bus: Bus) -> int:
    """Returns how many of the messages are refused for certain."""
    kinds = list(ADDRESSES_IN_MESSAGES.values())
    for number, mac in enumerate(OVER_MQTT):
        bus.say("hotspots/sc-wilgen/sc-wilgen-1/telemetry", kinds[number % len(kinds)](mac))
        bus.say(f"hotspots/sc-wilgen/{mac.hex(':')}/telemetry", b'{"clients": 1}')
        bus.say(f"hotspots/{mac.hex()}/sc-wilgen-1/status", b"online")
    return 2 * len(OVER_MQTT)


def a_run_of_the_daemon(folder: Path, store: str) -> Produced:
    """With real devices: until their clients are known and what they said wrong is set aside."""
    produced = Produced(folder)
    devices = Devices()
    with devices as ports:
        write_deployment(folder, ports, store)
        bus = Bus(ports.mqtt)
        command: Command = [SPOTWATCH, "--verbose", "run", "--config", folder]
        with running(command, folder, "daemon") as daemon:
            # By then it listens to the broker too, which keeps nothing for whom it does not know.
            wait_for("devices", lambda: devices_known(folder) > 100)
            refused = misbehave(bus)
            wait_for("dead letters", lambda: letters_kept(folder) >= refused)
            for name, *arguments in (
                ("poll", BROKEN), ("poll", "wlc-sports"), ("poll", "mc-valmont", "--json"),
                ("status",), ("doctor",), ("usage",),
            ):  # fmt: skip
                asked: Command = [SPOTWATCH, name, *arguments, "--config", folder]
                with running(asked, folder, "-".join((name, *arguments))) as process:
                    process.wait(PATIENCE_S)
            produced.keep_files("while running")
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(PATIENCE_S) == 0
        produced.keep_files("afterwards")
        bus.close()
        produced.went_in |= {*devices.fleet.client_macs(), *OF_THE_BROKEN, *OVER_MQTT}
    produced.pieces |= {f"MQTT message {n}": heard for n, heard in enumerate(bus.heard)}
    return produced


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Produced:
    return a_run_of_the_daemon(tmp_path_factory.mktemp("daemon") / "city", "")


def test_the_daemon_gives_no_address_away(daemon: Produced) -> None:
    assert daemon.found() == {}


def test_everything_was_there_to_be_found(daemon: Produced) -> None:
    """Addresses went in from every side, and what became of them is among what was searched."""
    assert len(daemon.went_in) > 30  # in the dead of night; hundreds by day
    names = {Path(where.rpartition(": ")[2]).name for where in daemon.pieces}
    assert {"sessions.db", "state.db", "day_keys.json", "spotwatch.db"} <= names
    assert any(name.endswith("-wal") for name in names)
    said = daemon.pieces["afterwards: daemon.err"]
    assert b"wrong value" in said
    assert b"mqtt messages refused" in said
    assert b"devices in its client table" in daemon.pieces["afterwards: poll-wlc-sports.out"]
    assert sum(where.startswith("MQTT message") for where in daemon.pieces) > 40


@pytest.mark.parametrize("written", ["text", "octets", "an unsalted hash"])
def test_one_that_was_planted_is_found(daemon: Produced, written: str) -> None:
    mac = sorted(daemon.went_in)[7]
    planted = {
        "text": mac.hex(":").encode(),
        "octets": mac,
        "an unsalted hash": hashlib.sha256(mac).digest(),
    }[written]
    for where in ("while running: daemon.err", "afterwards: spotwatch.db"):
        content = daemon.pieces[where]
        half = len(content) // 2
        spoiled = Produced(daemon.folder, {mac}, {where: content[:half] + planted + content[half:]})
        assert spoiled.found().keys() == {where}


def test_keys_and_sessions_are_for_their_owner_alone(daemon: Produced) -> None:
    for name in ("sessions.db", "day_keys.json"):
        [path] = daemon.folder.rglob(name)
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(INFLUXD is None, reason=MISSING)
def test_nothing_that_influxdb_is_sent_gives_one_away(tmp_path: Path) -> None:
    server = Influxd(tmp_path / "influxd")
    with ExitStack() as stack:
        server.start()
        stack.callback(server.kill)
        for bucket in ("city_raw", "city_usage"):
            server.query(f'CREATE DATABASE "{bucket}"')
        proxy = Recording(server.url, TOKEN)
        proxy.start()
        stack.callback(proxy.close)
        (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
        store = (
            f"store: {{kind: influxdb, url: '{proxy.url}', org: city, bucket: city,"
            f" token: 'file:{tmp_path / 'token'}'}}\n"
        )
        produced = a_run_of_the_daemon(tmp_path / "city", store)
    assert sum(proxy.writes) > 100
    produced.pieces |= {f"request {n}": body for n, body in enumerate(proxy.bodies)}
    assert produced.found() == {}


def test_the_demo_gives_no_address_away(tmp_path: Path) -> None:
    """All in one, as a newcomer starts it, history included."""
    folder = tmp_path / "city"
    tmp_path.joinpath("said").mkdir()
    command: Command = [
        SPOTWATCH, "--verbose", "demo", "--once", "--json", "--days", "2", "--dir", folder,
    ]  # fmt: skip
    began_ms = time.time_ns() // 1_000_000
    with running(command, tmp_path / "said", "demo") as process:
        assert process.wait(2 * PATIENCE_S) == 0, (tmp_path / "said" / "demo.err").read_text()
    produced = Produced(tmp_path)
    produced.keep_files("afterwards")
    record = orjson.loads((folder / "demo.json").read_bytes())
    plan = Plan(record["began_ms"], record["days"], record["seed"])
    deployment = load(folder)
    people = plan.city(deployment, planned_hours(deployment, plan, began_ms))
    for now_ms in range(began_ms, time.time_ns() // 1_000_000, 1000):
        produced.went_in |= {mac for ap in people.at(now_ms).values() for mac in ap.stations}
    for past in client_tables(deployment, people, people.start_ms, began_ms):
        produced.went_in |= {address(plan.seed, number) for number in set(past.device.tolist())}
    assert rows(deployment.sessions_path, "SELECT * FROM watched")
    assert devices_known(folder) > 1000
    assert len(produced.went_in) > 1000
    assert produced.found() == {}
