"""Asking a device over SNMP: what both engines share.

An engine speaks one request at a time (`Wire`). Retries, splitting of what is too much for one
answer, walking, and the guards against devices that never end live here, once for both. Errors of
the libraries become, at their boundary, a `TimeoutError`, an `UndecodableError` or a
`RefusedError`; here these become

    SnmpError           names device, what was asked and why it failed
      SnmpTimeout       no answer at all
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from config.settings import CommunityCredential, UserCredential

Value = int | float | bytes | str
"""Integers of any wire type; octets as bytes; object identifiers and IP addresses as text."""

MAX_ROWS: Final = 100_000
"""No column of a real device is longer; a walk past it is cut off as endless."""
_OIDS_PER_GET: Final = 20

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Target:
    """A device to ask, and how patiently."""

    name: str
    """What messages call it."""
    host: str
    """An IPv4 or IPv6 address, or a host name."""
    credential: CommunityCredential | UserCredential
    port: int = 161
    timeout_s: float = 2.0
    """Wait for one answer."""
    retries: int = 2
    """Asked again so often before giving up."""
    max_repetitions: int = 20
    """Rows per GETBULK."""

    @property
    def address(self) -> str:
        """Host and port as people write them: `10.0.0.1:161`, `[::1]:161`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return self.address if self.name == self.address else f"{self.name} ({self.address})"


class SnmpError(Exception):
    """A device could not be read; the text names it, what was asked and why it failed."""

    def __init__(self, target: Target, asked: str, reason: str) -> None:
        super().__init__(f"{target}: {asked}: {reason}")
        self.target = target
        self.asked = asked
        self.reason = reason


class SnmpTimeout(SnmpError):  # noqa: N818  the word that operators use
    """No answer: off, unreachable, or it does not know the community or user."""


class UndecodableError(Exception):
    """An engine could not decode an answer: longer than it can take, or no SNMP at all."""


class RefusedError(Exception):
    """The device answered that it will not; the text is its reason."""


class Wire(Protocol):
    """One device as an engine sees it: one request, one answer, no patience.

    Every method raises TimeoutError, UndecodableError or RefusedError.
    """

    async def open(self) -> None:
        """Prepare; with SNMP v3, learn the device's engine id and clock."""

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """GET. What does not exist is left out; an answer with an error status is empty."""

    def rows(self, root: str, repetitions: int) -> AsyncIterator[tuple[str, Value]]:
        """Iterate over what is below root, by GETBULK (v1: GETNEXT).

        After a TimeoutError `anext()` may be called again, and goes on where it stood.
        """


class SnmpEngine(Protocol):
    """A library that speaks SNMP."""

    def connect(self, target: Target, address: str) -> AbstractAsyncContextManager[Wire]:
        """A wire to the device; `address` is the IP address of `target.host`."""


class Session:
    """A device that answers, or fails with an SnmpError that names it."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.target = target
        self._wire = wire

    async def open(self) -> None:
        """Make ready; with SNMP v3 this already talks to the device."""
        await self._ask("SNMP v3 discovery", self._wire.open)

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Read scalars or single cells; what the device does not have is left out."""
        found: dict[str, Value] = {}
        for start in range(0, len(oids), _OIDS_PER_GET):
            found |= await self._get(oids[start : start + _OIDS_PER_GET])
        return found

    async def walk(self, root: str) -> list[tuple[str, Value]]:
        """Read everything below `root`, in the device's order; empty if there is nothing."""
        repetitions = self.target.max_repetitions
        while True:
            try:
                return await self._walk(root, repetitions)
            except UndecodableError as error:
                # A library's buffer may be smaller than what a device sends at once.
                if repetitions == 1:
                    raise SnmpError(self.target, f"walk of {root}", str(error)) from error
                repetitions = max(1, repetitions // 4)

    async def _get(self, oids: Sequence[str]) -> dict[str, Value]:
        asked = f"GET of {oids[0]}" + (f" and {len(oids) - 1} more" if len(oids) > 1 else "")
        try:
            found = await self._ask(asked, lambda: self._wire.get(oids))
        except UndecodableError as error:
            if len(oids) == 1:
                raise SnmpError(self.target, asked, str(error)) from error
            found = {}
        if found or len(oids) == 1:
            return found
        # With v1 one missing object spoils the whole answer, with v2c one that is too long does.
        half = len(oids) // 2
        return await self._get(oids[:half]) | await self._get(oids[half:])

    async def _walk(self, root: str, repetitions: int) -> list[tuple[str, Value]]:
        asked = f"walk of {root}"
        rows: dict[str, Value] = {}
        iterator = self._wire.rows(root, repetitions)
        while True:
            try:
                oid, value = await self._ask(asked, iterator.__anext__)
            except StopAsyncIteration:
                return list(rows.items())
            if oid in rows:
                # Not where: the index of a row may be a client's MAC address.
                raise SnmpError(self.target, asked, "the device goes round in circles")
            rows[oid] = value
            if len(rows) > MAX_ROWS:
                raise SnmpError(self.target, asked, f"more than {MAX_ROWS} rows, cut off")

    async def _ask(self, asked: str, request: Callable[[], Awaitable[_T]]) -> _T:
        """Ask, and again after a timeout; name the device in what goes wrong."""
        tries = self.target.retries + 1
        for _ in range(tries):
            try:
                return await request()
            except TimeoutError:
                continue
            except RefusedError as error:
                raise SnmpError(self.target, asked, str(error)) from error
        times = "once" if tries == 1 else f"{tries} times"
        raise SnmpTimeout(
            self.target, asked, f"no answer within {self.target.timeout_s:g} s, asked {times}"
        )


@asynccontextmanager
async def open_session(engine: SnmpEngine, target: Target) -> AsyncIterator[Session]:
    """Resolve the host and open a session for the length of a poll. Raises SnmpError."""
    address = await _resolve(target)
    async with engine.connect(target, address) as wire:
        session = Session(target, wire)
        try:
            await session.open()
        except UndecodableError as error:
            raise SnmpError(target, "SNMP v3 discovery", str(error)) from error
        yield session


async def _resolve(target: Target) -> str:
    try:
        return str(ipaddress.ip_address(target.host))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise SnmpError(target, "look-up of the host name", str(error)) from error
    return str(found[0][4][0])
