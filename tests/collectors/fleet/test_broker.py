"""The broker of the demo, as a child process on loopback."""

import os
import socket
from pathlib import Path

import pytest

from collectors.fleet.broker import BrokerError, Kind, find_mosquitto, start_broker

needs_mosquitto = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
KINDS = [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"]

PERSISTENT_CONNECT = b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x3c\x00\x03abc"


def session_present(host: str, port: int) -> bool:
    """Connect as `abc` with clean_session=False and read the flag of the CONNACK."""
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(PERSISTENT_CONNECT)
        answer = connection.recv(4)
        if answer[2] == 0:  # an empty session is not kept: subscribe to something
            connection.sendall(b"\x82\x06\x00\x01\x00\x01a\x01")
            connection.recv(5)
        connection.sendall(b"\xe0\x00")
    assert answer[:2] == b"\x20\x02"
    assert answer[3] == 0
    return answer[2] == 1


def refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_answers_inside_the_block_and_not_after_it(kind: Kind) -> None:
    with start_broker(kind=kind) as broker:
        assert broker.port > 0
        assert not session_present(broker.host, broker.port)
    assert refuses(broker.host, broker.port)


async def test_async_block() -> None:
    async with start_broker() as broker:
        assert not session_present(broker.host, broker.port)
    assert refuses(broker.host, broker.port)


@needs_mosquitto
def test_sessions_survive_a_restart(tmp_path: Path) -> None:
    with start_broker(state_dir=tmp_path / "broker") as first:
        assert not session_present(first.host, first.port)
        assert session_present(first.host, first.port)
    with start_broker(port=first.port, state_dir=tmp_path / "broker") as second:
        assert second.port == first.port
        assert session_present(second.host, second.port)


def test_a_taken_port_is_named_before_a_stranger_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"127\.0\.0\.1:{port}.*choose another port"):
            start_broker(port=port).__enter__()


def test_a_broker_that_ends_at_once_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\necho 'no such library'\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(BrokerError, match="code 3: no such library"):
        start_broker(kind="mosquitto").__enter__()
