"""Real client counts of a campus, with hours missing from the file, through the real import."""

import csv
import gzip
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cli.app import app

REAL = os.environ.get("SPOTWATCH_REAL")
needs_the_campus = pytest.mark.skipif(
    not REAL, reason="SPOTWATCH_REAL names no folder with real client counts"
)


def building(row: dict[str, str]) -> str:
    """Where the column is empty, the letters in the AP's name."""
    letters = re.match(r"I?AP-([A-Z]+)", row["ap"].strip())
    return row["building"] or (letters[1] if letters else "OTHER")


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment derived from the file: buildings as sites."""
    folder = tmp_path_factory.mktemp("campus")
    source = next(Path(REAL or "").glob("*.csv.gz"))
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    home = {row["ap"].strip(): building(row) for row in rows}
    (folder / "spotwatch.yaml").write_text(
        "city: Campus\ntimezone: Europe/Madrid\ncountry: ES\nsnmp: {poll_seconds: 3600}\n",
        encoding="utf-8",
    )
    sites = sorted(set(home.values()))
    (folder / "sites.csv").write_text(
        "site,kind\n" + "".join(f"{site},school\n" for site in sites), encoding="utf-8"
    )
    (folder / "access_points.csv").write_text(
        "ap,site,source\n" + "".join(f"{ap},{site},import\n" for ap, site in home.items()),
        encoding="utf-8",
    )
    columns = ["ts", "ap", "clients", "clients_2g", "clients_5g"]
    with (folder / "counts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)  # names keep the tab or space that they begin with
    return folder


def spotwatch(*arguments: str) -> object:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


@needs_the_campus
def test_missing_hours_are_missing_and_not_silent(campus: Path) -> None:
    config = ["--config", str(campus), "--json"]
    report = spotwatch("import", str(campus / "counts.csv"), *config)
    assert isinstance(report, dict)
    assert report["imported"] == report["rows"] > 40_000
    assert report["aps"] == 1091

    day = ["--from", "2025-04-07T00:00:00Z", "--to", "2025-04-08T00:00:00Z"]
    hours = spotwatch("usage", *day, "--by", "hour", *config)
    assert isinstance(hours, list)
    by_hour: dict[int, list[dict[str, float | None]]] = {}
    for row in hours:
        start = datetime.fromisoformat(row["start"]).astimezone(UTC)
        by_hour.setdefault(start.hour, []).append(row)

    # The snapshots of 06:15:41 hold for an hour and a half; the next ones are of 18:00:53.
    for hour in range(8, 18):
        assert {row["coverage"] for row in by_hour[hour]} == {0}
        assert {row["user_hours"] for row in by_hour[hour]} == {None}
        assert {row["clients_mean"] for row in by_hour[hour]} == {None}
    for hour in (1, 3, 5, 19, 21):
        observed = [row["coverage"] or 0 for row in by_hour[hour]]
        assert sum(observed) / len(observed) > 0.9
        assert sum(row["user_hours"] or 0 for row in by_hour[hour]) > 100

    whole_day = spotwatch("usage", *day, "--by", "total", *config)
    assert isinstance(whole_day, list)
    # 00:00 to 07:45:41 and 18:00:53 to 24:00 are known: 13.7 hours of 24.
    shares = [row["coverage"] for row in whole_day]
    assert sum(shares) / len(shares) == pytest.approx(13.75 / 24, abs=0.03)
