"""`status`, `usage`, `underused` and `recompute` on a deployment with a real store."""

import re
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
from pipeline.state import CollectorHealth
from pipeline.usage.aggregator import Aggregator

MINUTE = 60_000
# Monday 2 March 2026, midnight in Brussels, and ten days of samples from then on.
T = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp() * 1000)
DAYS = 10
STEP = 15
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a gap on 5 March, a park that is down; nobody knows the museum's clients."""
    path = tmp_path_factory.mktemp("deployment")
    (path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\nlanguage: fr\n", encoding="utf-8"
    )
    (path / "sites.csv").write_text(
        "site,kind,name_fr\nlib,library,Bibliothèque\npark,park,\nmus,museum,Musée\n",
        encoding="utf-8",
    )
    (path / "access_points.csv").write_text(
        "ap,site,source,poll_seconds\n"
        + "".join(f"{site}-ap,{site},import,900\n" for site in ("lib", "park", "mus")),
        encoding="utf-8",
    )
    deployment = load(path)
    with opened(deployment) as (store, state):
        readings = []
        for i in range(DAYS * 24 * 60 // STEP):
            ts = T + i * STEP * MINUTE
            if not 3 * 96 <= i < 4 * 96:
                readings.append(
                    Reading("lib-ap", "lib", ts, clients=4, rx_bytes=i * 1000, interval_s=900)
                )
            readings.append(Reading("park-ap", "park", ts, up=0, interval_s=900))
            readings.append(Reading("mus-ap", "mus", ts, up=1, interval_s=900))
        store.write_samples(readings)
        last = readings[-1].ts_ms
        Aggregator(deployment, store, state).close_windows(last + STEP * MINUTE + 120_000)
        for name, seen in (("past", T), ("future", last + 10**9), ("never", None)):
            state.set_collector(CollectorHealth(name, "snmp", seen, True, 3, 0, ""))
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(folder)])

    return invoke


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout_bytes)


def by_site(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["site"]: row for row in rows}


def test_usage_of_a_day(run: Run) -> None:
    rows = answer(run("usage", "--from", "2026-03-03", "--to", "2026-03-04", "--json"))
    lib = by_site(rows)["lib"]
    assert lib["name"] == "Bibliothèque"
    assert (lib["start"], lib["end"]) == ("2026-03-02T23:00:00Z", "2026-03-03T23:00:00Z")
    assert (lib["clients_mean"], lib["clients_peak"], lib["user_hours"]) == (4, 4, 96)
    assert (lib["rx_bytes"], lib["tx_bytes"]) == (96_000, None)
    assert (lib["coverage"], lib["availability"], lib["aps"]) == (1, 1, 1)


def test_a_gap_is_not_a_zero(run: Run) -> None:
    rows = answer(run("usage", "--from", "2026-03-05", "--to", "2026-03-06T00:00", "--json"))
    lib = by_site(rows)["lib"]
    # The last sample before the gap holds 7.5 minutes into it.
    assert lib["coverage"] == pytest.approx(7.5 / 1440)
    two_days = answer(
        run("usage", "--from", "2026-03-06T01:00", "--to", "2026-03-06T02:00", "--json")
    )
    assert by_site(two_days)["lib"]["coverage"] == 1
    hours = answer(
        run("usage", "--from", "2026-03-05", "--to", "2026-03-06", "--by", "hour", "--site", "lib",
            "--json")
    )  # fmt: skip
    assert len(hours) == 24
    assert [h["user_hours"] for h in hours[1:]] == [None] * 23


def test_down_is_known_and_silence_about_clients_is_not(run: Run) -> None:
    rows = by_site(answer(run("usage", "--as-of", "2026-03-10", "--json")))
    park, museum = rows["park"], rows["mus"]
    assert (park["availability"], park["user_hours"], park["clients_peak"]) == (0, 0, 0)
    assert (museum["availability"], museum["coverage"]) == (1, 1)
    assert museum["user_hours"] is museum["clients_mean"] is museum["clients_peak"] is None


def test_by_default_the_last_seven_whole_days(run: Run) -> None:
    (row,) = answer(run("usage", "--as-of", "2026-03-10T15:00", "--kind", "park", "--json"))
    assert (row["start"], row["end"]) == ("2026-03-02T23:00:00Z", "2026-03-09T23:00:00Z")
    assert row["period"] == "total"


def test_nothing_after_the_moment_asked_at_is_used(run: Run) -> None:
    span = ("usage", "--from", "2026-03-09", "--to", "2026-03-11", "--site", "lib", "--json")
    (cut,) = answer(run(*span, "--as-of", "2026-03-09T06:00"))
    assert cut["end"] == "2026-03-09T05:00:00Z"
    assert cut["user_hours"] == 24


@pytest.mark.parametrize(
    "by", ["15min", "hour", "day", "week", "month", "quarter", "year", "total"]
)
def test_every_period_adds_up_to_the_same(run: Run, by: str) -> None:
    rows = answer(
        run("usage", "--from", "2026-03-02", "--to", "2026-03-11T13:30", "--by", by, "--site",
            "lib", "--json")
    )  # fmt: skip
    # Nine days less the gap, and half a day; after the last sample 7.5 minutes are not lost.
    hours = 24 * 9 - 24 + 7.5 / 60 + 13.5
    assert sum(row["user_hours"] or 0 for row in rows) == pytest.approx(4 * hours)
    assert rows[0]["start"] == "2026-03-01T23:00:00Z"
    assert rows[-1]["end"] == "2026-03-11T12:30:00Z"


def test_time_that_no_daemon_closed_shows_as_not_covered(run: Run) -> None:
    (row,) = answer(
        run("usage", "--from", "2026-03-11", "--to", "2026-03-13", "--site", "lib", "--json")
    )
    assert row["coverage"] == pytest.approx((24 + 7.5 / 60) / 48)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["usage", "--site", "nowhere"], "nowhere"),
        (["usage", "--kind", "castle"], "allowed: library"),
        (["usage", "--from", "yesterday"], "--from: 'yesterday' is not a date"),
        (["usage", "--from", "2026-03-05", "--to", "2026-03-05"], "before"),
        (["usage", "--as-of", "2026-13-01"], "--as-of"),
        (["usage", "--as-of", "0001-01-01"], "allowed: the years 1970 to 9998"),
        (["underused", "--as-of", "9999-12-31T23:59-05:00"], "--as-of"),
        (["usage", "--by", "fortnight"], "fortnight"),
        (["status", "--as-of", "noon"], "--as-of"),
        (["underused", "--lang", "de"], "de"),
        (["recompute", "--from", "2026-03-05", "--to", "2026-03-04"], "before --to"),
        (["recompute", "--from", "2999-01-01", "--to", "2999-01-02"], "future"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(
    run: Run, arguments: list[str], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.output)


def test_status_at_a_moment_of_the_past(run: Run) -> None:
    found = answer(run("status", "--as-of", "2026-03-03T10:07", "--json"))
    assert found["as_of"] == "2026-03-03T09:07:00Z"
    assert found["sites"][0] == {
        "site": "lib",
        "state": "up",
        "clients": 4,
        "aps_up": 1,
        "aps_total": 1,
        "last_seen": "2026-03-03T09:00:00Z",
    }
    assert [s["state"] for s in found["sites"]] == ["up", "down", "up"]
    # What became of a collector later, nobody knew then.
    assert [c["collector"] for c in found["collectors"]] == ["never", "past"]


def test_status_in_the_gap_is_unknown(run: Run) -> None:
    lib = answer(run("status", "--as-of", "2026-03-05T12:00", "--json"))["sites"][0]
    assert (lib["state"], lib["clients"], lib["aps_up"]) == ("unknown", None, 0)
    assert lib["last_seen"] == "2026-03-04T22:45:00Z"


def test_underused_lists_every_site_with_reasons_in_the_language(run: Run) -> None:
    found = answer(run("underused", "--as-of", "2026-03-12", "--json"))
    assert sorted(f["site"] for f in found) == ["lib", "mus", "park"]
    assert list(found[0]) == [
        "site", "name", "kind", "verdict", "ratio", "ratio_low", "ratio_high", "intensity",
        "peer_median", "coverage", "availability", "reasons",
    ]  # fmt: skip
    assert {f["verdict"] for f in found} == {"not_assessable"}
    assert "semaines" in by_site(found)["lib"]["reasons"][0]
    dutch = answer(run("underused", "--as-of", "2026-03-12", "--lang", "nl", "--json"))
    assert "weken" in by_site(dutch)["lib"]["reasons"][0]


def test_recomputing_changes_nothing(run: Run) -> None:
    question = ("usage", "--from", "2026-03-02", "--to", "2026-03-12", "--by", "hour", "--json")
    before = answer(run(*question))
    done = answer(run("recompute", "--from", "2026-03-03", "--to", "2026-03-06", "--json"))
    assert done["windows"] == 3 * 3 * 96
    assert answer(run(*question)) == before


def test_tables_show_words_beside_colours_and_coverage_beside_figures(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    status = run("status", "--as-of", "2026-03-05T12:00").output
    assert "✖ down" in status
    assert "? unknown" in status
    usage = run("usage", "--as-of", "2026-03-10").output
    assert "coverage" in usage
    assert "86 %" in usage
    underused = run("underused", "--as-of", "2026-03-12").output
    assert "Sous-utilisé" in underused
