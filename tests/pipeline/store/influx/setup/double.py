"""The administrative API of InfluxDB 2 as version 2.8.0 was seen to answer, in a thread."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

ADMIN = "an-operator-token"


class Double:
    """What the server holds, to look at and to change."""

    def __init__(self) -> None:
        self.version = "v2.8.0"
        self.new = False
        self.org = {"id": "d6259fa88bbe8d08", "name": "city"}
        self.buckets: list[dict[str, Any]] = []
        self.mappings: list[dict[str, Any]] = []
        self.authorizations: list[dict[str, Any]] = []
        self.changes: list[str] = []
        """Every request that changed something."""
        self.url = ""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ping", self._ping),
            web.get("/api/v2/setup", self._setup),
            web.get("/api/v2/orgs", self._orgs),
            web.get("/api/v2/buckets", self._find_buckets),
            web.post("/api/v2/buckets", self._make_bucket),
            web.patch("/api/v2/buckets/{id}", self._change_bucket),
            web.get("/api/v2/dbrps", self._find_mappings),
            web.post("/api/v2/dbrps", self._make_mapping),
            web.get("/api/v2/authorizations", self._list_authorizations),
            web.post("/api/v2/authorizations", self._authorize),
            web.post("/query", self._query),
            web.post("/api/v2/write", self._write),
        ]

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers={"X-Influxdb-Version": self.version})

    async def _setup(self, _: web.Request) -> web.Response:
        return web.json_response({"allowed": self.new})

    async def _orgs(self, request: web.Request) -> web.Response:
        self._admit(request)
        if request.query["org"] != self.org["name"]:
            raise _error(404, f'organization name "{request.query["org"]}" not found')
        return web.json_response({"links": {"self": "/api/v2/orgs"}, "orgs": [self.org]})

    async def _find_buckets(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.query["name"]
        found = [b for b in self.buckets if b["name"] == name]
        if not found:
            raise _error(404, f'bucket "{name}" not found')
        return web.json_response({"buckets": found})

    async def _make_bucket(self, request: web.Request) -> web.Response:
        self._admit(request)
        asked = await self._changed(request)
        bucket = {"id": f"{len(self.buckets):016x}", "type": "user", **asked}
        self.buckets.append(bucket)
        return web.json_response(bucket, status=201)

    async def _change_bucket(self, request: web.Request) -> web.Response:
        self._admit(request)
        (bucket,) = (b for b in self.buckets if b["id"] == request.match_info["id"])
        bucket.update(await self._changed(request))
        return web.json_response(bucket)

    async def _find_mappings(self, request: web.Request) -> web.Response:
        self._admit(request)
        virtual = [
            {
                "id": bucket["id"],
                "database": bucket["name"],
                "retention_policy": "autogen",
                "default": True,
                "virtual": True,
                "orgID": self.org["id"],
                "bucketID": bucket["id"],
            }
            for bucket in self.buckets
        ]
        real = {m["database"] for m in self.mappings}
        every = self.mappings + [m for m in virtual if m["database"] not in real]
        found = [m for m in every if m["database"] == request.query["db"]]
        return web.json_response({"content": found})

    async def _make_mapping(self, request: web.Request) -> web.Response:
        self._admit(request)
        mapping = {"id": f"{99 + len(self.mappings):016x}", **await self._changed(request)}
        self.mappings.append({**mapping, "virtual": False})
        return web.json_response(mapping, status=201)

    async def _list_authorizations(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.json_response({"authorizations": self.authorizations})

    async def _authorize(self, request: web.Request) -> web.Response:
        self._admit(request)
        number = len(self.authorizations)
        made = {
            "id": f"{number:016x}",
            "token": f"token-{number}==",
            "status": "active",
            **await self._changed(request),
        }
        self.authorizations.append(made)
        return web.json_response(made, status=201)

    async def _query(self, request: web.Request) -> web.Response:
        form = await request.post()
        name = str(form["db"])
        if not self._may(request, "read", name):
            said = {"statement_id": 0, "error": f"database not found: {name}"}
            return web.json_response({"results": [said]}, dumps=_line)
        return web.json_response({"results": [{"statement_id": 0}]}, dumps=_line)

    async def _write(self, request: web.Request) -> web.Response:
        if not self._may(request, "write", request.query["bucket"]):
            raise _error(403, "insufficient permissions for write")
        return web.Response(status=204)

    def _admit(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Token {ADMIN}":
            raise _error(401, "unauthorized access")

    def _may(self, request: web.Request, action: str, name: str) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Token ")
        known = [a for a in self.authorizations if a["token"] == token]
        if not known:
            raise _error(401, "unauthorized access")
        ids = {b["id"] for b in self.buckets if b["name"] == name}
        return any(
            p["action"] == action and p["resource"]["id"] in ids for p in known[0]["permissions"]
        )

    async def _changed(self, request: web.Request) -> dict[str, Any]:
        self.changes.append(f"{request.method} {request.path}")
        asked: dict[str, Any] = await request.json()
        return asked


def _error(status: int, message: str) -> web.HTTPException:
    kinds = {401: web.HTTPUnauthorized, 403: web.HTTPForbidden, 404: web.HTTPNotFound}
    body = f'{{"code": "x", "message": "{message.replace(chr(34), chr(92) + chr(34))}"}}'
    return kinds[status](text=body, content_type="application/json")


def _line(document: object) -> str:
    """One document a line, as a chunked answer has them."""
    return json.dumps(document) + "\n"


@contextmanager
def serving(routes: list[web.RouteDef]) -> Iterator[str]:
    """Serve on loopback; gives the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
