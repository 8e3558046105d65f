"""Devices that misbehave in the middle of their client table: no address shows in what is said."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import pytest
from pyasn1.codec.ber import encoder
from pysnmp.proto import api
from structlog.testing import capture_logs

from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.snmprec import load
from collectors.snmp.engine import SnmpEngine, SnmpError
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import poll_device
from collectors.snmp.poller import Poller
from collectors.snmp.profiles import Profiles
from tests.addresses import Search
from tests.collectors.snmp.conftest import Misbehave
from tests.collectors.snmp.test_poller import NOW, RECORDINGS, Kept
from tests.collectors.snmp.test_presences import Hashing, Noted, behind

V2C: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
STATION: Final = (1, 3, 6, 1, 4, 1, 14179, 2, 1, 4, 1)
MACS: Final = [
    bytes([0xA6 if n % 3 else 0xA4, 0xC3, 0x61, 0x9D, 0x17 + n, 0xE5]) for n in range(40)
]
AP: Final = bytes([2, 0, 0, 0, 1, 0x10])
SEARCH: Final = Search(MACS)

Tree = dict[Oid, Value]


def city(station: Callable[[bytes], Tree]) -> Tree:
    tree = {
        oid: value
        for oid, value in load(RECORDINGS / "cisco-airespace.snmprec").items()
        if oid[: len(STATION)] != STATION
    }
    for mac in MACS:
        tree |= station(mac)
    return tree


def right(mac: bytes) -> Tree:
    return {(*STATION, 4, *mac): ("octets", AP), (*STATION, 9, *mac): ("integer", 3)}


WRONG: Final[dict[str, Callable[[bytes], Tree]]] = {
    "right": right,
    "an AP that is a client": lambda mac: {(*STATION, 4, *mac): ("octets", mac)},
    "text of the client": lambda mac: {(*STATION, 4, *mac): ("octets", mac.hex(":").encode())},
    "an address in a sentence": lambda mac: {
        (*STATION, 4, *mac): ("octets", b"client " + mac.hex("-").encode())
    },
    "a number": lambda mac: {(*STATION, 4, *mac): ("counter64", int.from_bytes(mac, "big"))},
    "an OID": lambda mac: {(*STATION, 4, *mac): ("oid", (1, 3, *mac))},
    "five octets": lambda mac: {(*STATION, 4, *mac): ("octets", mac[:5])},
    "a status with the address": lambda mac: right(mac) | {(*STATION, 9, *mac): ("octets", mac)},
    "an index that is too long": lambda mac: {(*STATION, 4, *mac, 1): ("octets", AP)},
    "an index that is too short": lambda mac: {(*STATION, 4, 6, *mac[:4]): ("octets", AP)},
    "an index of larger numbers": lambda mac: {(*STATION, 4, *mac, 999): ("octets", AP)},
}


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., str]]:
    """Everything that was logged, and whatever else a test hands over, as one text."""
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        yield lambda *more: "\n".join(map(str, (logs, caplog.text, *more, *map(repr, more))))


async def everything(
    engine: SnmpEngine, profiles: Profiles, target: Any, port: int, noted: Noted
) -> list[object]:
    """Poll by itself and in a round; what comes back, but for the presences."""
    came: list[object] = []
    try:
        poll = await poll_device(engine, target(port, timeout_s=0.1), profiles, client_tables=True)
        came += [poll, poll.as_json(), poll.warnings, poll.aps]
    except SnmpError as error:
        came += [error, error.asked, error.reason]
    where = behind(port, {"ap": "library-1"}, {"ap": "library-2"}, timeout_s=0.1)
    kept = Kept()
    report = await Poller(where, engine, profiles, clock, (Hashing(), noted)).round(kept)
    return [*came, report, kept.readings, noted.presences]


def clock() -> datetime:
    return NOW


@pytest.mark.parametrize("station", WRONG.values(), ids=WRONG.keys())
async def test_a_table_of_nonsense(
    profiles: Profiles,
    target: Any,
    said: Callable[..., str],
    station: Callable[[bytes], Tree],
) -> None:
    noted = Noted()
    async with Agent({"public": city(station)}) as agent:
        came = await everything(GufoEngine(), profiles, target, agent.port, noted)
    assert SEARCH.found_in(said(*came)) == []
    if station is right:
        assert [len(p.devices) for p in noted.presences] == [len(MACS), 0]


Fault = Callable[[Any, Oid], bytes | None]


def error_status(number: int) -> Fault:
    def fill(pdu: Any, _: Oid) -> None:
        V2C.apiPDU.set_error_status(pdu, number)
        V2C.apiPDU.set_error_index(pdu, 1)

    return fill


def strange_tag(pdu: Any, asked: Oid) -> bytes:
    """An answer whose value is an address with a tag that no SNMP knows."""
    mac = bytes(asked[-6:])
    oid = bytes(encoder.encode(V2C.ObjectIdentifier((*STATION, 4, *mac))))
    varbind = tlv(0x30, oid + tlv(0xF3, mac))
    request = bytes(encoder.encode(V2C.Integer32(int(V2C.apiPDU.get_request_id(pdu)))))
    body = tlv(0xA2, request + b"\x02\x01\0" * 2 + tlv(0x30, varbind))
    return tlv(0x30, b"\x02\x01\x01" + tlv(4, b"public") + body)


def tlv(tag: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def round_in_circles(pdu: Any, asked: Oid) -> None:
    V2C.apiPDU.set_varbinds(pdu, [(asked, V2C.Integer32(1))])


def backwards(pdu: Any, asked: Oid) -> None:
    first = (*asked[: len(STATION) + 1], *MACS[0])
    V2C.apiPDU.set_varbinds(pdu, [(first, V2C.OctetString(AP))])


FAULTS: Final[dict[str, Fault]] = {
    "tooBig": error_status(1),
    "noSuchName": error_status(2),
    "genErr": error_status(5),
    "authorizationError": error_status(16),
    "an error nobody knows": error_status(77),
    "a tag that nobody knows": strange_tag,
    "octets of an address": lambda _, asked: bytes(asked[-6:]) * 4,
    "half an answer": lambda _, asked: b"\x30\x82\x01\x00\x02\x01\x01\x04\x06" + bytes(asked[-6:]),
    "round in circles": round_in_circles,
    "backwards": backwards,
    "silence": lambda _, __: b"",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_in_the_middle_of_the_table(
    engine: SnmpEngine,
    profiles: Profiles,
    target: Any,
    misbehave: Misbehave,
    said: Callable[..., str],
    fault: Fault,
) -> None:
    tree = city(right)
    oids = sorted(tree)
    faults = []

    def answer(asked: Sequence[Oid], pdu: Any) -> bytes | None:
        if len(asked) == 1 and asked[0][: len(STATION)] == STATION and len(asked[0]) > 12:
            faults.append(asked[0])
            return fault(pdu, asked[0])
        after = [oid for oid in asked if oid not in tree]
        found = [(oid, tree[oid]) for oid in asked if oid in tree]
        for oid in after:
            at = bisect_right(oids, oid)
            found += [(o, tree[o]) for o in oids[at : at + 8]] if len(asked) == 1 else []
        V2C.apiPDU.set_varbinds(pdu, [(oid, encoded(value)) for oid, value in found])
        return None

    noted = Noted()
    agent = await misbehave(answer)
    came = await everything(engine, profiles, target, agent.port, noted)
    assert faults, "the table was walked"
    assert any(oid[-6:] == tuple(mac) for oid in faults for mac in MACS)
    assert SEARCH.found_in(said(*came)) == []


def encoded(value: Value) -> Any:
    types: dict[str, Any] = {
        "integer": V2C.Integer32,
        "octets": V2C.OctetString,
        "oid": V2C.ObjectIdentifier,
        "counter32": V2C.Counter32,
        "gauge32": V2C.Gauge32,
        "timeticks": V2C.TimeTicks,
    }
    return types[value[0]](value[1])


async def test_the_search_would_find_what_is_looked_for(said: Callable[..., str]) -> None:
    logging.getLogger("x").warning("walk of 1.3.6.%s", ".".join(map(str, MACS[7])))
    assert SEARCH.found_in(said())
    assert SEARCH.found_in(said([MACS[7]]))
