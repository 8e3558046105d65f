"""A file into the real store, and its usage up to date afterwards."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from collectors.reading import Reading
from config.deployment import Deployment
from config.loader import load
from pipeline.imports import csv_file
from pipeline.imports.cells import HINTS, Refusal
from pipeline.imports.importer import EXAMPLES, Importer, Report
from pipeline.imports.source import open_source
from pipeline.state import State
from pipeline.store.base import StoreError
from pipeline.store.sqlite import SqliteStore

MINUTE = 60_000
DAY = 86_400_000
T = datetime(2026, 3, 2, 10, tzinfo=UTC)
T_MS = int(T.timestamp() * 1000)
NOW_MS = T_MS + 60 * DAY
EVER = (0, 2**50)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source,poll_seconds\nap-1,library,import,900\n"
        "ap-2,parc,import,900\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "spotwatch.db")) as opened:
        yield opened


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "state.db")) as opened:
        yield opened


Import = Callable[..., Report]


@pytest.fixture
def importing(tmp_path: Path, deployment: Deployment, store: SqliteStore, state: State) -> Import:
    def run(*lines: str, aggregate: bool = False, **options: object) -> Report:
        path = tmp_path / "history.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        importer = Importer(deployment, store, state)
        report = importer.run(open_source(path), now_ms=NOW_MS, **options)  # type: ignore[arg-type]
        if aggregate:
            importer.aggregate(report, now_ms=NOW_MS)
        return report

    return run


def minute(number: float) -> str:
    return datetime.fromtimestamp(T_MS / 1000 + number * 60, UTC).isoformat()


def stored(store: SqliteStore) -> list[tuple[str, str, int, object, object]]:
    frame = store.read_samples(*EVER)
    columns = (frame[name].astype(object) for name in ("ap", "site", "ts_ms", "up", "clients"))
    return [
        (ap, site, (ts - T_MS) // MINUTE, None if up is pd.NA else up, None if n is pd.NA else n)
        for ap, site, ts, up, n in zip(*columns, strict=True)
    ]


def usage(store: SqliteStore, site: str) -> pd.DataFrame:
    return store.read_usage("15min", *EVER, sites=[site])


def test_what_came_of_it_is_counted(importing: Import, store: SqliteStore) -> None:
    report = importing(
        "ts,ap,clients",
        f"{minute(0)},ap-1,3",
        f"{minute(15)},ap-1,4",
        f"{minute(0)},\tap-2,5",
        f"{minute(30)},ap-9,1",
        f"{minute(30)},ap-1,-1",
        "too,few",
    )
    assert (report.rows, report.imported, report.refused, report.duplicates) == (6, 3, 3, 0)
    assert report.reasons == {
        "unknown access point": 1,
        "no whole number in range": 1,
        "malformed line": 1,
    }
    assert [example.line for example in report.examples] == [5, 6, 7]
    assert (report.first_ms, report.last_ms) == (T_MS, T_MS + 15 * MINUTE)
    assert (report.sites, report.aps) == ({"library", "parc"}, {"ap-1", "ap-2"})
    assert stored(store) == [
        ("ap-1", "library", 0, None, 3),
        ("ap-1", "library", 15, None, 4),
        ("ap-2", "parc", 0, None, 5),
    ]


def test_a_file_of_malformed_lines_is_refused_and_not_empty(importing: Import) -> None:
    report = importing("ts,ap,clients", "a", "b")
    assert (report.rows, report.imported, report.refused) == (2, 0, 2)


@pytest.mark.parametrize("block", [1, 10**6])
def test_rows_of_one_instant_complete_and_correct_each_other_however_far_apart(
    importing: Import, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_CHARACTERS", block)
    report = importing(
        "ts,ap,up,clients",
        f"{minute(0)},ap-1,1,3",
        f"{minute(0)},ap-2,,7",
        f"{minute(0)},ap-1,,4",
        f"{minute(15)},ap-1,,5",
        f"{minute(0)},ap-1,0,",
    )
    assert (report.imported, report.refused, report.duplicates) == (5, 0, 2)
    assert stored(store) == [
        ("ap-1", "library", 0, 0, 4),
        ("ap-1", "library", 15, None, 5),
        ("ap-2", "parc", 0, None, 7),
    ]


def test_importing_twice_changes_nothing(importing: Import, store: SqliteStore) -> None:
    lines = ["ts,ap,clients", *(f"{minute(15 * i)},ap-1,{i}" for i in range(8))]
    importing(*lines, aggregate=True)
    samples, rows = store.read_samples(*EVER), usage(store, "library")
    importing(*lines, aggregate=True)
    pd.testing.assert_frame_equal(store.read_samples(*EVER), samples)
    pd.testing.assert_frame_equal(usage(store, "library"), rows)
    assert rows["user_ms"].sum() == sum(i * 15 * MINUTE for i in range(7)) + 7 * 1.5 * 15 * MINUTE


def test_the_interval_is_the_aps_or_the_one_given(importing: Import, store: SqliteStore) -> None:
    importing("ts,ap,clients", f"{minute(0)},ap-1,1")
    assert store.read_samples(*EVER)["interval_s"].tolist() == [900]
    importing("ts,ap,clients", f"{minute(0)},ap-1,1", poll_seconds=3600)
    assert store.read_samples(*EVER)["interval_s"].tolist() == [3600]


def test_usage_of_older_history_follows_later_corrections(
    importing: Import, store: SqliteStore
) -> None:
    importing("ts,ap,clients", *(f"{minute(15 * i)},ap-1,2" for i in range(200)), aggregate=True)
    before = usage(store, "library")["user_ms"].sum()
    importing("ts,ap,clients", f"{minute(15 * 50)},ap-1,102", aggregate=True)
    assert usage(store, "library")["user_ms"].sum() - before == 100 * 15 * MINUTE
    importing("ts,ap,clients", f"{minute(-600)},ap-1,1", aggregate=True)
    assert usage(store, "library")["start_ms"].min() == T_MS - 600 * MINUTE


def test_the_history_of_a_moved_ap_belongs_to_the_sites_that_it_was_at(
    importing: Import, store: SqliteStore
) -> None:
    importing(
        "ts,ap,site,clients",
        *(f"{minute(15 * i)},ap-1,parc,5" for i in range(4)),
        *(f"{minute(15 * i)},ap-1,,2" for i in range(4, 8)),
        aggregate=True,
    )
    assert usage(store, "parc")["user_ms"].sum() == 5 * 60 * MINUTE
    assert usage(store, "library")["user_ms"].sum() == 2 * (45 + 22.5) * MINUTE


def test_correcting_the_site_takes_the_usage_away_from_the_wrong_one(
    importing: Import, store: SqliteStore
) -> None:
    rows = [f"{minute(15 * i)},ap-1" for i in range(8)]
    importing("ts,ap,site,clients", *(f"{row},parc,5" for row in rows), aggregate=True)
    assert usage(store, "parc")["user_ms"].sum() > 0
    importing("ts,ap,site,clients", *(f"{row},library,5" for row in rows), aggregate=True)
    assert usage(store, "parc")["user_ms"].sum() == 0
    assert usage(store, "library")["user_ms"].sum() > 0


def spans(state: State) -> list[tuple[str, int, int]]:
    return [(d.site, d.start_ms, d.end_ms) for d in state.dirty()]


def test_an_import_that_ends_midway_leaves_its_windows_marked(
    importing: Import, store: SqliteStore, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Sequence[Reading]) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "write_samples", full)
    with pytest.raises(StoreError):
        importing("ts,ap,clients", f"{minute(0)},ap-1,1", f"{minute(60)},ap-1,1")
    ((site, start_ms, end_ms),) = spans(state)
    assert site == "library"
    assert start_ms <= T_MS
    # The next counter within a day may be compared with the last of these.
    assert end_ms > T_MS + 60 * MINUTE + DAY


def test_a_daemon_that_aggregates_meanwhile_does_not_clear_what_is_still_to_be_done(
    importing: Import, store: SqliteStore, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.write_samples

    def aggregated_before(readings: Sequence[Reading]) -> None:
        state.clear_dirty([d.id for d in state.dirty()])
        write(readings)

    monkeypatch.setattr(store, "write_samples", aggregated_before)
    importing("ts,ap,clients", f"{minute(0)},ap-1,1")
    assert [site for site, _, _ in spans(state)] == ["library"]


def test_every_refusal_is_told_and_the_first_are_kept(importing: Import) -> None:
    told: list[Refusal] = []
    wrong = 3 * EXAMPLES
    report = importing(
        "ts,ap,clients",
        *(f"{minute(i)},ap-1,x" for i in range(wrong)),
        on_refused=told.extend,
    )
    assert [refusal.line for refusal in told] == list(range(2, wrong + 2))
    assert report.examples == told[:EXAMPLES]
    assert report.refused == wrong


def test_of_thousands_of_unknown_names_the_first_are_told_the_right_one(
    tmp_path: Path, store: SqliteStore, state: State
) -> None:
    known = "".join(f"AP-CAMPUS-{i:04},library,import\n" for i in range(1000))
    (tmp_path / "spotwatch.yaml").write_text("city: C\ntimezone: UTC\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text("site,kind\nlibrary,library\n", encoding="utf-8")
    (tmp_path / "access_points.csv").write_text("ap,site,source\n" + known, encoding="utf-8")
    rows = "".join(f"{minute(0)},AP-CAMPUSS-{i:04},1\n" for i in range(5000))
    (tmp_path / "h.csv").write_text("ts,ap,clients\n" + rows, encoding="utf-8")
    told: list[Refusal] = []
    report = Importer(load(tmp_path), store, state).run(
        open_source(tmp_path / "h.csv"), now_ms=NOW_MS, on_refused=told.extend
    )
    assert report.refused == len(told) == 5000
    assert "did you mean 'AP-CAMPUS-0000'" in told[0].message
    # Comparing one name with a thousand takes milliseconds.
    assert sum("did you mean" in refusal.message for refusal in told) == HINTS
