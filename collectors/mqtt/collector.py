"""Listens to the broker and hands readings to the sink; acknowledges only what is durable there.

The broker keeps our session (fixed client id, never a clean start): what is published while we are
away, or while the store is down, arrives afterwards. A message may arrive twice; the stores make
that harmless.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

import structlog
from paho.mqtt.enums import MQTTProtocolVersion

from collectors.mqtt.backoff import Backoff
from collectors.mqtt.batch import Batch, loggable, loggable_topic, sort_out
from collectors.mqtt.connection import Connection, Message
from collectors.mqtt.errors import ConnectError
from collectors.mqtt.health import Counters, MqttHealth
from collectors.mqtt.inbox import Inbox
from collectors.mqtt.liveness import Liveness
from collectors.mqtt.payload import Interpreter
from collectors.mqtt.silence import Silence
from collectors.reading import HOLD
from collectors.sink import AnnouncementSink, DeadLetterSink, NotDurableError, Sink
from config.deployment import Deployment

MAX_PENDING: Final = 5_000
DEFAULT_BACKOFF: Final = Backoff()
_BATCH: Final = 1_000
"""Messages per write: read in some 10 ms, so that the event loop stays responsive."""
_DRAIN_S: Final = 10.0

log = structlog.get_logger(__name__)


class MqttCollector:
    """`start`, `stop`, and in between `health` and `counters`. Belongs to one event loop."""

    def __init__(
        self,
        deployment: Deployment,
        sink: Sink,
        dead_letters: DeadLetterSink,
        announcements: AnnouncementSink,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        backoff: Backoff = DEFAULT_BACKOFF,
        max_pending: int = MAX_PENDING,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> None:
        """Raise ValueError when the deployment has no mqtt section.

        max_pending: messages taken from the broker and not yet stored; bounds our memory.
        protocol: tried first.
        """
        if deployment.settings.mqtt is None:
            raise ValueError("spotwatch.yaml has no mqtt section")
        self.counters = Counters()
        self._settings = deployment.settings.mqtt
        self._folder = deployment.folder
        self._interpreter = Interpreter(deployment, self._settings.base_topic)
        self._sink = sink
        self._dead_letters = dead_letters
        self._announcements = announcements
        self._now_ms = now_ms
        self._backoff = backoff
        self._max_pending = max_pending
        self._protocol = protocol
        self._protocol_works = False
        self._liveness = Liveness(self._interpreter.publishers)
        self._silence = Silence(self._liveness, sink, self._hears_all, self.counters, now_ms)
        self._is_storing = False
        self._heard_ms: dict[str, int] = {}
        self._told_keys: set[str] = set()
        self._trouble = "not started"
        self._store_trouble = ""
        self._connection: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._started_ms = now_ms()
        self.lost_ms: int | None = self._started_ms
        """Since when the broker does not talk to us, UTC milliseconds; None: it does."""

    async def start(self) -> None:
        """Begin to connect, in the background; `wait_connected` waits for it."""
        self._inbox = Inbox(asyncio.get_running_loop(), self._max_pending)
        self._connected = asyncio.Event()
        self._stopping = asyncio.Event()
        self._started_ms = self.lost_ms = self._now_ms()
        self._trouble = "connecting"
        self._tasks = [
            asyncio.create_task(self._stay_connected(), name="mqtt connection"),
            asyncio.create_task(self._consume(), name="mqtt messages"),
            asyncio.create_task(self._silence.watch(), name="mqtt silence"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._on_done)

    async def wait_connected(self) -> None:
        """Wait until the broker has accepted our subscriptions: from now on nothing is missed."""
        await self._connected.wait()

    async def stop(self) -> None:
        """Write and acknowledge what was taken, disconnect; the broker keeps the rest for us."""
        if not self._tasks:
            return
        self._stopping.set()
        self._inbox.close()
        connecting, consuming, watching = self._tasks
        watching.cancel()
        await asyncio.wait([consuming], timeout=_DRAIN_S)
        for task in (consuming, connecting):
            task.cancel()
        await asyncio.wait(self._tasks)
        self._tasks = []
        self._trouble = "stopped"

    async def repeat(self, aps: Collection[str]) -> None:
        """Say again of those that are offline that they are: as good as polling them again."""
        await self._silence.repeat(aps)

    def health(self) -> MqttHealth:
        """Tell how listening goes."""
        now_ms = self._now_ms()
        publishers = self._interpreter.publishers
        silent = sum(
            now_ms - self._heard_ms.get(ap, self._started_ms) > 1000 * HOLD * publisher.interval_s
            for ap, publisher in publishers.items()
        )
        trouble = f"{self._where}: {self._trouble}" if self._trouble else self._store_trouble
        return MqttHealth(
            ok=not trouble,
            last_seen_ms=max(self._heard_ms.values(), default=None),
            targets=len(publishers),
            silent=silent,
            detail=trouble or f"connected to {self._where}",
        )

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._trouble = f"failed: {error!r}"
            log.error("mqtt collector failed", task=task.get_name(), exc_info=error)

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            wanted = await self._connect_once()
            if wanted:
                continue
            lasted = time.monotonic() - began
            failures = 1 if lasted > self._backoff.most_s else failures + 1
            delay_s = self._backoff.delay_s(failures)
            log.warning(
                "mqtt not connected",
                broker=self._where,
                reason=self._trouble,
                again_in_s=round(delay_s, 1),
            )
            await asyncio.sleep(delay_s)
            self.counters.reconnects += 1

    async def _connect_once(self) -> bool:
        """Connect and stay so; return whether to connect again at once."""
        connection = Connection(
            self._settings,
            folder=self._folder,
            protocol=self._protocol,
            topics=self._interpreter.topics,
            receive=self._inbox.put,
            now_ms=self._now_ms,
            max_pending=self._max_pending,
        )
        self._connection = connection
        wanted = False
        try:
            session_present = await connection.open()
            log.info(
                "mqtt connected",
                broker=self._where,
                protocol=self._protocol.name,
                session="resumed" if session_present else "new",
            )
            self._protocol_works = True
            self._trouble = _refusal(connection.refused_topics)
            if self._trouble:
                log.error("mqtt subscription refused", broker=self._where, reason=self._trouble)
            self._connected.set()
            self.lost_ms = None
            self._liveness.listens(self._now_ms())
            self._trouble = await connection.end()
            wanted = connection.is_given_up
        except ConnectError as error:
            self._trouble = str(error)
            wanted = self._try_other_protocol(error)
        finally:
            self._connected.clear()
            self._liveness.is_deaf()
            if self.lost_ms is None:
                self.lost_ms = self._now_ms()
            self._connection = None
            await connection.close()
        return wanted

    def _try_other_protocol(self, error: ConnectError) -> bool:
        """Fall back to MQTT 3.1.1 where 5 is not spoken; return whether to try at once.

        An old broker may hang up or wait in place of an answer. So may one that is out of order, or
        that wants TLS: then both versions are tried in turn, until one has worked.
        """
        if error.cause == "other" or (error.cause == "silent" and self._protocol_works):
            return False
        five = self._protocol == MQTTProtocolVersion.MQTTv5
        if five or error.cause == "silent":
            self._protocol = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5
            self._protocol_works = False
        return five

    async def _consume(self) -> None:
        while not self._stopping.is_set():
            await self._inbox.wait()
            while messages := self._inbox.take(_BATCH):
                self._is_storing = True
                await self._store(messages)
            self._is_storing = False
            self._fetch_left_behind()

    async def _store(self, messages: Sequence[Message]) -> None:
        self.counters.received += len(messages)
        batch = sort_out(self._interpreter, messages)
        for sign in batch.signs:
            self._heard_ms[sign.ap] = sign.at_ms
            batch.readings += self._liveness.hear(sign)
        failures = 0
        while not await self._is_durable(batch):
            failures += 1
            if self._stopping.is_set():
                return
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([stopping], timeout=self._backoff.delay_s(failures))
            stopping.cancel()
        if failures:
            self._liveness.was_delayed(self._now_ms())
        self.counters.written += len(batch.readings)
        self.counters.refused += batch.causes
        self.counters.outdated += batch.outdated
        self.counters.unknown_keys += len(batch.unknown_keys)
        self._tell(batch)
        for message in messages:
            message.connection.acknowledge(message)

    async def _is_durable(self, batch: Batch) -> bool:
        try:
            if batch.readings:
                await self._sink.write(batch.readings)
            if batch.announced:
                await self._announcements.announce(batch.announced)
            if batch.refused:
                await self._dead_letters.set_aside(batch.refused)
        except NotDurableError as error:
            self.counters.store_failures += 1
            self._store_trouble = f"the store takes nothing: {error}"
            log.warning("mqtt messages not stored", messages=len(batch.readings), reason=str(error))
            return False
        self._store_trouble = ""
        return True

    def _hears_all(self) -> bool:
        waits = self._is_storing or not self._inbox.is_empty
        connection = self._connection
        return not waits and connection is not None and not connection.left_behind

    def _tell(self, batch: Batch) -> None:
        """Log what is refused, once per reason, and keys that nobody knows, once per AP."""
        for reason, times in Counter(r.reason for r in batch.refused).items():
            topic = next(r.subject for r in batch.refused if r.reason == reason)
            log.warning(
                "mqtt messages refused", messages=times, topic=loggable_topic(topic), reason=reason
            )
        for ap, keys in batch.unknown_keys:
            if ap not in self._told_keys:
                self._told_keys.add(ap)
                log.info("mqtt keys unknown", ap=ap, keys=loggable(keys))

    def _fetch_left_behind(self) -> None:
        """A broker sends again what it holds for us when we connect again."""
        connection = self._connection
        if connection is not None and connection.left_behind and not connection.is_given_up:
            self.counters.deferred += connection.left_behind
            log.info("mqtt messages deferred", messages=connection.left_behind)
            connection.give_up()


def _refusal(topics: Sequence[str]) -> str:
    if not topics:
        return ""
    return (
        f"the broker lets us not read {', '.join(topics)}: allow it to the user of mqtt.username, "
        "then restart"
    )
