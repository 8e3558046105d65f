"""What goes wrong, drawn: the truth of a trial, whatever anybody sees of it.

Rates are per 30 days and per thing that it can befall; they are higher than in a real city, so that
a few months try everything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from collectors.fleet.faults.network import AT_NIGHT_OFF, Network
from collectors.fleet.faults.spans import Span, merged

ZONE: Final = ZoneInfo("Europe/Brussels")
FIRST_DAY: Final = date(2026, 1, 19)
"""A Monday ten weeks before the clocks change."""
OPENS, CLOSES = time(7), time(22)
"""Of the sites that are switched off at night, every day, by the clock on the wall."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
MONTH: Final = 720 * HOUR

FaultKind = Literal["ap", "reboot", "flapping", "site", "uplink", "controller", "work", "overslept"]
"""What fails: an access point; one that restarts; one whose line comes and goes; the power of a
site; what several hang on; a controller; what is worked on in announced maintenance; one that is
not switched on again in the morning.
"""
BlindKind = Literal["poller", "broker", "store", "stopped", "clock"]
"""Why we see nothing: our own line is dead; the broker of what publishes is; what is read cannot
be stored; our own daemon does not run; our clock was set back, and shows a time again.
"""
RATES: Final[dict[FaultKind, float]] = {
    "ap": 0.25, "reboot": 0.6, "flapping": 0.01, "site": 0.06, "uplink": 0.15, "controller": 0.25,
}  # fmt: skip
BLIND: Final[dict[BlindKind, float]] = {"poller": 1.0, "broker": 1.0, "store": 0.7, "stopped": 2.0}
WORKS: Final = 0.12
"""Announced maintenance of a site."""
STALLS: Final = 10.0
"""Of an agent that is slow: it answers nothing for a while, though people are served."""
CLOCK_JUMPS: Final = 1.5
"""Of our own clock."""
THEIR_CLOCK_JUMPS: Final = 0.05
"""Of an access point that says itself when it was so."""


class Down(NamedTuple):
    """A time in which one access point serves nobody."""

    spot: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong, and whom it struck."""

    kind: FaultKind
    subject: str
    downs: tuple[Down, ...]


class Blind(NamedTuple):
    """A time in which we do not see."""

    kind: BlindKind
    start_ms: int
    end_ms: int

    @property
    def sources(self) -> tuple[str, ...]:
        """Whom we do not see."""
        return ("mqtt",) if self.kind == "broker" else ("snmp", "mqtt")


class Shift(NamedTuple):
    """A clock that is wrong; of our own, spot is -1."""

    spot: int
    start_ms: int
    end_ms: int
    by_ms: int


@dataclass(frozen=True)
class Troubles:
    """Everything that goes wrong in [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    faults: tuple[Fault, ...]
    blind: tuple[Blind, ...]
    """In order, none over another."""
    works: tuple[tuple[str, int, int], ...]
    """Announced maintenance: site, start, end."""
    off: tuple[Down, ...]
    """Switched off for the night."""
    stalls: tuple[Down, ...]
    """Agents that answer nothing."""
    shifts: tuple[Shift, ...]

    @cached_property
    def silent(self) -> dict[int, list[Span]]:
        """When each access point serves nobody, for whatever reason."""
        found: dict[int, list[Span]] = {}
        for down in (*(d for fault in self.faults for d in fault.downs), *self.off):
            found.setdefault(down.spot, []).append((down.start_ms, down.end_ms))
        return {spot: merged(spans) for spot, spans in found.items()}

    def shifted(self, at_ms: int) -> int:
        """What our own clock shows at an instant."""
        for shift in self.shifts:
            if shift.spot < 0 and shift.start_ms <= at_ms < shift.end_ms:
                return at_ms + shift.by_ms
        return at_ms


def closed_hours(weeks: int) -> list[Span]:
    """When sites that are switched off at night are closed."""
    days = [FIRST_DAY + timedelta(days=n) for n in range(-1, 7 * weeks + 1)]
    return [
        (_instant(day, CLOSES), _instant(day + timedelta(days=1), OPENS))
        for day in days
    ]  # fmt: skip


def draw_troubles(seed: int, network: Network, weeks: int) -> Troubles:
    """Draw the troubles of a network. The same seed, the same troubles."""
    start_ms = _instant(FIRST_DAY, time())
    end_ms = _instant(FIRST_DAY + timedelta(weeks=weeks), time())
    draw = _Draw(np.random.default_rng([seed, 11]), network, start_ms, end_ms)
    works, worked = draw.works()
    off, overslept = draw.nights(closed_hours(weeks))
    faults = [*draw.faults(), *worked, *overslept]
    return Troubles(
        start_ms, end_ms, tuple(faults), tuple(draw.blind()), tuple(works), tuple(off),
        tuple(draw.stalls()), tuple(draw.shifts()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Draw:
    rng: np.random.Generator
    network: Network
    start_ms: int
    end_ms: int

    def faults(self) -> Iterator[Fault]:
        for number, spot in enumerate(self.network.spots):
            yield from self._of_one(number, spot.ap)
        yield from self._of_several()

    def _of_one(self, spot: int, name: str) -> Iterator[Fault]:
        for at in self._times(RATES["ap"]):
            end = at + self._length(45, 1.6, 2, 5 * 24 * 60)
            yield Fault("ap", name, self._cut([Down(spot, at, end)]))
        for at in self._times(RATES["reboot"]):
            end = at + self._between(1.5 * MINUTE, 6 * MINUTE)
            yield Fault("reboot", name, self._cut([Down(spot, at, end)]))
        for at in self._times(RATES["flapping"]):
            yield Fault("flapping", name, self._cut(self._flaps(spot, at)))

    def _of_several(self) -> Iterator[Fault]:
        for site, spots in self.network.at_site.items():
            for at in self._times(RATES["site"]):
                end = at + self._length(50, 1.2, 3, 36 * 60)
                # Power is back for all at once, and each of them takes its time to start.
                yield Fault("site", site, self._cut(self._together(spots, at, end, 1, 4)))
        for uplink, spots in self.network.on_uplink.items():
            for at in self._times(RATES["uplink"]):
                end = at + self._length(40, 1.2, 2, 24 * 60)
                yield Fault("uplink", uplink, self._cut(self._together(spots, at, end, 0, 0.5)))
        for head in self.network.heads:
            spots = self.network.behind[head.name]
            for at in self._times(RATES["controller"]):
                end = at + self._length(30, 1.1, 4, 12 * 60)
                yield Fault(
                    "controller", head.name, self._cut(self._together(spots, at, end, 1, 3))
                )

    def works(self) -> tuple[list[tuple[str, int, int]], list[Fault]]:
        """Announced maintenance and what is down for it, at times for longer than announced."""
        announced, faults = [], []
        for site, spots in self.network.at_site.items():
            for at in self._times(WORKS):
                end = at + self._between(HOUR, 4 * HOUR)
                announced.append((site, at, end))
                lot = self.rng.random()
                if lot < 0.15:
                    continue
                begin = at + self._between(2 * MINUTE, 15 * MINUTE)
                over = end - self._between(5 * MINUTE, 25 * MINUTE)
                if lot > 0.8:
                    over = end + self._between(20 * MINUTE, 3 * HOUR)
                # On one, or on what all hang on: a part of a site would look like several faults.
                some = spots if self.rng.random() < 0.5 else spots[:1]
                faults.append(
                    Fault("work", site, self._cut(self._together(some, begin, over, 0, 2)))
                )
        return announced, faults

    def nights(self, closed: Sequence[Span]) -> tuple[list[Down], list[Fault]]:
        """Sites that are switched off for most nights, and on again in the morning, or too late."""
        off: list[Down] = []
        faults = []
        for site, spots in self.network.at_site.items():
            if self.network.kinds[site] != AT_NIGHT_OFF:
                continue
            for closes, opens in closed:
                if self.rng.random() < 0.3:
                    continue
                begin = closes + self._between(MINUTE, 20 * MINUTE)
                end = opens - self._between(10 * MINUTE, 40 * MINUTE)
                if self.rng.random() < 0.03:
                    late = opens + self._between(20 * MINUTE, 2 * HOUR)
                    downs = self._together(spots, opens, late, 1, 4)
                    faults.append(Fault("overslept", site, self._cut(downs)))
                    end = opens
                off += self._cut([Down(spot, begin, end) for spot in spots])
        return off, [fault for fault in faults if fault.downs]

    def blind(self) -> list[Blind]:
        found: list[Blind] = []
        for kind, rate in BLIND.items():
            for at in self._times(rate):
                length = self._length(20, 1.2, 1, 8 * 60)
                if kind == "stopped" and self.rng.random() < 0.8:
                    length = self._between(20_000, 3 * MINUTE)
                found.append(Blind(kind, at, min(at + length, self.end_ms)))
        kept: list[Blind] = []
        for one in sorted(found, key=lambda one: one.start_ms):
            # Two at a time, or one on the heels of the other, would have no clear truth.
            if not kept or one.start_ms > kept[-1].end_ms + HOUR:
                kept.append(one)
        return kept

    def stalls(self) -> Iterator[Down]:
        for number, spot in enumerate(self.network.spots):
            if spot.slow and spot.source == "snmp" and spot.controller is None:
                for at in self._times(STALLS):
                    length = min(self.rng.exponential(90_000), 5 * MINUTE)
                    yield Down(number, at, at + int(length))

    def shifts(self) -> Iterator[Shift]:
        ahead = self.start_ms
        for at in self._times(CLOCK_JUMPS):
            big = self.rng.random() < 0.2
            by = self._between(10 * MINUTE, HOUR) if big else self._between(5_000, 3 * MINUTE)
            sign = 1 if self.rng.random() < 0.5 else -1
            end = at + self._between(5 * MINUTE, 10 * HOUR)
            if at > ahead:
                yield Shift(-1, at, end, sign * by)
                ahead = end + 2 * HOUR
        for number, spot in enumerate(self.network.spots):
            if spot.source == "mqtt" and spot.own_clock:
                for at in self._times(THEIR_CLOCK_JUMPS):
                    end = at + self._between(HOUR, 24 * HOUR)
                    by = self._between(MINUTE, 2 * HOUR)
                    yield Shift(number, at, end, by if self.rng.random() < 0.5 else -by)

    def _flaps(self, spot: int, at: int) -> list[Down]:
        over = at + self._between(HOUR, 10 * HOUR)
        found = []
        while at < over:
            end = at + int(MINUTE + self.rng.exponential(6 * MINUTE))
            found.append(Down(spot, at, end))
            at = end + int(MINUTE + self.rng.exponential(9 * MINUTE))
        return found

    def _together(
        self, spots: Sequence[int], at: int, end: int, least: float, most: float
    ) -> list[Down]:
        """Down at once; up when each has started, which takes so many minutes."""
        return [
            Down(spot, at, end + self._between(least * MINUTE, most * MINUTE)) for spot in spots
        ]

    def _times(self, rate: float) -> list[int]:
        """When it happens, so often a month."""
        number = self.rng.poisson(rate * (self.end_ms - self.start_ms) / MONTH)
        return sorted(self.rng.integers(self.start_ms, self.end_ms, number).tolist())

    def _between(self, least: float, most: float) -> int:
        return int(self.rng.uniform(least, most))

    def _length(self, median: float, spread: float, least: float, most: float) -> int:
        """In minutes; many are short, a few very long."""
        minutes = median * float(np.exp(self.rng.normal(0, spread)))
        return int(min(max(minutes, least), most) * MINUTE)

    def _cut(self, downs: Sequence[Down]) -> tuple[Down, ...]:
        """To the time that is watched."""
        cut = (
            down._replace(
                start_ms=max(down.start_ms, self.start_ms), end_ms=min(down.end_ms, self.end_ms)
            )
            for down in downs
        )
        return tuple(down for down in cut if down.start_ms < down.end_ms)


def _instant(day: date, at: time) -> int:
    return round(datetime.combine(day, at, ZONE).astimezone(UTC).timestamp() * 1000)
