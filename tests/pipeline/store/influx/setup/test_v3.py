"""InfluxDB 3: what can be done is done, the rest is said."""

from contextlib import closing
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import Step, wanted
from pipeline.store.influx.setup.setup import set_up
from tests.pipeline.store.influx.setup.double import serving


def test_databases_are_made_once_and_tokens_are_left_to_people(tmp_path: Path) -> None:
    made: list[dict[str, Any]] = []

    async def ping(_: web.Request) -> web.Response:
        return web.json_response({"version": "3.4.0"}, headers={"X-Influxdb-Version": "3.4.0"})

    async def show(_: web.Request) -> web.Response:
        return web.json_response([{"iox::database": database["db"]} for database in made])

    async def create(request: web.Request) -> web.Response:
        made.append(await request.json())
        return web.Response()

    path = "/api/v3/configure/database"
    plan = wanted(
        org="-",
        bucket="city",
        raw_days=400,
        usage_days=3653,
        writer=tmp_path / "writer",
        reader=tmp_path / "reader",
    )
    routes = [web.get("/ping", ping), web.get(path, show), web.post(path, create)]

    def run() -> dict[str, Step]:
        with closing(AdminApi(url=url, token=SecretStr("admin"))) as api:
            return {step.what: step for step in set_up(api, plan)}

    with serving(routes) as url:
        first = run()
        (tmp_path / "writer").write_text("made by hand", encoding="utf-8")
        second = run()
    assert made == [
        {"db": "city_raw", "retention_period": "400d"},
        {"db": "city_usage", "retention_period": "3653d"},
    ]
    assert first["database city_raw"].outcome == "made"
    assert second["database city_raw"].outcome == "kept"
    assert first["token city-writer"].outcome == "left"
    assert "db:city_raw,city_usage:read,write" in first["token city-writer"].note
    assert second["token city-writer"].outcome == "kept"
    assert "deletes nothing" in first["InfluxDB 3.4.0"].note
