"""Files of sessions into the real ledger, and usage up to date afterwards."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from config.deployment import Deployment
from config.loader import load
from config.problems import ConfigError
from pipeline.imports import csv_file
from pipeline.imports.session_importer import EXAMPLES, SessionImporter, SessionReport
from pipeline.imports.source import open_source
from pipeline.sessions.ledger import Rules, SessionLedger
from pipeline.state import State
from pipeline.store.base import StoreError
from pipeline.store.sqlite import SqliteStore
from tests.addresses import Search

MINUTE = 60_000
HOUR = 3_600_000
DAY = 24 * HOUR
T = datetime(2026, 3, 3, 10, tzinfo=UTC)
T_MS = int(T.timestamp() * 1000)
NOW_MS = T_MS + 60 * DAY
MIDNIGHT_MS = T_MS - 11 * HOUR
EVER = (T_MS - 30 * DAY, T_MS + 60 * DAY)
HEADER = "site,start,duration_s,device"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\nap-2,library,import\n"
        "ap-3,parc,import\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def ledger(deployment: Deployment) -> Iterator[SessionLedger]:
    with closing(SessionLedger(deployment.sessions_path, Rules.of(deployment))) as opened:
        yield opened


@pytest.fixture
def state(deployment: Deployment) -> Iterator[State]:
    with closing(State(deployment.state_path)) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "spotwatch.db")) as opened:
        yield opened


Import = Callable[..., SessionReport]


@pytest.fixture
def importing(
    tmp_path: Path, deployment: Deployment, ledger: SessionLedger, state: State, store: SqliteStore
) -> Import:
    def run(*files: Sequence[str], header: str = HEADER, aggregate: bool = False) -> SessionReport:
        paths = []
        for number, lines in enumerate(files):
            paths.append(tmp_path / f"{number}.csv")
            paths[-1].write_text("\n".join((header, *lines)), encoding="utf-8")
        importer = SessionImporter(deployment, ledger, state)
        report = importer.run([open_source(path) for path in paths], now_ms=NOW_MS)
        if aggregate:
            importer.aggregate(store, report, now_ms=NOW_MS)
        return report

    return run


def row(minute: float, seconds: float, device: str = "", site: str = "library") -> str:
    start = datetime.fromtimestamp(T_MS / 1000 + minute * 60, UTC).isoformat()
    return f"{site},{start},{seconds},{device}"


def total(ledger: SessionLedger, name: str) -> int | None:
    counts = ledger.counts(*EVER)[name]
    return None if counts.isna().all() else int(counts.sum())


def test_what_came_of_it_is_counted(importing: Import, ledger: SessionLedger) -> None:
    report = importing(
        [row(0, 600, "a"), row(12, 300, "a"), row(0, 59, "b"), row(0, 60, "c", "parc"),
         "bib,2026-03-03T10:00:00Z,5,d", "too,few"]
    )  # fmt: skip
    assert (report.rows, report.imported, report.refused) == (6, 4, 2)
    assert (report.sessions, report.added, report.passers_by) == (3, 3, 1)
    assert report.reasons == {"unknown site": 1, "malformed line": 1}
    assert [(path.name, e.line) for path, e in report.examples] == [("0.csv", 6), ("0.csv", 7)]
    assert report.sites == {"library", "parc"}
    assert (report.first_ms, report.last_ms) == (T_MS, T_MS)
    assert total(ledger, "sessions") == 2
    assert total(ledger, "passers_by") == 1
    assert total(ledger, "device_days") == 3
    assert total(ledger, "randomised_device_days") is None


def test_the_days_of_a_site_s_rows_are_watched_for_all_of_its_access_points(
    importing: Import, ledger: SessionLedger
) -> None:
    importing([row(0, 600, "a"), row(24 * 60, 600, "a"), row(0, 60, "c", "parc")])
    assert ledger.span() == {
        "library": (MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY),
        "parc": (MIDNIGHT_MS, MIDNIGHT_MS + DAY),
    }
    watched = ledger.counts(*EVER).groupby("site")["watched_ms"].sum()
    assert watched.to_dict() == {"library": 4 * DAY, "parc": DAY}


def test_what_is_not_over_is_not_watched(importing: Import, ledger: SessionLedger) -> None:
    importing([row(60 * 24 * 60 - 60, 600, "a")])
    assert ledger.span()["library"][1] == NOW_MS


def test_one_stay_may_lie_in_two_files_of_one_import(
    importing: Import, ledger: SessionLedger
) -> None:
    report = importing([row(12, 300, "a")], [row(0, 600, "a"), row(30, 600, "b")])
    assert (report.sessions, total(ledger, "sessions"), total(ledger, "device_days")) == (2, 2, 2)


def test_without_devices_every_row_is_a_session_and_devices_are_unknown(
    importing: Import, ledger: SessionLedger
) -> None:
    report = importing([row(0, 600), row(0, 600), row(5, 600)])
    assert not report.devices
    assert total(ledger, "sessions") == 3
    assert total(ledger, "device_days") is None


def test_addresses_tell_the_share_of_randomised_ones_where_all_devices_are_addresses(
    importing: Import, ledger: SessionLedger
) -> None:
    importing(
        [row(0, 600, "02:00:00:00:00:01"), row(0, 600, "00:00:00:00:00:02"),
         row(0, 600, "02:00:00:00:00:03", "parc"), row(0, 600, "card 4", "parc")]
    )  # fmt: skip
    counts = ledger.counts(*EVER).groupby("site")["randomised_device_days"].sum(min_count=1)
    assert counts["library"] == 1
    assert counts["parc"] is pd.NA


def test_the_same_file_again_changes_nothing_though_its_keys_are_gone(
    importing: Import, ledger: SessionLedger, store: SqliteStore
) -> None:
    lines = [row(i * 7, 30 + i, f"d{i % 5}") for i in range(50)]
    lines += [row(3, 100), row(3, 100)]
    importing(lines, aggregate=True)
    counts, usage = ledger.counts(*EVER), store.read_usage("15min", *EVER)
    report = importing(lines, aggregate=True)
    assert (report.imported, report.added) == (52, 0)
    pd.testing.assert_frame_equal(ledger.counts(*EVER), counts)
    pd.testing.assert_frame_equal(store.read_usage("15min", *EVER), usage)


def test_usage_is_up_to_date_afterwards(importing: Import, store: SqliteStore) -> None:
    importing([row(0, 600, "a"), row(30, 30, "b")], aggregate=True)
    days = store.read_usage("day", *EVER, sites=["library"])
    (day,) = days[days["start_ms"] == MIDNIGHT_MS].to_dict("records")
    assert (day["sessions"], day["passers_by"], day["device_days"]) == (1, 1, 2)
    assert day["watched_ms"] == day["expected_ms"] == 2 * DAY


def test_a_device_that_stays_past_midnight_counts_on_both_days(
    importing: Import, store: SqliteStore
) -> None:
    importing([row(12 * 60 + 30, 7200, "a"), row(14 * 60, 60, "b")], aggregate=True)
    days = store.read_usage("day", *EVER, sites=["library"])
    assert days["device_days"].dropna().tolist()[:2] == [1, 2]


def test_a_file_that_ends_midway_leaves_nothing_behind(
    importing: Import, ledger: SessionLedger, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_CHARACTERS", 1)

    def torn(*_: object, **__: object) -> object:
        raise OSError("torn")

    monkeypatch.setattr(csv_file, "_batch", torn)
    with pytest.raises(ConfigError, match="torn"):
        importing([row(0, 600, "a")])
    assert ledger.counts(*EVER).empty
    assert state.dirty() == []


def test_what_could_not_be_written_stays_marked(
    importing: Import, ledger: SessionLedger, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(ledger, "add_imported", full)
    with pytest.raises(StoreError):
        importing([row(0, 600, "a")])
    assert [(d.site, d.start_ms, d.end_ms) for d in state.dirty()] == [
        ("library", MIDNIGHT_MS, MIDNIGHT_MS + DAY)
    ]


def test_of_each_reason_the_first_rows_are_kept(importing: Import) -> None:
    report = importing([row(0, 5, "d", "bib")] * 3 * EXAMPLES + [row(0, -5)] * 2)
    assert report.refused == 3 * EXAMPLES + 2
    assert len(report.examples) == EXAMPLES + 2


def test_columns_that_are_not_known_are_refused_without_an_address(importing: Import) -> None:
    with pytest.raises(ConfigError) as refused:
        importing([], header=row(0, 60, "02:1a:2b:3c:4d:5e"))
    assert "required: site, start, duration_s" in str(refused.value)
    assert "1a:2b" not in str(refused.value)


def test_no_device_reaches_the_disk(
    importing: Import, deployment: Deployment, tmp_path: Path
) -> None:
    macs = [bytes([2, 0xAE, 0xBC, 0x10, 0xD7, n]) for n in range(200)]
    report = importing([row(n, 600, mac.hex(":")) for n, mac in enumerate(macs)], aggregate=True)
    assert report.added == 200
    search = Search(macs)
    (tmp_path / "0.csv").unlink()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert deployment.sessions_path in kept
    assert [found for path in kept for found in search.found_in(path.read_bytes())] == []
