"""What is heard of access points that publish: their messages, their last will, their silence.

The line loses packets here too, and messages do not: they come later, and where a line is dead for
too long the broker sends the last will. How silence becomes failed polls is told in
`collectors.mqtt.liveness`; here is the same, of months at once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from collectors.fleet.faults.network import POLL_SECONDS, Network
from collectors.fleet.faults.polls import FAILED, GOOD, NOTHING, Codes, unanswered
from collectors.fleet.faults.spans import Ints, Span, inside, is_inside, merged
from collectors.fleet.faults.troubles import Blind, Troubles
from collectors.reading import HOLD

_INTERVAL_MS: Final = POLL_SECONDS * 1000
_PATIENCE_MS: Final = 90_000
"""One and a half times the keep-alive: so long without a packet, and the broker sends the will."""
_ANEW_MS: Final = 20_000
"""To connect again takes so long."""
_RESENT: Final = 12
"""A message is sent again after 1, 2, 4 seconds and so on."""
_AHEAD_MS: Final = 300_000
"""What says that it is from so far in the future is refused."""
_AGAIN_MS: Final = 2_000
"""What the broker kept for us arrives so soon after we are connected again."""


@dataclass(frozen=True)
class Messages:
    """What is heard of one access point, in the order in which it comes."""

    arrived: Ints
    ts: Ints
    """What it is about, by a clock that is right."""
    codes: Codes
    offline: list[Span]
    """When the last that the broker told us of it is its last will."""


@dataclass(frozen=True)
class Publishing:
    """Everything that is heard over MQTT in months."""

    seed: int
    network: Network
    troubles: Troubles
    loss: float

    @cached_property
    def messages(self) -> dict[int, Messages]:
        """Of each access point that publishes, by its number."""
        rng = np.random.default_rng([self.seed, 17])
        spots = enumerate(self.network.spots)
        return {number: self._of(number, rng) for number, spot in spots if spot.source == "mqtt"}

    def is_offline(self, spot: int, at_ms: int) -> bool:
        """Whether its last will is the last that we know of it."""
        return self._blind_at(at_ms) is None and is_inside(self.messages[spot].offline, at_ms)

    def _of(self, spot: int, rng: np.random.Generator) -> Messages:
        troubles = self.troubles
        down = troubles.silent.get(spot, [])
        first = troubles.start_ms + int(rng.integers(_INTERVAL_MS))
        said = np.arange(first, troubles.end_ms, _INTERVAL_MS)
        # The lots are drawn for all of them, so that they are the same for every loss.
        said = said + rng.integers(0, 3_000, len(said))
        starts = rng.integers(1_000, 5_000, len(down))
        waits = rng.integers(45_000, _PATIENCE_MS, len(down)).tolist()
        delays = self._delays(rng.random(len(said)))
        up = ~inside(down, said)
        back = np.array([end for _, end in down], dtype=np.int64) + starts
        back = back[(back < troubles.end_ms) & ~inside(down, back)]
        told = np.concatenate([said[up], back])
        came = told + np.concatenate([delays[up], np.zeros(len(back), dtype=np.int64)])
        # The broker has waited for something for so long that it takes the line for dead. Over a
        # new one it is said again.
        cut = came > told + _PATIENCE_MS
        came = np.minimum(came, told + _PATIENCE_MS + _ANEW_MS)
        events: list[int] = []
        offline: list[Span] = []
        for at, until in zip((told[cut] + _PATIENCE_MS).tolist(), came[cut].tolist(), strict=True):
            events += self._silence(at, until, offline)
        for (start, end), wait in zip(down, waits, strict=True):
            events += self._silence(start + wait, end, offline)
        own_clock = self.network.spots[spot].own_clock
        arrived, ts = self._received(told, came, own_clock=own_clock)
        good = np.full(len(ts), GOOD, dtype=np.int8)
        if own_clock:
            ahead = self._shift(spot, ts) + ts - arrived - self._shift(-1, arrived)
            good[ahead > _AHEAD_MS] = NOTHING
        failed = np.array(events, dtype=np.int64)
        arrived = np.concatenate([arrived, failed])
        order = np.argsort(arrived, kind="stable")
        codes = np.concatenate([good, np.full(len(failed), FAILED, dtype=np.int8)])
        ts = np.concatenate([ts, failed])
        return Messages(arrived[order], ts[order], codes[order], merged(offline))

    def _shift(self, spot: int, at: Ints) -> Ints:
        """By how much a clock is wrong at instants."""
        found = np.zeros(len(at), dtype=np.int64)
        for shift in self.troubles.shifts:
            if shift.spot == spot:
                found[(at >= shift.start_ms) & (at < shift.end_ms)] = shift.by_ms
        return found

    def _delays(self, u: npt.NDArray[np.float64]) -> Ints:
        lost = unanswered(self.loss)
        tries = (u[:, None] < lost ** np.arange(1, _RESENT + 1)).sum(axis=1)
        return np.asarray(1_000 * (2**tries - 1), dtype=np.int64)

    def _received(self, told: Ints, came: Ints, *, own_clock: bool) -> tuple[Ints, Ints]:
        """When messages reach what judges them, and when they say that it was so."""
        arrived, ts = came.copy(), told.copy() if own_clock else came.copy()
        lost = np.zeros(len(came), dtype=np.bool_)
        for blind in self.troubles.blind:
            hit = (came >= blind.start_ms) & (came < blind.end_ms)
            if blind.kind == "broker":
                lost |= hit
                continue
            # The broker keeps them for us, or they wait until they can be stored.
            arrived[hit] = blind.end_ms + _AGAIN_MS
            if not own_clock and blind.kind != "store":
                ts[hit] = arrived[hit]
        return arrived[~lost], ts[~lost]

    def _silence(self, at: int, end: int, offline: list[Span]) -> list[int]:
        """When polls of one that is gone fail: at its last will, then each interval."""
        found = []
        told_ms: int | None = at
        while at < end:
            blind = self._blind_at(at)
            if blind is None:
                found.append(at)
                at += _INTERVAL_MS
            elif blind.kind == "broker":
                # It knows nothing any more: only that nothing comes will tell.
                if told_ms is not None:
                    offline.append((told_ms, blind.start_ms))
                told_ms = None
                at = blind.end_ms + round(HOLD * _INTERVAL_MS)
            else:
                at = blind.end_ms + _AGAIN_MS
        if told_ms is not None:
            offline.append((told_ms, end))
        return found

    def _blind_at(self, at_ms: int) -> Blind | None:
        found = (b for b in self.troubles.blind if b.start_ms <= at_ms < b.end_ms)
        return next(found, None)
