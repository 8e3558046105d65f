"""`spotwatch import`, as an operator runs it."""

import csv
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app

T = "2026-03-05T10:{:02}:00Z"
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\nap-2,parc,import\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(content: str | bytes, *options: str, name: str = "history.csv") -> Result:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return CliRunner().invoke(app, ["import", str(path), *options, "--config", str(folder)])

    return invoke


MIXED = "\n".join(
    [
        "ts,ap,site,clients",
        f"{T.format(0)},ap-1,,3",
        f"{T.format(5)},ap-1,parc,4",
        f"{T.format(5)},ap-1,parc,5",
        f"{T.format(0)},ap-3,,1",
        f"{T.format(0)},ap-2,,many",
    ]
)


def test_json_says_what_came_of_every_row(run: Run) -> None:
    result = run(MIXED, "--json")
    assert result.exit_code == 0
    said = orjson.loads(result.stdout)
    examples = said.pop("examples")
    assert {name: said[name] for name in said if name not in ("spacing_s", "poll_seconds")} == {
        "rows": 5,
        "imported": 3,
        "refused": 2,
        "duplicates": 1,
        "samples": 2,
        "left_out": {},
        "unknown_aps": {"ap-3": 1},
        "reasons": {"unknown access point": 1, "no whole number in range": 1},
        "first": "2026-03-05T10:00:00Z",
        "last": "2026-03-05T10:05:00Z",
        "sites": 2,
        "aps": 1,
    }
    assert [(e["line"], e["column"]) for e in examples] == [(5, "ap"), (6, "clients")]
    assert "'many' is not a whole number from 0" in examples[1]["message"]


def test_usage_is_up_to_date_afterwards(run: Run, folder: Path) -> None:
    rows = "".join(f"{T.format(m)},ap-1,6\n" for m in range(0, 60, 5))
    assert run("ts,ap,clients\n" + rows).exit_code == 0
    result = CliRunner().invoke(
        app,
        "usage --from 2026-03-05T10:00:00Z --to 2026-03-05T11:00:00Z --by total --json "
        f"--config {folder}",
    )
    library = next(row for row in orjson.loads(result.stdout) if row["site"] == "library")
    assert library["user_hours"] == 6
    assert library["coverage"] == 1


def test_an_operator_reads_file_line_column_and_what_is_allowed(run: Run, folder: Path) -> None:
    result = run(MIXED)
    assert result.exit_code == 0
    assert "3 of 5 rows imported" in result.stdout
    assert f"{folder}/history.csv:6: clients: 'many' is not a whole number" in result.stderr


def test_when_every_row_is_refused_the_input_is_wrong(run: Run) -> None:
    result = run(f"ts,ap,clients\n{T.format(0)},ap-9,1\n", "--json")
    assert result.exit_code == 2
    assert orjson.loads(result.stdout)["refused"] == 1


def test_a_local_time_needs_its_zone(run: Run) -> None:
    local = "ts,ap,clients\n2026-03-05 11:00,ap-1,1\n"
    refused = run(local)
    assert refused.exit_code == 2
    assert "has no offset" in refused.stderr
    assert "--timezone" in refused.stderr
    said = orjson.loads(run(local, "--timezone", "Europe/Brussels", "--json").stdout)
    assert said["first"] == "2026-03-05T10:00:00Z"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("ts,ap,mac\n", "h.csv", "h.csv:1: mac: unknown column; allowed: ts, ap, site, up"),
        ("ap,clients\n", "h.csv", "h.csv:1: ts: the column is missing"),
        ("", "h.csv", "h.csv:1: is empty"),
        (b"\xff\xfet\x00s\x00", "h.csv", "h.csv:1: is not UTF-8"),
        (b"not zipped", "h.csv.gz", "h.csv.gz:1: cannot be read"),
        (b"no parquet", "h.parquet", "h.parquet:1: cannot be read as Parquet"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    run: Run, content: str | bytes, name: str, message: str
) -> None:
    result = run(content, "--json", name=name)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--timezone", "Europe/Bruxelles"], "--timezone: 'Europe/Bruxelles' is no time zone"),
        (["--poll-seconds", "0"], "--poll-seconds"),
        (
            ["--rejected", "/nowhere/at/all.csv"],
            "--rejected: /nowhere/at/all.csv cannot be written",
        ),
    ],
)
def test_an_option_that_cannot_be_is_refused(run: Run, options: list[str], message: str) -> None:
    result = run(MIXED, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_ended_yesterday_is_asked_for_as_it_is_by_default(run: Run) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    result = run(f"ts,ap,clients\n{yesterday.isoformat()},ap-1,1\n")
    assert result.exit_code == 0
    assert "--as-of" not in result.stdout


def test_a_missing_file_is_refused(folder: Path) -> None:
    arguments = ["import", str(folder / "nope.csv"), "--config", str(folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "nope.csv:1: there is no such file" in result.stderr


def test_all_refused_rows_can_be_had_in_a_file(run: Run, folder: Path) -> None:
    rows = "".join(f"{T.format(0)},ap-{i},1\n" for i in range(1, 31))
    rejected = folder / "rejected.csv"
    result = run("ts,ap,clients\n" + rows + "broken\n", "--rejected", str(rejected))
    assert result.exit_code == 0
    with rejected.open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [int(row["line"]) for row in listed] == list(range(4, 33))
    assert listed[0]["column"] == "ap"
    assert "'ap-3' is not in access_points.csv" in listed[0]["message"]
    # Five examples of each reason.
    assert result.stderr.count("history.csv:") == 6
    assert "history.csv:32: has 1 cell, the header 3" in result.stderr
    assert str(rejected) in result.stderr


def test_the_rejected_file_is_never_the_file_itself(run: Run, folder: Path) -> None:
    result = run(MIXED, "--rejected", str(folder / "history.csv"))
    assert result.exit_code == 2
    assert "is the file to import" in result.stderr
    assert (folder / "history.csv").read_text(encoding="utf-8") == MIXED


MAPPING = """\
like: zabbix
fields: {clients: sta}
aps: {AP library: ap-1}
"""
FOREIGN = "\n".join(
    [
        "host,key_,clock,value",
        "AP library,sta,1772704800,3",
        "AP library,icmpping,1772704801,1",
        "AP library,system.name,1772704800,AP library",
        "AP library,sta,1772704802,4",
        "AP parc,sta,1772704800,5",
        "AP parc,sta,1772705100,5",
        "AP library,sta,1772705100,lots",
    ]
)


def test_another_system_s_file_is_read_by_a_mapping(run: Run, folder: Path) -> None:
    (folder / "mine.yaml").write_text(MAPPING, encoding="utf-8")
    result = run(FOREIGN, "--mapping", str(folder / "mine.yaml"))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3 of 7 rows imported: 1 sample of 1 access point at 1 site, 2026-03-05T10:00:00Z to "
        "2026-03-05T10:00:00Z.",
        "1 row passed over, as the mapping has it: metric system.name 1.",
        "1 figure came again for the same access point and time; the later one counts.",
        "It ends on 2026-03-05: ask as of the day after, spotwatch underused --as-of 2026-03-06.",
    ]
    assert result.stderr.splitlines() == [
        "3 rows refused: unknown access point 2, no whole number in range 1.",
        "Unknown access points: AP parc 2. Add them to access_points.csv, or give the names there "
        "under aps: of a mapping.",
        f"{folder}/history.csv:6: host: 'AP parc' is not in access_points.csv",
        f"{folder}/history.csv:8: value: 'lots' is not a whole number from 0 to 100000",
        "... and 1 more; --rejected FILE writes all of them.",
    ]
    said = orjson.loads(run(FOREIGN, "--mapping", str(folder / "mine.yaml"), "--json").stdout)
    assert said["left_out"] == {"metric system.name": 1}
    assert said["unknown_aps"] == {"AP parc": 2}
    assert (said["samples"], said["duplicates"]) == (1, 1)


def test_the_mistakes_of_a_mapping_are_told_at_once(run: Run, folder: Path) -> None:
    path = folder / "mine.yaml"
    path.write_text("time: t\nap: a\nfields:\n  client: c\naligned: 3\n", encoding="utf-8")
    result = run(FOREIGN, "--mapping", str(path))
    assert result.exit_code == 2
    assert [line.split(": unknown key")[0] for line in result.stderr.splitlines()] == [
        f"{path}:4: fields.client",
        f"{path}:5: aligned",
    ]


def test_a_file_that_says_nothing_that_the_mapping_reads_is_the_wrong_file(run: Run) -> None:
    result = run("host,key_,clock,value\nap-1,system.name,1772704800,x\n", "--mapping", "zabbix")
    assert result.exit_code == 2
    assert "None of 1 row imported." in result.stdout
    assert "1 row passed over, as the mapping has it: metric system.name 1." in result.stdout


def test_figures_with_times_of_their_own_are_warned_of(run: Run, folder: Path) -> None:
    path = folder / "mine.yaml"
    path.write_text(MAPPING + "align_seconds: 0\n", encoding="utf-8")
    rows = "".join(
        f"ap-1,{key},{1772704800 + 300 * n + after},1\n"
        for n in range(20)
        for key, after in (("sta", 7), ("icmpping", 90))
    )
    result = run("host,key_,clock,value\n" + rows, "--mapping", str(path))
    assert "The figures of an access point have different times" in result.stderr
    path.write_text(MAPPING, encoding="utf-8")
    joined = run("host,key_,clock,value\n" + rows, "--mapping", str(path))
    assert "different times" not in joined.stderr


def test_the_zone_of_a_mapping_is_that_of_its_times(run: Run, folder: Path) -> None:
    path = folder / "mine.yaml"
    path.write_text(
        "time: when\ntimezone: Europe/Brussels\nap: ap\nfields: {clients: n}\n", encoding="utf-8"
    )
    rows = "when,ap,n\n2026-03-05 11:00,ap-1,1\n"
    first = orjson.loads(run(rows, "--mapping", str(path), "--json").stdout)["first"]
    assert first == "2026-03-05T10:00:00Z"
    options = ("--mapping", str(path), "--timezone", "UTC", "--json")
    assert orjson.loads(run(rows, *options).stdout)["first"] == "2026-03-05T11:00:00Z"


def spotwatch(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = "import sys; from cli.app import main; sys.argv[0] = 'spotwatch'; main()"
    command = [sys.executable, "-c", script, *arguments, "--config", str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_store_of_a_newer_version_is_a_failure_in_one_line(folder: Path) -> None:
    (folder / "history.csv").write_text(MIXED, encoding="utf-8")
    with closing(sqlite3.connect(folder / "spotwatch.db")) as db:
        db.execute("PRAGMA user_version = 999")
    done = spotwatch(folder, "import", str(folder / "history.csv"), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "spotwatch.db: written by a newer Spotwatch" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_progress_bar_where_there_is_no_terminal(folder: Path) -> None:
    (folder / "history.csv").write_text(f"ts,ap,clients\n{T.format(0)},ap-1,1\n", encoding="utf-8")
    done = spotwatch(folder, "import", str(folder / "history.csv"))
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
