"""`spotwatch relocations`, as an operator runs it: from an import to what became of a move."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app

Run = Callable[..., Result]
MIDNIGHT: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY: Final = MIDNIGHT - timedelta(days=MIDNIGHT.weekday())
# Ten weeks ago the spot was moved; thirteen weeks before that the record begins.
MOVED: Final = MONDAY - timedelta(weeks=10)
BEGINS: Final = MOVED - timedelta(weeks=13)
USERS: Final[Mapping[str, int]] = {
    "gare": 1, "cpas": 2, **{f"hall{i}": 12 + i for i in range(6)},
    **{f"cite{i}": 18 + i for i in range(5)},
}  # fmt: skip
KINDS: Final = {
    "gare": "town_hall",
    "hall": "town_hall",
    "cpas": "town_hall",
    "cite": "social_housing",
}


def write_sites(folder: Path, extra: str = "", gone: str = "") -> None:
    """Sites a kilometre apart; `cpas` serves a target public."""
    rows = ["site,kind,name_fr,lat,lon,opening_hours,target_public,out_of_service_since"]
    for i, site in enumerate(USERS):
        kind = KINDS[site.rstrip("0123456789")]
        target, out = (0.9 if site == "cpas" else 0.4), (gone if site == "gare" else "")
        rows.append(f"{site},{kind},Lieu {site},0,{i / 111.195},24/7,{target},{out}")
    (folder / "sites.csv").write_text("\n".join([*rows, extra]), encoding="utf-8")


def write_aps(folder: Path, extra: str = "") -> None:
    rows = ["ap,site,source,poll_seconds", *(f"{s}-ap,{s},import,3600" for s in USERS), extra]
    (folder / "access_points.csv").write_text("\n".join(rows), encoding="utf-8")


def write_samples(path: Path, users: Mapping[str, int], since: datetime) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("ts", "ap", "up", "clients"))
        for hour in range(round((MONDAY - since).total_seconds()) // 3600):
            at = since + timedelta(hours=hour)
            busy = (at.toordinal() // 7) % 3  # the ups and downs of weeks
            for site, count in users.items():
                writer.writerow(
                    (at.isoformat(), f"{site}-ap", 1, count + (busy if count > 5 else 0))
                )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two idle town halls; two places, of which one is not ready."""
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text("city: Testville\ntimezone: UTC\n", encoding="utf-8")
    write_sites(path)
    write_aps(path)
    (path / "candidate_places.csv").write_text(
        "place;name;kind;lat;lon;target_public;expected_user_hours_day;ready;cost_eur\n"
        "clos;Clos des Tisserands;social_housing;0;0,9;0,95;400;yes;1850\n"
        "tour;Tour Horizon;social_housing;0;0,95;0,9;;no;1400\n",
        encoding="utf-8",
    )
    write_samples(path / "history.csv", USERS, BEGINS)
    result = CliRunner().invoke(
        app, ["import", str(path / "history.csv"), "--config", str(path)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        command = ["relocations", "--config", str(folder), *arguments]
        return CliRunner().invoke(app, command)

    return invoke


@pytest.fixture
def moved(run: Run) -> Iterator[dict[str, Any]]:
    """The move on record, taken back afterwards."""
    on = MOVED.date().isoformat()
    yield answer(run("--done", "gare", "clos", "--on", on, "--json"))
    assert run("--undo", "gare").exit_code == 0


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout_bytes)


def test_proposals_with_what_they_rest_on(run: Run) -> None:
    found = answer(run("--budget", "50000", "--json"))
    move, promote = found["proposals"]
    assert {key: move[key] for key in ("site", "name", "place", "place_name", "action")} == {
        "site": "gare",
        "name": "Lieu gare",
        "place": "clos",
        "place_name": "Clos des Tisserands",
        "action": "move",
    }
    assert move["current_user_hours_day"] == pytest.approx(24, rel=1e-3)
    # Five estates with 21 users in the middle; what the city expects counts as two more.
    assert move["expected_user_hours_day"] == pytest.approx((5 * 24 * 21 + 2 * 400) / 7, rel=0.02)
    gain = move["expected_user_hours_day"] - move["current_user_hours_day"]
    assert move["gain_user_hours_day"] == pytest.approx(gain)
    assert move["gain_low"] < gain < move["gain_high"]
    assert (move["stated_user_hours_day"], move["cost_eur"], move["weight"]) == (400, 1850, 0.95)
    assert move["ready"] is True
    assert move["gain_per_1000_eur"] > 0
    assert move["distance_m"] == pytest.approx(0.9 * 111_195, rel=1e-3)
    assert len(move["reasons"]) >= 5
    assert (promote["site"], promote["action"], promote["place"]) == ("cpas", "promote", None)
    (left,) = found["left_out"]
    assert left["place"] == "tour"
    assert "ready" in left["reasons"][0]
    assert (found["budget_eur"], found["cost_eur"], found["optimal"]) == (50_000, 1850, True)
    assert found["moves"] == []


def test_a_budget_that_pays_for_nothing_leaves_the_spot_where_it_is(run: Run) -> None:
    found = answer(run("--budget", "1849,99", "--json"))
    assert {p["action"] for p in found["proposals"]} == {"keep", "promote"}
    left = {row["place"]: row["reasons"] for row in found["left_out"]}
    assert "budget" in left["clos"][0]
    with_unready = answer(run("--budget", "1849.99", "--include-unready", "--json"))
    assert [p["place"] for p in with_unready["proposals"]] == ["tour", None]
    assert with_unready["proposals"][0]["ready"] is False


def test_the_same_question_has_the_same_answer_in_three_languages(run: Run) -> None:
    as_of = MONDAY.isoformat()
    first, again = run("--as-of", as_of, "--json"), run("--as-of", as_of, "--json")
    assert first.stdout_bytes == again.stdout_bytes
    for language, word in (("en", "user-hours"), ("fr", "utilisation"), ("nl", "gebruikersuren")):
        found = answer(run("--lang", language, "--json"))
        for proposal in found["proposals"]:
            assert any(word in reason for reason in proposal["reasons"])
        assert word in found["definition"]


def test_the_table_says_it_in_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    result = run("--lang", "en")
    assert result.exit_code == 0
    text = re.sub(r"\s+", " ", result.output)
    for words in (
        "▶ move", "◆ promote", "Clos des Tisserands", "Places left out", "It is not ready",
        "Moves: 1. Cost: 1,850 EUR.", "Proven the best", "Expected of a place",
    ):  # fmt: skip
        assert words in text


def test_a_recorded_move_is_followed_up(
    run: Run, folder: Path, moved: dict[str, Any], tmp_path: Path
) -> None:
    record = moved["recorded"]
    assert (record["site"], record["place"], record["new_site"]) == ("gare", "clos", "clos")
    assert record["before_user_hours_day"] == pytest.approx(24, rel=1e-3)
    assert record["expected_low"] < record["expected_user_hours_day"] < record["expected_high"]

    found = answer(run("--json"))
    assert "gare" not in {p["site"] for p in found["proposals"]}
    assert "clos" in {row["place"] for row in found["left_out"]}
    assert [m["result"] for m in found["moves"]] == ["no_new_site"]
    # Before the move nobody knew of it.
    day_before = (MOVED - timedelta(days=1)).date().isoformat()
    earlier = answer(run("--as-of", day_before, "--json"))
    assert earlier["moves"] == []
    assert earlier["proposals"][0]["site"] == "gare"

    write_sites(folder, "clos,social_housing,Clos,0,0.9,24/7,0.95,", gone=MOVED.date().isoformat())
    write_aps(folder, "clos-ap,clos,import,3600")
    write_samples(tmp_path / "since.csv", {"clos": 20}, MOVED)
    command = ["import", str(tmp_path / "since.csv"), "--config", str(folder)]
    assert CliRunner().invoke(app, command).exit_code == 0
    try:
        (became,) = answer(run("--json", "--lang", "fr"))["moves"]
        text = run().output
    finally:
        write_sites(folder)
        write_aps(folder)
    assert became["result"] == "as_expected"
    assert became["observed_user_hours_day"] == pytest.approx(24 * 21, rel=0.05)
    assert became["expected_user_hours_day"] == record["expected_user_hours_day"]
    assert "réalisée" in became["reasons"][0]
    assert "It came true" in re.sub(r"\s+", " ", text)


def test_a_move_can_be_corrected(run: Run, moved: dict[str, Any]) -> None:
    day = (MOVED + timedelta(days=2)).date().isoformat()
    corrected = answer(run("--done", "gare", "clos", "--on", day, "--as", "clos-1", "--json"))
    assert corrected["recorded"]["on"] == day
    assert corrected["recorded"]["new_site"] == "clos-1"
    assert corrected["replaced"]["on"] == moved["recorded"]["on"]
    taken = run("--done", "cpas", "clos", "--on", day)
    assert taken.exit_code == 2
    assert "--undo gare" in re.sub(r"\s+", " ", taken.output)


def test_where_nothing_can_be_judged_yet_nothing_is_proposed(run: Run) -> None:
    before = (BEGINS + timedelta(days=3)).date().isoformat()
    found = answer(run("--as-of", before, "--json"))
    assert (found["proposals"], found["cost_eur"]) == ([], 0)
    assert "assessed" in found["left_out"][0]["reasons"][0]
    assert "No site is underused" in run("--as-of", before).output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "lots"], "--budget: 'lots' is not a number"),
        (["--budget", "50.000"], "--budget: '50.000' can mean 50000 or 50"),
        (["--budget", "-1"], "--budget: '-1' is no amount"),
        (["--budget", "nan"], "--budget: 'nan'"),
        (["--budget", "1e999"], "--budget: '1e999' is no amount"),
        (["--as-of", "soon"], "--as-of: 'soon' is not a date"),
        (["--lang", "de"], "de"),
        (["--done", "gar", "clos"], "no site 'gar' in sites.csv; did you mean 'gare'?"),
        (["--done", "gare", "cloz"], "no place 'cloz' in candidate_places.csv; did you mean"),
        (["--done", "gare"], "requires 2 arguments"),
        (["--done", "gare", "clos", "--on", "2199-01-01"], "--on: 2199-01-01 is in the future"),
        (["--done", "gare", "clos", "--on", "1/2/2026"], "--on: '1/2/2026' is not a date"),
        (["--done", "gare", "clos", "--as", "gare"], "--as: 'gare' is the site that was moved"),
        (["--done", "gare", "clos", "--as", "a/b"], "--as: 'a/b' holds '/'"),
        (["--done", "gare", "clos", "--budget", "5"], "--budget: it has no meaning beside --done"),
        (["--on", "2026-01-01"], "--on: it goes with --done SITE PLACE"),
        (["--undo", "gare"], "--undo: no move of 'gare' is on record; on record: none"),
        (["--undo", "gare", "--ap", "x"], "no move of 'x' of 'gare' is on record"),
        (["--ap", "gare-ap"], "--ap: it goes with --done SITE PLACE"),
        (["--done", "gare", "clos", "--ap", "gare-a"], "did you mean 'gare-ap'?"),
        (["--done", "gare", "clos", "--ap", "cpas-ap"], "no access point 'cpas-ap' of gare"),
        (["--undo", "gare", "--done", "gare", "clos"], "beside --undo"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(
    run: Run, arguments: list[str], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.output)


def test_nothing_but_the_document_is_on_standard_output(folder: Path) -> None:
    """The solver is a C library, and would print past Python."""
    result = subprocess.run(
        [sys.executable, "-c", "from cli.app import main; main()", "relocations", "--json",
         "--budget", "1500", "--include-unready", "--config", str(folder)],
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert orjson.loads(result.stdout)["proposals"][0]["place"] == "tour"
