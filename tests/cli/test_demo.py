"""The demo's folder: it refuses what is not its own, and goes on with what is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.demo_folder import open_folder
from cli.demo_history import catch_up, planned_hours
from cli.stores import opened
from config.loader import load

NOW = datetime(2026, 11, 18, 10, 5, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
QUARTER_MS = 900_000

run = CliRunner().invoke


def test_a_new_folder_is_a_deployment_that_loads(tmp_path: Path) -> None:
    city = open_folder(tmp_path / "new", days=None, seed=None, fresh=False, now=NOW)
    city.write_files({"wlc-sports": 4161, "parc-haute-rive-1": 4162}, mqtt=4883)
    deployment = load(tmp_path / "new")
    assert deployment.controllers["wlc-sports"].port == 4161
    assert deployment.access_points["parc-haute-rive-1"].port == 4162
    assert deployment.settings.mqtt
    assert deployment.settings.mqtt.port == 4883
    [closure] = deployment.closures
    assert closure.end - closure.start >= timedelta(days=35, hours=-1)
    assert closure.end < NOW
    [maintenance] = deployment.maintenance
    assert maintenance.end - maintenance.start == timedelta(hours=5)


def test_a_second_start_goes_on_with_the_same_city(tmp_path: Path) -> None:
    first = open_folder(tmp_path, days=20, seed=7, fresh=False, now=NOW)
    first.is_filled(1234)
    second = open_folder(tmp_path, days=None, seed=None, fresh=False, now=LATER)
    assert second.plan == first.plan
    assert second.filled_until_ms == 1234


def test_a_later_start_imports_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    counts = []
    for now in (NOW, NOW + timedelta(hours=2)):
        now_ms = int(now.timestamp() * 1000)
        city = open_folder(tmp_path, days=1, seed=None, fresh=False, now=now)
        city.write_files({}, None)
        deployment = load(tmp_path)
        catch_up(city, deployment, planned_hours(deployment, city.plan, now_ms), now_ms)
        with opened(deployment) as (store, state):
            samples = store.read_samples(0, now_ms)
            assert state.closed_until_ms() == now_ms // QUARTER_MS * QUARTER_MS
            usage = store.read_usage("15min", 0, now_ms)
        counts.append(samples["ap"].value_counts())
        assert not samples.duplicated(["ap", "ts_ms"]).any()
        # To the last whole quarter of an hour, every AP was polled in each.
        whole = usage[usage["start_ms"] >= now_ms - 86_400_000]
        assert (whole["covered_ms"] > 0.9 * whole["expected_ms"]).all()
    assert set(counts[1] - counts[0]) == {8}


def test_fresh_forgets_the_city_and_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    first = open_folder(tmp_path, days=20, seed=7, fresh=False, now=NOW)
    first.write_files({}, None)
    (tmp_path / "spotwatch.db").write_bytes(b"old")
    (tmp_path / "state").mkdir()
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    second = open_folder(tmp_path, days=10, seed=None, fresh=True, now=LATER)
    assert second.plan.began_ms > first.plan.began_ms
    assert second.plan.days == 10
    assert second.filled_until_ms is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo.json", "notes.txt"]


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, fresh: list[str]) -> None:
    (tmp_path / "thesis.doc").write_text("ten years", encoding="utf-8")
    result = run(app, ["demo", "--once", "--dir", str(tmp_path), *fresh])
    assert result.exit_code == 2
    assert "holds something else" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    result = run(app, ["demo", "--once", "--dir", str(file)])
    assert result.exit_code == 2
    assert str(file) in result.stderr.replace("\n", "")


@pytest.mark.parametrize("other", [["--days", "30"], ["--seed", "8"]])
def test_another_city_than_the_one_that_is_there_is_refused(
    tmp_path: Path, other: list[str]
) -> None:
    open_folder(tmp_path, days=20, seed=7, fresh=False, now=NOW)
    result = run(app, ["demo", "--once", "--dir", str(tmp_path), *other])
    assert result.exit_code == 2
    assert other[0] in result.stderr
    assert "--fresh" in result.stderr


@pytest.mark.parametrize("record", [b"{", b"[]", b'{"days": 3}', orjson.dumps({"began_ms": 1})])
def test_a_damaged_record_is_told(tmp_path: Path, record: bytes) -> None:
    (tmp_path / "demo.json").write_bytes(record)
    result = run(app, ["demo", "--once", "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "damaged" in result.stderr


def test_json_is_for_one_pass() -> None:
    result = run(app, ["demo", "--json"])
    assert result.exit_code == 2
    assert "--once" in result.stderr
