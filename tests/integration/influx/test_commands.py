"""The commands where the store is InfluxDB: as on the embedded store, and what is its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from pipeline.store.base import StoreError
from tests.integration.influx.conftest import TOKEN, City

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOURS = 30
APS = ("bib-1", "bib-2", "parc-1")


@pytest.fixture
def folder(city: City, tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    write_settings(tmp_path, city)
    (tmp_path / "sites.csv").write_text(
        "site,kind,commune\nbib,library,Valmont\nparc,park,\n", encoding="utf-8"
    )
    (tmp_path / "access_points.csv").write_text(
        "ap,site,source,poll_seconds\n"
        + "".join(f"{ap},{ap.partition('-')[0]},import,900\n" for ap in APS),
        encoding="utf-8",
    )
    rows = [
        f"{moment.isoformat()},{ap},1,{(i * 7 + n) % 30},{9**15 - i * 999}"
        for i in range(HOURS * 4)
        for moment in [NOW - timedelta(minutes=15 * i)]
        for n, ap in enumerate(APS)
    ]
    text = "ts,ap,up,clients,rx_bytes\n" + "\n".join(rows) + "\n"
    (tmp_path / "history.csv").write_text(text, encoding="utf-8")
    return tmp_path


def write_settings(folder: Path, city: City | None) -> None:
    store = (
        f"store: {{kind: influxdb, url: '{city.proxy.url}', org: city, token: 'file:token',"
        f" bucket: {city.name}}}\n"
        if city
        else ""
    )
    (folder / "spotwatch.yaml").write_text(
        f"city: Valmont\ntimezone: Europe/Brussels\n{store}", encoding="utf-8"
    )


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(folder)])


def said(folder: Path, *arguments: str, expect: int = 0) -> Any:
    result = run(folder, *arguments, "--json")
    assert result.exit_code == expect, result.output
    return orjson.loads(result.stdout)


def test_an_import_says_the_same_on_both_stores_and_the_house_moves_both_ways(
    city: City, folder: Path
) -> None:
    as_of = ("--as-of", NOW.isoformat())
    write_settings(folder, None)
    said(folder, "import", str(folder / "history.csv"))
    embedded = [said(folder, command, *as_of) for command in ("usage", "status", "underused")]
    write_settings(folder, city)
    moved = said(folder, "store", "copy", "--from", "sqlite", "--to", "influxdb")
    assert moved["samples"] == HOURS * 4 * len(APS)
    assert moved["already_there"] == 0
    assert moved["samples_left_before"] is None
    assert [said(folder, c, *as_of) for c in ("usage", "status", "underused")] == embedded
    again = said(folder, "store", "copy", "--from", "sqlite", "--to", "influxdb")
    assert again["already_there"] == again["pieces"] == moved["pieces"]
    back = ("store", "copy", "--from", "influxdb", "--to", "sqlite", "--sqlite", "back.db")
    assert said(folder, *back)["usage_rows"] == moved["usage_rows"]
    write_settings(folder, None)
    (folder / "spotwatch.db").unlink()
    (folder / "back.db").rename(folder / "spotwatch.db")
    assert [said(folder, c, *as_of) for c in ("usage", "status", "underused")] == embedded


@pytest.mark.parametrize("known", [False, True], ids=["first import", "another import"])
def test_an_import_while_influxdb_is_away_is_told_and_can_be_repeated(
    city: City, folder: Path, *, known: bool
) -> None:
    """The first import has to ask the server where APs were before it reads on."""
    if known:
        (folder / "one.csv").write_text(f"ts,ap,up\n{NOW.isoformat()},bib-1,1\n", encoding="utf-8")
        said(folder, "import", str(folder / "one.csv"))
    city.proxy.stop()
    result = run(folder, "import", str(folder / "history.csv"))
    assert (result.exit_code, type(result.exception)) == (1, StoreError)
    assert "cannot be reached" in str(result.exception)
    assert "Import the file again" in str(result.exception)
    rows = HOURS * 4 * len(APS)
    assert said(folder, "spool")["lines"] == rows
    if known:
        assert f"{rows} samples are kept on this machine; `spotwatch run`" in str(result.exception)
    city.proxy.start()
    assert said(folder, "import", str(folder / "history.csv"))["imported"] == rows
    assert said(folder, "spool")["lines"] == 0
    counted = city.influxd.query('SELECT count("interval_s") FROM "sample"', city.raw)
    assert orjson.loads(counted)["results"][0]["series"][0]["values"][0][1] == rows


def test_what_has_expired_is_neither_imported_nor_computed_again(folder: Path) -> None:
    old = NOW - timedelta(days=401)
    (folder / "old.csv").write_text(f"ts,ap,up\n{old.isoformat()},bib-1,1\n", encoding="utf-8")
    refused = said(folder, "import", str(folder / "old.csv"), expect=2)
    assert refused["reasons"] == {"expired": 1}
    days = {ago: str((NOW - timedelta(days=ago)).date()) for ago in (399, 390, 1)}
    result = run(folder, "recompute", "--from", days[399], "--to", days[1])
    assert result.exit_code == 2
    assert "the samples of then have expired (store.raw_days)" in result.stderr
    assert run(folder, "recompute", "--from", days[390], "--to", days[1]).exit_code == 0


def findings(folder: Path, expect: int) -> dict[str, dict[str, Any]]:
    return {f["part"]: f for f in said(folder, "doctor", expect=expect)["findings"]}


def test_doctor_looks_at_the_server_the_token_the_buckets_and_the_spool(
    city: City, folder: Path
) -> None:
    said(folder, "import", str(folder / "history.csv"))
    found = findings(folder, expect=1)
    # The proxy passes no version on: an InfluxDB that does not say so is none.
    assert "not as an InfluxDB does" in found["InfluxDB"]["seen"]
    assert found["InfluxDB buckets"]["health"] == "ok"
    assert found["spool"]["seen"].startswith("Nothing waits.")
    # 3 access points and 2 levels of usage each, and 2 sites at 3 levels.
    assert found["InfluxDB series"]["seen"].startswith("15 for 3 access points and 2 sites")
    assert city.influxd.query("SHOW SERIES", city.raw).count(b"sample,") == 3
    assert city.influxd.query("SHOW SERIES", city.usage).count(b"usage_") == 12

    (folder / "token").write_text("revoked", encoding="utf-8")
    found = findings(folder, expect=1)
    assert "answered 401" in found["InfluxDB buckets"]["seen"]
    assert "spotwatch db setup" in found["InfluxDB buckets"]["advice"]

    (folder / "token").write_text(TOKEN, encoding="utf-8")
    city.influxd.query(f'DROP DATABASE "{city.usage}"')
    found = findings(folder, expect=1)
    assert city.usage in found["InfluxDB buckets"]["seen"]
    assert city.raw not in found["InfluxDB buckets"]["seen"]

    city.proxy.stop()
    assert "cannot be reached" in findings(folder, expect=1)["InfluxDB"]["seen"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "sqlite", "--to", "sqlite"), "--to sqlite: is where it comes from"),
        (("--from", "sqlite", "--to", "influxdb"), "--sqlite: there is no file"),
    ],
)
def test_a_copy_that_makes_no_sense_is_refused(
    folder: Path, options: tuple[str, ...], told: str
) -> None:
    result = run(folder, "store", "copy", *options)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_copy_needs_an_influxdb_in_the_settings(folder: Path) -> None:
    write_settings(folder, None)
    result = run(folder, "store", "copy", "--from", "sqlite", "--to", "influxdb")
    assert result.exit_code == 2
    assert "name the InfluxDB of the copy there" in result.stderr
