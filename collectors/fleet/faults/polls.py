"""What polls over a line that loses packets come to.

A poll is many requests. Each of them is a packet there and one back; what is not answered in time
is asked again, as `collectors.snmp` does by its settings, and what never is, is missing: without
the first answer the whole poll has failed, later a column of the controller's table is not read,
and after two of them it is asked no more.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from collectors.fleet.faults.network import POLL_SECONDS, Network
from collectors.fleet.faults.spans import Bools, Ints, Span, inside, is_inside, merged
from collectors.fleet.faults.troubles import Troubles
from config.settings import Snmp

Codes = npt.NDArray[np.int8]
NOTHING, FAILED, GOOD, VAGUE = 0, 1, 2, 3
"""What is heard of an access point: nothing; that it does not serve, or no answer; that it serves;
that it has clients, or for how long it has run, but not whether it serves.
"""
_TIMEOUT_MS: Final = round(Snmp().timeout_s * 1000)
TRIES: Final = Snmp().retries + 1
_ROWS: Final = Snmp().max_repetitions
_LATENCY_MS: Final = 150
_JITTER_MS: Final = 30_000
"""Of the daemon's rounds."""
_COLUMNS: Final = 4
"""Of a controller's table: names, states, clients, uptimes, read in this order."""
_GIVES_UP: Final = 2


def unanswered(loss: float, slow: npt.ArrayLike = 0.0) -> npt.NDArray[np.float64]:
    """The chance that one request has no answer in time: lost there, lost back, or too late."""
    return np.asarray(1 - (1 - loss) ** 2 * (1 - np.asarray(slow, dtype=np.float64)))


def rounds(seed: int, troubles: Troubles) -> Ints:
    """When the rounds begin. The first is at once when our daemon starts."""
    starts = [troubles.start_ms]
    ends = []
    for blind in troubles.blind:
        if blind.kind == "stopped":
            ends.append(blind.start_ms)
            starts.append(blind.end_ms)
    ends.append(troubles.end_ms)
    runs = [np.arange(s, e, POLL_SECONDS * 1000) for s, e in zip(starts, ends, strict=True)]
    rng = np.random.default_rng([seed, 12])
    found = []
    for run, end in zip(runs, ends, strict=True):
        late = rng.integers(-_JITTER_MS, _JITTER_MS + 1, len(run))
        late[:1] = 0
        found.append((run + late)[run + late < end])
    return np.concatenate(found).astype(np.int64)


@dataclass(frozen=True)
class Polls:
    """Every poll of months over a line of so much loss, and any poll in between."""

    seed: int
    network: Network
    troubles: Troubles
    loss: float

    @cached_property
    def spots(self) -> Ints:
        """The numbers of the access points that are polled, themselves or through a controller."""
        spots = self.network.spots
        return np.array([i for i, s in enumerate(spots) if s.source == "snmp"], dtype=np.int64)

    @cached_property
    def lone(self) -> list[int]:
        """The numbers of those that are polled themselves; they are the first devices."""
        return [int(i) for i in self.spots if self.network.spots[i].controller is None]

    @cached_property
    def device(self) -> Ints:
        """Of each of `spots`, the device that is asked: lone ones, then controllers."""
        of_spot = {spot: number for number, spot in enumerate(self.lone)}
        names = {head.name: len(self.lone) + n for n, head in enumerate(self.network.heads)}
        spots = self.network.spots
        return np.array(
            [of_spot[i] if i in of_spot else names[spots[i].controller or ""] for i in self.spots],
            dtype=np.int64,
        )

    @cached_property
    def starts(self) -> Ints:
        """Of every round."""
        return rounds(self.seed, self.troubles)

    def round_of(self, at: Ints) -> Ints:
        """The round that instants belong to."""
        found = np.searchsorted(self.starts, at, side="right") - 1
        return np.asarray(np.maximum(found, 0), dtype=np.int64)

    @cached_property
    def ended(self) -> Ints:
        """When each poll was over: rounds x devices."""
        return self._asked + _LATENCY_MS + _TIMEOUT_MS * self._lost.astype(np.int64)

    @cached_property
    def answered(self) -> Bools:
        """Whether each poll got an answer at all: rounds x devices."""
        return np.asarray(self._lost < TRIES, dtype=np.bool_)

    @cached_property
    def codes(self) -> Codes:
        """What each round heard of each of `spots`: rounds x spots."""
        found = np.full((len(self.starts), len(self.spots)), GOOD, dtype=np.int8)
        read = self._columns(self._draw(14, (len(self.starts), len(self.network.heads), _COLUMNS)))
        for column, spot in enumerate(self.spots):
            device = self.device[column]
            number = device - len(self.lone)
            if number >= 0:
                asked = self._asked[:, device]
                gone = inside(self.missed[int(spot)], asked)
                forgotten = inside(self._forgotten[int(spot)], asked)
                found[:, column] = self._listed(number, read[:, number], gone, forgotten)
            found[~self.answered[:, device], column] = FAILED
        return found

    def poll(self, device: int, at_ms: int) -> tuple[int, bool, list[Span]]:
        """One poll in between: when it is over, whether it was answered, and what was heard of
        which access points.
        """
        u = np.random.default_rng([self.seed, 15, device, at_ms]).random(1 + _COLUMNS)
        lost = int((u[0] < self._chance[device] ** np.arange(1, TRIES + 1)).sum())
        if is_inside(self._dead_spans(device), at_ms):
            lost = TRIES
        over_ms = at_ms + _LATENCY_MS + _TIMEOUT_MS * lost
        number = device - len(self.lone)
        if number < 0:
            spot = self.lone[device]
            return over_ms, lost < TRIES, [(spot, FAILED if lost == TRIES else GOOD)]
        behind = self.network.behind[self.network.heads[number].name]
        if lost == TRIES:
            return over_ms, False, [(spot, FAILED) for spot in behind]
        read = self._columns(u[1:].reshape(1, 1, -1), number)[:, 0]
        heard = []
        for spot in behind:
            gone, forgotten = (
                inside(spans[spot], np.array([at_ms])) for spans in (self.missed, self._forgotten)
            )
            heard.append((spot, int(self._listed(number, read, gone, forgotten)[0])))
        return over_ms, True, heard

    @cached_property
    def _chance(self) -> npt.NDArray[np.float64]:
        """Of each device, that one request has no answer."""
        slow = [self.network.spots[spot].slow for spot in self.lone]
        return unanswered(self.loss, slow + [0.0] * len(self.network.heads))

    @cached_property
    def _asked(self) -> Ints:
        offsets = np.arange(len(self._chance), dtype=np.int64) * 2
        return np.asarray(self.starts[:, None] + offsets, dtype=np.int64)

    @cached_property
    def _lost(self) -> npt.NDArray[np.int8]:
        u = self._draw(13, self._asked.shape)
        lost = np.zeros(u.shape, dtype=np.int8)
        for tries in range(1, TRIES + 1):
            lost += u < self._chance.astype(np.float32) ** tries
        for device in range(len(self._chance)):
            lost[inside(self._dead_spans(device), self._asked[:, device]), device] = TRIES
        return lost

    def _dead_spans(self, device: int) -> list[Span]:
        """When nothing that a device is asked can be answered."""
        return self._dead[device]

    @cached_property
    def _dead(self) -> list[list[Span]]:
        ours = [(b.start_ms, b.end_ms) for b in self.troubles.blind if b.kind == "poller"]
        silent = self.troubles.silent
        stalls: dict[int, list[Span]] = {}
        for stall in self.troubles.stalls:
            stalls.setdefault(stall.spot, []).append((stall.start_ms, stall.end_ms))
        found = [merged([*ours, *silent.get(s, ()), *stalls.get(s, ())]) for s in self.lone]
        for head in self.network.heads:
            own = [
                (min(d.start_ms for d in fault.downs), min(d.end_ms for d in fault.downs))
                for fault in self.troubles.faults
                if fault.downs
                and (
                    (fault.kind == "controller" and fault.subject == head.name)
                    or (fault.kind == "uplink" and fault.subject == head.parent)
                )
            ]
            found.append(merged([*ours, *own]))
        return found

    @cached_property
    def missed(self) -> dict[int, list[Span]]:
        """When controllers know that an access point is gone: a while after it went."""
        rng = np.random.default_rng([self.seed, 16])
        found: dict[int, list[Span]] = {}
        for head in self.network.heads:
            lag_ms = int(rng.integers(30_000, 75_000))
            for spot in self.network.behind[head.name]:
                spans = self.troubles.silent.get(spot, ())
                found[spot] = [
                    (start + lag_ms, end) for start, end in spans if start + lag_ms < end
                ]
        return found

    @cached_property
    def _forgotten(self) -> dict[int, list[Span]]:
        """When an access point is gone that was never listed since our daemon started."""
        starts = [b.end_ms for b in self.troubles.blind if b.kind == "stopped"]
        return {
            spot: [
                (min(s for s in starts if start <= s < end), end)
                for start, end in spans
                if any(start <= s < end for s in starts)
            ]
            for spot, spans in self.missed.items()
        }

    def _columns(self, u: npt.NDArray[np.floating], only: int | None = None) -> Bools:
        """Which columns of each controller's table are read; polls x controllers x columns."""
        heads = self.network.heads if only is None else (self.network.heads[only],)
        rows = np.array([len(self.network.behind[head.name]) for head in heads])
        lost = unanswered(self.loss) ** TRIES
        chance = 1 - (1 - lost) ** (rows // _ROWS + 1)
        failed = u < chance[None, :, None]
        before = np.cumsum(failed, axis=2) - failed
        return np.asarray(~failed & (before < _GIVES_UP), dtype=np.bool_)

    def _listed(self, number: int, read: Bools, gone: Bools, forgotten: Bools) -> Codes:
        """What a controller's table says of one access point; `read`: polls x columns."""
        names, states, clients, uptimes = read.T
        said = np.where(states, GOOD, np.where(clients | uptimes, VAGUE, NOTHING))
        said_gone = np.where(states, FAILED, NOTHING)
        if self.network.heads[number].forgetful:
            # Only a poll that is whole says who is missing, if it was listed since our start.
            said_gone = np.where(states & clients & uptimes & ~forgotten, FAILED, NOTHING)
        found = np.where(gone, said_gone, said)
        return np.asarray(np.where(names, found, NOTHING), dtype=np.int8)

    def _draw(self, stream: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """The same for every loss: what differs between two rates is the loss alone."""
        return np.random.default_rng([self.seed, stream]).random(shape, dtype=np.float32)
