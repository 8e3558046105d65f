"""From sightings to sessions. Pure: what comes twice or out of order changes nothing wrongly."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.presence import Device, Presence


@dataclass(slots=True)
class Session:
    """A device's stay at a site, as far as it was seen. UTC milliseconds."""

    site: str
    ap: str
    """Where it began."""
    device: bytes
    """The device's hash when it began, under the former key while there was one: the stay may turn
    out to have begun before the change.
    """
    last_device: bytes
    """Its hash now: another one after a change of keys."""
    randomised: bool
    start_ms: int
    end_ms: int
    """Up to here the last sighting holds; one less than a session gap later continues it."""
    id: int | None = None
    """None: not stored yet."""


class Was(NamedTuple):
    """A session before something changed it."""

    ap: str
    last_device: bytes
    start_ms: int
    end_ms: int


class Change(NamedTuple):
    """A session that is new, went on, or is now known to be what several were taken for."""

    now: Session
    before: Sequence[Was]
    """One for each of several; empty: it is new."""


@dataclass(slots=True)
class Followed:
    """What sightings change."""

    changes: list[Change] = field(default_factory=list)
    absorbed: list[int] = field(default_factory=list)
    """Ids of sessions that are a part of another now."""


def follow(known: Iterable[Session], presences: Iterable[Presence], gap_ms: int) -> Followed:
    """Merge sightings of one site into its sessions, which are changed in place.

    `known`: at least those that end less than the gap before the first sighting or later, and begin
    less than the gap after the last one's end or earlier. A sighting holds for a poll interval.
    Stays of a device that are less than the gap apart are one, whichever APs of the site saw it.
    """
    merging = _Merging(known, gap_ms)
    for presence in sorted(presences, key=lambda p: (p.ts_ms, p.ap)):
        for device in presence.devices:
            merging.see(device, presence)
    return merging.followed()


class _Merging:
    def __init__(self, known: Iterable[Session], gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._by_hash: dict[bytes, list[Session]] = {}
        self._touched: dict[int, tuple[Session, list[Was]]] = {}
        """Sessions that sightings met, by identity, and what they were before."""
        self._absorbed: list[int] = []
        for session in known:
            self._index(session)

    def see(self, device: Device, presence: Presence) -> None:
        end_ms = presence.ts_ms + presence.interval_s * 1000
        near = sorted(self._near(device, presence.ts_ms, end_ms), key=_order)
        if not near:
            found = Session(
                site=presence.site,
                ap=presence.ap,
                device=device.former or device.key,
                last_device=device.key,
                randomised=device.randomised,
                start_ms=presence.ts_ms,
                end_ms=end_ms,
            )
            self._touched[id(found)] = found, []
            self._index(found)
            return
        first, *others = near
        self._touch(first)
        for other in others:
            self._absorb(first, other)
        if (presence.ts_ms, presence.ap) < _order(first):
            first.start_ms, first.ap = presence.ts_ms, presence.ap
            first.device = device.former or device.key
        first.end_ms = max(first.end_ms, end_ms)
        if device.key not in (first.device, first.last_device):
            first.last_device = device.key
        self._index(first)

    def followed(self) -> Followed:
        changes = [
            Change(session, before)
            for session, before in self._touched.values()
            if before != [_was(session)]
        ]
        return Followed(changes, self._absorbed)

    def _near(self, device: Device, start_ms: int, end_ms: int) -> Iterator[Session]:
        """Sessions of the device less than the gap away, each once."""
        told = set()
        for key in (device.key, device.former):
            for session in self._by_hash.get(key, ()) if key else ():
                is_near = (
                    start_ms - session.end_ms < self._gap_ms
                    and session.start_ms - end_ms < self._gap_ms
                )
                if is_near and id(session) not in told:
                    told.add(id(session))
                    yield session

    def _touch(self, session: Session) -> list[Was]:
        _, before = self._touched.setdefault(id(session), (session, [_was(session)]))
        return before

    def _absorb(self, first: Session, later: Session) -> None:
        """Make a later session a part of a former one."""
        self._touch(first).extend(self._touch(later))
        del self._touched[id(later)]
        first.last_device = later.last_device
        first.end_ms = max(first.end_ms, later.end_ms)
        for key in {later.device, later.last_device}:
            self._by_hash[key] = [s for s in self._by_hash[key] if s is not later]
        if later.id is not None:
            self._absorbed.append(later.id)

    def _index(self, session: Session) -> None:
        for key in {session.device, session.last_device}:
            known = self._by_hash.setdefault(key, [])
            if not any(s is session for s in known):
                known.append(session)


def _order(session: Session) -> tuple[int, str]:
    return session.start_ms, session.ap


def _was(session: Session) -> Was:
    return Was(session.ap, session.last_device, session.start_ms, session.end_ms)
