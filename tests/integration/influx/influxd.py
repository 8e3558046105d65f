"""A real InfluxDB server: Debian's `influxd` 1.6.7 as a plain process with files of its own."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

INFLUXD = shutil.which("influxd")
MISSING = "influxd is not on the PATH (Debian: apt install influxdb)"

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[continuous_queries]
  enabled = false
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Influxd:
    """Started and stopped as often as a test likes; what it stored stays in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._config = folder / "influxdb.conf"
        self._config.write_text(
            _CONFIG.format(folder=folder, http=self.port, rpc=free_port()), encoding="utf-8"
        )
        self._log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert INFLUXD is not None, MISSING
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [INFLUXD, "-config", str(self._config)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                self.query("SHOW DATABASES")
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(self._log.read_text(encoding="utf-8")[-2000:]) from error
                time.sleep(0.02)  # a process that starts; no time is simulated by this
            else:
                return

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def query(self, statement: str, database: str = "") -> bytes:
        form = urllib.parse.urlencode({"q": statement, "db": database, "epoch": "ms"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", form, timeout=10) as answer:
            return bytes(answer.read())
