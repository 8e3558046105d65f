"""The hot path: SNMP through gufo_snmp, whose core is compiled."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    DesKey,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    SnmpDecodeError,
    SnmpError,
    SnmpVersion,
    User,
)
from gufo.snmp.aio import SnmpSession

from collectors.snmp.engine import RefusedError, Target, UndecodableError, Value, Wire
from config.settings import UserCredential

_AUTH: Final[dict[str, type[BaseAuthKey]]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
_PRIV: Final[dict[str, type[BasePrivKey]]] = {
    "des": DesKey,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
}


_PANIC: Final = "PanicException"
"""What PyO3 raises where Rust code panics."""


class GufoEngine:
    """One UDP socket per open session; nothing is shared between devices."""

    @asynccontextmanager
    async def connect(self, target: Target, address: str) -> AsyncIterator[Wire]:
        """Open a socket to the device; it closes when the session is let go."""
        with _translated():
            session = _session(target, address)
        yield _GufoWire(session, v1=target.credential.version == "1")


def _session(target: Target, address: str) -> SnmpSession:
    credential = target.credential
    if isinstance(credential, UserCredential):
        return SnmpSession(
            address,
            target.port,
            user=_user(credential),
            version=SnmpVersion.v3,
            timeout=target.timeout_s,
        )
    return SnmpSession(
        address,
        target.port,
        community=credential.community.get_secret_value(),
        version=SnmpVersion.v1 if credential.version == "1" else SnmpVersion.v2c,
        timeout=target.timeout_s,
    )


def _user(credential: UserCredential) -> User:
    auth, priv = credential.auth_key, credential.priv_key
    return User(
        credential.user,
        auth_key=_AUTH[credential.auth_protocol](auth.get_secret_value().encode())
        if auth
        else None,
        priv_key=_PRIV[credential.priv_protocol](priv.get_secret_value().encode())
        if priv
        else None,
    )


class _GufoWire:
    def __init__(self, session: SnmpSession, *, v1: bool) -> None:
        self._session = session
        self._v1 = v1

    async def open(self) -> None:
        with _translated():
            await self._session.refresh()

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        with _translated():
            found = await self._session.get_many(oids)
        return {oid: value for oid, value in found.items() if value is not None}

    def rows(self, root: str, repetitions: int) -> AsyncIterator[tuple[str, Value]]:
        session = self._session
        return _GufoRows(session.getnext(root) if self._v1 else session.getbulk(root, repetitions))


class _GufoRows:
    """A class and not a generator, because a generator is finished by the first timeout."""

    def __init__(self, rows: AsyncIterator[tuple[str, Value | None]]) -> None:
        self._rows = rows

    def __aiter__(self) -> "_GufoRows":
        return self

    async def __anext__(self) -> tuple[str, Value]:
        while True:
            with _translated():
                oid, value = await self._rows.__anext__()
            if value is not None:
                return oid, value


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SnmpDecodeError as error:
        # After a colon it quotes octets of the answer: a client's address may be among them.
        reason = str(error).partition(":")[0]
        raise UndecodableError(f"the answer cannot be decoded ({reason})") from None
    except SnmpError as error:
        raise RefusedError(f"the device refuses ({error})") from error
    except (OSError, ValueError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise RefusedError(f"cannot be asked ({error})") from error
    except BaseException as error:
        # gufo_snmp 0.13 panics on some octets that are no SNMP. No module has the class, and it is
        # no Exception: it would end the round, and the daemon with it.
        if type(error).__name__ != _PANIC:
            raise
        raise UndecodableError("the answer cannot be decoded") from None
