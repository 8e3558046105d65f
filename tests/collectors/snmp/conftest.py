"""Devices for the tests: recordings, and agents that misbehave on purpose."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder
from pydantic import SecretStr
from pysnmp.proto import api

from collectors.snmp.engine import SnmpEngine, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.profiles import Profiles, load_profiles
from collectors.snmp.pysnmp_engine import PysnmpEngine
from config.settings import CommunityCredential

V2C = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]

Answer = Callable[[Sequence[tuple[int, ...]], Any], bytes | None]
"""Fills the answer to the OIDs asked; may return raw octets to send instead."""


class Misbehaving(asyncio.DatagramProtocol):
    """Answers every SNMP v2c request as a test says."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.requests += 1
        message, _ = decoder.decode(data, asn1Spec=V2C.Message())
        reply = V2C.apiMessage.get_response(message)
        asked = V2C.apiPDU.get_varbinds(V2C.apiMessage.get_pdu(message))
        raw = self._answer([tuple(oid) for oid, _ in asked], V2C.apiMessage.get_pdu(reply))
        self._transport.sendto(encoder.encode(reply) if raw is None else raw, addr)

    def close(self) -> None:
        self._transport.close()


Misbehave = Callable[[Answer], "asyncio.Future[Misbehaving]"]


@pytest.fixture
async def misbehave() -> AsyncIterator[Any]:
    """Start an agent that answers as a function says."""
    started: list[Misbehaving] = []

    async def start(answer: Answer) -> Misbehaving:
        _, agent = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Misbehaving(answer), local_addr=("127.0.0.1", 0)
        )
        started.append(agent)
        return agent

    yield start
    for agent in started:
        agent.close()


@pytest.fixture(params=[GufoEngine, PysnmpEngine], ids=["gufo", "pysnmp"])
def engine(request: pytest.FixtureRequest) -> SnmpEngine:
    made: SnmpEngine = request.param()
    return made


@pytest.fixture(scope="session")
def profiles() -> Profiles:
    return load_profiles()


@pytest.fixture
def target() -> Callable[..., Target]:
    """A target on loopback that is given up on quickly."""

    def make(port: int, **changes: Any) -> Target:
        version = changes.pop("version", "2c")
        community = SecretStr(changes.pop("community", "public"))
        settings: dict[str, Any] = {
            "name": "lib-1",
            "host": "127.0.0.1",
            "credential": CommunityCredential(version=version, community=community),
            "timeout_s": 2.0,
            "retries": 0,
        }
        return Target(port=port, **(settings | changes))

    return make
