"""`availability` on a deployment with a real store."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.stores import opened
from collectors.reading import Reading
from config.loader import load
from pipeline.usage.aggregator import Aggregator

MINUTE = 60_000
# Monday 2 March 2026, midnight in Brussels.
T = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp() * 1000)
DAY = 288
"""Polls."""
Run = Callable[..., Result]
PERIOD = ("--from", "2026-03-02", "--to", "2026-03-04")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On Tuesday a library's first access point fails from 10 to 11, and in maintenance from 14 to
    15; on Monday nobody of it and of the hall answers from 02:00 to 03:30.
    """
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\nlanguage: nl\n", encoding="utf-8"
    )
    (path / "sites.csv").write_text(
        "site,kind,name_nl,commune,opening_hours\n"
        "lib,library,Bibliotheek,Rivage,Mo-Fr 09:00-17:00\nhall,town_hall,,,\n",
        encoding="utf-8",
    )
    (path / "access_points.csv").write_text(
        "ap,site,source,poll_seconds\n"
        "lib-1,lib,import,300\nlib-2,lib,import,300\nhall-1,hall,import,300\n",
        encoding="utf-8",
    )
    (path / "maintenance.csv").write_text(
        "site,from,to,reason\nlib,2026-03-03T14:00,2026-03-03T15:00,new switch\n", encoding="utf-8"
    )
    deployment = load(path)
    with opened(deployment) as (store, state):
        for i in range(2 * DAY):
            failed = {"lib-1", "lib-2", "hall-1"} if 24 <= i < 42 else set()
            if DAY + 120 <= i < DAY + 132 or DAY + 168 <= i < DAY + 180:
                failed = {"lib-1"}
            store.write_samples(
                [
                    Reading(ap, ap.split("-")[0], T + i * 5 * MINUTE, up=int(ap not in failed),
                            interval_s=300)
                    for ap in ("lib-1", "lib-2", "hall-1")
                ]
            )  # fmt: skip
        Aggregator(deployment, store, state).close_windows(T + 2 * DAY * 5 * MINUTE + 120_000)
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["availability", *arguments, "--config", str(folder)])

    return invoke


def answer(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = orjson.loads(result.stdout_bytes)
    return found


def test_the_list_adds_up_to_what_is_charged(run: Run) -> None:
    found = answer(run(*PERIOD, "--site", "lib", "--list", "--json"))
    (lib,) = found["rows"]
    assert lib["ap_minutes"]["total"] == {
        "expected": 5760, "up": 5760 - 60 - 120 - 180, "down": 60, "maintenance": 120,
        "unknown": 180,
    }  # fmt: skip
    assert lib["availability"] == 5400 / 5460
    assert lib["availability_closed"] == 1
    assert (lib["usable_least"], lib["usable_most"]) == (1, 1)
    assert [(o["ap"], o["minutes"], o["open_minutes"]) for o in found["outages"]] == [
        ("lib-1", 60, 60)
    ]
    assert found["outages"][0]["start"] == "2026-03-03T09:00:00Z"
    (left_out,) = found["maintenance"]
    assert (left_out["reason"], left_out["minutes"], left_out["ap_minutes"]) == (
        "new switch", 60, 120,
    )  # fmt: skip
    (blind,) = found["blind"]
    assert (blind["start"], blind["minutes"]) == ("2026-03-02T01:00:00Z", 90)


@pytest.mark.parametrize("by", ["ap", "site", "kind", "commune", "city"])
def test_every_null_has_a_reason_and_nothing_else_has(run: Run, by: str) -> None:
    for row in answer(run(*PERIOD, "--by", by, "--json"))["rows"]:
        unknown = {key for key, value in row.items() if value is None} - {"commune"}
        assert set(row["missing"]) == unknown


def test_a_quarter_is_that_of_the_calendar_up_to_the_moment_asked(run: Run) -> None:
    found = answer(run("--quarter", "2026-Q1", "--as-of", "2026-03-04", "--json"))
    assert (found["from"], found["to"]) == ("2025-12-31T23:00:00Z", "2026-03-03T23:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--quarter", "2026-Q5"), "'2026-Q5' is not a quarter; write 2026-Q3"),
        (("--quarter", "2026-Q1", "--from", "2026-01-01"), "--quarter: give it, or --from"),
        (("--site", "libb"), "--site: 'libb' is not in sites.csv"),
        (("--from", "2026-03-05", "--to", "2026-03-04"), "it must begin before --to"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (None, ["Beschikbaarheid", "bekend", "Meegetelde storingen", "98,90"]),
        ("fr", ["Disponibilité", "connu", "Pannes comptées", "98,90"]),
        ("en", ["Availability", "known", "Outages that were counted", "98.90"]),
    ],
)
def test_it_reads_in_three_languages(run: Run, lang: str | None, words: list[str]) -> None:
    text = run(*PERIOD, "--list", *(("--lang", lang) if lang else ())).stdout
    assert [word for word in words if word not in text] == []
