"""One poll of one device: who is it, which profile fits, and what does it say."""

import asyncio
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from collectors.snmp.client_table import asked, lists_addresses
from collectors.snmp.decode import decode
from collectors.snmp.device import DevicePoll
from collectors.snmp.engine import (
    Session,
    SnmpEngine,
    SnmpError,
    SnmpTimeout,
    Target,
    Value,
    open_session,
)
from collectors.snmp.interpret import interpret
from collectors.snmp.profile import Cell, Profile, Role
from collectors.snmp.profiles import FALLBACK, Profiles, candidates
from collectors.snmp.tables import COUNTERS, Raw, has_traffic

AUTO: Final = "auto"
"""In place of a profile's name: the one that fits."""

_SYS_DESCR: Final = "1.3.6.1.2.1.1.1.0"
_SYS_OBJECT_ID: Final = "1.3.6.1.2.1.1.2.0"
_MAX_TIMEOUTS: Final = 2
"""A device that leaves so many walks unanswered in one poll is not asked for more."""


class UnknownProfileError(Exception):
    """A profile was asked for by a name that none has; the text lists the names."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device was when last polled, so that its profile need not be found again."""

    sys_object_id: str | None
    sys_descr: str | None
    profile: str


Identities = MutableMapping[str, Identity]
"""By the name of the target; kept by whoever polls again and again."""


class _Choice(NamedTuple):
    profile: Profile
    is_certain: bool
    """False: a better one may fit once the device is done booting."""


async def poll_device(
    engine: SnmpEngine,
    target: Target,
    profiles: Profiles,
    profile: str = AUTO,
    *,
    identities: Identities | None = None,
    limit_s: float = 60,
    client_tables: bool = False,
) -> DevicePoll:
    """Poll a device. Raises SnmpError where it does not answer at all, UnknownProfileError.

    What it refuses, or leaves unanswered half-way, is told in `DevicePoll.warnings`; the rest
    stands.

    Args:
        engine: the library to speak SNMP with.
        target: the device.
        profiles: all there are, by name.
        profile: one of them, or `auto`.
        identities: where to remember what the device was, for the next poll.
        limit_s: what has not been read by then is left out.
        client_tables: also read who the clients are, where the profile knows how. It costs, for
            two or three columns of 1,000 clients each, some 100 to 150 requests more, made after
            all others; a device that is slow at it loses its client table, not its readings.
    """
    if profile != AUTO and profile not in profiles:
        allowed = ", ".join((AUTO, *sorted(profiles)))
        raise UnknownProfileError(f"{profile!r} is no profile; allowed: {allowed}")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    try:
        async with asyncio.timeout_at(deadline) as alarm, open_session(engine, target) as session:
            poll = _Poll(session, profiles, deadline, client_tables=client_tables)
            known = identities.get(target.name) if identities is not None else None
            chosen = await poll.identify(profile, known)
            # From here on being late costs what is not read yet, not what is.
            alarm.reschedule(None)
            result = await poll.read(chosen.profile)
    except TimeoutError as error:
        reason = f"not identified within {limit_s:g} s"
        raise SnmpTimeout(target, "poll", reason) from error
    if identities is not None and profile == AUTO:
        identities.pop(target.name, None)
        if chosen.is_certain:
            identities[target.name] = Identity(
                poll.raw.sys_object_id, poll.raw.sys_descr, chosen.profile.name
            )
    return result


class _Poll:
    def __init__(
        self, session: Session, profiles: Profiles, deadline: float, *, client_tables: bool
    ) -> None:
        self.raw = Raw(client_tables=client_tables)
        self._session = session
        self._profiles = profiles
        self._deadline = deadline
        self._warnings: list[str] = []
        self._asked: set[str] = set()
        self._timeouts = 0

    async def identify(self, profile: str, known: Identity | None) -> _Choice:
        """Ask who the device is, and for its scalars at once where its profile is known."""
        likely = known.profile if profile == AUTO and known else profile
        scalars = self._scalar_oids(self._profiles[likely]) if likely in self._profiles else []
        asked = list(dict.fromkeys((_SYS_DESCR, _SYS_OBJECT_ID, *scalars)))
        found = await self._session.get(asked)
        self.raw.scalars.update(found)
        self.raw.sys_descr = _text(found.get(_SYS_DESCR))
        self.raw.sys_object_id = _text(found.get(_SYS_OBJECT_ID))
        self._asked.update(asked)
        if profile != AUTO:
            return _Choice(self._profiles[profile], is_certain=True)
        identity = (self.raw.sys_object_id, self.raw.sys_descr)
        is_same = known and identity == (known.sys_object_id, known.sys_descr)
        if is_same and likely in self._profiles:
            return _Choice(self._profiles[likely], is_certain=True)
        return await self._best_fit()

    async def read(self, profile: Profile) -> DevicePoll:
        """Read what the profile names; leave out what fails, and say so."""
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._read_scalars(profile)
                for role in _ORDER:
                    if role in profile.tables and self._is_wanted(role, profile):
                        await self._read_table(role, profile)
        except TimeoutError:
            self._fail_the_rest(profile)
            self._warnings.append(f"{self._session.target}: out of time; the rest was not read")
        result = interpret(profile, self.raw)
        dropped = (f"{self._session.target}: {drop}" for drop in result.warnings)
        return replace(result, warnings=(*self._warnings, *dropped))

    async def _best_fit(self) -> _Choice:
        missed = False
        for profile, match in candidates(
            self._profiles, self.raw.sys_object_id, self.raw.sys_descr
        ):
            if match.has is None or await self._has(match.has):
                return _Choice(profile, is_certain=True)
            missed = True
        return _Choice(self._profiles[FALLBACK], is_certain=not missed)

    async def _has(self, oid: str) -> bool:
        await self._walk(oid)
        if self.raw.columns.get(oid):
            return True
        return oid not in self.raw.failed and bool(await self._session.get([oid]))

    async def _read_scalars(self, profile: Profile) -> None:
        oids = [oid for oid in self._scalar_oids(profile) if oid not in self._asked]
        if oids:
            try:
                self.raw.scalars.update(await self._session.get(oids))
            except SnmpError as error:
                self._warn(error)

    def _scalar_oids(self, profile: Profile) -> list[str]:
        cells = (cell for cells in profile.scalars.values() for cell in cells)
        return list(dict.fromkeys(oid for cell in cells if (oid := self.raw.oid(cell))))

    def _is_wanted(self, role: Role, profile: Profile) -> bool:
        """Whether what is known already leaves open what this table could say."""
        if role not in {"ssids", "ports", "interfaces", "stations"}:
            return True
        if role == "stations" and self.raw.client_tables and lists_addresses(profile.tables[role]):
            return True
        so_far = interpret(profile, self.raw)
        if role in {"ports", "interfaces"}:
            return all(ap.rx_bytes is None and ap.tx_bytes is None for ap in so_far.aps)
        return so_far.clients_total is None

    async def _read_table(self, role: Role, profile: Profile) -> None:
        """Walk the preferred columns; then alternatives, where these leave something open."""
        table = profile.tables[role]
        columns = asked(role, table, client_tables=self.raw.client_tables)
        for cells in columns.values():
            for _, oid in self._located(cells[:1]):
                await self._walk(oid)
        rows = {
            index
            for cells in columns.values()
            for _, oid in self._located(cells)
            for index, _ in self.raw.columns.get(oid, ())
        }
        for name, cells in columns.items():
            for number, (_, oid) in enumerate(self._located(cells)):
                if number and self._is_answered(name, cells[:number], rows):
                    break
                await self._walk(oid)

    def _located(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, str]]:
        for cell in cells:
            oid = self.raw.oid(cell)
            if oid is not None:
                yield cell, oid

    def _is_answered(self, name: str, cells: Sequence[Cell], rows: set[str]) -> bool:
        """Whether these alternatives of a column say all that it could."""
        located = list(self._located(cells))
        if name in COUNTERS:
            # Another width must not stand in for one that only failed this time.
            failed = any(oid in self.raw.failed for _, oid in located)
            return failed or any(has_traffic(cell, self.raw) for cell, _ in located)
        said = {
            index
            for cell, oid in located
            for index, value in self.raw.columns.get(oid, ())
            if _says(cell, value)
        }
        return rows <= said

    async def _walk(self, oid: str) -> None:
        if oid in self.raw.columns or oid in self.raw.failed:
            return
        if self._timeouts >= _MAX_TIMEOUTS:
            self.raw.failed.add(oid)
            return
        try:
            rows = await self._session.walk(oid)
        except SnmpError as error:
            self.raw.failed.add(oid)
            self._warn(error)
            return
        self.raw.columns[oid] = [(found[len(oid) + 1 :], value) for found, value in rows]

    def _warn(self, error: SnmpError) -> None:
        self._warnings.append(str(error))
        if isinstance(error, SnmpTimeout):
            self._timeouts += 1
            if self._timeouts == _MAX_TIMEOUTS:
                self._warnings.append(f"{error.target}: not asked for the rest of its tables")

    def _fail_the_rest(self, profile: Profile) -> None:
        for table in profile.tables.values():
            for cells in table.columns.values():
                for _, oid in self._located(cells):
                    if oid not in self.raw.columns:
                        self.raw.failed.add(oid)


_ORDER: Final[tuple[Role, ...]] = (
    "nodes", "ssids", "aps", "radios", "vaps", "ports", "interfaces", "stations",
)  # fmt: skip
"""Networks before radios: what a sum over SSIDs gives, radios need not."""


def _says(cell: Cell, value: Value) -> bool:
    """Whether a value has a meaning, so that no alternative is needed."""
    try:
        return cell.kind == "any" or decode(cell, value) is not None
    except ValueError:
        return False


def _text(value: Value | None) -> str | None:
    if value is None:
        return None
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0").strip() or None
