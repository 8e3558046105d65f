"""Watches over an invented network as the daemon does: the live engine and the desk of alerts, fed
with everything in the order in which it comes.

Nothing of what is judged is replaced or simplified; only time passes more quickly.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, Literal, Protocol

import orjson

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.alerts.routing import HOUR_MS
from pipeline.evaluation.outages.alert import Alert
from pipeline.evaluation.outages.told import Told
from pipeline.outages.blindness import Blindness
from pipeline.outages.calendar import Calendar
from pipeline.outages.engine import Engine
from pipeline.outages.evidence import Evidence
from pipeline.outages.incident import Incident
from pipeline.outages.telling import IncidentEvent
from pipeline.outages.topology import Topology

LOOK_MS: Final = 5_000
"""The daemon looks so often whom to ask again."""
TICK_MS: Final = 15_000
"""So often time passes while anything may be decided by it."""
SELDOM_MS: Final = 300_000
"""So often the desk is asked otherwise."""
SETTLED_MS: Final = 86_400_000
"""So long the desk is told of what is over for good."""


class Word(Protocol):
    """Whether a controller answered."""

    @property
    def controller(self) -> str: ...  # noqa: D102
    @property
    def ts_ms(self) -> int: ...  # noqa: D102
    @property
    def answered(self) -> bool: ...  # noqa: D102


class Batch(Protocol):
    """Readings that come at one time."""

    @property
    def at_ms(self) -> int:
        """True time."""

    @property
    def readings(self) -> Sequence[Reading]:
        """With the time of our own clock."""

    @property
    def controllers(self) -> Sequence[Word]:
        """Of the same polls."""


class Signal(Protocol):
    """Something that our own daemon notices of itself."""

    @property
    def at_ms(self) -> int:
        """True time."""

    @property
    def what(self) -> Literal["deaf", "hears", "stop", "start", "clock"]:
        """A collector gets nothing, or something again; the daemon stops, or starts again; our
        clock is set, or has made good what it was set back by.
        """

    @property
    def collector(self) -> str: ...  # noqa: D102


class World(Protocol):
    """What there is to see."""

    def now_ms(self, at_ms: int) -> int:
        """What our own clock shows at an instant."""

    def true_ms(self, ts_ms: int) -> int:
        """When our own clock showed that."""

    def signals(self) -> Iterable[Signal]:
        """In order of time."""

    def batches(self) -> Iterable[Batch]:
        """What regular polls and messages say, in order of time."""

    def ask_again(self, aps: Collection[str], at_ms: int) -> Iterable[Batch]:
        """Poll again whatever answers for some access points."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was told, and what was found."""

    alerts: list[Alert]
    messages: int
    """That the alerts came in."""
    incidents: dict[str, Incident]
    """As known in the end, by id."""


def watch(
    world: World,
    deployment: Deployment,
    span_ms: tuple[int, int],
    batches: Iterable[Batch] | None = None,
) -> Watched:
    """Watch from start to end. `batches`: in place of the world's own."""
    watcher = _Watcher(world, deployment, span_ms)
    watcher.run(world.batches() if batches is None else batches)
    return watcher.finished()


_Item = tuple[int, int, str, Any]


class _Watcher:
    def __init__(self, world: World, deployment: Deployment, span_ms: tuple[int, int]) -> None:
        self._world = world
        self._deployment = deployment
        self._end_ms = span_ms[1]
        self._interval_ms = deployment.settings.snmp.poll_seconds * 1000
        self._repoll_ms = deployment.settings.outages.repoll_seconds * 1000
        self._topology = Topology.of(deployment)
        # Our own clock may show a time outside of the trial.
        self._calendar = Calendar.of(deployment, span_ms[0] - HOUR_MS, span_ms[1] + HOUR_MS)
        self._engine = self._started(None)
        span = deployment.settings.outages.span_intervals
        self._patience_ms = dict.fromkeys(("snmp", "mqtt"), round(span * self._interval_ms))
        self._blindness = Blindness(self._patience_ms, {})
        self._deaf_ms: dict[str, int | None] = {}
        self._settled: dict[str, Incident] = {}
        self._stopped: dict[str, Any] | None = None
        self._told = Told(deployment, self._calendar, world.true_ms, span_ms[1])
        self._incidents: dict[str, Incident] = {}
        self._queue: list[_Item] = []
        self._number = count()
        self._due: set[tuple[int, str]] = set()
        self._asking: dict[str, int] = {}
        self._failing: dict[str, int] = {}
        self._awake_ms = 0
        self._desk_ms = 0

    def run(self, batches: Iterable[Batch]) -> None:
        """Let everything come, in order of time."""
        for signal in self._world.signals():
            if signal.what == "clock":
                # The daemon looks every few seconds: also right before.
                self._push(signal.at_ms - 1, "tick", None)
            self._push(signal.at_ms, "signal", signal)
        for period in self._deployment.maintenance:
            self._push(round(period.end.timestamp() * 1000), "tick", None)
        coming = iter(batches)
        self._take(coming)
        while self._queue:
            at_ms, _, what, item = heappop(self._queue)
            if what == "regular":
                self._take(coming)
                self._hear(at_ms, item)
            elif what == "again":
                self._hear(at_ms, item)
            elif what == "signal":
                self._notice(at_ms, item)
            else:
                self._due.discard((at_ms, what))
                if self._stopped is None:
                    self._pass(at_ms, what)

    def finished(self) -> Watched:
        """What is open at the end is told to be so."""
        return Watched(self._told.alerts, self._told.messages, self._incidents)

    def _take(self, coming: Iterator[Batch]) -> None:
        batch = next(coming, None)
        if batch is not None:
            self._push(batch.at_ms, "regular", batch)

    def _push(self, at_ms: int, what: str, item: object) -> None:
        if at_ms < self._end_ms:
            heappush(self._queue, (at_ms, next(self._number), what, item))

    def _call(self, at_ms: int, what: str) -> None:
        """Come back then, on the beat of the daemon."""
        step_ms = TICK_MS if what == "tick" else LOOK_MS
        at_ms += -at_ms % step_ms
        if (at_ms, what) not in self._due:
            self._due.add((at_ms, what))
            self._push(at_ms, what, None)

    def _hear(self, at_ms: int, batch: Batch) -> None:
        if self._stopped is not None:
            return
        now_ms = self._world.now_ms(at_ms)
        interval_s = self._interval_ms // 1000
        words = [
            Evidence(word.controller, word.ts_ms, word.answered, interval_s)
            for word in batch.controllers
        ]
        events = self._engine.observe_controllers(words, now_ms) if words else []
        events += self._engine.observe(batch.readings, now_ms)
        failed = False
        for reading in batch.readings:
            self._asking.pop(reading.ap, None)
            if reading.up != 0:
                if self._failing.pop(reading.ap, at_ms) < at_ms - self._interval_ms:
                    self._stay_awake(at_ms)
                continue
            failed = True
            lasts_ms = at_ms - self._failing.setdefault(reading.ap, at_ms)
            if self._interval_ms // 2 <= lasts_ms <= 3 * self._interval_ms:
                self._stay_awake(at_ms)
        if failed:
            self._call(at_ms + self._repoll_ms, "look")
        self._go_on(at_ms, events)

    def _notice(self, at_ms: int, signal: Signal) -> None:
        if signal.what == "stop":
            # As it is stored, and read again.
            self._stopped = orjson.loads(orjson.dumps(self._engine.snapshot()))
        elif signal.what == "start":
            self._engine = self._started(self._stopped)
            self._blindness = Blindness(self._patience_ms, self._blindness.lost)
            self._stopped = None
            self._asking.clear()
        elif signal.what in ("deaf", "hears"):
            now_ms = self._world.now_ms(at_ms)
            self._deaf_ms[signal.collector] = now_ms if signal.what == "deaf" else None
        if self._stopped is None:
            self._stay_awake(at_ms)
            self._pass(at_ms, "tick")

    def _pass(self, at_ms: int, what: str) -> None:
        now_ms = self._world.now_ms(at_ms)
        if what == "look":
            suspects = self._engine.suspects(now_ms)
            free = [ap for ap in suspects if self._asking.get(ap, 0) <= at_ms]
            for batch in self._world.ask_again(free, at_ms) if free else ():
                self._push(batch.at_ms, "again", batch)
                self._asking |= {reading.ap: batch.at_ms for reading in batch.readings}
            if suspects:
                self._call(at_ms + 1, "look")
            return
        events: list[IncidentEvent] = []
        for sight in self._blindness.look(now_ms, at_ms, self._deaf_ms):
            change = self._engine.lose if sight.what == "lost" else self._engine.regain
            events += change(sight.collector, sight.at_ms, now_ms)
        self._go_on(at_ms, [*events, *self._engine.tick(now_ms)])

    def _stay_awake(self, at_ms: int) -> None:
        until_ms = at_ms + 2 * self._interval_ms
        self._awake_ms = max(self._awake_ms, until_ms)

    def _go_on(self, at_ms: int, events: Iterable[IncidentEvent]) -> None:
        changed = False
        for event in events:
            changed = True
            self._incidents[event.incident.id] = event.incident
            if event.what == "withdrawn":
                del self._incidents[event.incident.id]
            elif event.what == "settled":
                self._settled[event.incident.id] = event.incident
        if changed:
            self._stay_awake(at_ms)
        awake = at_ms < self._awake_ms
        if awake:
            self._call(at_ms + 1, "tick")
        # On the beat, so that what is told does not depend on what else happens to be heard.
        due = at_ms % TICK_MS == 0 if awake else at_ms - self._desk_ms >= SELDOM_MS
        if changed or due:
            self._desk_ms = at_ms
            self._tell(at_ms)

    def _tell(self, at_ms: int) -> None:
        now_ms = self._world.now_ms(at_ms)
        for name in [n for n, i in self._settled.items() if (i.end_ms or 0) < now_ms - SETTLED_MS]:
            del self._settled[name]
        self._told.tell([*self._engine.incidents(), *self._settled.values()], at_ms, now_ms)
        if self._told.waits:
            self._push(at_ms + self._told.rules.group_ms, "tick", None)

    def _started(self, restored: dict[str, Any] | None) -> Engine:
        rules = self._deployment.settings.outages
        return Engine(self._topology, rules, self._calendar, restored)
