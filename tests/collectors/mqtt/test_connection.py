"""Brokers that refuse, keep silent, hang up or speak TLS, and what the operator is told."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from collectors.fleet.broker import start_broker
from collectors.mqtt.backoff import Backoff
from collectors.mqtt.collector import MqttCollector

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]

SOON = Backoff(first_s=0.02, most_s=0.1)
CONNACK = {5: b"\x20\x03\x00\x00\x00", 4: b"\x20\x02\x00\x00"}
"""By protocol level; 4 is MQTT 3.1.1."""


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve TCP on loopback, at the port given back; drop what is still open at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await server.wait_closed()


@asynccontextmanager
async def collecting(deployment: Any, store: Any) -> AsyncIterator[MqttCollector]:
    collector = MqttCollector(deployment, store, store, store, backoff=SOON)
    await collector.start()
    try:
        yield collector
    finally:
        await collector.stop()


async def trouble(collector: MqttCollector) -> str:
    """What health says once the first attempt has failed."""
    async with asyncio.timeout(10):
        while collector.counters.reconnects == 0:  # noqa: ASYNC110 - a thread changes it
            await asyncio.sleep(0.005)
    assert not collector.health().ok
    return collector.health().detail


async def packet(reader: Reader) -> bytes:
    """Read a packet shorter than 128 octets."""
    kind, length = await reader.readexactly(2)
    return bytes([kind, length]) + await reader.readexactly(length)


def accepting(version: int, granted: bytes = b"\x01\x01", refusal: bytes = b"") -> Handler:
    """Speak one version: grant two subscriptions so, answer UNSUBSCRIBE too. Refuse another."""
    properties = b"\x00" if version == 5 else b""

    async def handler(reader: Reader, writer: Writer) -> None:
        connect = await packet(reader)
        if connect[8] != version:
            writer.write(refusal)
            await writer.drain()
            return
        writer.write(CONNACK[version])
        while True:
            request = await packet(reader)
            number = request[2:4]
            match request[0]:
                case 0x82:  # SUBSCRIBE
                    answer, codes = 0x90, granted
                case 0xA2:  # UNSUBSCRIBE
                    answer, codes = 0xB0, b"\x00" if version == 5 else b""
                case _:
                    return
            body = number + properties + codes
            writer.write(bytes([answer, len(body)]) + body)

    return handler


def answering(answer: bytes, received: list[bytes]) -> Handler:
    async def handler(reader: Reader, writer: Writer) -> None:
        received.append(await packet(reader))
        writer.write(answer)
        await writer.drain()
        await reader.read()

    return handler


async def test_a_broker_that_is_not_there_is_named_and_found_later(
    make_deployment: Any, store: Any
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with capture_logs() as logs:
        async with collecting(make_deployment(port=port), store) as collector:
            assert f"127.0.0.1:{port}: nothing listens there" in await trouble(collector)
            async with start_broker(port=port), asyncio.timeout(10):
                await collector.wait_connected()
    entry = next(e for e in logs if e["event"] == "mqtt not connected")
    assert entry["broker"] == f"127.0.0.1:{port}"
    assert "check" in entry["reason"] or "right?" in entry["reason"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"\x20\x03\x00\x86\x00", "Bad user name or password; check mqtt.username"),
        (b"\x20\x03\x00\x87\x00", "Not authorized; check mqtt.username and mqtt.password"),
        (b"\x20\x03\x00\x85\x00", "Client identifier not valid; choose another mqtt.client_id"),
        (b"\x20\x03\x00\x88\x00", "Server unavailable; see the broker's log"),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_to_check(
    make_deployment: Any, store: Any, answer: bytes, told: str
) -> None:
    received: list[bytes] = []
    async with serving(answering(answer, received)) as port:
        deployment = make_deployment(port=port, username="city", password=SecretStr("hunter2"))
        with capture_logs() as logs:
            async with collecting(deployment, store) as collector:
                assert told in await trouble(collector)
    assert received[0].endswith(b"\x00\x04city\x00\x07hunter2")
    assert "hunter2" not in repr(logs)


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", b""])
async def test_an_old_broker_is_spoken_to_in_3_1_1(
    make_deployment: Any, store: Any, refusal: bytes
) -> None:
    async with (
        serving(accepting(4, refusal=refusal)) as port,
        collecting(make_deployment(port=port), store) as collector,
        asyncio.timeout(10),
    ):
        await collector.wait_connected()


async def test_what_the_broker_says_in_farewell_is_told(make_deployment: Any, store: Any) -> None:
    farewell_said = False

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal farewell_said
        if farewell_said:
            # Who connects again is not answered, and so cannot be well again before we look.
            await asyncio.Event().wait()
        farewell_said = True
        writer.write(CONNACK[5])
        connect, subscribe = await packet(reader), await packet(reader)
        assert connect
        writer.write(b"\x90\x05" + subscribe[2:4] + b"\x00\x01\x01")
        writer.write(b"\xe0\x02\x8e\x00")  # DISCONNECT: session taken over
        await writer.drain()

    async with (
        serving(handler) as port,
        collecting(make_deployment(port=port), store) as collector,
    ):
        assert "give each its own" in await trouble(collector)


async def test_a_refused_subscription_is_not_ok(make_deployment: Any, store: Any) -> None:
    async with (
        serving(accepting(5, b"\x01\x87")) as port,
        collecting(make_deployment(port=port), store) as collector,
        asyncio.timeout(10),
    ):
        await collector.wait_connected()
        assert not collector.health().ok
        assert "hotspots/+/+/status" in collector.health().detail


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "broker.pem", tmp_path / "broker.key"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def in_front_of(port: int) -> Handler:
    """Passes octets to and fro, so that any broker speaks TLS."""

    async def pipe(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def handler(reader: Reader, writer: Writer) -> None:
        to_broker, from_broker = None, None
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, to_broker), pipe(from_broker, writer))

    return handler


async def test_tls_with_the_authority_of_the_deployment(
    make_deployment: Any, store: Any, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with start_broker() as broker, serving(in_front_of(broker.port), context) as port:
        deployment = make_deployment(port=port, tls=True, ca_file=cert.name)
        async with collecting(deployment, store) as collector, asyncio.timeout(10):
            await collector.wait_connected()
        async with collecting(make_deployment(port=port, tls=True), store) as collector:
            told = await trouble(collector)
    assert "certificate is not trusted" in told
    assert "mqtt.ca_file" in told


async def test_tls_on_a_port_that_does_not_speak_it(make_deployment: Any, store: Any) -> None:
    async def handler(reader: Reader, writer: Writer) -> None:
        await reader.read(5)
        writer.write(CONNACK[4])
        await writer.drain()

    async with (
        serving(handler) as port,
        collecting(make_deployment(port=port, tls=True), store) as collector,
    ):
        assert "does it speak TLS on this port?" in await trouble(collector)


async def test_a_certificate_file_that_cannot_be_read(
    make_deployment: Any, store: Any, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing of the kind")
    deployment = make_deployment(tls=True, ca_file="ca.pem")
    async with collecting(deployment, store) as collector:
        assert f"mqtt.ca_file: cannot read {tmp_path / 'ca.pem'}" in await trouble(collector)
