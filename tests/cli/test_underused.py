"""`underused` in full, and what follows for `relocations`: from an import to the last digit."""

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any, Final

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.options import out

Run = Callable[..., Result]
MONDAY: Final = datetime(2026, 6, 1, tzinfo=UTC)
WEEKS: Final = 10
USERS: Final[Mapping[str, float]] = {
    "gare-ap": 1, "busy-hall": 9, "busy-yard": 0, "busy-room": 7,
    **{f"lib{i}-ap": 10 + i for i in range(5)},
}  # fmt: skip
"""Clients of each access point, in every open hour."""
IN_MAY: Final = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven libraries over ten weeks: `gare` idle, `busy` with an idle access point."""
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\nunderuse:\n  window_weeks: 8\n",
        encoding="utf-8",
    )
    sites = ["gare", "busy", *(f"lib{i}" for i in range(5))]
    rows = [f"{s},library,Lieu {s},0,{i / 111.195},Mo-Fr 09:00-17:00; PH off,0.4"
            for i, s in enumerate(sites)]  # fmt: skip
    header = "site,kind,name_fr,lat,lon,opening_hours,target_public"
    (path / "sites.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    aps = [f"{ap},{ap.split('-')[0]},import,3600" for ap in USERS]
    (path / "access_points.csv").write_text(
        "\n".join(["ap,site,source,poll_seconds", *aps]), encoding="utf-8"
    )
    (path / "closures.csv").write_text(
        "site,from,to,reason\ngare,2026-05-04,2026-05-08,works\n", encoding="utf-8"
    )
    (path / "candidate_places.csv").write_text(
        "place,kind,lat,lon,target_public,ready,cost_eur\n"
        "clos,library,0,0.9,0.9,yes,1000\ncour,library,0,1.2,0.9,yes,1000\n",
        encoding="utf-8",
    )
    write_samples(path / "history.csv")
    result = CliRunner().invoke(
        app, ["import", str(path / "history.csv"), "--config", str(path)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return path


def write_samples(path: Path) -> None:
    """Hourly; a poll in nine of the idle library's fails, one in ten of `lib0` counts nobody."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("ts", "ap", "up", "clients"))
        for hour in range(WEEKS * 168):
            at = MONDAY - timedelta(hours=hour)
            busy = at.toordinal() // 7 % 3  # the ups and downs of weeks
            for ap, users in USERS.items():
                if ap == "gare-ap" and hour % 9 == 0:
                    writer.writerow((at.isoformat(), ap, 0, ""))
                elif ap == "lib0-ap" and hour % 10 == 0:
                    writer.writerow((at.isoformat(), ap, 1, ""))
                else:
                    writer.writerow((at.isoformat(), ap, 1, users + (busy if users > 1 else 0)))


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(folder)])

    return invoke


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout_bytes)


def explained(run: Run, site: str, *more: str) -> Any:
    return answer(run("underused", "--explain", site, "--as-of", "2026-06-02", "--json", *more))


def words(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return re.sub(r"\s+", " ", result.output)


def test_the_ratio_follows_from_the_weeks_that_are_shown_to_the_last_digit(run: Run) -> None:
    found = explained(run, "gare")
    assert found["verdict"] == "underused"
    for week in found["weeks"]:
        if week["intensity"] is not None:
            assert week["intensity"] == week["user_hours"] / week["known_hours"]
    here, peers = (
        [week[key] for week in found["weeks"] if week[counts]]
        for key, counts in (("intensity", "counts"), ("peer_median", "peers_count"))
    )
    assert mean(here) == pytest.approx(found["intensity"], rel=1e-14)
    assert mean(peers) == pytest.approx(found["peer_median"], rel=1e-14)
    assert found["ratio"] == found["intensity"] / found["peer_median"]
    # One of eight weeks was closed: the middle half of seven is five, of those known on both sides.
    assert (len(found["weeks"]), len(here), len(peers)) == (8, 5, 5)
    row = {r["site"]: r for r in answer(run("underused", "--as-of", "2026-06-02", "--json"))}
    for key in ("ratio", "ratio_low", "ratio_high", "intensity", "peer_median", "reasons"):
        assert row["gare"][key] == found[key]


def test_each_week_is_what_was_imported(run: Run) -> None:
    weeks = {week["start"]: week for week in explained(run, "gare")["weeks"]}
    plain = weeks["2026-05-10T22:00:00Z"]
    # Five days of eight hours but for Ascension Day; a poll in nine failed, and holds an hour.
    assert plain["open_hours"] == 32
    assert plain["coverage"] == 1
    assert plain["availability"] == pytest.approx(8 / 9, abs=0.03)
    assert plain["known_hours"] == pytest.approx(32 * plain["availability"])
    assert plain["user_hours"] == pytest.approx(plain["known_hours"])
    closed = weeks["2026-05-03T22:00:00Z"]
    assert (closed["open_hours"], closed["intensity"], closed["counts"]) == (0, None, False)
    assert closed["coverage"] is None


def test_the_checks_are_in_the_order_of_the_definition_and_end_in_the_verdict(run: Run) -> None:
    checks = explained(run, "gare")["checks"]
    assert [check["question"] for check in checks] == [
        "in_service", "ever_open", "weeks", "coverage", "open_days", "clients_known",
        "availability", "peers", "ratio", "interval",
    ]  # fmt: skip
    assert [check["outcome"] for check in checks] == ["met"] * 9 + ["decides"]
    assert checks[-1]["verdict"] == "underused"
    ok = explained(run, "lib3")["checks"]
    assert [check["outcome"] for check in ok[-2:]] == ["decides", "not_asked"]
    assert ok[-2]["verdict"] == "ok"


def test_where_the_evidence_lacks_the_check_says_so(run: Run) -> None:
    found = answer(run("underused", "--explain", "lib1", "--as-of", "2026-04-20", "--json"))
    failed = {c["question"]: c for c in found["checks"] if c["outcome"] == "decides"}
    assert found["verdict"] == "not_assessable"
    assert failed["weeks"] == {
        "question": "weeks", "value": 4.0, "limit": 8.0, "outcome": "decides",
        "verdict": "not_assessable",
    }  # fmt: skip
    assert [c["outcome"] for c in found["checks"] if c["question"] == "ratio"] == ["not_asked"]


def test_the_peers_the_resampling_and_the_hours_are_named(run: Run) -> None:
    found = explained(run, "gare")
    assert [peer["site"] for peer in found["peers"]] == [
        "lib0", "lib1", "lib2", "lib3", "lib4", "busy",
    ]  # fmt: skip
    assert found["kind_weight"] == 1
    assert found["resampling"]["draws"] == 2000
    assert found["resampling"]["seed"].startswith("gare|")
    assert found["open_hours"] == {
        "expression": "Mo-Fr 09:00-17:00; PH off",
        "hours_in_use": None,
        "public_holidays": ["2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25"],
        "closures": [
            {"from": "2026-05-03T22:00:00Z", "to": "2026-05-08T22:00:00Z", "reason": "works"}
        ],
        "maintenance": [],
    }


def test_the_samples_are_counted(run: Run) -> None:
    (gare,) = explained(run, "gare")["samples"]
    hours = 8 * 168
    assert gare["samples"] == hours
    assert gare["failed"] == pytest.approx(hours / 9, abs=1)
    assert (gare["without_clients"], gare["poll_seconds"], gare["coverage"]) == (0, 3600, 1)
    assert (gare["first"], gare["last"]) == ("2026-04-05T22:00:00Z", "2026-05-31T21:00:00Z")
    (lib0,) = explained(run, "lib0")["samples"]
    assert lib0["without_clients"] == pytest.approx(hours / 10, abs=1)


def test_the_weekly_verdicts_end_where_two_agree(run: Run) -> None:
    found = explained(run, "gare")
    assert found["weekly_verdicts"] == [
        {"monday": "2026-05-31T22:00:00Z", "verdict": "underused"},
        {"monday": "2026-05-24T22:00:00Z", "verdict": "underused"},
    ]
    assert found["verdict_of_this_week"] == "underused"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("decides: underused", "Public holidays inside", "1,344 samples", "A typical week")),
        ("fr", ("décide : underused", "Jours fériés compris", "échantillons", "semaine typique")),
        ("nl", ("beslist: underused", "Feestdagen erin", "1.344 metingen", "typische week")),
    ],
)
def test_people_read_it_at_80_columns_in_their_language(
    run: Run, monkeypatch: pytest.MonkeyPatch, language: str, said: tuple[str, ...]
) -> None:
    monkeypatch.setattr(out, "width", 80)
    result = run("underused", "--explain", "gare", "--as-of", "2026-06-02", "--lang", language)
    text = words(result)
    for phrase in said:
        assert phrase in text
    assert max(len(line) for line in result.output.splitlines()) <= 80
    assert "…" not in result.output


def test_the_printed_quotient_is_that_of_the_printed_weeks(run: Run) -> None:
    result = run("underused", "--explain", "gare", "--as-of", "2026-06-02")
    rows = [line.split() for line in result.output.splitlines() if line[1:6] == "2026-"]
    marked = [
        [float(row[column].strip("*")) for row in rows if row[column].endswith("*")]
        for column in (7, 8)
    ]
    assert [len(weeks) for weeks in marked] == [5, 5]
    here, peers, ratio = (
        float(figure)
        for figure in re.findall(r": ([\d.]+) / ([\d.]+) = ([\d.]+)%", words(result))[0]
    )
    assert [mean(weeks) for weeks in marked] == pytest.approx([here, peers], abs=1e-3)
    assert ratio == pytest.approx(100 * here / peers, abs=0.06)


def test_surplus_access_points_are_listed_and_named_in_the_row_of_their_site(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = answer(run("underused", "--surplus", "--as-of", "2026-06-02", "--json"))
    assert (one["site"], one["ap"], one["ratio"], one["siblings"]) == ("busy", "busy-yard", 0, 2)
    assert (one["intensity"], one["coverage"], one["availability"]) == (0, 1, 1)
    assert one["siblings_median"] == pytest.approx(8 + 1, abs=0.5)
    rows = {r["site"]: r for r in answer(run("underused", "--as-of", "2026-06-02", "--json"))}
    assert rows["busy"]["verdict"] == "ok"
    assert rows["busy"]["reasons"][-1] == one["reasons"][0]
    monkeypatch.setattr(out, "width", 120)
    assert "busy-yard" in run("underused", "--surplus", "--as-of", "2026-06-02").output
    none = words(run("underused", "--surplus", "--as-of", "2026-04-20"))
    assert "No access point of a well-used site is surplus" in none


def test_a_surplus_access_point_is_moved_beside_idle_spots_and_put_on_record(run: Run) -> None:
    found = answer(run("relocations", "--as-of", "2026-06-02", "--json"))
    moves = {(p["site"], p["ap"]): p for p in found["proposals"]}
    assert moves.keys() == {("gare", None), ("busy", "busy-yard")}
    assert {p["action"] for p in moves.values()} == {"move"}
    yard = moves["busy", "busy-yard"]
    assert yard["current_user_hours_day"] == 0
    assert {p["place"] for p in moves.values()} == {"clos", "cour"}
    assert "busy-yard" in yard["reasons"][0]
    assert "busy-yard" in words(run("relocations", "--as-of", "2026-06-02"))

    done = ("relocations", "--done", "busy", yard["place"], "--ap", "busy-yard")
    record = answer(run(*done, "--on", "2026-06-02", "--json"))["recorded"]
    try:
        assert (record["site"], record["ap"], record["before_user_hours_day"]) == (
            "busy", "busy-yard", 0,
        )  # fmt: skip
        assert record["expected_user_hours_day"] == yard["expected_user_hours_day"]
        later = answer(run("relocations", "--as-of", "2026-06-03", "--json"))
        assert [p["ap"] for p in later["proposals"]] == [None]
        assert [(m["site"], m["ap"], m["result"]) for m in later["moves"]] == [
            ("busy", "busy-yard", "no_new_site")
        ]
        again = words(run(*done, "--on", "2026-06-02"))
        assert "In place of: busy --ap busy-yard" in again
    finally:
        undone = words(run("relocations", "--undo", "busy", "--ap", "busy-yard"))
    assert f"No longer on record: busy --ap busy-yard to {yard['place']}." in undone


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "gar"], "--explain: no site 'gar' in sites.csv; did you mean 'gare'?"),
        (["--explain", "gare", "--surplus"], "--surplus: it has no meaning beside --explain"),
    ],
)
def test_what_cannot_be_asked_is_refused(run: Run, arguments: list[str], said: str) -> None:
    result = run("underused", *arguments)
    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.output)
