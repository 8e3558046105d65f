"""What really was down, when that is anybody's business, and what could be seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from collectors.fleet.faults.network import AT_NIGHT_OFF, Network
from collectors.fleet.faults.spans import Span, merged, without
from collectors.fleet.faults.troubles import HOUR, MINUTE, Blind, Fault, Troubles

_NOTED_MS: Final = 6 * MINUTE
"""A clock that is set by less makes nobody blind for longer than a poll interval or so."""


@dataclass(frozen=True)
class Truth:
    """Of a network and its troubles; access points by their number."""

    network: Network
    troubles: Troubles
    closed: tuple[Span, ...]
    """When sites that may be switched off are closed."""

    @cached_property
    def excused(self) -> Mapping[int, list[Span]]:
        """When nobody is to be told that one is down: announced maintenance, and closed hours of
        those that are switched off.
        """
        found: dict[int, list[Span]] = {}
        for site, spots in self.network.at_site.items():
            spans = [(start, end) for name, start, end in self.troubles.works if name == site]
            if self.network.kinds[site] == AT_NIGHT_OFF:
                spans += self.closed
            for spot in spots:
                found[spot] = merged(spans)
        return found

    @cached_property
    def blindness(self) -> list[Blind]:
        """Every time in which we do not see, in no order: also one that our clock shows twice."""
        found = list(self.troubles.blind)
        for _, start_ms, end_ms, by_ms in (s for s in self.troubles.shifts if s.spot < 0):
            for at_ms, jump_ms in ((start_ms, by_ms), (end_ms, -by_ms)):
                if abs(jump_ms) > _NOTED_MS:
                    # Set forward it shows less, but nothing really passes unseen.
                    found.append(Blind("clock", at_ms, at_ms + max(-jump_ms, 1_000)))
        return found

    @cached_property
    def blind(self) -> Mapping[str, list[Span]]:
        """When we see nothing, by the source."""
        return {
            source: merged((b.start_ms, b.end_ms) for b in self.blindness if source in b.sources)
            for source in ("snmp", "mqtt")
        }

    @cached_property
    def faults(self) -> list[tuple[Fault, Mapping[int, list[Span]]]]:
        """Every fault, and when whom it struck could be seen to be down because of it.

        Time that is excused or that we are blind in belongs to no fault, nor does what an earlier
        one has taken down already.
        """
        downs = sorted(
            (down.start_ms, number, down)
            for number, fault in enumerate(self.troubles.faults)
            for down in fault.downs
        )
        taken: dict[int, int] = {}
        seen: list[dict[int, list[Span]]] = [{} for _ in self.troubles.faults]
        for start_ms, number, down in downs:
            begins_ms = max(start_ms, taken.get(down.spot, 0))
            taken[down.spot] = max(down.end_ms, taken.get(down.spot, 0))
            source = self.network.spots[down.spot].source
            hidden = (*self.excused[down.spot], *self.blind[source])
            left = without([(begins_ms, down.end_ms)], hidden)
            if left:
                seen[number].setdefault(down.spot, []).extend(left)
        return list(zip(self.troubles.faults, seen, strict=True))

    def hours(self, spot: int) -> tuple[float, float]:
        """For how long one was up, and down, of the time that counts and can be seen."""
        source = self.network.spots[spot].source
        hidden = (*self.excused[spot], *self.blind[source])
        known = without([(self.troubles.start_ms, self.troubles.end_ms)], hidden)
        down = without(self.troubles.silent.get(spot, ()), hidden)
        down_h, known_h = (sum(e - s for s, e in spans) / HOUR for spans in (down, known))
        return known_h - down_h, down_h
