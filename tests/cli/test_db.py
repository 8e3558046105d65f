"""`spotwatch db setup` on an InfluxDB 2: what it makes, keeps, and leaves to people."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from tests.pipeline.store.influx.setup.double import ADMIN, Double, serving

DAY_S = 86_400
SITES = "site,kind\nbib,library\n"


@pytest.fixture
def server() -> Iterator[Double]:
    double = Double()
    with serving(double.routes()) as url:
        double.url = url
        yield double


@pytest.fixture
def folder(tmp_path: Path, server: Double, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFLUX_TOKEN", ADMIN)
    (tmp_path / "spotwatch.yaml").write_text(
        "city: Valmont\ntimezone: Europe/Brussels\n"
        f"store: {{kind: influxdb, url: '{server.url}', org: city,"
        " token: 'file:secrets/influxdb-writer'}\n",
        encoding="utf-8",
    )
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "access_points.csv").write_text("ap,site,source\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["db", "setup", "--config", str(folder), *options])


def steps(folder: Path, *options: str) -> dict[str, Any]:
    result = run(folder, "--json", *options)
    assert result.exit_code == 0, result.output
    return {step["what"]: step for step in orjson.loads(result.stdout)["steps"]}


def test_a_bare_server_gets_all_that_a_deployment_needs(folder: Path, server: Double) -> None:
    done = steps(folder)
    assert {step["outcome"] for step in done.values()} == {"made"}
    assert {
        b["name"]: [r["everySeconds"] // DAY_S for r in b["retentionRules"]] for b in server.buckets
    } == {"spotwatch_raw": [400], "spotwatch_usage": [3653]}
    ids = {b["name"]: b["id"] for b in server.buckets}
    assert {(m["database"], m["bucketID"], m["default"]) for m in server.mappings} == {
        (name, bucket, True) for name, bucket in ids.items()
    }
    may = {
        a["description"]: {(p["action"], p["resource"]["id"]) for p in a["permissions"]}
        for a in server.authorizations
    }
    reads = {("read", bucket) for bucket in ids.values()}
    assert may == {
        "spotwatch-writer": reads | {("write", bucket) for bucket in ids.values()},
        "spotwatch-reader": reads,
    }


def test_tokens_are_in_files_of_their_owner_and_nowhere_else(folder: Path, server: Double) -> None:
    result = run(folder)
    assert result.exit_code == 0
    for name, made in zip(("writer", "reader"), server.authorizations, strict=True):
        path = folder / "secrets" / f"influxdb-{name}"
        assert path.read_text(encoding="utf-8").strip() == made["token"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert made["token"] not in result.output
    assert ADMIN not in result.output
    assert "store: token:" not in result.output  # the settings name the file already
    elsewhere = run(folder, "--writer", "elsewhere")
    assert "token: file:elsewhere" in elsewhere.output


def test_the_second_time_changes_nothing(folder: Path, server: Double) -> None:
    steps(folder)
    server.changes.clear()
    assert {step["outcome"] for step in steps(folder).values()} == {"kept"}
    assert server.changes == []


def test_a_retention_is_lengthened_and_never_shortened(folder: Path, server: Double) -> None:
    steps(folder)
    raw, usage = server.buckets
    raw["retentionRules"][0]["everySeconds"] = 30 * DAY_S
    usage["retentionRules"] = []  # for ever
    server.changes.clear()
    done = steps(folder)
    assert done["bucket spotwatch_raw"]["outcome"] == "changed"
    assert raw["retentionRules"][0]["everySeconds"] == 400 * DAY_S
    assert done["bucket spotwatch_usage"]["outcome"] == "left"
    assert usage["id"] in done["bucket spotwatch_usage"]["note"]
    assert server.changes == [f"PATCH /api/v2/buckets/{raw['id']}"]


def test_a_token_that_was_lost_or_may_too_little_is_made_anew(folder: Path, server: Double) -> None:
    steps(folder)
    former = server.authorizations[0]
    former["permissions"] = [p for p in former["permissions"] if p["action"] == "read"]
    (folder / "secrets" / "influxdb-reader").unlink()
    done = steps(folder)
    for name, number in (("writer", 0), ("reader", 1)):
        step = done[f"token spotwatch-{name}"]
        assert step["outcome"] == "made"
        assert f"influx auth delete --id {number:016x}" in step["note"]
    kept = (folder / "secrets" / "influxdb-writer").read_text(encoding="utf-8").strip()
    assert kept == server.authorizations[2]["token"]


def test_a_mapping_to_another_bucket_is_left_to_people(folder: Path, server: Double) -> None:
    steps(folder)
    server.mappings[0]["bucketID"] = "ffffffffffffffff"
    step = steps(folder)["DBRP mapping spotwatch_raw"]
    assert step["outcome"] == "left"
    assert f"influx v1 dbrp delete --id {server.mappings[0]['id']}" in step["note"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"new": True}, "run `influx setup` first"),
        ({"org": {"id": "0", "name": "town"}}, 'organization name "city" not found'),
        ({"version": "v9.1"}, "says that it is InfluxDB 9.1"),
        ({"version": ""}, "not as an InfluxDB does"),
    ],
)
def test_a_server_that_cannot_be_set_up_is_told(
    folder: Path, server: Double, change: dict[str, Any], said: str
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    result = run(folder)
    assert result.exit_code == 1
    assert said in result.stderr
    assert server.changes == []


def test_a_token_that_is_no_administrators_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "admin").write_text("wrong\n", encoding="utf-8")
    result = run(folder, "--admin-token", str(folder / "admin"))
    assert result.exit_code == 1
    assert "answered 401" in result.stderr
    monkeypatch.delenv("INFLUX_TOKEN")
    result = run(folder)
    assert result.exit_code == 2
    assert "$INFLUX_TOKEN holds no token" in result.stderr


def test_a_server_that_is_away_is_told(folder: Path) -> None:
    settings = folder / "spotwatch.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("http://127.0.0.1:", "http://127.0.0.1:1#"), encoding="utf-8")
    assert run(folder).exit_code == 2
    settings.write_text(
        text.replace(text[text.index("http") : text.index("', org")], "http://127.0.0.1:1"),
        encoding="utf-8",
    )
    result = run(folder)
    assert result.exit_code == 1
    assert "http://127.0.0.1:1 cannot be reached" in result.stderr


def test_the_embedded_store_needs_no_setup(folder: Path) -> None:
    (folder / "spotwatch.yaml").write_text("city: x\ntimezone: Europe/Brussels\n")
    result = run(folder)
    assert result.exit_code == 2
    assert "store.kind: is sqlite, which needs no setup" in result.stderr
