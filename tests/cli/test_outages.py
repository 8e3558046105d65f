"""`outages` on imported history: nobody was told, and everything can be looked up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app

T = datetime(2026, 3, 2, tzinfo=UTC)
ROUNDS = 288
"""Polls every 5 minutes: a day."""
AS_OF = ("--as-of", "2026-03-03T01:00")
Run = Callable[..., Result]


def failing(i: int) -> set[str]:
    """The hall is down for half an hour, a relapse of 10 minutes after a good quarter included;
    one access point of the library misses two polls and no more; the other is down at the end.
    """
    failed = set()
    if 60 <= i < 66 or 69 <= i < 72:
        failed |= {"hall-1", "hall-2"}
    if 100 <= i < 102:
        failed.add("lib-1")
    if i >= ROUNDS - 4:
        failed.add("lib-2")
    return failed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\n", encoding="utf-8"
    )
    (path / "sites.csv").write_text(
        "site,kind,name_fr\nlib,library,Bibliothèque\nhall,town_hall,Mairie\n", encoding="utf-8"
    )
    aps = ("lib-1", "lib-2", "hall-1", "hall-2")
    (path / "access_points.csv").write_text(
        "ap,site,source,poll_seconds\n"
        + "".join(f"{ap},{ap.split('-')[0]},import,300\n" for ap in aps),
        encoding="utf-8",
    )
    lines = ["ts,ap,up,clients"]
    for i in range(ROUNDS):
        at = (T + timedelta(minutes=5 * i)).isoformat()
        lines += [f"{at},{ap},{'0,' if ap in failing(i) else '1,3'}" for ap in aps]
    (path / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = CliRunner().invoke(app, ["import", str(path / "history.csv"), "--config", str(path)])
    assert said.exit_code == 0, said.output
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["outages", *arguments, "--config", str(folder)])

    return invoke


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = orjson.loads(result.stdout_bytes)
    return found


def test_each_outage_once_by_its_widest_name_with_what_it_explains(run: Run) -> None:
    found = rows(run(*AS_OF, "--json"))
    assert set(found[0]) == {
        "id", "parent", "scope", "site", "ap", "controller", "start", "end", "cause",
        "maintenance", "flaps",
    }  # fmt: skip
    [site] = [row for row in found if row["scope"] == "site"]
    assert (site["site"], site["ap"], site["parent"]) == ("hall", None, None)
    # From the first failed poll to the first good one, the relapse included.
    assert (site["start"], site["end"]) == ("2026-03-02T05:00:00Z", "2026-03-02T06:00:00Z")
    assert site["flaps"] == 1
    explained = [row for row in found if row["parent"] == site["id"]]
    assert {row["ap"] for row in explained} == {"hall-1", "hall-2"}
    [alone] = [row for row in found if row["site"] == "lib"]
    assert (alone["scope"], alone["ap"], alone["end"]) == ("ap", "lib-2", None)
    assert alone["start"] == "2026-03-02T23:40:00Z"


def test_open_site_and_span_narrow_it(run: Run) -> None:
    assert [row["ap"] for row in rows(run(*AS_OF, "--open", "--json"))] == ["lib-2"]
    at_hall = rows(run(*AS_OF, "--site", "hall", "--json"))
    assert {row["site"] for row in at_hall} == {"hall"}
    assert rows(run(*AS_OF, "--from", "2026-03-02T12:00", "--open", "--json")) != []
    assert (
        rows(run(*AS_OF, "--from", "2026-03-02T08:00", "--to", "2026-03-02T20:00", "--json")) == []
    )
    assert run("--site", "nowhere").exit_code == 2


def test_as_of_a_moment_nothing_of_later_is_known(run: Run) -> None:
    [*then] = rows(run("--as-of", "2026-03-02T06:20", "--json"))  # 05:20 UTC
    assert {row["end"] for row in then} == {None}
    assert {row["flaps"] for row in then} == {0}
    assert rows(run("--as-of", "2026-03-02T05:59", "--json")) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "came back and failed again: 1"), ("fr", "revenu puis retombé : 1"),
     ("nl", "kwam terug en viel weer uit: 1")],
)  # fmt: skip
def test_the_table_fits_80_columns_and_names_roots_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setattr("cli.options.out._width", 80)
    text = run(*AS_OF, "--lang", language).stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    assert said in " ".join(text.split())
    assert "Mairie" in text
    assert "hall-1" not in text


def test_one_outage_in_full(run: Run) -> None:
    site = next(row for row in rows(run(*AS_OF, "--json")) if row["scope"] == "site")
    text = run("show", site["id"][:6]).stdout
    assert "2026-03-02 06:00 – 2026-03-02 06:30  30 min" in text  # noqa: RUF001
    assert "2026-03-02 06:45 – 2026-03-02 07:00  15 min" in text  # noqa: RUF001
    assert "hall-2" in text
    assert text.rstrip().endswith("nobody")
    full = orjson.loads(run("show", site["id"], "--json").stdout_bytes)
    assert [spell["end"] for spell in full["spells"]] == [
        "2026-03-02T05:30:00Z", "2026-03-02T06:00:00Z",
    ]  # fmt: skip
    assert len(full["explains"]) == 2
    assert full["told"] == []
    assert run("show", "ffff").exit_code == 2


def test_the_evidence_of_an_access_point_is_shown(run: Run) -> None:
    hall = next(row for row in rows(run(*AS_OF, "--json")) if row["ap"] == "hall-1")
    first, second = orjson.loads(run("show", hall["id"], "--json").stdout_bytes)["evidence"]
    assert (first["last_answer"], first["failed_polls"]) == ("2026-03-02T04:55:00Z", 6)
    assert (second["first_answer"], second["failed_polls"]) == ("2026-03-02T06:00:00Z", 3)
    assert first["clients"] == 3
    assert first["restarted"] is first["running_since"] is None
    text = run("show", hall["id"], "--lang", "nl").stdout
    assert "Laatste antwoord 2026-03-02 05:55; 6 mislukte metingen." in text
    assert f"hoort bij storing {hall['parent']}" in text


def test_importing_the_same_again_changes_nothing(run: Run, folder: Path) -> None:
    before = rows(run(*AS_OF, "--json"))
    again = ["import", str(folder / "history.csv"), "--config", str(folder)]
    assert CliRunner().invoke(app, again).exit_code == 0
    assert rows(run(*AS_OF, "--json")) == before
