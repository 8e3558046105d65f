"""A round says who is at the APs, as hashes; what it does not know it does not call nobody."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.snmprec import load
from collectors.presence import Device, Presence
from collectors.sink import NotDurableError
from collectors.snmp.device import DevicePoll
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poller import Poller
from collectors.snmp.presences import EmptyTables
from collectors.snmp.profiles import Profiles
from collectors.snmp.stations import Stations
from config.deployment import Deployment
from tests.collectors.snmp.test_poller import NOW, NOW_MS, RECORDINGS, Kept, deployment

CISCO = load(RECORDINGS / "cisco-airespace.snmprec")
STATION = (1, 3, 6, 1, 4, 1, 14179, 2, 1, 4, 1)
CLIENTS_OF_SSID = (1, 3, 6, 1, 4, 1, 14179, 2, 1, 1, 1, 38)
BRUSSELS = ZoneInfo("Europe/Brussels")


class Hashing:
    """An anonymiser whose key everybody knows."""

    def device(self, mac: bytes, zone: ZoneInfo, now_ms: int) -> Device:
        assert (zone, now_ms) == (BRUSSELS, NOW_MS)
        key = hashlib.blake2b(mac, digest_size=8, key=b"known").digest()
        return Device(key, None, bool(mac[0] & 2))


class Noted:
    """Keeps presences, or refuses."""

    def __init__(self) -> None:
        self.presences: list[Presence] = []
        self.durable = True

    async def note(self, presences: Sequence[Presence]) -> None:
        if not self.durable:
            raise NotDurableError("disk full")
        self.presences += presences

    def by_ap(self) -> dict[str, Presence]:
        assert len({p.ap for p in self.presences}) == len(self.presences)
        return {presence.ap: presence for presence in self.presences}


def devices(*last: int) -> tuple[Device, ...]:
    macs = (bytes([2, 0, 0, 0, 12, octet]) for octet in last)
    return tuple(sorted(Hashing().device(mac, BRUSSELS, NOW_MS) for mac in macs))


def behind(port: int, *aps: dict[str, Any], **snmp: Any) -> Deployment:
    return deployment(
        [{"controller": "wlc", **ap} for ap in aps],
        [{"controller": "wlc", "host": "127.0.0.1", "port": port, "poll_seconds": 120}],
        **snmp,
    )


def poller(where: Deployment, profiles: Profiles, noted: Noted) -> Poller:
    return Poller(where, GufoEngine(), profiles, lambda: NOW, (Hashing(), noted))


BOTH = ({"ap": "library-1"}, {"ap": "library-2"})


async def test_who_is_there_is_told_of_every_ap_of_a_controller(profiles: Profiles) -> None:
    noted = Noted()
    async with Agent({"public": CISCO}) as agent:
        report = await poller(behind(agent.port, *BOTH), profiles, noted).round(Kept())
    assert noted.by_ap() == {
        "library-1": Presence("library-1", "lib", NOW_MS, 120, devices(1, 2)),
        "library-2": Presence("library-2", "lib", NOW_MS, 120, ()),
    }
    assert (report.presences, report.presences_lost, report.warnings) == (2, 0, 0)


async def test_and_of_an_ap_that_is_polled_itself(profiles: Profiles) -> None:
    noted = Noted()
    async with Agent({"public": load(RECORDINGS / "mikrotik.snmprec")}) as agent:
        where = deployment([{"ap": "ap-9", "host": "127.0.0.1", "port": agent.port}])
        await poller(where, profiles, noted).round(Kept())
    assert noted.by_ap() == {"ap-9": Presence("ap-9", "lib", NOW_MS, 60, devices(1, 2))}


@pytest.mark.parametrize(("mac", "last"), [("02:00:00:00:03:20", ()), (None, (1, 2))])
async def test_a_cluster_that_is_polled_as_one_ap_is_it_or_its_own_row(
    profiles: Profiles, mac: str | None, last: tuple[int, ...]
) -> None:
    noted = Noted()
    async with Agent({"public": load(RECORDINGS / "aruba-instant.snmprec")}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port, "mac": mac}
        await poller(deployment([{"ap": "x", **there}]), profiles, noted).round(Kept())
    assert noted.by_ap()["x"].devices == devices(*last)


async def test_a_device_without_a_client_table_says_nothing(profiles: Profiles) -> None:
    noted = Noted()
    async with Agent({"public": load(RECORDINGS / "unifi.snmprec")}) as agent:
        where = deployment([{"ap": "a", "host": "127.0.0.1", "port": agent.port}])
        report = await poller(where, profiles, noted).round(Kept())
    assert (noted.presences, report.ok) == ([], 1)


async def test_an_ap_out_of_service_is_not_watched(profiles: Profiles) -> None:
    noted = Noted()
    gone = {"ap": "library-2", "out_of_service_since": date(2026, 3, 5)}
    async with Agent({"public": CISCO}) as agent:
        await poller(behind(agent.port, BOTH[0], gone), profiles, noted).round(Kept())
    assert noted.by_ap().keys() == {"library-1"}


async def test_a_poll_that_fails_watches_nobody(profiles: Profiles) -> None:
    noted = Noted()
    async with Agent({"public": lambda: None}) as agent:
        report = await poller(behind(agent.port, *BOTH), profiles, noted).round(Kept())
    assert (noted.presences, len(report.failed)) == ([], 1)


async def test_client_tables_can_be_left_alone(profiles: Profiles) -> None:
    """They cost requests; without them, or without anybody to tell, none is spent."""
    requests = {}
    for client_tables in (True, False):
        async with Agent({"public": CISCO}) as agent:
            noted = Noted()
            where = behind(agent.port, *BOTH, client_tables=client_tables)
            await poller(where, profiles, noted).round(Kept())
            requests[client_tables] = agent.requests
            assert bool(noted.presences) is client_tables
    async with Agent({"public": CISCO}) as agent:
        await Poller(behind(agent.port, *BOTH), GufoEngine(), profiles, lambda: NOW).round(Kept())
        assert agent.requests == requests[False] == requests[True] - 2


async def test_what_filters_the_clients_is_read_too(profiles: Profiles, tmp_path: Path) -> None:
    """The staff's network is no public one; a deployment says so in a profile of its own."""
    stations = profiles["cisco-airespace"].tables["stations"]
    public = stations.model_copy(update={"leave_out": {"ssid": "^staff$"}})
    own = profiles["cisco-airespace"].model_copy(
        update={"tables": {**profiles["cisco-airespace"].tables, "stations": public}}
    )
    tree: dict[Oid, Value] = {
        **CISCO,
        (*STATION, 7, 2, 0, 0, 0, 12, 1): ("octets", b"staff"),
        (*STATION, 7, 2, 0, 0, 0, 12, 2): ("octets", b"city"),
    }
    noted = Noted()
    async with Agent({"public": tree}) as agent:
        await poller(
            behind(agent.port, BOTH[0]), {**profiles, "cisco-airespace": own}, noted
        ).round(Kept())
    assert noted.by_ap()["library-1"].devices == devices(2)


async def test_an_ap_that_counts_clients_and_lists_none_is_not_empty(profiles: Profiles) -> None:
    """Its radios count 13; the table has the clients of the other AP only."""
    tree = dict(CISCO)
    for client in (1, 2):
        tree[(*STATION, 4, 2, 0, 0, 0, 12, client)] = ("octets", bytes([2, 0, 0, 0, 1, 0x20]))
    noted = Noted()
    async with Agent({"public": tree}) as agent:
        await poller(behind(agent.port, *BOTH), profiles, noted).round(Kept())
    assert {ap: p.devices for ap, p in noted.by_ap().items()} == {"library-2": devices(1, 2)}


async def test_clients_at_no_ap_are_told_once(profiles: Profiles) -> None:
    async with Agent({"public": CISCO}) as agent:
        rounds = poller(behind(agent.port, *BOTH), profiles, Noted())
        with capture_logs() as logs:
            await rounds.round(Kept())
            await rounds.round(Kept())
    assert [(e["event"], e["clients"]) for e in logs] == [("clients at no AP listed", 1)]


async def test_a_sink_that_refuses_stops_neither_the_readings_nor_the_round(
    profiles: Profiles,
) -> None:
    noted, kept = Noted(), Kept()
    async with Agent({"public": CISCO}) as agent:
        rounds = poller(behind(agent.port, *BOTH), profiles, noted)
        noted.durable = False
        with capture_logs() as logs:
            report = await rounds.round(kept)
        assert kept.by_ap().keys() == {"library-1", "library-2"}
        assert (report.presences, report.presences_lost, report.is_durable) == (0, 2, True)
        lost = [e for e in logs if e["event"] == "presences lost"]
        assert [(e["aps"], e["reason"], e["log_level"]) for e in lost] == [
            (2, "disk full", "error")
        ]
        noted.durable = True
        again = await rounds.round(Kept())
    assert again.presences == len(noted.presences) == 2


def emptied(clients: int) -> dict[Oid, Value]:
    """The controller without its client table, with so many clients in all, none at an AP."""
    tree = {oid: v for oid, v in CISCO.items() if oid[: len(STATION)] != STATION}
    for oid, (kind, _) in tree.items():
        if oid[-8:-7] == (15,):
            tree[oid] = (kind, 0)
    return (
        tree
        | {(*CLIENTS_OF_SSID, n): ("counter32", 0) for n in (1, 16)}
        | {(*CLIENTS_OF_SSID, 1): ("counter32", clients)}
    )


async def test_a_device_that_lists_nobody_among_clients_has_no_client_table(
    profiles: Profiles,
) -> None:
    """By day it counts clients and lists none; by night nobody is there, which it cannot say."""
    shown = [emptied(0)]
    noted = Noted()

    async def watched(tree: dict[Oid, Value]) -> bool:
        shown[0] = tree
        noted.presences.clear()
        await rounds.round(Kept())
        return bool(noted.presences)

    async with Agent({"public": lambda: shown[0]}, cache_s=0) as agent:
        rounds = poller(behind(agent.port, *BOTH), profiles, noted)
        assert await watched(emptied(0))
        with capture_logs() as logs:
            assert [await watched(emptied(5)) for _ in range(3)] == [False] * 3
        assert [(e["event"], e["clients_counted"]) for e in logs] == [("client table empty", 5)]
        assert not await watched(emptied(0))
        assert await watched(CISCO)
        assert await watched(emptied(0))


def said(clients: int, *last: int) -> DevicePoll:
    stations = Stations(bytes([2, 0, 0, 0, 12, octet]) for octet in last)
    return DevicePoll("p", "ap", clients_total=clients, stations=stations)


def test_one_who_comes_between_two_walks_is_no_proof() -> None:
    tables = EmptyTables()
    assert not tables.note("x", said(1))
    assert not tables.believes("x", said(1))
    assert tables.believes("x", said(0))
    assert not tables.note("x", said(0))
    assert not tables.note("x", DevicePoll("p", "ap", clients_total=9, stations=None))
    assert tables.note("x", said(1))
    assert not tables.believes("x", said(0))
    assert tables.believes("x", said(1, 1))
    assert tables.believes("y", said(0))
