"""The past visitors of the demo city, as a poller with client tables would have followed them.

Their addresses are hashed as those read live: the keys of former days are gone, and live polls go
on with today's. So a stay that is under way when the live part starts is one session.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from cli.demo_folder import DemoFolder
from collectors.anonymiser import Anonymiser
from collectors.day_keys import ONE_DAY, DayKeys, day_start_ms, key_day
from collectors.fleet.city import City
from collectors.fleet.clock import DAY_MS, QUARTER_MS
from collectors.fleet.crowd import Ints
from collectors.fleet.stays import SEEN_MS, Stays, Tables, client_tables, stays, watched
from collectors.fleet.visitors import address
from collectors.presence import Presence
from config.deployment import Deployment
from pipeline.sessions.counts import Table
from pipeline.sessions.intake import Intake
from pipeline.sessions.ledger import SessionLedger
from pipeline.sessions.rows import FOLLOWED_ROW
from pipeline.sessions.watched import CLIENT_TABLE, Run
from pipeline.state import State

_DAY_BITS: Final = 20
_INT64: Final = np.iinfo(np.int64)
_LOCALLY_ADMINISTERED: Final = 0x02
"""IEEE 802: set in the first octet of addresses that no manufacturer gave out."""


class PastVisitors:
    """Brings the ledger of sessions up to an instant."""

    def __init__(self, folder: DemoFolder, deployment: Deployment, city: City, now_ms: int) -> None:
        usage = deployment.settings.usage
        gap = timedelta(minutes=usage.session_gap_minutes)
        self._folder = folder
        self._deployment = deployment
        self._city = city
        self._now_ms = now_ms
        self._kept_since_ms = now_ms - usage.sessions_days * DAY_MS
        self._gap_ms = usage.session_gap_minutes * 60_000
        self._anonymiser = Anonymiser(DayKeys(deployment.day_keys_path), gap)

    def catch_up(self, ledger: SessionLedger, state: State) -> None:
        """Write what the ledger lacks of the past. Raises StoreError."""
        known = {site: last_ms for site, (_, last_ms) in ledger.span().items()}
        if self._folder.filled_until_ms is None:
            since_ms = max(self._city.start_ms, self._kept_since_ms)
            for tables in client_tables(self._deployment, self._city, since_ms, self._now_ms):
                if tables.site not in known:
                    self._add(tables, ledger)
        # What was followed before goes on, sighting by sighting.
        intake = Intake(self._deployment, ledger, state)
        first_ms = min(known.values(), default=self._now_ms) // QUARTER_MS * QUARTER_MS
        for start_ms in range(first_ms, self._now_ms, DAY_MS):
            intake.note(self._presences(known, start_ms, min(start_ms + DAY_MS, self._now_ms)))

    def _add(self, tables: Tables, ledger: SessionLedger) -> None:
        """A site's whole past at once."""
        found = stays(tables, gap_ms=self._gap_ms, until_ms=self._now_ms)
        spans = (watched(read_ms, until_ms=self._now_ms) for read_ms in tables.read_ms)
        runs = [[Run(*span, CLIENT_TABLE) for span in of_ap] for of_ap in spans]
        zone = self._deployment.zone(tables.site)
        ledger.add_followed(
            tables.site,
            self._rows(found, zone),
            tables.aps,
            dict(zip(tables.aps, runs, strict=True)),
        )

    def _rows(self, found: Stays, zone: ZoneInfo) -> Table:
        rows = np.zeros(len(found.device), FOLLOWED_ROW)
        for name in ("ap", "start_ms", "end_ms"):
            rows[name] = getattr(found, name)
        devices, of = np.unique(found.device, return_inverse=True)
        made_up = [bool(self._address(d)[0] & _LOCALLY_ADMINISTERED) for d in devices.tolist()]
        rows["randomised"] = np.array(made_up, np.int64)[of]
        # A key outlives its day by a gap: who comes meanwhile is known by it too.
        known_at = np.append(found.start_ms - self._gap_ms, found.seen_ms)
        hashes = self._hashes(np.tile(found.device, 2), known_at, zone)
        rows["device"], rows["last_device"] = np.split(hashes, 2)
        return rows

    def _hashes(self, device: Ints, at_ms: Ints, zone: ZoneInfo) -> Ints:
        """Hashes of devices under the keys of the days of some instants.

        Under a key that nobody has they are random numbers, one a device and day.
        """
        days = (self._now_ms - self._kept_since_ms) // DAY_MS + 1
        last = key_day(self._now_ms, zone)
        edges = [day_start_ms(last - n * ONE_DAY, zone) for n in range(days, -1, -1)]
        day = np.searchsorted(edges, at_ms, side="right")
        pairs, of = np.unique(device << _DAY_BITS | day, return_inverse=True)
        chance = np.random.default_rng(secrets.randbits(128))
        hashes = chance.integers(_INT64.min, _INT64.max, len(pairs), np.int64, endpoint=True)
        # Whom a live poll may go on with, also if a new day has just begun.
        today = np.searchsorted(edges, self._now_ms - self._gap_ms, side="right")
        for place in np.flatnonzero(pairs % 2**_DAY_BITS >= today).tolist():
            mac = self._address(int(pairs[place]) >> _DAY_BITS)
            key = self._anonymiser.device(mac, zone, self._now_ms).key
            hashes[place] = int.from_bytes(key, "big", signed=True)
        return np.asarray(hashes[of])

    def _address(self, device: int) -> bytes:
        return address(self._folder.plan.seed, device)

    def _presences(self, since: Mapping[str, int], start_ms: int, end_ms: int) -> list[Presence]:
        """What the tables of [start, end) said of sites that are known up to some instants."""
        polls = [
            poll
            for tables in client_tables(self._deployment, self._city, start_ms, end_ms)
            for poll in _polls(tables, since.get(tables.site, end_ms))
        ]
        polls.sort(key=lambda poll: poll.ts_ms)  # keys change as days go by
        return [self._presence(poll) for poll in polls]

    def _presence(self, poll: "_Poll") -> Presence:
        zone = self._deployment.zone(poll.site)
        devices = [
            self._anonymiser.device(self._address(device), zone, poll.ts_ms)
            for device in poll.devices
        ]
        # Up to now; from then on others look.
        held_s = min(SEEN_MS, self._now_ms - poll.ts_ms) // 1000
        return Presence(poll.ap, poll.site, poll.ts_ms, held_s, tuple(devices))


class _Poll(NamedTuple):
    """What the client table of an AP said once."""

    site: str
    ap: str
    ts_ms: int
    devices: list[int]


def _polls(tables: Tables, since_ms: int) -> Iterator[_Poll]:
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    columns = (tables.ap, tables.ts_ms, tables.device)
    for ap, ts_ms, device in zip(*(column.tolist() for column in columns), strict=True):
        seen[ap, ts_ms].append(device)
    for place, (ap, read_ms) in enumerate(zip(tables.aps, tables.read_ms, strict=True)):
        for ts_ms in read_ms[read_ms >= since_ms].tolist():
            yield _Poll(tables.site, ap, ts_ms, seen[place, ts_ms])
