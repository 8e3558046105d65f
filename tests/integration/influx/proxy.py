"""What InfluxDB 2 has and 1.6 lacks, in front of 1.6: its write endpoint, tokens and errors.

And the faults of a bad day, one for each coming write.
"""

import asyncio
import contextlib
import gzip
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from aiohttp import ClientSession, web

CODES = {
    400: "invalid",
    401: "unauthorized",
    404: "not found",
    413: "request too large",
    422: "unprocessable entity",
    429: "too many requests",
    503: "unavailable",
}
PRECISION = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}


@dataclass(frozen=True)
class Fault:
    """What happens to one write."""

    status: int = 0
    """Answer this, and write nothing."""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    """Cut the connection instead of answering."""
    hang: bool = False
    """Never answer."""
    after_writing: bool = False
    """Let the write take place first."""


class Proxy:
    """Runs in a thread of its own, so that the blocking client can be tested as it is used."""

    def __init__(self, upstream: str, token: str) -> None:
        self.upstream = upstream
        self.token = token
        self.faults: deque[Fault] = deque()
        self.refuse: bytes | None = None
        """A write with this in it is refused whole, as InfluxDB 2 does; 1.6 keeps the rest."""
        self.writes: list[int] = []
        """Lines of each write that was asked for."""
        self.encodings: set[str | None] = set()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; again on the same port after `stop`."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        """Refuse connections, as a server that is down."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._released = asyncio.Event()
        app = web.Application(client_max_size=64 << 20, handler_args={"auto_decompress": False})
        app.cleanup_ctx.append(self._session)
        app.add_routes(
            [
                web.post("/api/v2/write", self._write),
                web.get("/health", self._health),
                web.route("*", "/{path:query|ping}", self._pass_on),
                web.route("*", "/{path:.*}", self._not_found),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        (address,) = self._runner.addresses
        self.port = address[1]

    async def _stop(self) -> None:
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _session(self, app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(
            auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
        ) as session:
            self._client = session
            yield

    async def _write(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        encoding = request.headers.get("Content-Encoding")
        self.encodings.add(encoding)
        lines = gzip.decompress(content) if encoding == "gzip" else content
        self.writes.append(lines.count(b"\n") + 1)
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            return await self._write_upstream(request, content, lines)
        if fault.after_writing:
            answer = await self._write_upstream(request, content, lines)
            assert answer.status == 204
        if fault.hang:
            await self._released.wait()
        if fault.reset or fault.hang:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return _error(fault.status, "injected", fault.headers)

    async def _write_upstream(
        self, request: web.Request, content: bytes, lines: bytes
    ) -> web.Response:
        if not self._admits(request):
            return _error(401, "unauthorized access")
        if self.refuse is not None and self.refuse in lines:
            return _error(400, f"unable to parse: {self.refuse.decode()}")
        database, _, policy = request.query["bucket"].partition("/")
        params = {"db": database, "precision": PRECISION[request.query["precision"]]}
        if policy:
            params["rp"] = policy
        kept = ("Content-Encoding", "Content-Type")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        async with self._client.post(
            f"{self.upstream}/write", params=params, data=content, headers=headers
        ) as answer:
            if answer.status == 204:
                return web.Response(status=204)
            reason = (await answer.json()).get("error", "")
        if answer.status == 404:
            return _error(404, f'bucket "{database}" not found')
        if "field type conflict" in reason or "beyond retention policy" in reason:
            return _error(422, f"failure writing points to database: {reason}")
        return _error(answer.status, reason)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        if not self._admits(request):
            return _error(401, "unauthorized access")
        content = await request.read()
        headers = {
            name: request.headers[name]
            for name in ("Content-Type", "Accept")
            if name in request.headers
        }
        async with self._client.request(
            request.method, f"{self.upstream}{request.rel_url}", data=content, headers=headers
        ) as answer:
            asked = parse_qs(content.decode())
            if answer.status == 200 and asked.get("q", [""])[0].startswith("DELETE"):
                return web.Response(body=b"" if "chunked" in asked else b"{}")
            response = web.StreamResponse(status=answer.status)
            response.content_type = answer.content_type
            await response.prepare(request)
            with contextlib.suppress(ConnectionResetError):
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
            return response

    def _admits(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Token {self.token}"

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "influxdb", "status": "pass", "version": "v2 by proxy"})

    async def _not_found(self, _: web.Request) -> web.Response:
        return _error(404, "path not found")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    code = CODES.get(status, "internal error")
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)
