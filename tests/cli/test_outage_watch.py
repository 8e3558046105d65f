"""The watch over outages: what it says of what is stored, over failures and restarts."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from structlog.testing import capture_logs

from cli.outage_watch import OutageWatch, Surroundings
from cli.watched_sink import WatchedSink
from collectors.reading import Reading
from collectors.sink import NotDurableError
from collectors.snmp.poller import ControllerPoll
from config.deployment import AccessPoint, Controller, Deployment, Site, SitePeriod
from config.settings import Settings
from pipeline.alerts.alerting import InMaintenance
from pipeline.outages.incident import Incident
from pipeline.outages.incidents import Incidents
from pipeline.outages.record import Kept, Record
from pipeline.state import State
from pipeline.store.base import StoreError
from tests.pipeline.memory_store import MemoryStore

T = 1_772_705_040_000
MINUTE = 60_000
INTERVAL_S = 60


def city(*aps: str) -> Deployment:
    rows = [
        AccessPoint(ap=ap, site="lib", source="snmp", controller="wlc", poll_seconds=INTERVAL_S)
        for ap in aps
    ]
    return Deployment(
        folder=Path("nowhere"),
        settings=Settings(city="Testville", timezone="Europe/Brussels"),
        sites={"lib": Site(site="lib", kind="library")},
        access_points={ap.ap: ap for ap in rows},
        controllers={"wlc": Controller(controller="wlc", host="192.0.2.1")},
    )


class Store(MemoryStore):
    """A store and a sink, which can be told to fail."""

    fails = False

    async def write(self, readings: Sequence[Reading]) -> None:
        if self.fails:
            raise NotDurableError("disk full")
        self.write_samples(readings)

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        if self.fails:
            raise StoreError("the disk is gone")
        return super().read_samples(start_ms, end_ms, sites=sites)


class Told:
    """In place of those who tell people: what stands is what they are given."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self.in_maintenance: InMaintenance = lambda _site, _at: False

    def tick(
        self, incidents: Sequence[Incident], now_ms: int, in_maintenance: InMaintenance
    ) -> None:
        self.incidents = list(incidents)
        self.in_maintenance = in_maintenance

    def roots(self) -> list[tuple[str, bool]]:
        return [(one.subject, one.is_open) for one in self.incidents if one.parent is None]


class World:
    """A watch, its surroundings and a clock that stands until it is moved."""

    def __init__(self, state: State, deployment: Deployment) -> None:
        self.deployment = deployment
        self.state = state
        self.store = Store()
        self.now_ms = T
        self.asked: list[str] = []
        self.blind_since: Mapping[str, int | None] = {}
        self.set_back = 0
        self.start()

    def start(self) -> None:
        """Begin, as after a start of the process."""
        self.told = Told()
        self.sink = WatchedSink(self.store, lambda: self.now_ms)
        self.watch = OutageWatch(
            self.deployment,
            self.store,
            self.state,
            self.told,  # type: ignore[arg-type]
            self.sink,
            surroundings=Surroundings(
                blind_since=lambda: self.blind_since,
                ask_again=self.asked.extend,
                clock_set_back=self._set_back,
                now_ms=lambda: self.now_ms,
                monotonic_ms=lambda: self.now_ms,
            ),
        )

    def _set_back(self) -> None:
        self.set_back += 1

    async def poll(self, **up: int) -> None:
        """A poll of some APs, a minute after the last."""
        self.now_ms += MINUTE
        await self.sink.write(
            [Reading(ap, "lib", self.now_ms, up=on, interval_s=INTERVAL_S) for ap, on in up.items()]
        )
        await self.look()

    async def look(self) -> None:
        await self.watch.look()
        await self.watch.alert()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(State(tmp_path / "state.db")) as state:
        yield World(state, city("a", "b"))


async def down(world: World) -> None:
    """`b` answers, `a` does not: once too often."""
    await world.poll(a=1, b=1)
    for _ in range(4):
        await world.poll(a=0, b=1)


async def test_what_is_down_is_told_and_what_is_back(world: World) -> None:
    await down(world)
    assert world.told.roots() == [("a", True)]
    assert world.watch.state("a") == "down"
    await world.poll(a=1, b=1)
    assert world.told.roots() == [("a", False)]


async def test_what_failed_is_asked_again(world: World) -> None:
    await world.poll(a=1, b=1)
    await world.poll(a=0, b=1)
    world.now_ms += 31_000
    await world.look()
    assert world.asked == ["a"]


async def test_a_controller_that_is_silent_is_the_root_of_what_is_behind_it(world: World) -> None:
    await world.poll(a=1, b=1)
    for _ in range(4):
        world.watch.polled(ControllerPoll("wlc", world.now_ms + MINUTE, False, INTERVAL_S))
        await world.poll(a=0, b=0)
    assert world.told.roots() == [("wlc", True)]


async def test_a_restart_goes_on_with_what_was_kept_and_what_was_stored_since(
    world: World,
) -> None:
    await down(world)
    before = world.told.incidents
    stopping = asyncio.Event()
    stopping.set()
    await world.watch.run(stopping)
    world.now_ms += MINUTE
    world.store.write_samples([Reading("a", "lib", world.now_ms, up=1, interval_s=INTERVAL_S)])
    world.start()
    await world.look()
    (incident,) = world.told.incidents
    assert (incident.id, incident.end_ms) == (before[0].id, world.now_ms)


@pytest.mark.parametrize("kept", [None, {}, {"engine": {"tracks": []}, "lost": {}}, {"engine": 7}])
async def test_without_a_memory_of_use_it_learns_from_what_is_stored(
    world: World, kept: dict[str, Any] | None
) -> None:
    await down(world)
    first = world.told.incidents[0]
    with world.state.writing() as db:
        db.execute("DELETE FROM outage_memory")
    if kept is not None:
        Record(world.state).keep(Kept(world.now_ms, kept))
    world.start()
    await world.look()
    assert [one.id for one in world.told.incidents] == [first.id]


async def test_what_is_said_is_kept_for_those_who_ask(world: World) -> None:
    await down(world)
    await world.poll(a=1, b=1)
    (incident,) = Incidents(world.state).between(T, world.now_ms + 1)
    assert (incident.ap, incident.end_ms, incident.cause) == ("a", world.now_ms, "said_down")


async def test_what_could_not_be_kept_is_kept_when_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("read-only")

    with monkeypatch.context() as patched:
        patched.setattr(Incidents, "tell", refuse)
        await down(world)
    assert Incidents(world.state).between(T, world.now_ms) == []
    await world.poll(a=0, b=1)
    (incident,) = Incidents(world.state).between(T, world.now_ms)
    assert incident.is_open


async def test_what_is_over_for_good_stays_known_for_those_who_were_told_that_it_began(
    world: World,
) -> None:
    await down(world)
    await world.poll(a=1, b=1)
    for _ in range(32):
        await world.poll(a=1, b=1)
    assert world.told.roots() == [("a", False)]
    await world.watch.run(_set())
    world.start()
    await world.look()
    assert world.told.roots() == [("a", False)]
    world.now_ms += 86_400_000
    await world.look()
    assert world.told.incidents == []


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_a_collector_that_hears_nothing_is_blind_and_nothing_of_it_is_down(
    world: World,
) -> None:
    await world.poll(a=1, b=1)
    since = world.now_ms
    world.blind_since = {"snmp": since}
    for _ in range(5):
        await world.poll(a=0, b=0)
    assert world.told.roots() == [("snmp", True)]
    assert world.watch.state("a") == "unknown"
    assert Record(world.state).blindness(T, world.now_ms) == {"snmp": [(since, world.now_ms)]}
    world.blind_since = {"snmp": None}
    await world.poll(a=1, b=1)
    assert world.told.roots() == [("snmp", False)]


async def test_a_store_that_takes_nothing_is_noticed_and_what_it_refuses_is_not_judged(
    world: World,
) -> None:
    await world.poll(a=1)
    world.store.fails = True
    with pytest.raises(NotDurableError):
        await world.poll(a=0)
    refusing = world.sink.refusing_ms
    assert refusing == world.now_ms
    with pytest.raises(NotDurableError):
        await world.poll(a=0)
    assert (world.sink.refusing_ms, world.sink.readings) == (refusing, [])
    world.store.fails = False
    await world.poll(a=1)
    assert world.sink.refusing_ms is None


async def test_judging_that_fails_is_told_and_begins_again_and_ingest_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.outage_watch.AGAIN_S", 0.01)
    monkeypatch.setattr("cli.outage_watch.LOOK_S", 0.01)
    await world.sink.write([Reading("a", "lib", T, up=1)])
    world.store.fails = True
    stopping = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(world.watch.run(stopping))
        await _until(lambda: len(logs) >= 2)
        assert not world.watch.health().ok
        assert "the disk is gone" in world.watch.health().detail
        world.store.fails = False
        await world.sink.write([Reading("b", "lib", T, up=1)])
        await _until(lambda: world.watch.health().ok)
        stopping.set()
        await running
    assert {entry["event"] for entry in logs if entry["log_level"] == "error"} == {
        "outages not judged"
    }
    assert world.watch.state("a") == world.watch.state("b") == "up"


async def test_a_state_that_cannot_be_written_to_keeps_nobody_from_judging(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("read-only")

    monkeypatch.setattr(Record, "keep", refuse)
    monkeypatch.setattr("cli.outage_watch.KEEP_MS", 0)
    with capture_logs() as logs:
        await down(world)
    assert world.told.roots() == [("a", True)]
    assert [e["reason"] for e in logs if e["event"] == "memory not kept"] == ["read-only"]


async def test_maintenance_announced_meanwhile_counts_from_then_on(world: World) -> None:
    await world.poll(a=1, b=1)
    now = pd.Timestamp(world.now_ms, unit="ms", tz="UTC").to_pydatetime()
    works = SitePeriod(site="lib", start=now, end=now + pd.Timedelta(hours=1))
    assert not world.told.in_maintenance("lib", world.now_ms + MINUTE)
    world.watch.announced(world.deployment.with_maintenance([works]))
    for _ in range(4):
        await world.poll(a=0, b=1)
    assert world.told.in_maintenance("lib", world.now_ms)
    assert [one.maintenance for one in world.told.incidents] == [True]
    assert world.watch.state("a") == "maintenance"


async def test_a_clock_that_was_set_back_is_told(world: World) -> None:
    await world.poll(a=1)
    monotonic = world.now_ms
    world.watch._around = Surroundings(
        blind_since=dict,
        ask_again=world.asked.extend,
        clock_set_back=world._set_back,
        now_ms=lambda: world.now_ms,
        monotonic_ms=lambda: monotonic,
    )
    world.now_ms -= 3_600_000
    await world.look()
    assert world.set_back == 1
    assert world.told.roots() == [("snmp", True)]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.005)
