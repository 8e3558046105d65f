"""SNMP v3 with both engines, against pysnmp's own agent."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import SecretStr
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity import engine as entity
from pysnmp.entity.rfc3413 import cmdrsp, context

from collectors.snmp.engine import SnmpEngine, SnmpError, Target, open_session
from config.settings import UserCredential

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
PHRASE = "correct horse"
OTHER_PHRASE = "battery staple"

AUTH = {"sha256": config.USM_AUTH_HMAC192_SHA256, "md5": config.USM_AUTH_HMAC96_MD5}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """An agent that knows the users `nobody`, `sha256` and `md5`."""
    device = entity.SnmpEngine()
    transport = udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", 0))
    config.add_transport(device, udp.DOMAIN_NAME, transport)
    for user, level in (("nobody", "noAuthNoPriv"), *((name, "authNoPriv") for name in AUTH)):
        keys = (AUTH[user], PHRASE) if user in AUTH else ()
        config.add_v3_user(device, user, *keys)
        config.add_vacm_user(device, 3, user, level, (1, 3, 6))
    served = context.SnmpContext(device)
    for responder in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder,
                      cmdrsp.BulkCommandResponder):  # fmt: skip
        responder(device, served)
    await transport._lport
    yield transport.transport.get_extra_info("sockname")[1]
    device.close_dispatcher()


def credential(user: str, phrase: str = PHRASE) -> UserCredential:
    if user not in AUTH:
        return UserCredential(version="3", user=user)
    keys: Any = {"auth_protocol": user, "auth_key": SecretStr(phrase)}
    return UserCredential(version="3", user=user, **keys)


@pytest.mark.parametrize("user", ["nobody", "sha256", "md5"])
async def test_v3_reads(
    engine: SnmpEngine, port: int, target: Callable[..., Target], user: str
) -> None:
    async with open_session(engine, target(port, credential=credential(user))) as session:
        found = await session.get([SYS_DESCR])
        walked = dict(await session.walk("1.3.6.1.2.1.1"))
    assert found[SYS_DESCR] == walked[SYS_DESCR]
    assert len(walked) > 5


@pytest.mark.parametrize("wrong", ["phrase", "user"])
async def test_a_wrong_user_or_pass_phrase_is_an_error_that_hides_it(
    engine: SnmpEngine, port: int, target: Callable[..., Target], wrong: str
) -> None:
    bad = credential("sha256", OTHER_PHRASE) if wrong == "phrase" else credential("stranger")
    with pytest.raises(SnmpError, match=rf"^lib-1 \(127\.0\.0\.1:{port}\): ") as caught:
        async with open_session(engine, target(port, credential=bad, timeout_s=0.3)) as session:
            await session.get([SYS_DESCR])
    assert OTHER_PHRASE not in str(caught.value)
