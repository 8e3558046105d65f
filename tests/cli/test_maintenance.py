"""`spotwatch maintenance`, and what it changes for the other commands."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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

T = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""Ten in the morning in Brussels; six hours of samples from then on, one AP down all the time."""
MINUTE = 60_000
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlib,library\npark,park\n",
        "access_points.csv": "ap,site,source,poll_seconds\nlib-1,lib,import,900\n",
        "maintenance.csv": "site,from,to,reason\npark,2026-03-02,2100-01-01,new trees\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    deployment = load(tmp_path)
    start_ms = round(T.timestamp() * 1000)
    with opened(deployment) as (store, state):
        times = [start_ms + i * 15 * MINUTE for i in range(24)]
        store.write_samples([Reading("lib-1", "lib", ts, up=0, interval_s=900) for ts in times])
        Aggregator(deployment, store, state).close_windows(times[-1] + 17 * MINUTE)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [*arguments, "--config", str(folder)])
        assert result.exit_code == code, result.output
        return result

    return invoke


def said(run: Run, *arguments: str) -> Any:
    return orjson.loads(run(*arguments, "--json").stdout)


def hours_down(run: Run) -> list[float]:
    """Of each hour of the library's."""
    span = ("--from", "2026-03-02T10:00", "--to", "2026-03-02T16:00")
    rows = said(run, "usage", *span, "--by", "hour")
    return [row["availability"] for row in rows if row["site"] == "lib"]


def test_late_maintenance_is_no_outage_in_usage_and_status(run: Run) -> None:
    assert hours_down(run) == [0] * 6
    assert said(run, "status", "--as-of", "2026-03-02T12:30")["sites"][0]["state"] == "down"
    made = said(
        run, "maintenance", "add", "lib", "--from", "2026-03-02 12:00", "--to", "2026-03-02 14:00",
        "--reason", "switch",
    )["announced"]  # fmt: skip
    assert (made["site"], made["from"], made["to"]) == (
        "lib", "2026-03-02T11:00:00Z", "2026-03-02T13:00:00Z",
    )  # fmt: skip
    assert (made["reason"], made["source"], made["ended"]) == ("switch", "command line", None)
    assert hours_down(run) == [0, 0, None, None, 0, 0]
    assert said(run, "status", "--as-of", "2026-03-02T12:30")["sites"][0]["state"] == "maintenance"


def test_under_way_and_to_come_are_listed_and_can_be_ended(run: Run) -> None:
    later = (datetime.now(UTC) + timedelta(days=3)).date()
    one = said(run, "maintenance", "add", "lib", "--to", str(later), "--reason", "[roof]")
    two = said(run, "maintenance", "add", "lib", "--from", str(later), "--to", str(later))
    over = ("--from", "2026-03-02", "--to", "2026-03-02")
    three = said(run, "maintenance", "add", "lib", *over)
    ids = [made["announced"]["id"] for made in (one, two, three)]

    listed = said(run, "maintenance", "list")
    assert [row["id"] for row in listed] == [None, ids[0], ids[1]]
    assert (listed[0]["source"], listed[0]["reason"]) == ("maintenance.csv", "new trees")
    assert "[roof]" in run("maintenance", "list").stdout
    assert said(run, "maintenance", "list", "--all")[0]["id"] == ids[2]

    ended = said(run, "maintenance", "end", ids[0])["ended"]
    assert ended["to"] == ended["ended"] < one["announced"]["to"]
    assert "Taken back" in run("maintenance", "end", ids[1]).stdout
    assert [row["id"] for row in said(run, "maintenance", "list")] == [None]
    assert "is over since" in run("maintenance", "end", ids[0], code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lab", "--to", "2026-03-02"), "no site 'lab' in sites.csv; did you mean 'lib'?"),
        (("lib", "--to", "tomorrow"), "--to: 'tomorrow' is neither a date nor a date-time"),
        (("lib", "--from", "2026-03-02", "--to", "2026-03-01"), "--from: '2026-03-02' is not bef"),
        (("lib", "--from", "2026-03-02", "--to", "2062-03-01"), "is over 366 days later"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    assert told in run("maintenance", "add", *arguments, code=2).stderr
    assert [row["source"] for row in said(run, "maintenance", "list")] == ["maintenance.csv"]


def test_an_id_that_was_never_given_is_refused(run: Run) -> None:
    assert "no maintenance 'abc' was announced" in run("maintenance", "end", "abc", code=2).stderr
