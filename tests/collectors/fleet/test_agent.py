"""The simulated agent, asked over real UDP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gufo.snmp import SnmpVersion
from gufo.snmp.aio import SnmpSession

from collectors.fleet.agent import MAX_BULK_BYTES, Agent, Oid, Value
from collectors.fleet.snmprec import RecordingError, load, parse

SYS = (1, 3, 6, 1, 2, 1, 1)
TREE: dict[Oid, Value] = {
    (*SYS, 5, 0): ("octets", b"ap-1"),
    (*SYS, 2, 0): ("oid", (1, 3, 6, 1, 4, 1, 99)),
    (*SYS, 3, 0): ("timeticks", 4_294_967_295),
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1): ("counter64", 2**64 - 1),
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18, 1): ("octets", b"alias"),
    (1, 2, 840, 1): ("integer", -5),
}


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with Agent({"public": TREE}) as running:
        yield running


def session(
    agent: Agent,
    community: str = "public",
    version: SnmpVersion = SnmpVersion.v2c,
    timeout: float = 2.0,
) -> SnmpSession:
    return SnmpSession(
        agent.host, agent.port, community=community, version=version, timeout=timeout
    )


async def test_get_answers_every_type_and_leaves_out_what_is_missing(agent: Agent) -> None:
    got = await session(agent).get_many(
        ["1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0", "1.2.840.1",
         "1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.1.99.0"]
    )  # fmt: skip
    assert got == {
        "1.3.6.1.2.1.1.5.0": b"ap-1",
        "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.99",
        "1.3.6.1.2.1.1.3.0": 4_294_967_295,
        "1.2.840.1": -5,
        "1.3.6.1.2.1.31.1.1.1.6.1": 2**64 - 1,
    }


@pytest.mark.parametrize("bulk", [True, False])
async def test_a_walk_yields_the_subtree_in_order(agent: Agent, bulk: bool) -> None:
    asked = session(agent)
    walk = asked.getbulk("1.3.6.1.2.1.1") if bulk else asked.getnext("1.3.6.1.2.1.1")
    assert [oid async for oid, _ in walk] == [
        "1.3.6.1.2.1.1.2.0",
        "1.3.6.1.2.1.1.3.0",
        "1.3.6.1.2.1.1.5.0",
    ]


async def test_v1_knows_no_counter64(agent: Agent) -> None:
    walk = session(agent, version=SnmpVersion.v1).getnext("1.3.6.1.2.1.31")
    assert [value async for _, value in walk] == [b"alias"]


async def test_a_wrong_community_gets_silence(agent: Agent) -> None:
    with pytest.raises(TimeoutError):
        await session(agent, community="private", timeout=0.1).get("1.3.6.1.2.1.1.5.0")
    assert agent.requests == 1


async def test_the_community_selects_the_device() -> None:
    one: dict[Oid, Value] = {(*SYS, 5, 0): ("octets", b"one")}
    two: dict[Oid, Value] = {(*SYS, 5, 0): ("octets", b"two")}
    async with Agent({"one": one, "two": lambda: two}) as agent:
        assert await session(agent, "one").get("1.3.6.1.2.1.1.5.0") == b"one"
        assert await session(agent, "two").get("1.3.6.1.2.1.1.5.0") == b"two"


async def test_a_device_that_is_switched_off_is_silent() -> None:
    async with Agent({"public": lambda: None}) as agent:
        with pytest.raises(TimeoutError):
            await session(agent, timeout=0.1).get("1.3.6.1.2.1.1.5.0")


async def test_a_changing_tree_is_asked_for_at_most_once_a_second() -> None:
    now = 0.0
    calls = 0

    def tree() -> dict[Oid, Value]:
        nonlocal calls
        calls += 1
        return {(*SYS, 3, 0): ("timeticks", calls)}

    async with Agent({"public": tree}, clock=lambda: now) as agent:
        asked = session(agent)
        assert [await asked.get("1.3.6.1.2.1.1.3.0") for _ in range(3)] == [1, 1, 1]
        now = 1.0
        assert await asked.get("1.3.6.1.2.1.1.3.0") == 2


async def test_garbage_does_not_stop_the_agent(agent: Agent) -> None:
    for garbage in (b"", b"\x30", b"GET / HTTP/1.1", b"\x30\x03\x02\x01\x07"):
        agent.datagram_received(garbage, ("127.0.0.1", 9))
    assert await session(agent).get("1.3.6.1.2.1.1.5.0") == b"ap-1"


async def test_bulk_answers_fit_a_frame() -> None:
    wide: dict[Oid, Value] = {(*SYS, 9, row): ("octets", b"x" * 200) for row in range(100)}
    async with Agent({"public": wide}) as agent:
        rows = [v async for _, v in session(agent).getbulk("1.3.6.1.2.1.1.9", 50)]
        assert len(rows) == 100
        assert agent.requests >= 100 * 200 / MAX_BULK_BYTES


async def test_ipv6() -> None:
    try:
        agent = await Agent({"public": TREE}, host="::1").start()
    except OSError:
        pytest.skip("no IPv6 loopback on this machine")
    assert await session(agent).get("1.3.6.1.2.1.1.5.0") == b"ap-1"
    agent.close()


def test_a_recording_may_be_untidy(tmp_path: Path) -> None:
    file = tmp_path / "untidy.snmprec"
    file.write_bytes(
        b"1.3.6.1.2.1.1.5.0|4|first\n"
        b"1.2.840.1|2|-7\r\n"
        b"1.3.6.1.2.1.1.1.0|4|Linux\nsecond line|of it\n\nlast\n"
        b".1.3.6.1.2.1.1.2.0|6|.1.3.6.1.4.1.99\n"
        b"1.3.6.1.2.1.1.6.0|4x|00ff0a\n"
        b"1.3.6.1.2.1.4.20.1.1.10.0.0.1|64|10.0.0.1\n"
        b"1.3.6.1.2.1.4.20.1.1.10.0.0.2|64x|0a000002\n"
        b"1.3.6.1.2.1.1.5.0|4|a last value without newline"
    )
    assert load(file) == {
        (*SYS, 5, 0): ("octets", b"a last value without newline"),
        (1, 2, 840, 1): ("integer", -7),
        (*SYS, 1, 0): ("octets", b"Linux\nsecond line|of it\n\nlast"),
        (*SYS, 2, 0): ("oid", (1, 3, 6, 1, 4, 1, 99)),
        (*SYS, 6, 0): ("octets", b"\x00\xff\n"),
        (1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 0, 0, 1): ("ipaddress", bytes([10, 0, 0, 1])),
        (1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 0, 0, 2): ("ipaddress", bytes([10, 0, 0, 2])),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "rec:1: not a line of the form OID|type|value"),
        ("1.3.6|2|5\n1.3.7|99|5", "rec:2: type 99: allowed are 2, 4, 6, 64"),
        ("1.3.6|2|five", "rec:1: integer: invalid literal"),
        ("1.3.6|4x|0g", "rec:1: octets: non-hexadecimal"),
        ("1.3.6|64|10.0.0", "rec:1: ipaddress: 3 octets"),
    ],
)
def test_a_broken_recording_names_its_line(text: str, message: str) -> None:
    with pytest.raises(RecordingError, match="^" + message.replace("|", r"\|")):
        parse(text, name="rec")
