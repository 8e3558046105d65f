"""Recorded devices, served over real UDP, read to what is known of them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.fleet.agent import Agent
from collectors.fleet.snmprec import load
from collectors.snmp.client_table import lists_addresses
from collectors.snmp.device import DevicePoll
from collectors.snmp.engine import SnmpEngine, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import poll_device
from collectors.snmp.profiles import Profiles
from collectors.snmp.pysnmp_engine import PysnmpEngine
from collectors.snmp.stations import Stations

OWN = Path(__file__).parents[2] / "recordings"
REAL = os.environ.get("SPOTWATCH_RECORDINGS")
MAX_LINES = 40


def recordings(folder: Path) -> list[Any]:
    return [pytest.param(file, id=file.stem) for file in sorted(folder.glob("*.snmprec"))]


OWN_RECORDINGS = recordings(OWN)
REAL_RECORDINGS = (
    recordings(Path(REAL))
    if REAL
    else [
        pytest.param(
            None,
            marks=pytest.mark.skip(reason="set SPOTWATCH_RECORDINGS to a folder of recordings"),
        )
    ]
)
"""Recordings of real devices are not part of the project: they hold other people's addresses."""


WHO_IS_WHERE: dict[str, tuple[dict[str, set[int]], int]] = {
    "cisco-airespace": ({"library-1": {1, 2}, "library-2": set()}, 1),
    "aruba-controller": ({"pool-1": {1, 2}, "pool-2": set()}, 1),
    "aruba-instant": ({"hall-1": {1, 2}, "hall-2": set()}, 0),
    "ruckus-zonedirector": ({"school-1": {1, 2}, "school-2": set()}, 0),
    "huawei-ac": ({"town-1": {1}, "town-2": {2}}, 0),
    "fortigate": ({"hall-1": {1, 2}, "hall-2": set()}, 0),
    "mikrotik": ({"ap-1": {1, 2}}, 0),
    "airos": ({"ap-1": {1, 2}}, 0),
    "aerohive": ({"ap-1": {1, 2}}, 0),
}
"""By recording: the last octets of the client devices at each AP, and how many are at none."""


def clients(*last: int) -> Stations:
    return Stations(bytes([2, 0, 0, 0, 12, octet]) for octet in last)


async def poll(
    engine: SnmpEngine, file: Path, profiles: Profiles, target: Any, *, client_tables: bool = False
) -> DevicePoll:
    async with Agent({"public": load(file)}) as agent:
        return await poll_device(
            engine, target(agent.port, name=file.stem), profiles, client_tables=client_tables
        )


def expected(file: Path) -> Any:
    return json.loads(file.with_suffix(".expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", OWN_RECORDINGS)
async def test_a_profile_reads_its_recording(
    engine: SnmpEngine, file: Path, profiles: Profiles, target: Callable[..., Target]
) -> None:
    answer = await poll(engine, file, profiles, target)
    assert answer.as_json() == expected(file)
    assert answer.warnings == ()


@pytest.mark.parametrize("file", OWN_RECORDINGS)
async def test_a_client_table_says_who_is_at_which_ap(
    file: Path, profiles: Profiles, target: Callable[..., Target]
) -> None:
    answer = await poll(GufoEngine(), file, profiles, target, client_tables=True)
    assert answer.as_json() == expected(file)
    assert answer.warnings == ()
    if file.stem not in WHO_IS_WHERE:
        assert answer.stations is None
        assert all(ap.stations is None for ap in answer.aps)
        return
    by_ap, elsewhere = WHO_IS_WHERE[file.stem]
    assert {ap.name: ap.stations for ap in answer.aps} == {
        name: clients(*last) for name, last in by_ap.items()
    }
    assert answer.elsewhere == elsewhere
    assert len(answer.stations or ()) == sum(map(len, by_ap.values())) + elsewhere


def test_every_profile_that_lists_clients_is_proved_by_its_recording(profiles: Profiles) -> None:
    listing = {p.name for p in profiles.values() if lists_addresses(p.tables.get("stations"))}
    assert listing == WHO_IS_WHERE.keys()


@pytest.mark.parametrize("file", OWN_RECORDINGS)
def test_a_recording_is_small_and_invented(file: Path) -> None:
    tree = load(file)
    assert len(tree) <= MAX_LINES
    macs = [value for kind, value in tree.values() if kind == "octets" and len(value) == 6]  # type: ignore[arg-type]
    # Locally administered: no manufacturer's, so nobody's.
    assert all(m[0] == 2 for m in macs if isinstance(m, bytes) and not m.isascii())


def test_every_profile_has_a_recording_that_proves_it(profiles: Profiles) -> None:
    for profile in profiles.values():
        assert profile.verified_by, f"{profile.name}: no recording in verified_by"
        for name in profile.verified_by:
            file = OWN / f"{name}.snmprec"
            assert file.is_file(), f"{profile.name}: no {file}"
            assert expected(file)["profile"] == profile.name


@pytest.mark.parametrize("file", REAL_RECORDINGS)
async def test_a_real_device_reads_to_what_is_known_of_it(
    file: Path, profiles: Profiles, target: Callable[..., Target]
) -> None:
    known = expected(file)
    also = known.get("also_acceptable", {})
    answer = await poll(GufoEngine(), file, profiles, target)
    assert answer.sys_object_id == known["sysObjectID"]
    assert answer.ap_count in [known["ap_count"], *also.get("ap_count", [])]
    if answer.profile == "generic":
        assert answer.clients_total is None
    else:
        assert answer.clients_total in [known["clients_total"], *also.get("clients_total", [])]


@pytest.mark.parametrize("file", REAL_RECORDINGS)
async def test_both_engines_read_a_real_device_alike(
    file: Path, profiles: Profiles, target: Callable[..., Target]
) -> None:
    gufo = await poll(GufoEngine(), file, profiles, target, client_tables=True)
    assert await poll(PysnmpEngine(), file, profiles, target, client_tables=True) == gufo


@pytest.mark.parametrize("file", OWN_RECORDINGS)
async def test_v1_reads_all_but_64_bit_counters(
    engine: SnmpEngine, file: Path, profiles: Profiles, target: Callable[..., Target]
) -> None:
    async with Agent({"public": load(file)}) as agent:
        answer = await poll_device(engine, target(agent.port, version="1"), profiles)
    known = expected(file)
    for document in (known, read := answer.as_json()):
        for ap in document["aps"]:
            ap.pop("rx_bytes")
            ap.pop("tx_bytes")
    assert read == known
