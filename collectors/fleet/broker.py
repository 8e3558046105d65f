"""A broker of one's own for the demo and the tests: loopback only, on any free port.

mosquitto where it is installed (MQTT 5; sessions survive a restart), else amqtt, which pip brings.
amqtt 0.12 speaks MQTT 3.1.1, keeps nothing for an anonymous client that is away, and gives up a
message that is not acknowledged within 5 s or before the connection ends: enough for a demo, not
for a city. Either runs as a child process.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import yaml

Kind = Literal["mosquitto", "amqtt"]

_START_S: Final = 15.0
_STOP_S: Final = 10.0
_CONNECT_311: Final = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05probe"
"""CONNECT of MQTT 3.1.1: clean session, keep alive 10 s, client id `probe` (section 3.1)."""


class BrokerError(Exception):
    """No broker could be started; the message says why and what to do."""


def find_mosquitto() -> str | None:
    """Path of mosquitto. Debian installs it in /usr/sbin, which users do not have on their PATH."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mosquitto", path=search)


def start_broker(
    host: str = "127.0.0.1",
    port: int = 0,
    state_dir: Path | None = None,
    *,
    kind: Kind | None = None,
) -> "Broker":
    """Return a broker to enter with `with` or `async with`; it runs until that block ends.

    port: 0 is any free one, known once entered. state_dir: where mosquitto keeps its sessions and
    both their log; without it a temporary folder. kind: None takes mosquitto where installed, else
    amqtt.
    """
    return Broker(host, port, state_dir, kind)


class Broker:
    """A child process that speaks MQTT to anybody on this machine. See `start_broker`."""

    def __init__(self, host: str, port: int, state_dir: Path | None, kind: Kind | None) -> None:
        self.host = host
        self.port = port
        self.kind: Kind = kind or ("mosquitto" if find_mosquitto() else "amqtt")
        self._state_dir = state_dir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start; return once it answers a CONNECT.

        Raises BrokerError when the port is taken, or the broker does not start.
        """
        self.port = _free_port(self.host, self.port)
        folder = self._folder()
        log_path = folder / "broker.log"
        try:
            with log_path.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - our own configuration, no shell
                    self._command(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self._wait_until_it_answers(self._process, log_path)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        """Start without blocking the event loop."""
        starting = asyncio.create_task(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be interrupted; what it starts must not outlive us.
            await asyncio.wait([starting])
            self.stop()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """Ask it to end and wait; mosquitto writes its sessions to state_dir."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _folder(self) -> Path:
        if self._state_dir is not None:
            self._state_dir.mkdir(parents=True, exist_ok=True)
            return self._state_dir.resolve()
        self._temporary = tempfile.TemporaryDirectory(prefix="spotwatch-broker-")
        return Path(self._temporary.name)

    def _command(self, folder: Path) -> list[str]:
        if self.kind == "mosquitto":
            mosquitto = find_mosquitto()
            if mosquitto is None:
                raise BrokerError(
                    "mosquitto is not installed: install it with your system's package manager, "
                    "or let the broker be amqtt"
                )
            config = folder / "mosquitto.conf"
            config.write_text(_mosquitto_config(self.host, self.port, folder), encoding="utf-8")
            return [mosquitto, "-c", str(config)]
        config = folder / "amqtt.yaml"
        config.write_text(_amqtt_config(self.host, self.port), encoding="utf-8")
        return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise BrokerError(
                    f"{self.kind} ended at once with code {process.returncode}: {_tail(log)}"
                )
            if _answers(self.host, self.port):
                return
            time.sleep(0.02)
        raise BrokerError(
            f"{self.kind} did not answer on {self.host}:{self.port} within {_START_S:.0f} s: "
            f"{_tail(log)}"
        )


def _free_port(host: str, port: int) -> int:
    """Find a free port, or check that the given one is: a stranger there would answer for us."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BrokerError(
                f"cannot listen on {host}:{port}: {error.strerror}; "
                "choose another port, or 0 for any free one"
            ) from error
        found: int = probe.getsockname()[1]
        return found


def _answers(host: str, port: int) -> bool:
    """Whether a CONNECT is accepted: a CONNACK with return code 0."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(_CONNECT_311)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")  # DISCONNECT
    except OSError:
        return False
    return answer == b"\x20\x02\x00\x00"


def _mosquitto_config(host: str, port: int, folder: Path) -> str:
    lines = [
        f"listener {port} {host}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        # Were it killed, about a second of messages would be lost.
        "autosave_interval 1",
        # By default the broker throws away what exceeds 1000 messages for a client that is away,
        # and slows a busy one down to 20 at a time.
        "max_queued_messages 0",
        "max_inflight_messages 0",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "connection_messages false",
    ]
    if os.geteuid() == 0:
        # It would become the user `mosquitto`, who may not exist and may not write to the folder.
        lines.append("user root")
    return "\n".join(lines) + "\n"


def _amqtt_config(host: str, port: int) -> str:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return yaml.safe_dump(
        {
            "listeners": {"default": {"type": "tcp", "bind": bind}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return " | ".join(line.strip() for line in lines[-6:] if line.strip()) or "it said nothing"
