"""Adds up how long access points were up, down and unknown. Pure; whole milliseconds, so that the
parts of a period add up to it, whatever it is cut into.

Of a row that opening or closing cuts, as much of each state counts as in open hours as of the row
is: right where its state was one all along, and within that row otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.usage.figures import share
from pipeline.usage.intervals import Intervals, Ints

Named = Sequence[tuple[str, Intervals]]
"""Stretches of time by what they are called, the earliest first."""


class Time(NamedTuple):
    """Of access points, in milliseconds of each; what is neither is unknown."""

    expected_ms: int = 0
    """In service."""
    up_ms: int = 0
    down_ms: int = 0
    maintenance_ms: int = 0
    """Observed inside announced maintenance: neither up nor down."""

    @property
    def known_ms(self) -> int:
        """Up or down: what availability is a share of."""
        return self.up_ms + self.down_ms

    @property
    def unknown_ms(self) -> int:
        """Nobody polled, or nobody could have heard an answer."""
        return self.expected_ms - self.known_ms - self.maintenance_ms

    @property
    def availability(self) -> float | None:
        """up / (up + down); None: nothing is known."""
        return share(self.up_ms, self.known_ms)

    @property
    def coverage(self) -> float | None:
        """Observed / expected; None: nothing was in service."""
        return share(self.known_ms + self.maintenance_ms, self.expected_ms)

    def plus(self, other: "Time") -> "Time":
        """Both together."""
        return Time(*(a + b for a, b in zip(self, other, strict=True)))


class Times(NamedTuple):
    """Of one access point, or of several together."""

    total: Time = Time()
    open: Time = Time()
    """In open hours, of sites whose opening hours are known."""
    closed: Time = Time()
    """Outside, of the same sites."""

    def plus(self, other: "Times") -> "Times":
        """Both together."""
        return Times(*(a.plus(b) for a, b in zip(self, other, strict=True)))


class Usable(NamedTuple):
    """For how long at least one access point of a site served, in milliseconds of the site.

    Stored hours tell how long each was up, not when: where several came and went within one, there
    is a least and a most.
    """

    served_least_ms: int = 0
    served_most_ms: int = 0
    not_least_ms: int = 0
    """None was known to serve and one was known to be down."""
    not_most_ms: int = 0

    @property
    def least(self) -> float | None:
        """The share of the known time that it could be used, at the least."""
        return share(self.served_least_ms, self.served_least_ms + self.not_most_ms)

    @property
    def most(self) -> float | None:
        """At the most."""
        return share(self.served_most_ms, self.served_most_ms + self.not_least_ms)

    def plus(self, other: "Usable") -> "Usable":
        """Both together."""
        return Usable(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as what, by site."""

    hours: Mapping[str, Intervals] = field(default_factory=dict)
    """Opening hours, where they are known."""
    off: Mapping[str, Intervals] = field(default_factory=dict)
    """When it may be switched off: a failed poll then says nothing."""
    maintenance: Mapping[str, Intervals] = field(default_factory=dict)
    """All of it; `maintenances` has it one by one."""
    maintenances: Mapping[str, Named] = field(default_factory=dict)
    outages: Mapping[str, Named] = field(default_factory=dict)
    """The times that incidents were down, by access point."""


class Counted(NamedTuple):
    """Milliseconds of access points that one outage or maintenance accounts for."""

    total_ms: int = 0
    open_ms: int = 0

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(self.total_ms + other.total_ms, self.open_ms + other.open_ms)


class Tally:
    """What rows of usage of access points (schema.AP_USAGE_COLUMNS) add up to."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.times: dict[tuple[str, str], Times] = {}
        """By site and access point."""
        self.usable: dict[str, Usable] = {}
        """By site."""
        self.outages: dict[tuple[str, str], Counted] = {}
        """Down time that an incident accounts for, by site and incident."""
        self.maintenances: dict[tuple[str, str], Counted] = {}
        """Likewise maintenance."""

    def add(self, rows: pd.DataFrame, blind: Mapping[str, Intervals] | None = None) -> None:
        """Add rows that were not added before; those of a site and period come together.

        `blind`: when nobody could hear an access point, where the rows still count that as down. As
        much of it as can lie in these times is taken out: never too little, and too much only where
        an access point was also down just before or after.
        """
        downs = np.zeros(len(rows), dtype=np.int64)
        columns = {
            name: rows[name].to_numpy(np.int64)
            for name in ("start_ms", "end_ms", "expected_ms", "up_ms", "down_ms", "maintenance_ms")
        }
        groups: Mapping[Any, Any] = rows.groupby(["site", "ap"], sort=False).indices
        for (site, ap), at in groups.items():
            part = _Rows(*(values[at] for values in columns.values()))
            part = part.known(self._terms.off.get(str(site)), (blind or {}).get(str(ap)))
            downs[at] = part.down
            self._count(str(site), str(ap), part)
        self._count_usable(rows, downs)

    def _count(self, site: str, ap: str, rows: "_Rows") -> None:
        hours = self._terms.hours.get(site)
        opened = None if hours is None else hours.within(rows.start, rows.end)
        # Where it may be switched off while it is closed, no other down time is left.
        down_opened = rows.span if opened is not None and site in self._terms.off else opened
        key = site, ap
        self.times[key] = self.times.get(key, Times()).plus(rows.times(opened, down_opened))
        for named, all_of_it, found, of_it in (
            (self._terms.outages.get(ap, ()), rows.down, self.outages, down_opened),
            (self._terms.maintenances.get(site, ()), rows.maintenance, self.maintenances, opened),
        ):
            left = all_of_it.copy()
            for name, intervals in named:
                taken = np.minimum(left, intervals.within(rows.start, rows.end))
                left -= taken
                if taken.any():
                    in_open = 0 if of_it is None else int((taken * of_it // rows.span).sum())
                    one = Counted(int(taken.sum()), in_open)
                    found[site, name] = found.get((site, name), Counted()).plus(one)

    def _count_usable(self, rows: pd.DataFrame, downs: Ints) -> None:
        known = rows[["site", "start_ms", "end_ms", "up_ms"]].assign(down_ms=downs)
        known["known_ms"] = known["up_ms"] + known["down_ms"]
        by_period = known.groupby(["site", "start_ms", "end_ms"], sort=False, as_index=False)
        found = by_period.agg(
            up_most=("up_ms", "max"),
            up_sum=("up_ms", "sum"),
            down_sum=("down_ms", "sum"),
            known_most=("known_ms", "max"),
        )
        for site, at in found.groupby("site", sort=False).indices.items():
            part = {name: found[name].to_numpy()[at] for name in found.columns if name != "site"}
            length = part["end_ms"] - part["start_ms"]
            announced = self._terms.maintenance.get(str(site))
            if announced is not None:
                length = length - announced.within(part["start_ms"], part["end_ms"])
            one = Usable(
                int(part["up_most"].sum()),
                int(np.minimum(length, part["up_sum"]).sum()),
                int(np.clip(part["known_most"] - part["up_sum"], 0, None).sum()),
                int(np.minimum(length - part["up_most"], part["down_sum"]).sum()),
            )
            self.usable[str(site)] = self.usable.get(str(site), Usable()).plus(one)


class _Rows(NamedTuple):
    """Rows of one access point, in milliseconds."""

    start: Ints
    end: Ints
    expected: Ints
    up: Ints
    down: Ints
    maintenance: Ints
    off: Ints | int = 0
    """Down while it may be switched off, which is unknown, and outside of open hours."""

    @property
    def span(self) -> Ints:
        return self.end - self.start

    def known(self, off: Intervals | None, blind: Intervals | None) -> "_Rows":
        """Down time that says nothing is unknown: as much as of the row it may be switched off in,
        and all that can lie in blind times.
        """
        down, switched = self.down, self.off
        if off is not None:
            switched = down * off.within(self.start, self.end) // self.span
            down = down - switched
        if blind is not None:
            down = down - np.minimum(down, blind.within(self.start, self.end))
        return self._replace(down=down, off=switched)

    def times(self, opened: Ints | None, down_opened: Ints | None) -> Times:
        """`opened`: milliseconds in open hours, of each row; `down_opened`: of its down time."""
        told = self.up + self.down + self.maintenance
        off = self.off + np.zeros_like(told)
        states = self.expected - told - off, self.up, self.down, self.maintenance, off
        total = [int(state.sum()) for state in states]
        if opened is None or down_opened is None:
            return Times(_time(total))
        of_states = opened, opened, down_opened, opened, np.zeros_like(opened)
        in_open = [
            int((state * of_it // self.span).sum())
            for state, of_it in zip(states, of_states, strict=True)
        ]
        outside = [a - b for a, b in zip(total, in_open, strict=True)]
        return Times(_time(total), _time(in_open), _time(outside))


def _time(states: Sequence[int]) -> Time:
    """Expected is the sum, so that no part of it is more than it."""
    return Time(sum(states), *states[1:4])
