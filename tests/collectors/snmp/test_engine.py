"""What both engines do when devices are slow, broken or hostile."""

import asyncio
import gc
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pysnmp.proto import api

from collectors.fleet.agent import Agent, Oid, Value
from collectors.snmp import engine as engine_module
from collectors.snmp.engine import SnmpEngine, SnmpError, SnmpTimeout, Target, open_session

V2C = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
Make = Callable[..., Target]

CLIENT = (2, 0, 0, 0, 0, 7)
"""A MAC address as the index of a row."""
OPEN_FILES = Path("/proc/self/fd")
SYS_DESCR = "1.3.6.1.2.1.1.1.0"
TREE: dict[Oid, Value] = {
    (1, 3, 6, 1, 2, 1, 1, 1, 0): ("octets", b"AP"),
    (1, 3, 6, 1, 2, 1, 1, 2, 0): ("oid", (1, 3, 6, 1, 4, 1, 99)),
    (1, 3, 6, 1, 2, 1, 1, 3, 0): ("timeticks", 100),
    (1, 3, 6, 1, 9, 1, 7): ("ipaddress", bytes([10, 0, 0, 1])),
    (1, 3, 6, 1, 9, 1, 8): ("counter64", 2**64 - 1),
    (1, 3, 6, 1, 9, 1, 9): ("integer", -3),
    (1, 3, 6, 1, 9, 2, 1): ("counter32", 2**32 - 1),
}


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_get_leaves_out_what_is_missing(
    engine: SnmpEngine, target: Make, version: str
) -> None:
    async with (
        Agent({"public": TREE}) as agent,
        open_session(engine, target(agent.port, version=version)) as session,
    ):
        found = await session.get(
            ["1.3.6.1.5.5.0", SYS_DESCR, "1.3.6.1.5.6.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.9.1.9"]
        )
        assert found == {SYS_DESCR: b"AP", "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.99",
                         "1.3.6.1.9.1.9": -3}  # fmt: skip
        assert await session.get(["1.3.6.1.5.5.0"]) == {}


async def test_walk_yields_the_subtree_and_nothing_else(engine: SnmpEngine, target: Make) -> None:
    async with (
        Agent({"public": TREE}) as agent,
        open_session(engine, target(agent.port)) as session,
    ):
        assert await session.walk("1.3.6.1.9.1") == [
            ("1.3.6.1.9.1.7", "10.0.0.1"),
            ("1.3.6.1.9.1.8", 2**64 - 1),
            ("1.3.6.1.9.1.9", -3),
        ]
        assert await session.walk("1.3.6.1.7") == []
        assert await session.walk("1.3.6.1.9.3") == []


async def test_silence_names_device_oid_and_patience(engine: SnmpEngine, target: Make) -> None:
    async with Agent({"private": TREE}) as agent:
        impatient = target(agent.port, timeout_s=0.1, retries=2)
        async with open_session(engine, impatient) as session:
            with pytest.raises(SnmpTimeout) as caught:
                await session.get([SYS_DESCR])
        assert str(caught.value) == (
            f"lib-1 (127.0.0.1:{agent.port}): GET of {SYS_DESCR}: "
            "no answer within 0.1 s, asked 3 times"
        )
        assert agent.requests == 3


async def test_a_lost_packet_costs_a_retry_and_no_rows(engine: SnmpEngine, target: Make) -> None:
    rows: dict[Oid, Value] = {(1, 3, 6, 1, 9, 1, n): ("integer", n) for n in range(100)}
    asked = 0

    def flaky() -> dict[Oid, Value] | None:
        nonlocal asked
        asked += 1
        return None if asked in (1, 3) else rows

    async with Agent({"public": flaky}, cache_s=0) as agent:
        patient = target(agent.port, timeout_s=0.15, retries=1)
        async with open_session(engine, patient) as session:
            walked = await session.walk("1.3.6.1.9.1")
    assert [value for _, value in walked] == list(range(100))


async def test_going_round_in_circles_is_an_error(
    engine: SnmpEngine, target: Make, misbehave: Any
) -> None:
    def circle(asked: Sequence[Oid], pdu: Any) -> None:
        oids = [(1, 3, 6, 1, 9, 1, *CLIENT), (1, 3, 6, 1, 9, 2), (1, 3, 6, 1, 9, 1, *CLIENT)]
        V2C.apiPDU.set_varbinds(pdu, [(oid, V2C.Integer32(1)) for oid in oids])

    agent = await misbehave(circle)
    async with open_session(engine, target(agent.port)) as session:
        with pytest.raises(SnmpError, match=r"^lib-1 .* walk of 1\.3\.6\.1\.9: .*circles$"):
            await session.walk("1.3.6.1.9")
    assert agent.requests == 1


async def test_an_endless_walk_is_cut_off(
    engine: SnmpEngine, target: Make, misbehave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(asked: Sequence[Oid], pdu: Any) -> None:
        last = asked[0][-1] if len(asked[0]) > 5 else 0
        found = [((1, 3, 6, 1, 9, last + n), V2C.Integer32(1)) for n in range(1, 20)]
        V2C.apiPDU.set_varbinds(pdu, found)

    monkeypatch.setattr(engine_module, "MAX_ROWS", 100)
    agent = await misbehave(endless)
    async with open_session(engine, target(agent.port)) as session:
        with pytest.raises(SnmpError, match="more than 100 rows"):
            await session.walk("1.3.6.1.9")


async def test_answers_larger_than_a_buffer_are_asked_for_in_parts(
    engine: SnmpEngine, target: Make
) -> None:
    wide: dict[Oid, Value] = {(1, 3, 6, 1, 9, 1, n): ("octets", b"x" * 1000) for n in range(30)}
    async with (
        Agent({"public": wide}) as agent,
        open_session(engine, target(agent.port)) as session,
    ):
        assert len(await session.get([f"1.3.6.1.9.1.{n}" for n in range(30)])) == 30


async def test_a_walk_of_wide_rows_asks_for_fewer_at_a_time(
    engine: SnmpEngine, target: Make, misbehave: Any
) -> None:
    def as_many_as_asked(asked: Sequence[Oid], pdu: Any) -> bytes | None:
        last = asked[0][-1] if len(asked[0]) > 5 else 0
        # This agent knows no limit: what does not fit a reader's buffer is garbage to it.
        rows = range(last + 1, 41)[: 20 if agent.requests <= 1 else 3]
        found = [((1, 3, 6, 1, 9, n), V2C.OctetString(b"x" * 1000)) for n in rows]
        V2C.apiPDU.set_varbinds(pdu, found or [((1, 3, 6, 1, 10, 1), V2C.Integer32(1))])
        return None

    agent = await misbehave(as_many_as_asked)
    async with open_session(engine, target(agent.port)) as session:
        assert len(await session.walk("1.3.6.1.9")) == 40


@pytest.mark.parametrize("status", [1, 5], ids=["tooBig", "genErr"])
async def test_an_answer_that_is_an_error_is_asked_for_in_parts(
    engine: SnmpEngine, target: Make, misbehave: Any, status: int
) -> None:
    def only_one_at_a_time(asked: Sequence[Oid], pdu: Any) -> None:
        if len(asked) > 1:
            V2C.apiPDU.set_error_status(pdu, status)
            V2C.apiPDU.set_varbinds(pdu, [(oid, V2C.null) for oid in asked])
        else:
            V2C.apiPDU.set_varbinds(pdu, [(asked[0], V2C.Integer32(asked[0][-1]))])

    agent = await misbehave(only_one_at_a_time)
    async with open_session(engine, target(agent.port)) as session:
        found = await session.get(["1.3.6.1.9.1", "1.3.6.1.9.2", "1.3.6.1.9.3"])
    assert found == {"1.3.6.1.9.1": 1, "1.3.6.1.9.2": 2, "1.3.6.1.9.3": 3}


async def test_a_refusal_is_an_error_and_is_not_retried(
    engine: SnmpEngine, target: Make, misbehave: Any
) -> None:
    def refuse(asked: Sequence[Oid], pdu: Any) -> None:
        V2C.apiPDU.set_error_status(pdu, 16)
        V2C.apiPDU.set_varbinds(pdu, [(oid, V2C.null) for oid in asked])

    agent = await misbehave(refuse)
    async with open_session(engine, target(agent.port, retries=3)) as session:
        with pytest.raises(SnmpError, match=rf"^lib-1 .* GET of {SYS_DESCR}: the device refuses"):
            await session.get([SYS_DESCR])
    assert agent.requests == 1


async def test_what_is_not_snmp_is_an_error(
    engine: SnmpEngine, target: Make, misbehave: Any
) -> None:
    agent = await misbehave(lambda asked, pdu: b"HTTP/1.1 400 Bad Request")
    async with open_session(engine, target(agent.port, timeout_s=0.2)) as session:
        # gufo_snmp says that it cannot decode it, pysnmp goes on waiting.
        with pytest.raises(SnmpError, match=r"^lib-1 \(127.0.0.1:\d+\): GET of"):
            await session.get([SYS_DESCR])


async def test_ipv6(engine: SnmpEngine, target: Make) -> None:
    try:
        agent = await Agent({"public": TREE}, host="::1").start()
    except OSError:
        pytest.skip("no IPv6 loopback on this machine")
    six = target(agent.port, host="::1")
    assert six.address == f"[::1]:{agent.port}"
    async with open_session(engine, six) as session:
        assert await session.get([SYS_DESCR]) == {SYS_DESCR: b"AP"}
    agent.close()


async def test_a_host_name_is_looked_up(engine: SnmpEngine, target: Make) -> None:
    address = socket.getaddrinfo("localhost", 1, type=socket.SOCK_DGRAM)[0][4][0]
    async with (
        Agent({"public": TREE}, host=str(address)) as agent,
        open_session(engine, target(agent.port, host="localhost")) as session,
    ):
        assert await session.get([SYS_DESCR]) == {SYS_DESCR: b"AP"}


async def test_a_host_name_that_does_not_exist_is_named(engine: SnmpEngine, target: Make) -> None:
    with pytest.raises(SnmpError, match=r"^lib-1 \(no-such.invalid:161\): look-up of the host"):
        async with open_session(engine, target(161, host="no-such.invalid")):
            pass


def open_files() -> int:
    gc.collect()
    return len(list(OPEN_FILES.iterdir()))


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="counts open files in /proc")
async def test_sessions_leave_no_sockets_behind(engine: SnmpEngine, target: Make) -> None:
    async with Agent({"public": TREE}) as agent:
        before = open_files()
        for _ in range(5):
            async with open_session(engine, target(agent.port)) as session:
                await session.get([SYS_DESCR])
            del session
        await asyncio.sleep(0)
        assert open_files() <= before
