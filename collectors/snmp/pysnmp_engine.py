"""The second engine: SNMP through pysnmp, in pure Python.

Slower by far than gufo_snmp, and independent of it: a test holds that both read alike.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pysnmp.hlapi.v3arch.asyncio as hlapi
from pyasn1.type import univ
from pysnmp.entity import config
from pysnmp.error import PySnmpError
from pysnmp.proto import errind, rfc1902, rfc1905

from collectors.snmp.engine import RefusedError, Target, UndecodableError, Value, Wire
from config.settings import UserCredential

_AUTH: Final[dict[str, Any]] = {
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIV: Final[dict[str, Any]] = {
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
_MISSING: Final = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView)
_AUTHORIZATION_ERROR: Final = 16
_UNDECODABLE: Final = (errind.ParseError, errind.SerializationError)


class PysnmpEngine:
    """One pysnmp engine per open session: its caches of users and addresses are never pruned."""

    @asynccontextmanager
    async def connect(self, target: Target, address: str) -> AsyncIterator[Wire]:
        """Open a socket to the device, closed with the session."""
        transport = hlapi.Udp6TransportTarget if ":" in address else hlapi.UdpTransportTarget
        engine = hlapi.SnmpEngine()
        try:
            where = await transport.create(
                (address, target.port), timeout=target.timeout_s, retries=0
            )
            yield _PysnmpWire(engine, where, _credential(target), target.credential.version == "1")
        except PySnmpError as error:
            raise RefusedError(f"cannot be asked ({error})") from error
        finally:
            engine.close_dispatcher()


def _credential(target: Target) -> Any:
    credential = target.credential
    if not isinstance(credential, UserCredential):
        return hlapi.CommunityData(
            credential.community.get_secret_value(), mpModel=int(credential.version != "1")
        )
    auth, priv = credential.auth_key, credential.priv_key
    return hlapi.UsmUserData(
        credential.user,
        authKey=auth.get_secret_value() if auth else None,
        authProtocol=_AUTH[credential.auth_protocol] if auth else config.USM_AUTH_NONE,
        privKey=priv.get_secret_value() if priv else None,
        privProtocol=_PRIV[credential.priv_protocol] if priv else config.USM_PRIV_NONE,
    )


class _PysnmpWire:
    def __init__(self, engine: Any, transport: Any, credential: Any, v1: bool) -> None:
        self._to = (engine, credential, transport, hlapi.ContextData())
        self._v1 = v1

    async def open(self) -> None:
        """Nothing to do: pysnmp discovers with the first request."""

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        asked = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in oids]
        answer = _checked(await hlapi.get_cmd(*self._to, *asked, lookupMib=False))
        return {
            str(oid): _value(value)
            for oid, value in answer
            if not isinstance(value, (*_MISSING, rfc1905.UnSpecified))
        }

    def rows(self, root: str, repetitions: int) -> AsyncIterator[tuple[str, Value]]:
        return _PysnmpRows(self, root, repetitions)

    async def after(self, oid: str, repetitions: int) -> list[tuple[str, Any]]:
        """What follows an OID, as much as fits one answer."""
        asked = hlapi.ObjectType(hlapi.ObjectIdentity(oid))
        if self._v1:
            answer = await hlapi.next_cmd(*self._to, asked, lookupMib=False)
        else:
            answer = await hlapi.bulk_cmd(*self._to, 0, repetitions, asked, lookupMib=False)
        return [(str(found), value) for found, value in _checked(answer)]


class _PysnmpRows:
    def __init__(self, wire: _PysnmpWire, root: str, repetitions: int) -> None:
        self._wire = wire
        self._root = root
        self._repetitions = repetitions
        self._last = root
        self._page: list[tuple[str, Any]] = []

    def __aiter__(self) -> "_PysnmpRows":
        return self

    async def __anext__(self) -> tuple[str, Value]:
        if not self._page:
            self._page = await self._wire.after(self._last, self._repetitions)
            self._page.reverse()
            if not self._page:
                raise StopAsyncIteration
        oid, value = self._page.pop()
        if isinstance(value, _MISSING) or not oid.startswith(self._root + "."):
            self._page.clear()
            raise StopAsyncIteration
        self._last = oid
        return oid, _value(value)


def _checked(answer: tuple[Any, Any, Any, Any]) -> Sequence[tuple[Any, Any]]:
    """pysnmp returns its errors; raise them. An error status is an empty answer."""
    indication, status, _, varbinds = answer
    if indication:
        if isinstance(indication, errind.RequestTimedOut):
            raise TimeoutError
        if isinstance(indication, _UNDECODABLE):
            raise UndecodableError(f"the answer cannot be decoded ({indication})")
        raise RefusedError(f"the device refuses ({indication})")
    if int(status) == _AUTHORIZATION_ERROR:
        raise RefusedError("the device refuses (authorization error)")
    return () if status else varbinds


def _value(value: Any) -> Value:
    if isinstance(value, rfc1902.IpAddress):
        return ".".join(map(str, bytes(value)))
    if isinstance(value, rfc1902.OctetString):
        return bytes(value)
    if isinstance(value, univ.ObjectIdentifier):
        return str(value)
    return int(value)
