"""Files of other systems, through a mapping, into the real store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.deployment import Deployment
from config.loader import load
from config.mapping import ColumnMapping, load_mapping
from config.problems import ConfigError
from pipeline.imports import csv_file
from pipeline.imports.importer import Importer, Report
from pipeline.imports.mapped import Mapped
from pipeline.imports.source import open_source
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore

T = 1_772_445_600
"""2026-03-02 10:00 UTC."""
NOW_MS = (T + 86_400) * 1000
WIDE = {"time": "when", "ap": "device", "fields": {"clients": "assoc"}}
LONG: dict[str, Any] = {
    "time": "clock", "ap": "host", "metric": "key_", "value": "value",
    "fields": {"clients": "sta", "up": "ping", "uptime_s": "uptime"},
}  # fmt: skip


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\nap-2,parc,import\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "spotwatch.db")) as opened:
        yield opened


Import = Callable[..., Report]


@pytest.fixture
def importing(tmp_path: Path, deployment: Deployment, store: SqliteStore) -> Iterator[Import]:
    def run(mapping: dict[str, Any], *lines: str, name: str = "history.csv") -> Report:
        path = tmp_path / name
        if lines:
            path.write_text("\n".join(lines), encoding="utf-8")
        checked = ColumnMapping.model_validate(mapping)
        zone = ZoneInfo(checked.timezone) if checked.timezone else None
        importer = Importer(deployment, store, state)
        return importer.run(open_source(path), Mapped(checked), now_ms=NOW_MS, zone=zone)

    with closing(State(tmp_path / "state.db")) as state:
        yield run


Stored = dict[tuple[str, int], dict[str, Any]]


def stored(store: SqliteStore) -> Stored:
    """What is known, by AP and seconds after T."""
    frame = store.read_samples(0, 2**50)
    figures = ("up", "clients", "clients_2g", "clients_5g", "rx_bytes", "tx_bytes", "uptime_s")
    return {
        (row["ap"], row["ts_ms"] // 1000 - T): {n: row[n] for n in figures if not pd.isna(row[n])}
        for row in frame.to_dict("records")
    }


def test_columns_of_other_names_are_read_and_others_are_not(
    importing: Import, store: SqliteStore
) -> None:
    report = importing(WIDE, "assoc;noise;when;device", f"3;-90;{T};ap-1", f"4;;{T};ap-2")
    assert stored(store) == {("ap-1", 0): {"clients": 3}, ("ap-2", 0): {"clients": 4}}
    assert (report.rows, report.imported, report.refused, report.samples) == (2, 2, 0, 2)


@pytest.mark.parametrize(
    ("form", "zone", "text"),
    [
        (None, None, "2026-03-02T10:00:00Z"),
        (None, None, "2026-03-02 11:00:00+01:00"),
        (None, "Europe/Brussels", "2026-03-02 11:00"),
        (None, None, f"{T}"),
        (None, None, f"{T}000"),
        ("seconds", None, f"{T}.0"),
        ("milliseconds", None, f"{T}000"),
        ("microseconds", None, f"{T}000000"),
        ("nanoseconds", None, f"{T}000000000"),
        ("%d/%m/%Y %H:%M", "Europe/Brussels", "02/03/2026 11:00"),
        ("%d/%m/%Y %H:%M:%S %z", None, "02/03/2026 11:00:00 +0100"),
        ("%b %d, %Y %I:%M %p", "Europe/Brussels", "Mar 02, 2026 11:00 AM"),
    ],
)
def test_times_are_read_as_the_mapping_says(
    importing: Import, store: SqliteStore, form: str | None, zone: str | None, text: str
) -> None:
    report = importing(
        {**WIDE, "time_format": form, "timezone": zone},
        "when,device,assoc",
        f'"{text}",ap-1,3',
    )
    assert stored(store) == {("ap-1", 0): {"clients": 3}}, report.examples


def test_a_local_time_that_comes_twice_is_refused(importing: Import) -> None:
    mapping = {**WIDE, "time_format": "%d/%m/%Y %H:%M", "timezone": "Europe/Brussels"}
    report = importing(mapping, "when,device,assoc", "26/10/2025 02:30,ap-1,3")
    assert report.reasons == {"ambiguous time": 1}


def test_a_time_that_is_none_is_told_in_the_mapping_s_words(importing: Import) -> None:
    mapping = {**WIDE, "time_format": "%d/%m/%Y %H:%M", "timezone": "Europe/Brussels"}
    (refusal,) = importing(mapping, "when,device,assoc", "13/13/2026 10:00,ap-1,3").examples
    assert (refusal.column, refusal.reason) == ("when", "no time")
    assert refusal.message.endswith("by the mapping times are written as %d/%m/%Y %H:%M")


def test_names_of_access_points_are_found_and_translated(
    importing: Import, store: SqliteStore
) -> None:
    mapping = {
        **WIDE,
        "ap_pattern": r"^host=(?P<ap>[^.,]+)",
        "aps": {"old-2": "ap-2"},
    }
    report = importing(
        mapping,
        "when,device,assoc",
        f"{T},host=ap-1.city.example,3",
        f'{T},"host=old-2,radio=1",4',
        f"{T},host=old-3.city.example,5",
        f"{T + 300},host=old-3.city.example,6",
        f"{T},something else,7",
    )
    assert stored(store) == {("ap-1", 0): {"clients": 3}, ("ap-2", 0): {"clients": 4}}
    assert report.unknown_aps == {"old-3": 2, "something else": 1}
    assert report.refused == 3
    # One example of each unknown name is enough.
    assert [(e.line, e.column) for e in report.examples] == [(4, "device"), (6, "device")]


@pytest.mark.parametrize(
    ("written", "factor", "read"),
    [
        ("12", 1, 12),
        ("12.0", 1, 12),
        ("2.6", 1, 3),
        ("2,4", 1, 2),
        ("1.2345e+03", 1, 1234),
        ("12.5", 1000, 12500),
        ("8", 0.125, 1),
        ("9007199254740993", 1, 9007199254740993),
    ],
)
def test_figures_are_whole_in_their_unit(
    importing: Import, store: SqliteStore, written: str, factor: float, read: int
) -> None:
    mapping = {**WIDE, "fields": {"rx_bytes": {"from": "in", "factor": factor}}}
    importing(mapping, "when;device;in", f"{T};ap-1;{written}")
    assert stored(store) == {("ap-1", 0): {"rx_bytes": read}}


@pytest.mark.parametrize("nothing", ["", "NaN", "-nan", "U", "null", "None", "n/a"])
def test_no_value_is_no_sample_and_never_zero(
    importing: Import, store: SqliteStore, nothing: str
) -> None:
    report = importing(WIDE, "when,device,assoc", f"{T},ap-1,{nothing}", f"{T},ap-2,0")
    assert stored(store) == {("ap-2", 0): {"clients": 0}}
    assert report.left_out == {"no value": 1}
    assert (report.rows, report.imported, report.refused) == (2, 1, 0)


@pytest.mark.parametrize("wrong", ["many", "-3", "1e30", "3 clients", "100001"])
def test_what_is_no_figure_is_refused_as_written(importing: Import, wrong: str) -> None:
    report = importing(WIDE, "when,device,assoc", f"{T},ap-1,{wrong}", f"{T},ap-2,0.4")
    (refusal,) = report.examples
    assert (refusal.line, refusal.column) == (2, "assoc")
    assert refusal.message == f"{wrong!r} is not a whole number from 0 to 100000"
    assert report.imported == 1


def test_up_is_what_the_mapping_says(importing: Import, store: SqliteStore) -> None:
    up = {"from": "state", "up": ["Online"], "down": ["Offline"], "unknown": ["Pending"]}
    mapping = {**WIDE, "fields": {"up": up, "clients": "assoc"}}
    report = importing(
        mapping,
        "when,device,state,assoc",
        f"{T},ap-1,online,3",
        f"{T + 300},ap-1,OFFLINE,",
        f"{T + 600},ap-1,Pending,2",
        f"{T + 900},ap-1,1,2",
    )
    assert stored(store) == {
        ("ap-1", 0): {"up": 1, "clients": 3},
        ("ap-1", 300): {"up": 0},
        ("ap-1", 600): {"clients": 2},
    }
    (refusal,) = report.examples
    assert (refusal.line, refusal.column) == (5, "state")
    assert refusal.message == (
        "'1' is not allowed; name it under up:, down: or unknown: of the mapping's up"
    )


def test_only_the_rows_asked_for_are_read(importing: Import, store: SqliteStore) -> None:
    mapping = {**WIDE, "only": {"class": "clients|stations"}}
    report = importing(
        mapping,
        "when,device,class,assoc",
        f"{T},ap-1,clients,3",
        f"{T},ap-1,noise,-90",
        f"{T},ap-9,rate,9",
        f"{T},ap-2,stations,1",
    )
    assert stored(store) == {("ap-1", 0): {"clients": 3}, ("ap-2", 0): {"clients": 1}}
    assert report.left_out == {"class other than clients|stations": 2}
    assert (report.rows, report.imported, report.refused) == (4, 2, 0)


def test_a_column_of_the_site_is_read_where_the_mapping_names_it(
    importing: Import, store: SqliteStore
) -> None:
    importing({**WIDE, "site": "place"}, "when,device,place,assoc", f"{T},ap-1,parc,3")
    assert store.read_samples(0, 2**50)["site"].tolist() == ["parc"]


LONG_ROWS = (
    "host,key_,clock,value",
    f"ap-1,sta,{T},3",
    f"ap-1,sta,{T + 300},4",
    f"ap-2,sta,{T},5",
    f"ap-1,system.name,{T},AP 1",
    f"ap-1,system.name,{T + 300},AP 1",
    f"ap-2,ping,{T},1",
    f"ap-1,ping,{T},1",
    f"ap-1,ping,{T + 300},0",
    f"ap-1,uptime,{T},86400.5",
    f"ap-1,noise,{T},-90",
)
JOINED = {
    ("ap-1", 0): {"up": 1, "clients": 3, "uptime_s": 86400},
    ("ap-1", 300): {"up": 0, "clients": 4},
    ("ap-2", 0): {"up": 1, "clients": 5},
}


def test_the_figures_of_an_instant_become_one_sample(importing: Import, store: SqliteStore) -> None:
    report = importing(LONG, *LONG_ROWS)
    assert stored(store) == JOINED
    assert report.left_out == {"metric system.name": 2, "metric noise": 1}
    assert (report.rows, report.imported, report.samples) == (10, 7, 3)
    assert (report.duplicates, report.scattered) == (0, False)


def test_they_may_be_far_apart_in_the_file(
    importing: Import, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_CHARACTERS", 1)  # A row a batch.
    report = importing(LONG, *LONG_ROWS)
    assert stored(store) == JOINED
    assert (report.rows, report.imported, report.samples) == (10, 7, 3)


def test_the_seconds_between_the_figures_of_a_poll_are_rounded_away(
    importing: Import, store: SqliteStore
) -> None:
    rows = (
        "host,key_,clock,value",
        f"ap-1,ping,{T - 20},1",
        f"ap-1,sta,{T + 7},3",
        f"ap-1,uptime,{T + 140},500",
        f"ap-1,ping,{T + 280},1",
        f"ap-1,sta,{T + 307},4",
    )
    assert importing(LONG, *rows).scattered
    aligned = importing({**LONG, "align_seconds": 300}, *rows)
    assert not aligned.scattered
    assert aligned.samples == 2
    found = stored(store)
    assert found["ap-1", 0] == {"up": 1, "clients": 3, "uptime_s": 500}
    assert found["ap-1", 300] == {"up": 1, "clients": 4}


def test_a_figure_that_comes_again_is_counted_and_the_later_one_counts(
    importing: Import, store: SqliteStore
) -> None:
    rows = ("host,key_,clock,value", f"ap-1,sta,{T},3", f"ap-1,ping,{T},1", f"ap-1,sta,{T},9")
    assert importing(LONG, *rows).duplicates == 1
    assert stored(store) == {("ap-1", 0): {"up": 1, "clients": 9}}


def test_columns_that_are_not_in_the_file_are_told_with_those_that_are(importing: Import) -> None:
    with pytest.raises(ConfigError) as caught:
        importing(LONG, "hostname,key_,clock,val", f"ap-1,sta,{T},3")
    assert [(p.line, p.key) for p in caught.value.problems] == [(1, "host"), (1, "value")]
    assert caught.value.problems[0].message == (
        "the column is missing; did you mean 'hostname'?; the file has: hostname, key_, clock, val"
    )


def test_parquet_too(importing: Import, store: SqliteStore, tmp_path: Path) -> None:
    when = [datetime.fromtimestamp(T, UTC), datetime.fromtimestamp(T + 300, UTC)]
    table = pa.table({"when": when, "device": ["ap-1"] * 2, "assoc": [3.0, None], "x": [b"", b""]})
    pq.write_table(table, tmp_path / "history.parquet")
    report = importing(WIDE, name="history.parquet")
    assert stored(store) == {("ap-1", 0): {"clients": 3}}
    assert report.left_out == {"no value": 1}


def test_the_history_of_zabbix(importing: Import, store: SqliteStore) -> None:
    ready = load_mapping("zabbix", ())
    mapping = ready.model_dump(by_alias=True, exclude_none=True)
    mapping["fields"]["clients"] = "wlan.clients"
    importing(
        mapping,
        "host,key_,clock,value",
        f"ap-1,icmpping,{T + 12},1",
        f"ap-1,system.net.uptime[sysUpTime.0],{T + 31},4711",
        f"ap-1,wlan.clients,{T + 47},3.0000",
        f"ap-1,icmpping,{T + 312},0",
    )
    assert stored(store) == {
        ("ap-1", 0): {"up": 1, "uptime_s": 4711, "clients": 3},
        ("ap-1", 300): {"up": 0},
    }
