"""An HTTP server on loopback that keeps what it is told, and can fail as servers do."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

OK = 200
RESET = -1
HANG = -2
TAKEN_UNSAID = -3
"""It is taken, and no answer comes."""


@dataclass
class Endpoint:
    """Where messages arrive."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """One for each of the next requests, then `usual`: a status, RESET, HANG or TAKEN_UNSAID."""
    usual: int = OK
    taken: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that arrived for good: answered with a 2xx, or not answered in time."""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    """Path, headers and body of each."""
    released: threading.Event = field(default_factory=threading.Event)
    more: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, patience_s: float = 20) -> None:
        """Until so many were taken."""
        with self.more:
            enough = self.more.wait_for(lambda: len(self.taken) >= count, patience_s)
        assert enough, f"{len(self.taken)} of {count}"

    def wait_for_requests(self, count: int, patience_s: float = 20) -> None:
        with self.more:
            enough = self.more.wait_for(lambda: len(self.requests) >= count, patience_s)
        assert enough, f"{len(self.requests)} of {count}"

    def url(self, rest: str = "alerts") -> str:
        """For apprise: it waits 0.3 s."""
        return f"json://user:hunter2-secret@127.0.0.1:{self.port}/{rest}?rto=0.3&cto=0.3"


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Listen on any free port."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with found.more:
                found.requests.append((self.path, dict(self.headers), body))
                answer = found.answers.pop(0) if found.answers else found.usual
                found.more.notify_all()
            if 200 <= answer < 300 or answer == TAKEN_UNSAID:
                with found.more:
                    found.taken.append(body)
                    found.more.notify_all()
            if answer in (HANG, TAKEN_UNSAID):
                found.released.wait(30)
            if answer in (HANG, TAKEN_UNSAID, RESET):
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                return
            said = b"no" if answer != OK else b""
            self.send_response(answer)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # the one who waited for an answer has gone

    server = Server(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
