"""The watch over outages, beside the collectors: evidence goes to the engine, what it says to
people.

Nothing that goes wrong here stops ingest: what is stored is handed over afterwards, and judged by a
task of its own. If that fails, it starts again from what was kept and stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import structlog

from cli.outage_memory import LOOK_BACK_MS, document_of, restored
from cli.watched_sink import WatchedSink
from collectors.snmp.poller import ControllerPoll
from config.deployment import Deployment
from pipeline.alerts.alerting import Alerting
from pipeline.outages.blindness import Blindness
from pipeline.outages.calendar import Calendar
from pipeline.outages.engine import Engine
from pipeline.outages.evidence import Evidence
from pipeline.outages.incident import Incident
from pipeline.outages.incidents import Incidents
from pipeline.outages.machine import State as Standing
from pipeline.outages.record import Kept, Record
from pipeline.outages.telling import IncidentEvent
from pipeline.state import CollectorHealth, State
from pipeline.store.base import Store, StoreError

log = structlog.get_logger(__name__)

LOOK_S: Final = 2.0
"""Between two looks at what came in."""
AGAIN_S: Final = 60.0
"""The same after one that failed."""
KEEP_MS: Final = 60_000
"""How often the memory is kept. What was stored since is read again after a start."""
AHEAD_MS: Final = 2 * 86_400_000
"""Opening hours are known so far ahead and back, and looked up again after half of it."""
SETTLED_MS: Final = 86_400_000
"""What is over for good is told to be so for so long, to whoever was not."""
COLLECTORS: Final = ("snmp", "mqtt")

Since = Mapping[str, int | None]
"""Since when each collector gets nothing, UTC milliseconds; None: it does."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the watch knows and wants of the rest of the service. Called on the event loop."""

    blind_since: Callable[[], Since]
    """Of each collector that runs."""
    ask_again: Callable[[Sequence[str]], None]
    """Poll these APs now."""
    clock_set_back: Callable[[], None]
    """What waits for a time of day would wait for long."""
    now_ms: Callable[[], int]
    monotonic_ms: Callable[[], int]
    """Of a clock that nobody sets."""


class OutageWatch:
    """Judges what the sink has stored. `run` is a task; the rest belongs to the same loop."""

    def __init__(
        self,
        deployment: Deployment,
        store: Store,
        state: State,
        alerting: Alerting,
        sink: WatchedSink,
        *,
        surroundings: Surroundings,
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._record = Record(state)
        self._incidents = Incidents(state)
        self._alerting = alerting
        self._sink = sink
        self._around = surroundings
        self._polls: list[Evidence] = []
        self._engine: Engine | None = None
        self._unkept: list[IncidentEvent] = []
        self._settled: dict[str, Incident] = {}
        """What is over for good since a while, by id: people may yet have to be told so."""
        self._blindness = Blindness({}, {})
        self._calendar_ms = 0
        """When the calendar was made; 0: it is out of date."""
        self._kept_ms = 0
        self._judged_ms: int | None = None
        self._trouble = "starting"
        self._told: set[str] = set()

    def polled(self, poll: ControllerPoll) -> None:
        """Take what a poll of a controller came to."""
        evidence = Evidence(poll.controller, poll.ts_ms, poll.answered, poll.interval_s)
        self._polls.append(evidence)

    def announced(self, deployment: Deployment) -> None:
        """Go on with a deployment in which other maintenance is announced."""
        self._deployment = deployment
        self._calendar_ms = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Look again and again; keep the memory when told to stop."""
        while not stopping.is_set():
            wait_s = LOOK_S
            if not await self._succeeds("outages not judged", self.look()):
                self._engine = None
                wait_s = AGAIN_S
            elif not await self._succeeds("alerts not decided", self.alert()):
                wait_s = AGAIN_S
            else:
                self._trouble = ""
            stopped = asyncio.create_task(stopping.wait())
            await asyncio.wait([stopped], timeout=wait_s)
            stopped.cancel()
        if self._engine is not None:
            keeping = asyncio.to_thread(self._keep, self._engine, self._around.now_ms())
            await self._succeeds("memory not kept", keeping)

    async def look(self) -> None:
        """Judge what came in; have what is suspect polled again."""
        readings, self._sink.readings = self._sink.readings, []
        polls, self._polls = self._polls, []
        times = self._around.now_ms(), self._around.monotonic_ms()
        since = dict(self._around.blind_since())
        suspects = await asyncio.to_thread(self._judge, readings, polls, times, since)
        if self._blindness.set_back:
            self._around.clock_set_back()
        if suspects:
            self._around.ask_again(suspects)

    async def alert(self) -> None:
        """Have people told of how things stand."""
        engine, now_ms = self._engine, self._around.now_ms()
        if engine is not None:
            is_excused = engine.calendar.is_excused
            incidents = {one.id: one for one in (*self._settled.values(), *engine.incidents())}
            await asyncio.to_thread(
                self._try, "alerts", self._alerting.tick, incidents.values(), now_ms, is_excused
            )

    async def _succeeds(self, what: str, work: Awaitable[None]) -> bool:
        (failure,) = await asyncio.gather(work, return_exceptions=True)
        if failure is None:
            return True
        if not isinstance(failure, Exception):
            raise failure
        self._trouble = f"{what}: {failure!r}"
        log.error(what, exc_info=failure)
        return False

    def state(self, ap: str) -> Standing:
        """How an AP stands, as far as known."""
        return self._engine.state(ap, self._around.now_ms()) if self._engine else "unknown"

    def under_way(self) -> list[Incident]:
        """The outages that nothing wider explains and that are not over, the earliest first."""
        incidents = self._engine.incidents() if self._engine else []
        return [one for one in incidents if one.is_open and one.parent is None]

    def health(self) -> CollectorHealth:
        """For `status` and `doctor`."""
        incidents = self._engine.incidents() if self._engine else []
        return CollectorHealth(
            collector="outages",
            kind="outages",
            last_seen_ms=self._judged_ms,
            ok=not self._trouble,
            targets=len(self._deployment.access_points),
            failed=len({one.ap for one in incidents if one.is_open and one.ap}),
            detail=self._trouble or f"{len(self.under_way())} outages under way",
        )

    def _judge(
        self,
        readings: Sequence[Any],
        polls: Sequence[Evidence],
        times: tuple[int, int],
        since: Since,
    ) -> list[str]:
        now_ms, monotonic_ms = times
        engine = self._engine or self._restored(now_ms)
        self._renew_calendar(engine, now_ms)
        events: list[IncidentEvent] = []
        for sight in self._blindness.look(now_ms, monotonic_ms, since):
            if sight.what == "lost":
                log.warning("blind", collector=sight.collector, since_ms=sight.at_ms)
                events += engine.lose(sight.collector, sight.at_ms, now_ms)
                self._try("blindness", self._record.went_blind, sight.collector, sight.at_ms)
            else:
                log.info("sees again", collector=sight.collector)
                events += engine.regain(sight.collector, sight.at_ms, now_ms)
                self._try("blindness", self._record.sees_again, sight.collector, sight.at_ms)
        events += engine.observe_controllers(polls, now_ms)
        events += engine.observe(readings, now_ms)
        _tell(events)
        self._take(events, now_ms)
        for note in engine.take_notes():
            log.info(note.event.what, ap=note.ap, at_ms=note.event.at_ms)
        # Only now: should anything of this fail, it is done again from what is kept.
        self._engine = engine
        self._judged_ms = now_ms
        if not 0 <= now_ms - self._kept_ms < KEEP_MS:
            self._keep(engine, now_ms)
        return engine.suspects(now_ms)

    def _keep(self, engine: Engine, now_ms: int) -> None:
        document = document_of(engine, self._blindness.lost)
        self._try("memory", self._record.keep, Kept(now_ms, document))
        self._kept_ms = now_ms

    def _restored(self, now_ms: int) -> Engine:
        calendar = self._calendar(now_ms)
        found = restored(self._deployment, self._store, self._record, calendar, now_ms)
        self._blindness = Blindness(_patience(self._deployment), found.lost)
        known = self._incidents.between(now_ms - SETTLED_MS, now_ms + 1)
        self._settled = {one.id: one for one in known if not one.is_open}
        self._take(found.events, now_ms)
        return found.engine

    def _take(self, events: Sequence[IncidentEvent], now_ms: int) -> None:
        """Keep what the engine says; what cannot be kept now is kept with what it says next."""
        self._unkept += events
        if self._unkept and self._try("incidents", self._incidents.tell, self._unkept):
            self._unkept = []
        over = {event.incident.id: event.incident for event in events if event.what == "settled"}
        self._settled = {
            id_: incident
            for id_, incident in (self._settled | over).items()
            if (incident.end_ms or 0) > now_ms - SETTLED_MS
        }

    def _renew_calendar(self, engine: Engine, now_ms: int) -> None:
        if abs(now_ms - self._calendar_ms) > AHEAD_MS // 2:
            engine.calendar = self._calendar(now_ms)

    def _calendar(self, now_ms: int) -> Calendar:
        self._calendar_ms = now_ms
        return Calendar.of(self._deployment, now_ms - LOOK_BACK_MS, now_ms + AHEAD_MS)

    def _try(self, what: str, action: Callable[..., object], *arguments: Any) -> bool:
        """Do what can wait: a state that cannot be written to must not keep us from judging."""
        try:
            action(*arguments)
        except StoreError as error:
            if what not in self._told:
                self._told.add(what)
                log.error(f"{what} not kept", reason=str(error))  # noqa: TRY400 - foreseen
            return False
        self._told.discard(what)
        return True


def _patience(deployment: Deployment) -> Mapping[str, int]:
    """How long a collector may get nothing: nothing is called down within that time either."""
    span = deployment.settings.outages.span_intervals
    intervals = {
        name: [
            deployment.poll_seconds(ap)
            for ap in deployment.access_points.values()
            if ap.source == name
        ]
        for name in COLLECTORS
    }
    return {name: round(span * median(found) * 1000) for name, found in intervals.items() if found}


def _tell(events: Sequence[IncidentEvent]) -> None:
    for event in events:
        one = event.incident
        is_news = event.what in ("opened", "relapsed", "left_behind") and one.parent is None
        tell = log.warning if is_news else log.info
        tell(
            "outage",
            what=event.what,
            id=one.id,
            scope=one.scope,
            subject=one.subject,
            cause=one.cause,
            parent=one.parent,
        )
