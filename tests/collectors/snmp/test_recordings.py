"""Recorded devices, served over real UDP, read to what is known of them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.fleet.agent import Agent
from collectors.fleet.snmprec import load
from collectors.snmp.device import DevicePoll
from collectors.snmp.engine import SnmpEngine, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import poll_device
from collectors.snmp.profiles import Profiles
from collectors.snmp.pysnmp_engine import PysnmpEngine

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


async def poll(engine: SnmpEngine, file: Path, profiles: Profiles, target: Any) -> DevicePoll:
    async with Agent({"public": load(file)}) as agent:
        return await poll_device(engine, target(agent.port, name=file.stem), profiles)


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
    gufo = await poll(GufoEngine(), file, profiles, target)
    assert await poll(PysnmpEngine(), file, profiles, target) == gufo


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
