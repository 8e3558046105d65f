"""The demo city as a function of time: what every AP would say.

Pure and seeded: the same deployment, seed and start give the same city for ever, so that the
history and the live devices continue each other, also after a restart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from collectors.fleet.clock import DAY_MS, QUARTER_MS, QUARTERS
from collectors.fleet.crowd import Bools, Crowd, Ints, OpenHours
from collectors.fleet.lives import Lives
from collectors.fleet.visitors import Visitors
from config.deployment import Deployment

LIVE_SLOT_MS: Final = 5_000
"""Live client counts change so often."""
CLIENT_BYTES_S: Final = 38_000
"""What a client receives on average."""
SENT_SHARE: Final = 0.12
"""What it sends, as a share of that."""
BEACON_BYTES_S: Final = 150
MAX_QUARTER_BYTES: Final = 3_500_000_000
"""31 Mbit/s, what a small uplink carries; under one wrap of 32 bits in a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one AP said over a stretch of time; arrays run over its polls."""

    ap: str
    ts_ms: Ints
    up: Bools
    clients: Ints
    """This and what follows: meaningless where the AP is down."""
    clients_2g: Ints
    rx_bytes: Ints
    """From clients; as counters, that wrap and start anew with the AP."""
    tx_bytes: Ints
    """To clients."""
    uptime_s: Ints


@dataclass(frozen=True, slots=True)
class ApNow:
    """What one AP says at an instant."""

    up: bool
    clients: int
    clients_2g: int
    rx_bytes: int
    tx_bytes: int
    uptime_s: int
    channel_utilisation: int
    stations: tuple[bytes, ...] = ()
    """The addresses of its clients; those on 2.4 GHz come first."""

    @property
    def clients_5g(self) -> int:
        """The others: nobody in the city has 6 GHz yet."""
        return self.clients - self.clients_2g


class City:
    """Everybody and everything from the first UTC midnight of the history on.

    `began_ms` is when the demo was started for the first time; `counter_bits` says where each AP's
    counters wrap (64 bits: never in anybody's life).
    """

    def __init__(
        self,
        deployment: Deployment,
        open_hours: OpenHours,
        *,
        began_ms: int,
        days: int,
        seed: int,
        counter_bits: Mapping[str, int],
    ) -> None:
        today = datetime.fromtimestamp(began_ms / 1000, deployment.settings.zone).date()
        self.aps = tuple(deployment.access_points)
        self.start_ms = (began_ms - days * DAY_MS) // DAY_MS * DAY_MS
        self.lives = Lives(
            deployment, start_ms=self.start_ms, began_ms=began_ms, today=today, seed=seed
        )
        self._crowd = Crowd(deployment, open_hours, today=today, seed=seed)
        self.visitors = Visitors(deployment, seed=seed)
        self._seed = seed
        self._bits = [counter_bits[ap] for ap in self.aps]
        rng = np.random.default_rng([seed, 2])
        self._poll_offset_ms = 1000 * rng.integers(0, 40, len(self.aps))
        """When in its round the poller of the history came to each AP."""
        self._first_octets = rng.integers(0, 2**34, (2, len(self.aps)))
        """What the counters showed when the history began."""
        self._clients = np.zeros((2, len(self.aps), 0), np.int64)
        """All clients and those on 2.4 GHz, by AP and quarter, as far as drawn."""
        self._octets = np.zeros((2, len(self.aps), 1), np.int64)
        """Received and sent since the history began, at the edges of the quarters."""

    def history(self, start_ms: int, end_ms: int) -> Iterator[Course]:
        """One sample a quarter of each AP, for the quarters that start in [start, end)."""
        first = max(-(-(start_ms - self.start_ms) // QUARTER_MS), 0)
        last = -(-(end_ms - self.start_ms) // QUARTER_MS)
        if last <= first:
            return
        self._draw(last)
        quarters = np.arange(first, last)
        for row, ap in enumerate(self.aps):
            ts_ms = self.start_ms + quarters * QUARTER_MS + self._poll_offset_ms[row]
            gap_start, gap_end = self.lives.gap
            polled = (ts_ms >= self.lives.in_service_ms[row]) & (
                (ts_ms < gap_start) | (ts_ms >= gap_end)
            )
            ts_ms = ts_ms[polled]
            up = np.ones(len(ts_ms), np.bool_)
            for start, end in self.lives.down[row]:
                up[np.searchsorted(ts_ms, start) : np.searchsorted(ts_ms, end)] = False
            rx, tx, uptime_s = self._counters(row, ts_ms)
            clients, clients_2g = self._clients[:, row, quarters[polled]]
            yield Course(ap, ts_ms, up, clients, clients_2g, rx, tx, uptime_s)

    def at(self, ts_ms: int) -> dict[str, ApNow]:
        """All APs at an instant; APs not yet in service are not in it."""
        quarter, rest = divmod(ts_ms - self.start_ms, QUARTER_MS)
        self._draw(quarter + 2)
        part = rest / QUARTER_MS
        drawn = self._clients[:, :, quarter] * (1 - part) + self._clients[:, :, quarter + 1] * part
        restless = np.random.default_rng([self._seed, 3, ts_ms // LIVE_SLOT_MS])
        swing = restless.normal(0, 0.25, len(self.aps)) * np.sqrt(drawn[0])
        clients = np.maximum(np.rint(drawn[0] + swing), 0).astype(int)
        clients_2g = np.minimum(np.rint(drawn[1]).astype(int), clients)
        moment = np.array([ts_ms])
        stations = self.visitors.at(ts_ms, dict(zip(self.aps, clients.tolist(), strict=True)))
        state = {}
        for row, ap in enumerate(self.aps):
            if ts_ms < self.lives.in_service_ms[row]:
                continue
            rx, tx, uptime_s = (int(values[0]) for values in self._counters(row, moment))
            count = int(clients[row])
            state[ap] = ApNow(
                up=not self.lives.is_down(row, ts_ms),
                clients=count,
                clients_2g=int(clients_2g[row]),
                rx_bytes=rx,
                tx_bytes=tx,
                uptime_s=uptime_s,
                channel_utilisation=min(6 + 2 * count, 92),
                stations=stations[ap],
            )
        return state

    def _draw(self, quarters: int) -> None:
        """Draw more days, until so many quarters are known."""
        drawn = self._clients.shape[2]
        clients, octets = [self._clients], [self._octets]
        while drawn < quarters:
            day_ms = self.start_ms + drawn * QUARTER_MS
            counts = np.stack(self._crowd.day(day_ms))
            carried = self._traffic(day_ms, counts[0])
            clients.append(counts)
            octets.append(octets[-1][:, :, -1:] + np.cumsum(carried, axis=2))
            drawn += QUARTERS
        if len(clients) > 1:
            self._clients = np.concatenate(clients, axis=2)
            self._octets = np.concatenate(octets, axis=2)

    def _traffic(self, day_ms: int, clients: Ints) -> Ints:
        """Octets received and sent in each quarter of a day: [2, AP, quarter]."""
        rng = np.random.default_rng([self._seed, 4, day_ms // DAY_MS])
        seconds = QUARTER_MS / 1000
        appetite = rng.lognormal(-0.18, 0.6, clients.shape)
        sent = np.minimum(
            (clients * CLIENT_BYTES_S * appetite + BEACON_BYTES_S) * seconds, MAX_QUARTER_BYTES
        )
        octets = np.stack([sent * SENT_SHARE, sent]).astype(np.int64)
        quarters = day_ms + QUARTER_MS * np.arange(clients.shape[1])
        for row, spells in enumerate(self.lives.down):
            for start, end in spells:
                if start < quarters[-1] + QUARTER_MS and end > day_ms:
                    octets[:, row, (quarters >= start) & (quarters < end)] = 0
        return octets

    def _counters(self, row: int, ts_ms: Ints) -> tuple[Ints, Ints, Ints]:
        """An AP's counters and its uptime at some instants."""
        boots = self.lives.boots[row]
        since = np.searchsorted(boots, ts_ms, side="right") - 1
        before = boots <= self.start_ms
        shown = []
        for way in (0, 1):
            at_boot = self._passed(way, row, np.maximum(boots, self.start_ms))
            at_boot = np.where(before, -self._first_octets[way, row], at_boot)
            octets = self._passed(way, row, ts_ms) - at_boot[since]
            shown.append(octets % 2 ** self._bits[row] if self._bits[row] < 63 else octets)
        return shown[0], shown[1], (ts_ms - boots[since]) // 1000

    def _passed(self, way: int, row: int, ts_ms: Ints) -> Ints:
        """Octets since the history began; later than drawn: as many as are drawn."""
        edges = self._octets[way, row]
        quarter, rest = np.divmod(ts_ms - self.start_ms, QUARTER_MS)
        quarter = np.minimum(quarter, len(edges) - 1)
        following = np.minimum(quarter + 1, len(edges) - 1)
        return np.asarray(edges[quarter] + (edges[following] - edges[quarter]) * rest // QUARTER_MS)
