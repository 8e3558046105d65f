"""`usage` by access point, with sessions and distributions, on a deployment with real stores."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.stores import open_ledger, opened
from collectors.presence import Device, Presence
from collectors.reading import Reading
from config.loader import load
from pipeline.usage.aggregator import Aggregator

MINUTE = 60_000
# Monday 2 March 2026, midnight in Brussels.
T = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp() * 1000)
DAYS = 3
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library whose first access point lists two devices from 10 to 12; a park; a silent hall."""
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\nlanguage: fr\n", encoding="utf-8"
    )
    (path / "sites.csv").write_text(
        "site,kind,name_fr,opening_hours\n"
        "lib,library,Bibliothèque communale du quartier du Rivage,Mo-Fr 09:00-17:00\n"
        "park,park,,\nhall,town_hall,,\n",
        encoding="utf-8",
    )
    (path / "access_points.csv").write_text(
        "ap,site,source,poll_seconds\nlib-1,lib,import,900\nlib-2,lib,import,900\n"
        "park-1,park,import,900\nhall-1,hall,import,900\n",
        encoding="utf-8",
    )
    deployment = load(path)
    with opened(deployment) as (store, state), closing(open_ledger(deployment)) as ledger:
        readings, presences = [], []
        for i in range(DAYS * 96):
            ts = T + i * 15 * MINUTE
            hour = i % 96 // 4
            clients = 6 if 9 <= hour < 17 else 1
            readings += [
                Reading("lib-1", "lib", ts, clients=clients, rx_bytes=i * 1000, interval_s=900),
                Reading("lib-2", "lib", ts, clients=clients // 2, interval_s=900),
                Reading("park-1", "lib" if i < 96 else "park", ts, clients=2, interval_s=900),
            ]
            devices = tuple(
                Device(bytes([i // 96, n] * 4), None, randomised=n == 1) for n in range(2)
            )
            presences.append(Presence("lib-1", "lib", ts, 900, devices if 10 <= hour < 12 else ()))
        store.write_samples(readings)
        ledger.note(presences)
        Aggregator(deployment, store, state, sessions=ledger).close_windows(
            T + DAYS * 24 * 60 * MINUTE + 120_000
        )
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["usage", *arguments, "--config", str(folder)])

    return invoke


def answer(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = orjson.loads(result.stdout_bytes)
    return found


TUESDAY = ("--from", "2026-03-03", "--to", "2026-03-04", "--json")


def test_sessions_devices_and_what_of_them_is_not_known(run: Run) -> None:
    (lib,) = answer(run(*TUESDAY, "--site", "lib"))
    assert (lib["sessions"], lib["device_days"], lib["randomised_share"]) == (2, 2, 0.5)
    # One of its two access points lists its clients.
    assert lib["session_coverage"] == 0.5
    assert lib["session_minutes_median"] == 120
    assert lib["passers_by"] is None
    assert lib["missing"]["passers_by"] == "client tables do not give durations to the minute"


def test_every_null_has_a_reason_and_nothing_else_has(run: Run) -> None:
    for arguments in ((), ("--per-ap",), ("--no-detail",), ("--by", "day", "--per-ap")):
        for row in answer(run("--from", "2026-03-02", "--to", "2026-03-05", "--json", *arguments)):
            unknown = {key for key, value in row.items() if value is None} - {"ap"}
            assert set(row["missing"]) == unknown


def test_open_hours_and_the_usual_number_of_clients(run: Run) -> None:
    (lib,) = answer(run(*TUESDAY, "--site", "lib"))
    assert (lib["user_hours_open"], lib["user_hours_closed"]) == (9 * 8, 1 * 16)
    assert (lib["clients_p10"], lib["clients_median"], lib["clients_p90"]) == (9, 9, 9)
    assert lib["clients_in_open_hours"] is True
    (park,) = answer(run(*TUESDAY, "--site", "park"))
    assert (park["user_hours_open"], park["user_hours_closed"]) == (48, 0)


def test_a_row_for_each_access_point_which_add_up(run: Run) -> None:
    rows = answer(run(*TUESDAY, "--per-ap"))
    assert [(row["site"], row["ap"]) for row in rows] == [
        ("hall", "hall-1"), ("lib", "lib-1"), ("lib", "lib-2"), ("park", "park-1"),
    ]  # fmt: skip
    (lib,) = answer(run(*TUESDAY, "--site", "lib"))
    for name in ("user_hours", "user_hours_open", "user_hours_closed"):
        assert sum(row[name] for row in rows[1:3]) == lib[name]
    assert (rows[1]["sessions"], rows[2]["sessions"]) == (2, None)
    assert (rows[1]["session_coverage"], rows[2]["session_coverage"]) == (1, 0)


@pytest.mark.parametrize("by", ["15min", "hour", "day", "quarter", "total"])
def test_an_access_point_is_told_wherever_it_was(run: Run, by: str) -> None:
    rows = answer(
        run("--from", "2026-03-02", "--to", "2026-03-05", "--ap", "park-1", "--by", by, "--json")
    )
    hours = {"lib": 0.0, "park": 0.0}
    for row in rows:
        hours[row["site"]] += row["user_hours"] or 0
    assert hours == {"lib": 48, "park": 96}


def test_quarters_and_years_are_calendar_ones_cut_by_the_span(run: Run) -> None:
    for by in ("quarter", "year"):
        (row,) = answer(run("--by", by, "--site", "lib", *TUESDAY))
        assert row["period"] == by
        assert (row["start"], row["end"]) == ("2026-03-02T23:00:00Z", "2026-03-03T23:00:00Z")


def test_a_site_that_was_never_heard_is_listed_with_a_hint(run: Run) -> None:
    result = run(*TUESDAY)
    hall = answer(result)[0]
    assert hall["site"] == "hall"
    assert (hall["coverage"], hall["user_hours"], hall["aps"]) == (None, None, 0)
    assert "Never heard of: hall" in result.stderr
    assert "hall" not in run(*TUESDAY, "--site", "lib").stderr


def test_a_span_in_which_nothing_was_heard_is_told(run: Run) -> None:
    result = run("--from", "2026-02-01", "--to", "2026-02-03", "--site", "lib", "--json")
    assert answer(result)[0]["user_hours"] is None
    assert (
        "Nothing was heard between 2026-01-31T23:00:00Z and 2026-02-02T23:00:00Z" in result.stderr
    )


def test_a_deployment_without_any_sample_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\n", encoding="utf-8"
    )
    (tmp_path / "sites.csv").write_text("site,kind\nlib,library\n", encoding="utf-8")
    (tmp_path / "access_points.csv").write_text("ap,site,source\na,lib,import\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["usage", "--json", "--config", str(tmp_path)])
    (row,) = answer(result)
    assert row["missing"]["coverage"] == "no access point was in service or ever heard of"
    assert "Nothing was collected yet" in result.stderr
    assert "spotwatch import FILE" in result.stderr


@pytest.mark.parametrize("more", [(), ("--per-ap",), ("--by", "day"), ("--by", "hour", "--per-ap")])
def test_the_table_can_be_read_in_80_columns(
    run: Run, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setattr("cli.options.out._width", 80)
    shown = run("--from", "2026-03-03", "--to", "2026-03-04", "--site", "lib", *more).stdout
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    for column in ("site", "user-h", "clients", "sessions", "coverage", "up"):
        assert column in lines[2].split()
    # No figure is cut short.
    assert "…" not in shown
    assert "100 %   100 %" in shown


def test_what_an_option_cannot_be_is_told(run: Run) -> None:
    result = run("--ap", "nowhere")
    assert result.exit_code == 2
    assert "--ap: 'nowhere' is not in access_points.csv" in result.stderr
