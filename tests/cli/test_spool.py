"""`spotwatch spool` says what waits and what was refused."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from cli.spool import spool, summary
from collectors.reading import Reading
from config.loader import load
from pipeline.spool.reader import SpoolHealth
from pipeline.spool.spool import Spool, Waiting
from pipeline.store.influx.line_protocol import sample_line

QUEUED = 1_772_705_040_000  # 2026-03-05 10:04 UTC
INFLUX = """
store:
  kind: influxdb
  url: http://127.0.0.1:1
  org: city
  token: ${SPOTWATCH_TEST_TOKEN}
"""
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPOTWATCH_TEST_TOKEN", "a-secret-token")
    settings = f"city: Testville\ntimezone: Europe/Brussels\n{INFLUX}"
    (tmp_path / "spotwatch.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / "sites.csv").write_text("site,kind\nlib,library\n", encoding="utf-8")
    (tmp_path / "access_points.csv").write_text("ap,site,source\na,lib,import\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    app = typer.Typer()
    app.command()(spool)
    return lambda *options: CliRunner().invoke(app, ["--config", str(folder), *options])


def fill(folder: Path, *, refuse: bool) -> None:
    readings = [Reading("a", "lib", QUEUED + i, clients=i) for i in range(3)]
    with closing(Spool(load(folder).spool_path)) as queue:
        waiting = [Waiting(r.ap, r.site, r.ts_ms, sample_line(r)) for r in readings]
        queue.append(waiting, QUEUED)
        if refuse:
            queue.reject([(queue.oldest(1)[0], "field type conflict")], QUEUED)


def test_an_empty_spool_is_said_to_be_empty(run: Run) -> None:
    assert "Nothing waits." in run().stdout
    document = orjson.loads(run("--json").stdout)
    assert (document["lines"], document["oldest"], document["age_s"]) == (0, None, 0)


def test_depth_age_and_refused_lines(folder: Path, run: Run) -> None:
    fill(folder, refuse=True)
    plain = " ".join(run("--rejected").stdout.split())
    assert "2 lines wait, the oldest for" in plain
    assert "(since 2026-03-05 10:04 UTC)" in plain
    assert "1 lines were refused" in plain
    assert "field type" in plain
    document = orjson.loads(run("--rejected", "--json").stdout)
    assert document["lines"] == 2
    assert document["oldest"] == "2026-03-05T10:04:00Z"
    (line,) = document["rejected_lines"]
    assert (line["ap"], line["site"], line["reason"]) == ("a", "lib", "field type conflict")
    assert line["line"].startswith("sample,ap=a,site=lib clients=0i")
    assert "a-secret-token" not in plain + str(document)


def test_refused_lines_are_queued_again_when_asked_to(folder: Path, run: Run) -> None:
    fill(folder, refuse=True)
    document = orjson.loads(run("--retry", "--json").stdout)
    assert (document["queued_again"], document["lines"], document["rejected"]) == (1, 3, 0)
    assert "0 refused lines" in run("--retry").stdout


def test_the_embedded_store_has_no_spool(folder: Path, run: Run) -> None:
    settings = "city: Testville\ntimezone: Europe/Brussels\n"
    (folder / "spotwatch.yaml").write_text(settings, encoding="utf-8")
    result = run()
    assert result.exit_code == 2
    assert "store.kind" in result.stderr


def test_the_age_is_that_of_the_oldest_line() -> None:
    health = SpoolHealth(1200, 100_000, QUEUED, 0, 50_000_000, 100_000_000)
    said = summary(health, QUEUED + 90 * 60_000)
    assert said == (
        "1,200 lines wait, the oldest for 90 minutes (since 2026-03-05 10:04 UTC). "
        "The spool takes 50.0 MB, 50% of what it may."
    )
