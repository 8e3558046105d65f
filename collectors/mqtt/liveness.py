"""Which access points are known to be silent: the failed polls of those that publish. Pure.

While our connection to the broker lives and nothing waits to be read, silence says something:

- an AP whose last word is `offline` is down until it speaks again, poll interval after interval;
- one that was not heard for HOLD of its intervals has missed a message, and one more with each
  interval that it stays silent.

While the connection is gone, and until as long after it has come back, silence is ours: then
nothing is said. A message that comes late with a time of its own is right about its time: what was
noted of the AP while such a message holds is taken back.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from collectors.reading import HOLD, Reading

BLINK_MS: Final = 30_000
"""Who has not looked for longer was asleep, or the clock was set: what was silent then is unknown.
"""
REMEMBERED: Final = 2_016
"""Failed polls of an AP that can be taken back: a week of them, at five minutes."""


class Publisher(NamedTuple):
    """An AP that should publish."""

    site: str
    interval_s: int
    service_ms: tuple[int | None, int | None] = (None, None)
    """In service [since, until), UTC milliseconds."""


class Sign(NamedTuple):
    """One message of an AP."""

    ap: str
    at_ms: int
    """When it came; UTC milliseconds."""
    offline: bool = False
    """It is the AP's last will."""
    retained: bool = False
    """The broker kept it: `offline` holds now, anything else was said nobody knows when."""
    ts_ms: int | None = None
    """When the AP served, as it says itself; None: it does not say."""


@dataclass(slots=True)
class _Life:
    heard_ms: int = 0
    offline: bool = False
    failed_ms: int = 0
    """When it was last known to be silent, or said to be offline."""
    noted: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """When it was noted to be silent, by us."""


class Liveness:
    """Told what happens, it tells who is silent. Times are UTC milliseconds."""

    def __init__(self, publishers: Mapping[str, Publisher]) -> None:
        self._publishers = publishers
        self._lives = {ap: _Life() for ap in publishers}
        self._listening_ms: int | None = None
        """Since when nothing can have escaped us; None: something may."""
        self._looked_ms: int | None = None

    @property
    def shortest_interval_s(self) -> float:
        """Of all of them; infinite where there are none."""
        return min((one.interval_s for one in self._publishers.values()), default=math.inf)

    def listens(self, now_ms: int) -> None:
        """The broker sends us everything from now on."""
        self._listening_ms = self._looked_ms = now_ms

    def is_deaf(self) -> None:
        """The connection is gone. Who is offline is told again when it is back."""
        self._listening_ms = None
        for life in self._lives.values():
            life.offline = False

    def was_delayed(self, now_ms: int) -> None:
        """Messages had to wait for us until now: those of others may be on their way."""
        if self._listening_ms is not None:
            self._listening_ms = now_ms

    def hear(self, sign: Sign) -> list[Reading]:
        """Take a message; return what it takes back, as readings that replace ours."""
        life = self._lives[sign.ap]
        if sign.offline:
            life.offline = True
            life.failed_ms = sign.at_ms
        elif not sign.retained:
            life.offline = False
            life.heard_ms = max(life.heard_ms, sign.at_ms)
        return self._taken_back(sign, life)

    def silent(self, now_ms: int) -> list[Reading]:
        """The polls that have failed by now. Say so with `note` once they are stored."""
        asleep = self._looked_ms is None or not 0 <= now_ms - self._looked_ms <= BLINK_MS
        self._looked_ms = now_ms
        if self._listening_ms is None:
            return []
        if asleep:
            self._listening_ms = now_ms
        return [
            self._failed(ap, now_ms)
            for ap, publisher in self._publishers.items()
            if self._due_ms(self._lives[ap], publisher, self._listening_ms) <= now_ms
            and _serves(publisher, now_ms)
        ]

    def still_offline(self, aps: Collection[str], now_ms: int) -> list[Reading]:
        """Those of some APs that said so and did not speak since: as good as a poll that fails."""
        if self._listening_ms is None:
            return []
        return [
            self._failed(ap, now_ms)
            for ap in aps
            if ap in self._lives
            and self._lives[ap].offline
            and _serves(self._publishers[ap], now_ms)
        ]

    def note(self, failed: Iterable[Reading]) -> None:
        """These are on their way to the store: the next is due an interval later."""
        for reading in failed:
            life = self._lives[reading.ap]
            life.failed_ms = reading.ts_ms
            life.noted.append(reading.ts_ms)

    def _due_ms(self, life: _Life, publisher: Publisher, listening_ms: int) -> float:
        interval_ms = publisher.interval_s * 1000
        since_ms = max(life.heard_ms, listening_ms)
        if life.offline or life.failed_ms > since_ms:
            return life.failed_ms + interval_ms
        return since_ms + HOLD * interval_ms

    def _failed(self, ap: str, now_ms: int) -> Reading:
        site, interval_s, _ = self._publishers[ap]
        return Reading(ap, site, now_ms, up=0, interval_s=interval_s)

    def _taken_back(self, sign: Sign, life: _Life) -> list[Reading]:
        if sign.ts_ms is None or not life.noted or life.noted[-1] < sign.ts_ms:
            return []
        site, interval_s, _ = self._publishers[sign.ap]
        until_ms = sign.ts_ms + HOLD * interval_s * 1000
        wrong = {at_ms for at_ms in life.noted if sign.ts_ms <= at_ms < until_ms}
        life.noted = deque((at for at in life.noted if at not in wrong), REMEMBERED)
        return [Reading(sign.ap, site, at, up=1, interval_s=interval_s) for at in sorted(wrong)]


def _serves(publisher: Publisher, now_ms: int) -> bool:
    since, until = publisher.service_ms
    return (since is None or since <= now_ms) and (until is None or now_ms < until)
