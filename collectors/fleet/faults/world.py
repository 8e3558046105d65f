"""The evidence of months, as it comes: what is read, what is asked again, and when we are blind.

Polls that change nothing for whoever judges them are left out (see `choice`): of the millions of
good polls only those near a failure, of the access point itself or of one that may share its fault.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Final, Literal, NamedTuple

import numpy as np

from collectors.fleet.faults.choice import Choice, near
from collectors.fleet.faults.network import POLL_SECONDS, Network
from collectors.fleet.faults.polls import FAILED, GOOD, NOTHING, VAGUE, Codes, Polls
from collectors.fleet.faults.publishing import Publishing
from collectors.fleet.faults.spans import Bools, Ints, Span
from collectors.fleet.faults.troubles import Troubles
from collectors.reading import Reading
from collectors.snmp.repolls import OFTEN

_TOGETHER_MS: Final = 10_000
"""What comes within so long is handed over at once."""
_NOTICED_MS: Final = 40_000
"""A line to the broker that is dead is noticed by its keep-alive."""
_ROUND_MS: Final = POLL_SECONDS * 1000
_REST_MS: Final = _ROUND_MS // OFTEN
"""A controller that answered is not asked again so soon; see `collectors.snmp.repolls`."""
_CLIENTS: Final = 3


class ControllerWord(NamedTuple):
    """Whether a controller answered."""

    controller: str
    ts_ms: int
    answered: bool


class Batch(NamedTuple):
    """What comes at one time."""

    at_ms: int
    """True time; what is in it says what our own clock showed."""
    readings: Sequence[Reading]
    controllers: Sequence[ControllerWord] = ()


class Signal(NamedTuple):
    """Something that our own daemon notices of itself."""

    at_ms: int
    """True time."""
    what: Literal["deaf", "hears", "stop", "start", "clock"]
    """A collector gets nothing, or something again; the daemon stops, and starts again; our clock
    is set, or has made good what it was set back by.
    """
    collector: str = ""


class _Row(NamedTuple):
    at_ms: int
    ts_ms: int
    spot: int
    """Of controllers: -1 and less."""
    code: int


@dataclass(frozen=True)
class World:
    """A network with its troubles, seen over a line that loses so many packets.

    `closed`: when sites that are switched off at night are closed.
    """

    seed: int
    network: Network
    troubles: Troubles
    loss: float
    closed: Sequence[Span]
    _asked_ms: dict[int, int] = field(default_factory=dict)
    """When each controller last answered in between."""

    @cached_property
    def polls(self) -> Polls:
        """Of what is polled."""
        return Polls(self.seed, self.network, self.troubles, self.loss)

    @cached_property
    def publishing(self) -> Publishing:
        """Of what publishes."""
        return Publishing(self.seed, self.network, self.troubles, self.loss)

    def now_ms(self, at_ms: int) -> int:
        """What our own clock shows."""
        return self.troubles.shifted(at_ms)

    def true_ms(self, ts_ms: int) -> int:
        """When our own clock showed that; of two times at which it did, one."""
        for shift in self.troubles.shifts:
            if shift.spot < 0 and shift.start_ms <= ts_ms - shift.by_ms < shift.end_ms:
                return ts_ms - shift.by_ms
        return ts_ms

    def signals(self) -> list[Signal]:
        """In order of time."""
        found = []
        for _, start_ms, end_ms, by_ms in (s for s in self.troubles.shifts if s.spot < 0):
            found += [Signal(start_ms, "clock"), Signal(end_ms, "clock")]
            # When the clock shows again what it showed before it was set back.
            again_ms = end_ms if by_ms > 0 else start_ms
            found.append(Signal(again_ms + abs(by_ms), "clock"))
        for blind in self.troubles.blind:
            if blind.kind == "stopped":
                found += [Signal(blind.start_ms, "stop"), Signal(blind.end_ms, "start")]
                continue
            # The line to everything polled says nothing when it dies: that has to be found out.
            noticed_ms = blind.start_ms + (_NOTICED_MS if blind.kind == "poller" else 1_000)
            if noticed_ms < blind.end_ms:
                for source in ("snmp", "mqtt") if blind.kind == "store" else ("mqtt",):
                    found.append(Signal(noticed_ms, "deaf", source))
                    found.append(Signal(blind.end_ms, "hears", source))
        return sorted(found)

    def heard(self, spot: int) -> tuple[Ints, Bools]:
        """The regular polls of an access point, or its messages: when, and whether they failed."""
        if spot in self.publishing.messages:
            one = self.publishing.messages[spot]
            told = one.codes != NOTHING
            return one.arrived[told], one.codes[told] == FAILED
        column = int(np.flatnonzero(self.polls.spots == spot)[0])
        codes = self.polls.codes[:, column]
        told = codes != NOTHING
        ended = self.polls.ended[:, self.polls.device[column]]
        return ended[told], codes[told] == FAILED

    def batches(self, *, everything: bool = False) -> Iterator[Batch]:
        """What regular polls and messages say, in order of time.

        `everything`: also the polls that change nothing.
        """
        rows = self._rows(None if everything else self._choice.chosen)
        for _, group in groupby(rows, key=lambda row: row.at_ms // _TOGETHER_MS):
            found = list(group)
            readings = [self._reading(row) for row in found if row.spot >= 0]
            words = [self._word(row) for row in found if row.spot < 0]
            yield Batch(found[-1].at_ms, readings, words)

    def ask_again(self, aps: Collection[str], at_ms: int) -> list[Batch]:
        """Poll again whatever answers for some access points, each device once."""
        if any(b.start_ms <= at_ms < b.end_ms for b in self.troubles.blind if b.kind == "stopped"):
            return []
        found = []
        devices = set()
        for spot in sorted(self._number[ap] for ap in aps):
            if spot in self._device:
                devices.add(self._device[spot])
            elif self.publishing.is_offline(spot, at_ms):
                found.append(Batch(at_ms, [self._reading(_Row(at_ms, at_ms, spot, FAILED))]))
        for device in sorted(devices):
            number = device - len(self.polls.lone)
            if number >= 0 and at_ms - self._last_answer_ms(device, at_ms) < _REST_MS:
                continue
            over_ms, answered, heard = self.polls.poll(device, at_ms)
            words = [_Row(over_ms, over_ms, -1 - number, answered)] if number >= 0 else []
            if number >= 0 and answered:
                self._asked_ms[device] = over_ms
            rows = [_Row(over_ms, over_ms, spot, code) for spot, code in heard if code != NOTHING]
            found.append(Batch(over_ms, [*map(self._reading, rows)], [*map(self._word, words)]))
        return found

    @cached_property
    def _choice(self) -> Choice:
        return Choice(self.network, self.troubles, self.closed, self.polls, self.publishing)

    @cached_property
    def _number(self) -> Mapping[str, int]:
        return {spot.ap: number for number, spot in enumerate(self.network.spots)}

    @cached_property
    def _device(self) -> Mapping[int, int]:
        pairs = zip(self.polls.spots.tolist(), self.polls.device.tolist(), strict=True)
        return dict(pairs)

    def _last_answer_ms(self, device: int, at_ms: int) -> int:
        last = int(np.searchsorted(self.polls.ended[:, device], at_ms)) - 1
        regular = last >= 0 and bool(self.polls.answered[last, device])
        # A regular poll that failed since makes it one to be asked at once.
        if last >= 0 and not regular:
            return 0
        return max(
            int(self.polls.ended[last, device]) if regular else 0, self._asked_ms.get(device, 0)
        )

    def _rows(self, chosen: Bools | None) -> list[_Row]:
        """`chosen`: rounds x spots."""
        polls = self.polls
        told = polls.codes != NOTHING
        if chosen is not None:
            told &= chosen[:, polls.spots]
        at, column = np.nonzero(told)
        ended = polls.ended[at, polls.device[column]]
        parts = [(ended, ended, polls.spots[column], polls.codes[at, column])]
        for number in range(len(self.network.heads)):
            device = len(polls.lone) + number
            answered = polls.answered[:, device]
            kept = _all(answered)
            if chosen is not None:
                kept = near(~answered, 1, 1) & chosen.any(axis=1)
            ended = polls.ended[kept, device]
            parts.append(
                (ended, ended, np.full(len(ended), -1 - number), answered[kept].astype(np.int8))
            )
        for spot, one in self.publishing.messages.items():
            kept = one.codes != NOTHING
            if chosen is not None:
                kept &= chosen[self.polls.round_of(one.arrived), spot]
            arrived = one.arrived[kept]
            parts.append((arrived, one.ts[kept], np.full(len(arrived), spot), one.codes[kept]))
        arrived, ts, spots, codes = (np.concatenate(column) for column in zip(*parts, strict=True))
        for blind in self.troubles.blind:
            if blind.kind == "store":
                waits = (arrived >= blind.start_ms) & (arrived < blind.end_ms)
                arrived[waits] = blind.end_ms
        order = np.lexsort((spots, ts, arrived))
        columns = (column[order].tolist() for column in (arrived, ts, spots, codes))
        return [_Row(*row) for row in zip(*columns, strict=True)]

    def _reading(self, row: _Row) -> Reading:
        spot = self.network.spots[row.spot]
        ts_ms = self.now_ms(row.ts_ms)
        if spot.source == "mqtt" and spot.own_clock and row.code == GOOD:
            ts_ms = row.ts_ms + self._clock_by(row.spot, row.ts_ms)
        up = {FAILED: 0, GOOD: 1, VAGUE: None}[row.code]
        uptime_s = clients = None
        if row.code != FAILED:
            booted_ms = self._booted_ms(row.spot, row.ts_ms)
            clients = 0 if booted_ms is None else _CLIENTS
            uptime_s = None if booted_ms is None else (row.ts_ms - booted_ms) // 1000
        return Reading(
            spot.ap, spot.site, ts_ms, up=up, clients=clients, uptime_s=uptime_s,
            interval_s=POLL_SECONDS,
        )  # fmt: skip

    def _word(self, row: _Row) -> ControllerWord:
        head = self.network.heads[-1 - row.spot]
        return ControllerWord(head.name, self.now_ms(row.ts_ms), bool(row.code))

    def _clock_by(self, spot: int, at_ms: int) -> int:
        shifts = (s for s in self.troubles.shifts if s.spot == spot)
        return next((s.by_ms for s in shifts if s.start_ms <= at_ms < s.end_ms), 0)

    def _booted_ms(self, spot: int, at_ms: int) -> int | None:
        """None: it is not running."""
        starts, ends = self._runs[spot]
        number = bisect_right(starts, at_ms)
        if number and at_ms < ends[number - 1]:
            return None
        return ends[number - 1] if number else self.troubles.start_ms - 86_400_000

    @cached_property
    def _runs(self) -> Mapping[int, tuple[list[int], list[int]]]:
        """When each access point stopped, and started again."""
        silent = self.troubles.silent
        return {
            spot: ([s for s, _ in silent.get(spot, ())], [e for _, e in silent.get(spot, ())])
            for spot in range(len(self.network.spots))
        }


def _all(of: Ints | Bools | Codes) -> Bools:
    return np.ones(len(of), dtype=np.bool_)
