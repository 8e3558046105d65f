"""`spotwatch import --sessions`, as an operator runs it."""

import csv
from collections.abc import Callable
from pathlib import Path

import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from cli.app import app

T = "2026-03-05T10:{:02}:00Z"
MAC = "02:1a:2b:3c:4d:5e"
MIXED = "\n".join(
    [
        "site;start;duration_s;device;rx_bytes;tx_bytes",
        f"library;{T.format(0)};600,5;{MAC};100;200",
        f"library;{T.format(12)};300;{MAC};100;",
        f"library;{T.format(0)};20;other;;",
        f"libary;{T.format(0)};20;{MAC};;",
        f"library;{MAC};20;{MAC};;",
    ]
)
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\n",
        "sessions.csv": MIXED,
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(command: str, *files: str) -> Result:
        paths = [str(folder / file) for file in files]
        return CliRunner().invoke(app, [*command.split(), *paths, "--config", str(folder)])

    return invoke


def test_json_says_what_came_of_every_row(run: Run) -> None:
    result = run("import --sessions --json", "sessions.csv")
    assert result.exit_code == 0
    said = orjson.loads(result.stdout)
    examples = said.pop("examples")
    assert said == {
        "rows": 5,
        "imported": 3,
        "refused": 2,
        "sessions": 2,
        "added": 2,
        "passers_by": 1,
        "devices": True,
        "reasons": {"unknown site": 1, "no time": 1},
        "first": "2026-03-05T10:00:00Z",
        "last": "2026-03-05T10:00:00Z",
        "sites": 1,
    }
    assert [(e["line"], e["column"]) for e in examples] == [(5, "site"), (6, "start")]
    assert "did you mean 'library'" in examples[0]["message"]


def test_an_operator_reads_what_came_of_it_and_no_address(run: Run, folder: Path) -> None:
    result = run(f"import --sessions --rejected {folder / 'no.csv'}", "sessions.csv")
    assert result.exit_code == 0
    assert "3 of 5 rows imported: 2 sessions at 1 site," in result.stdout
    assert "1 of them shorter than 60 s" in result.stdout
    assert f"{folder}/sessions.csv:5: site: 'libary' is not in sites.csv" in result.stderr
    with (folder / "no.csv").open(newline="", encoding="utf-8") as file:
        refused = list(csv.DictReader(file))
    assert [(row["line"], row["reason"]) for row in refused] == [
        ("5", "unknown site"), ("6", "no time")
    ]  # fmt: skip
    said = result.stdout + result.stderr + (folder / "no.csv").read_text(encoding="utf-8")
    assert "1a:2b" not in said


def test_again_nothing_is_added(run: Run) -> None:
    run("import --sessions", "sessions.csv")
    again = run("import --sessions", "sessions.csv")
    assert "2 of them were there already" in again.stdout


def test_sessions_stay_in_usage_when_samples_of_the_same_time_come(run: Run, folder: Path) -> None:
    run("import --sessions", "sessions.csv")
    rows = "".join(f"{T.format(minute)},ap-1,6\n" for minute in range(0, 60, 5))
    (folder / "samples.csv").write_text("ts,ap,clients\n" + rows, encoding="utf-8")
    assert run("import", "samples.csv").exit_code == 0
    span = "--from 2026-03-05 --to 2026-03-06"
    for command in ("usage", "recompute", "usage"):
        result = run(f"{command} {span} --json" + (" --by total" if command == "usage" else ""))
        assert result.exit_code == 0
        if command == "usage":
            library = next(r for r in orjson.loads(result.stdout) if r["site"] == "library")
            assert library["sessions"] == 1
            # The last sample holds for half an interval longer.
            assert library["user_hours"] == 6 * 62.5 / 60


def test_parquet_holds_sessions_too(run: Run, folder: Path) -> None:
    starts = pd.to_datetime([T.format(0), T.format(5)])
    frame = pd.DataFrame({"site": "parc", "start": starts, "duration_s": [90.5, 30.0]})
    frame.to_parquet(folder / "sessions.parquet")
    result = run("import --sessions --json", "sessions.parquet")
    said = orjson.loads(result.stdout)
    assert (said["sessions"], said["passers_by"], said["devices"]) == (2, 1, False)


def test_files_of_one_history_may_come_together(run: Run, folder: Path) -> None:
    lines = MIXED.split("\n")
    (folder / "a.csv").write_text("\n".join(lines[:2]), encoding="utf-8")
    (folder / "b.csv").write_text("\n".join([lines[0], lines[2]]), encoding="utf-8")
    said = orjson.loads(run("import --sessions --json", "a.csv", "b.csv").stdout)
    assert (said["rows"], said["sessions"]) == (2, 1)


@pytest.mark.parametrize(
    ("command", "files", "message"),
    [
        ("import --sessions --mapping zabbix", ["sessions.csv"], "--mapping: is of samples"),
        ("import --sessions --poll-seconds 60", ["sessions.csv"], "--poll-seconds: is of samples"),
        ("import", ["sessions.csv", "spotwatch.yaml"], "one file at a time"),
        ("import --sessions", ["none.csv"], "there is no such file"),
        ("import --sessions", ["sites.csv"], "start: the column is missing"),
        ("import --sessions --timezone Mars", ["sessions.csv"], "no time zone"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, command: str, files: list[str], message: str) -> None:
    result = run(command, *files)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_when_every_row_is_refused_the_input_is_wrong(run: Run, folder: Path) -> None:
    (folder / "bad.csv").write_text("site,start,duration_s\nparc,x,1\n", encoding="utf-8")
    assert run("import --sessions", "bad.csv").exit_code == 2
