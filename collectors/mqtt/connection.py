"""One connection to the broker, from CONNECT to its end, on paho's thread.

Each connection has a client object of its own that never reconnects. A broker numbers the messages
of every connection anew, so an acknowledgement must go down the connection that its message came
from, or nowhere: here it cannot do otherwise.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collectors.mqtt.client import Client, build_client
from collectors.mqtt.errors import ADVICE, ConnectError, explain
from collectors.mqtt.telemetry import MAX_PAYLOAD
from config.settings import Mqtt

_OPEN_S: Final = 15.0
"""To be reached: the name, TCP, TLS."""
_ANSWER_S: Final = 3.0
"""Then to answer. Short, because a broker that does not know MQTT 5 may wait for us instead."""
_CLOSE_S: Final = 5.0


class Message(NamedTuple):
    """A message as it came, and where to acknowledge it."""

    connection: "Connection"
    number: int
    qos: int
    topic: str
    payload: bytes
    """At most MAX_PAYLOAD + 1 octets: more are of no use to anybody."""
    retained: bool
    at_ms: int
    """When it came; UTC milliseconds."""


class Connection:
    """Opened once, closed once. Belongs to the event loop; `receive` is called on paho's thread.

    folder: where a relative mqtt.ca_file lies. max_pending: an MQTT 5 broker sends no more before
    we acknowledge some; with 3.1.1 it is the broker that decides.
    """

    def __init__(
        self,
        settings: Mqtt,
        *,
        folder: Path,
        protocol: MQTTProtocolVersion,
        topics: Sequence[str],
        receive: Callable[[Message], None],
        now_ms: Callable[[], int],
        max_pending: int,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._topics = topics
        self._receive = receive
        self._now_ms = now_ms
        self._max_pending = max_pending
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._reached: asyncio.Future[None] = self._loop.create_future()
        self._answer: asyncio.Future[tuple[ReasonCode, bool]] = self._loop.create_future()
        self._granted: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._given_up: asyncio.Future[None] = self._loop.create_future()
        self._flushed: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._farewell = ""
        self._closing = False
        self.refused_topics: Sequence[str] = ()
        """Subscriptions that the broker refuses."""
        self.left_behind = 0
        """Messages that there was no room for: the broker sends them to a later connection."""
        self._client: Client | None = None

    async def open(self) -> bool:
        """Connect and subscribe; return whether the broker still had our session.

        Raises ConnectError.
        """
        try:
            self._client = client = await asyncio.to_thread(self._prepare)
        except (OSError, ValueError) as error:
            raise ConnectError("other", explain(error, self._settings)) from error
        client.loop_start()
        await self._until(self._reached, _OPEN_S)
        await self._until(self._answer, _ANSWER_S)
        code, session_present = self._answer.result()
        if code.is_failure:
            refused = str(code)
            advice = ADVICE.get(refused, "see the broker's log")
            raise ConnectError(
                "protocol" if refused == "Unsupported protocol version" else "other",
                f"the broker refuses us: {refused}; {advice}",
            )
        await self._until(self._granted, _ANSWER_S)
        self.refused_topics = [
            topic
            for topic, granted in zip(self._topics, self._granted.result(), strict=False)
            if granted.is_failure
        ]
        return session_present

    async def end(self) -> str:
        """Wait until the connection is gone, or somebody gives it up; return why."""
        await self._either(self._given_up, None)
        return self._ended.result() if self._ended.done() else "given up"

    def acknowledge(self, message: Message) -> None:
        """Let the broker forget a message of this connection; of a lost one it forgets nothing."""
        if self._client is not None and message.qos and not self._ended.done():
            self._client.ack(message.number, message.qos)

    @property
    def is_given_up(self) -> bool:
        """Whether the end is our own wish."""
        return self._given_up.done()

    def give_up(self) -> None:
        """Let `end` return, so that whoever waits there closes it."""
        if not self._given_up.done():
            self._given_up.set_result(None)

    async def close(self) -> None:
        """Disconnect once all acknowledgements have arrived; the broker keeps the session.

        Waits for it, but not for ever for a broker that no longer listens.
        """
        self._closing = True
        if self._client is None:
            return
        if self._granted.done() and not self._ended.done():
            # What the broker has sent and we have not read makes our system reset the connection
            # when it is closed, and the broker may then overlook acknowledgements. So first ask for
            # an answer to something harmless: it has read all that went before.
            self._client.unsubscribe(self._settings.base_topic)
            await self._either(self._flushed, _CLOSE_S)
        self._client.disconnect()
        await asyncio.wait([self._ended], timeout=_CLOSE_S)
        sock = self._client.socket()
        if not self._ended.done() and isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # it may be gone by now
                sock.shutdown(socket.SHUT_RDWR)
            await asyncio.wait([self._ended], timeout=_CLOSE_S)

    async def _either(self, step: asyncio.Future[Any], limit_s: float | None) -> None:
        await asyncio.wait(
            [step, self._ended], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
        )

    async def _until(self, step: asyncio.Future[Any], limit_s: float) -> None:
        await self._either(step, limit_s)
        if step.done():
            return
        if self._farewell:
            raise ConnectError("other", self._farewell)
        if not self._reached.done():
            raise ConnectError("other", explain(TimeoutError(), self._settings))
        raise ConnectError(
            "silent",
            "the broker does not answer: is it one, does it expect TLS on this port (mqtt.tls)?",
        )

    def _prepare(self) -> Client:
        client = build_client(
            self._settings,
            folder=self._folder,
            protocol=self._protocol,
            # Half, because some send more than they may, and all begin anew when we reconnect.
            receive_maximum=max(1, self._max_pending // 2),
        )
        client.ended = self._on_ended
        client.on_socket_open = lambda *_: self._tell(self._reached, None)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = lambda *_: self._tell(self._flushed, None)
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    # Called on paho's thread.

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._closing:
            client.disconnect()
        elif not code.is_failure:
            client.subscribe([(topic, 1) for topic in self._topics])
        self._tell(self._answer, (code, flags.session_present))

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _number: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._tell(self._granted, codes)

    def _on_message(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"  # which no subscription of ours asks for: refused as any other
        self._receive(
            Message(
                self,
                message.mid,
                message.qos,
                topic,
                bytes(message.payload[: MAX_PAYLOAD + 1]),
                message.retain,
                self._now_ms(),
            )
        )

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        flags: paho.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            said = str(code)
            advice = ADVICE.get(said)
            self._farewell = f"the broker says: {said}" + (f"; {advice}" if advice else "")

    def _on_ended(self, error: OSError | None) -> None:
        if error is not None:
            self._farewell = explain(error, self._settings)
        # Few brokers say that another client took over the session.
        lost = "the connection is lost; if again and again: is mqtt.client_id used twice?"
        self._tell(self._ended, self._farewell or lost)

    def _tell(self, future: asyncio.Future[Any], result: object) -> None:
        def settle() -> None:
            if not future.done():
                future.set_result(result)

        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(settle)
