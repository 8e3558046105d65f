"""The simulated devices, asked as real ones are: every family reads back what the city knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from collectors.fleet import trouble
from collectors.fleet.city import ApNow
from collectors.fleet.clock import DAY_MS, HOUR_MS
from collectors.fleet.fleet import Fleet, Plan, Ports
from collectors.mqtt.payload import Interpreter
from collectors.reading import Reading
from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.engine import SnmpTimeout, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import poll_device
from collectors.snmp.profiles import load_profiles
from collectors.snmp.stations import Stations
from config import demo
from config.deployment import Deployment
from config.loader import load
from config.settings import CommunityCredential

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW_MS = int(datetime(2026, 11, 18, 14, 5, tzinfo=UTC).timestamp() * 1000)
"""A Wednesday afternoon: everything is open."""


class RunningFleet:
    def __init__(
        self, deployment: Deployment, now: dict[str, ApNow], ports: Ports, fleet: Fleet
    ) -> None:
        self.deployment = deployment
        self.now = now
        self.ports = ports
        self.fleet = fleet

    async def poll(self, device: str) -> DevicePoll:
        target = Target(
            name=device,
            host="127.0.0.1",
            port=self.ports.snmp[device],
            credential=CommunityCredential(community=SecretStr("valmont")),
            timeout_s=0.5,
            retries=1,
        )
        return await poll_device(GufoEngine(), target, load_profiles(), "auto", client_tables=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[RunningFleet]:
    deployment = load(demo.FOLDER)
    always = [(NOW_MS - 9 * DAY_MS, NOW_MS + 9 * DAY_MS)]
    plan = Plan(began_ms=NOW_MS - HOUR_MS, days=2, seed=1)
    city = plan.city(deployment, dict.fromkeys(deployment.sites, always))
    running = Fleet(deployment, city, clock=lambda: NOW_MS)
    try:
        ports = await running.start()
        yield RunningFleet(deployment, city.at(NOW_MS), ports, running)
    finally:
        await running.stop()


def said(poll: ApPoll) -> tuple[int | None, ...]:
    return (poll.clients, poll.clients_2g, poll.rx_bytes, poll.tx_bytes, poll.uptime_s)


def known(now: ApNow) -> tuple[int | None, ...]:
    return (now.clients, now.clients_2g, now.rx_bytes, now.tx_bytes, now.uptime_s)


@pytest.mark.parametrize(
    ("ap", "profile", "bits"),
    [("cpas-centre-1", "unifi", 32), ("parc-grande-ecluse-1", "mikrotik", 64)],
)
async def test_a_lone_ap_reads_as_it_is(
    fleet: RunningFleet, ap: str, profile: str, bits: int
) -> None:
    result = await fleet.poll(ap)
    assert (result.profile, result.warnings) == (profile, ())
    assert result.clients_total == fleet.now[ap].clients > 0
    assert said(result.aps[0]) == known(fleet.now[ap])
    assert result.aps[0].counter_bits == bits


async def test_a_generic_ap_reads_but_for_its_clients(fleet: RunningFleet) -> None:
    result = await fleet.poll("place-grand-place-3")
    now = fleet.now["place-grand-place-3"]
    assert (result.profile, result.warnings) == ("generic", ())
    assert said(result.aps[0]) == (None, None, now.rx_bytes, now.tx_bytes, now.uptime_s)
    assert result.aps[0].counter_bits == 32


@pytest.mark.parametrize(
    ("controller", "profile", "count"),
    [("wlc-hotel-de-ville", "cisco-airespace", 40), ("wlc-sports", "aruba-controller", 25)],
)
async def test_a_controller_tells_of_every_ap_behind_it(
    fleet: RunningFleet, controller: str, profile: str, count: int
) -> None:
    result = await fleet.poll(controller)
    aps = fleet.deployment.access_points.values()
    behind = {ap.ap: ap for ap in aps if ap.controller == controller}
    answering = {ap.name: ap for ap in result.aps if ap.up}
    assert (result.profile, result.warnings) == (profile, ())
    assert result.ap_count == len(answering) == count
    assert {ap.name for ap in result.aps} == set(behind)
    assert {ap.name: ap.mac for ap in result.aps} == {ap.ap: ap.mac for ap in behind.values()}
    assert {name: said(ap) for name, ap in answering.items()} == {
        ap: known(fleet.now[ap]) for ap in behind if fleet.now[ap].up
    }
    assert result.clients_total == sum(fleet.now[ap].clients for ap in behind if fleet.now[ap].up)


@pytest.mark.parametrize("controller", ["wlc-hotel-de-ville", "wlc-sports"])
async def test_a_controller_lists_who_is_at_each_ap(fleet: RunningFleet, controller: str) -> None:
    result = await fleet.poll(controller)
    assert {ap.name: ap.stations for ap in result.aps if ap.up} == {
        ap.name: Stations(fleet.now[ap.name].stations) for ap in result.aps if ap.up and ap.name
    }
    assert result.stations is not None
    assert len(result.stations) == result.clients_total
    assert (result.elsewhere, fleet.fleet.client_macs() >= set(result.stations)) == (0, True)


async def test_a_lone_ap_lists_its_own_where_its_mib_can(fleet: RunningFleet) -> None:
    mikrotik = await fleet.poll("parc-grande-ecluse-1")
    assert mikrotik.aps[0].stations == Stations(fleet.now["parc-grande-ecluse-1"].stations)
    assert fleet.fleet.client_macs() >= set(fleet.now["parc-grande-ecluse-1"].stations)
    unifi = await fleet.poll("cpas-centre-1")
    assert unifi.aps[0].stations is None
    assert not fleet.fleet.client_macs().intersection(fleet.now["cpas-centre-1"].stations)


async def test_an_ap_that_is_down_behind_its_controller_is_told_down(fleet: RunningFleet) -> None:
    result = await fleet.poll("wlc-hotel-de-ville")
    [dead] = [ap for ap in result.aps if ap.name == trouble.DEAD_AP]
    assert dead.up is False


async def test_a_device_that_is_switched_off_is_silent(fleet: RunningFleet) -> None:
    with pytest.raises(SnmpTimeout, match=trouble.SILENT_DEVICE):
        await fleet.poll(trouble.SILENT_DEVICE)


async def test_there_is_a_device_for_every_row_of_the_files(fleet: RunningFleet) -> None:
    polled = {ap.ap for ap in fleet.deployment.access_points.values() if ap.host}
    assert fleet.ports.snmp.keys() == polled | fleet.deployment.controllers.keys()
    assert len(set(fleet.ports.snmp.values())) == len(fleet.ports.snmp) > 60


async def test_mqtt_access_points_publish_what_they_know() -> None:
    """All that are up say so; one that goes down is told by its last will."""
    deployment = load(demo.FOLDER)
    plan = Plan(began_ms=NOW_MS - HOUR_MS, days=2, seed=1)
    city = plan.city(deployment, {})
    clock = NOW_MS
    running = Fleet(deployment, city, clock=lambda: clock, tick_s=0.1)
    ports = await running.start()
    stop = asyncio.Event()
    publishing = asyncio.create_task(running.run(stop))
    interpreter = Interpreter(deployment, "hotspots")
    heard: dict[str, Reading] = {}

    def note(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        told = interpreter.read(message.topic, bytes(message.payload), retained=False, now_ms=clock)
        if told.reading:
            heard[told.ap] = told.reading

    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_message = note
    listener.connect("127.0.0.1", ports.mqtt)
    listener.subscribe("hotspots/#", qos=1)
    listener.loop_start()
    try:
        expected = {ap.ap for ap in deployment.access_points.values() if ap.source == "mqtt"}
        await wait_for(lambda: heard.keys() >= expected)
        now = city.at(NOW_MS)
        for ap in expected:
            if now[ap].up:
                assert heard[ap].up == 1
                assert (heard[ap].clients, heard[ap].tx_bytes) == (
                    now[ap].clients,
                    now[ap].tx_bytes,
                )
        site = [ap for ap in expected if ap.startswith(trouble.BROKEN)]
        spells = city.lives.down[city.aps.index(site[0])]
        clock = next(start for start, _ in spells if start > NOW_MS) + 1000
        await wait_for(lambda: all(heard[ap].up == 0 for ap in site))
        clock = next(end for start, end in spells if start > NOW_MS) + 1000
        await wait_for(lambda: all(heard[ap].up == 1 for ap in site))
    finally:
        stop.set()
        await publishing
        listener.disconnect()
        listener.loop_stop()
        await running.stop()


async def wait_for(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110 - what is waited for happens in paho's thread
            await asyncio.sleep(0.05)
