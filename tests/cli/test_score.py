"""`simulate` and `score`: a made-up city judged from files is judged alike in memory."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.score import judged_in_memory, parse_seeds, trial
from cli.underused import document
from collectors.fleet.trial.draw import draw_city

SEED, SITES, WEEKS = 12, 10, 10


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout_bytes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("city") / "new"
    found: dict[str, Any] = answer(
        "simulate", "--out", str(folder), "--seed", str(SEED), "--sites", str(SITES),
        "--weeks", str(WEEKS),
    )  # fmt: skip
    return found


def test_files_and_memory_give_the_same_verdicts(made: dict[str, Any]) -> None:
    report = answer("import", made["samples"], "--config", made["folder"])
    assert (report["rows"], report["imported"], report["refused"]) == (made["rows"],) * 2 + (0,)
    from_files = answer("underused", "--as-of", made["as_of"], "--config", made["folder"])
    city = draw_city(SEED, SITES, WEEKS)
    judged = judged_in_memory(city)
    assert document(judged.deployment, judged.assessments, "en") == from_files
    assert {row["verdict"] for row in from_files} >= {"ok", "underused"}

    with Path(made["folder"], "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["site"]: row["verdict"] for row in csv.DictReader(file)}
    answers = trial(SEED, SITES, WEEKS).answers
    assert {a.site: a.truth for a in answers} == truth
    assert {a.site: a.verdict for a in answers} == {r["site"]: r["verdict"] for r in from_files}


def test_score_counts_every_site_once() -> None:
    found = answer("score", "--seeds", "1,2", "--sites", "10", "--weeks", "10", "--jobs", "2")
    assert found["seeds"] == [1, 2]
    assert found["verdicts"] == 20
    cells = [n for row in found["confusion"].values() for n in row.values()]
    assert sum(cells) == 20
    right = sum(found["confusion"][verdict][verdict] for verdict in found["confusion"])
    assert found["right"] == right / 20
    assert len(found["mistakes"]) == 20 - right
    assert sum(c["sites"] for c in found["circumstances"].values()) == 20
    truth = sum(found["confusion"]["underused"].values())
    for rule in found["rules"].values():
        assert rule["found"] + rule["missed"] == truth


def test_score_as_people_read_it() -> None:
    result = run("score", "--seeds", "1", "--sites", "10", "--weeks", "10")
    assert result.exit_code == 0, result.output
    assert "of all verdicts right" in result.stdout
    assert "lowest totals" in result.stdout
    assert "not_assessable" in result.stdout


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    result = run("simulate", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "holds something" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_seeds() -> None:
    assert parse_seeds("101-103") == [101, 102, 103]
    assert parse_seeds("3, 7,2-3") == [3, 7, 2]


@pytest.mark.parametrize("text", ["", "a", "5-3", "1,,2", "-4", "1-5000"])
def test_seeds_that_are_none(text: str) -> None:
    result = run("score", "--seeds", text)
    assert result.exit_code == 2
    assert "--seeds" in result.stderr
