"""The embedded store beside the plainest model of one, and where files fail."""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.reading import MAX_COUNTER, Reading
from pipeline.store import sqlite_file
from pipeline.store.base import StoreError
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.store.sqlite import SqliteStore

APS = ("ap-é", "AP-1", "ap-10", "ap-2")
SITES = ("library", "parc", "École")
counts = st.none() | st.integers(0, 3)
octets = st.none() | st.integers(MAX_COUNTER - 1000, MAX_COUNTER) | st.integers(0, 5)
readings = st.builds(
    Reading,
    ap=st.sampled_from(APS),
    site=st.sampled_from(SITES),
    ts_ms=st.integers(1_000, 1_020),
    up=st.sampled_from([None, 0, 1]),
    clients=counts,
    clients_2g=counts,
    clients_5g=st.none(),
    clients_6g=st.none(),
    rx_bytes=octets,
    tx_bytes=octets,
    counter_bits=st.sampled_from([None, 32, 64]),
    uptime_s=counts,
    channel_utilisation=st.none() | st.floats(0, 100),
    interval_s=st.sampled_from([60, 300]),
)
batches = st.lists(st.lists(readings, max_size=8), max_size=4)
chosen_sites = st.none() | st.sets(st.sampled_from([*SITES, "nowhere"]))
moments = st.integers(995, 1_025)


def merged(written: Sequence[Sequence[Reading]]) -> list[Reading]:
    """What a store has to hold: a rewrite overwrites what it carries and keeps the rest."""
    held: dict[tuple[str, int], Reading] = {}
    for reading in (r for batch in written for r in batch):
        key = reading.ap, reading.ts_ms
        said = {name: v for name, v in reading._asdict().items() if v is not None}
        held[key] = held.get(key, reading)._replace(**said)
    return [held[key] for key in sorted(held)]


def as_readings(frame: pd.DataFrame) -> list[Reading]:
    rows = zip(*(frame[name].astype(object) for name in Reading._fields), strict=True)
    return [Reading._make(None if value is pd.NA else value for value in row) for row in rows]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "spotwatch.db")) as opened:
        yield opened


@contextmanager
def filled(written: Sequence[Sequence[Reading]]) -> Iterator[SqliteStore]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteStore(Path(folder) / "spotwatch.db")) as store,
    ):
        for batch in written:
            store.write_samples(batch)
        yield store


slow_disk = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


@slow_disk
@given(batches, moments, moments, chosen_sites)
def test_it_holds_and_finds_what_the_plainest_store_would(
    written: list[list[Reading]], start: int, end: int, sites: set[str] | None
) -> None:

    def there(found: Iterable[Reading]) -> list[Reading]:
        return [r for r in found if sites is None or r.site in sites]

    inside = [r for r in merged(written) if start <= r.ts_ms < end]
    counted = [r for r in inside if r.rx_bytes is not None or r.tx_bytes is not None]
    with filled(written) as store:
        assert as_readings(store.read_samples(start, end, sites=sites)) == there(inside)
        last = store.last_samples(end, start, sites=sites)
        assert as_readings(last) == there({r.ap: r for r in inside}.values())
        last = store.last_samples(end, start, sites=sites, with_counters=True)
        assert as_readings(last) == there({r.ap: r for r in counted}.values())


@slow_disk
@given(batches, st.sampled_from(APS), moments, moments)
def test_it_knows_the_next_counter_the_span_of_each_site_and_who_moved(
    written: list[list[Reading]], ap: str, after: int, until: int
) -> None:
    held = merged(written)
    counted = [
        r.ts_ms
        for r in held
        if r.ap == ap
        and after < r.ts_ms < until
        and (r.rx_bytes is not None or r.tx_bytes is not None)
    ]
    times = {site: [r.ts_ms for r in held if r.site == site] for site in SITES}
    with filled(written) as store:
        assert store.next_counter_ms(ap, after, until) == min(counted, default=None)
        assert store.span() == {site: (min(t), max(t)) for site, t in times.items() if t}
        sites_of = {ap: {r.site for r in chain(*written) if r.ap == ap} for ap in APS}
        moved = {ap: sites for ap, sites in sites_of.items() if len(sites) > 1}
        assert store.moved_aps() == moved


def test_frames_have_the_types_of_the_protocol_even_when_empty(store: SqliteStore) -> None:
    store.write_samples([Reading("ap-1", "library", 1_000, channel_utilisation=12.5)])
    plain = {"ap": "str", "site": "str", "ts_ms": "int64", "interval_s": "int64"}
    expected = dict.fromkeys(Reading._fields, "Int64") | plain | {"channel_utilisation": "Float64"}

    for frame in (
        store.read_samples(0, 2_000),
        store.read_samples(5_000, 6_000),
        store.read_samples(0, 2_000, sites=[]),
        store.last_samples(2_000, 0),
        store.last_samples(0, 0),
    ):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == expected
        assert list(frame.index) == list(range(len(frame)))


def usage_rows(rows: Sequence[tuple[str, int]], **amounts: Any) -> pd.DataFrame:
    given = [
        dict.fromkeys(USAGE_COLUMNS, 0) | amounts | {"site": s, "start_ms": t} for s, t in rows
    ]
    return pd.DataFrame(
        {name: pd.Series([r[name] for r in given], dtype=t) for name, t in USAGE_COLUMNS.items()}
    )


def test_usage_is_replaced_row_by_row_at_its_level(store: SqliteStore) -> None:
    rows = [("parc", 900), ("library", 0), ("library", 900)]
    store.write_usage("15min", usage_rows(rows, user_ms=1, rx_bytes=MAX_COUNTER))
    store.write_usage("hour", usage_rows([("library", 0)], user_ms=7))
    store.write_usage("15min", usage_rows([("library", 900)], user_ms=2, peak_clients=pd.NA))

    found = store.read_usage("15min", 0, 901)

    expected = pd.concat(
        [
            usage_rows([("library", 0)], user_ms=1, rx_bytes=MAX_COUNTER),
            usage_rows([("library", 900)], user_ms=2, peak_clients=pd.NA),
            usage_rows([("parc", 900)], user_ms=1, rx_bytes=MAX_COUNTER),
        ],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(found, expected)
    assert list(store.read_usage("15min", 0, 900, sites=["library", "parc"])["start_ms"]) == [0]
    assert list(store.read_usage("hour", 0, 900, sites=["library"])["user_ms"]) == [7]
    assert store.read_usage("day", 0, 901).dtypes.equals(expected.dtypes)


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    sample = Reading("ap-1", "library", 1_000, clients=3)
    with closing(SqliteStore(tmp_path / "new" / "spotwatch.db")) as store:
        store.write_samples([sample])
    with closing(SqliteStore(tmp_path / "new" / "spotwatch.db")) as store:
        assert as_readings(store.read_samples(0, 2_000)) == [sample]


def test_another_process_reads_while_a_transaction_is_open_and_writes_between_ours(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.write_samples([Reading("ap-1", "library", 1_000)])
    script = (
        "import sys; from pathlib import Path; from collectors.reading import Reading;"
        "from pipeline.store.sqlite import SqliteStore; s = SqliteStore(Path(sys.argv[1]));"
        "s.write_samples([Reading('ap-2', 'parc', 2_000)]) if sys.argv[2] == 'write' else None;"
        "print(len(s.read_samples(0, 9_000)))"
    )

    def other(action: str) -> int:
        command = [sys.executable, "-c", script, str(tmp_path / "spotwatch.db"), action]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return int(done.stdout)

    with closing(sqlite3.connect(tmp_path / "spotwatch.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM samples")
        assert other("read") == 1
        writer.execute("ROLLBACK")
    assert other("write") == 2
    # The other process numbered ap-2 and parc; ours must not mistake them for others.
    store.write_samples([Reading("ap-3", "epn", 3_000), Reading("ap-2", "parc", 3_000)])
    found = store.read_samples(0, 9_000)
    assert list(zip(found["ap"], found["site"], found["ts_ms"], strict=True)) == [
        ("ap-1", "library", 1_000),
        ("ap-2", "parc", 2_000),
        ("ap-2", "parc", 3_000),
        ("ap-3", "epn", 3_000),
    ]


VERSION_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE aps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE places (ap INTEGER, site INTEGER, PRIMARY KEY (ap, site)) WITHOUT ROWID;
CREATE TABLE samples (ap INTEGER, ts_ms INTEGER, site INTEGER NOT NULL, up INTEGER, clients INTEGER,
    clients_2g INTEGER, clients_5g INTEGER, clients_6g INTEGER, rx_bytes INTEGER, tx_bytes INTEGER,
    counter_bits INTEGER, uptime_s INTEGER, channel_utilisation REAL, interval_s INTEGER NOT NULL,
    PRIMARY KEY (ap, ts_ms)) WITHOUT ROWID;
CREATE TABLE usage (level INTEGER, site INTEGER, start_ms INTEGER, end_ms INTEGER, aps INTEGER,
    expected_ms INTEGER, covered_ms INTEGER, up_ms INTEGER, down_ms INTEGER, maintenance_ms INTEGER,
    clients_ms INTEGER, user_ms INTEGER, peak_clients INTEGER, rx_bytes INTEGER, tx_bytes INTEGER,
    PRIMARY KEY (level, site, start_ms)) WITHOUT ROWID;
INSERT INTO aps VALUES (1, 'ap-1');
INSERT INTO sites VALUES (1, 'library');
INSERT INTO places VALUES (1, 1);
INSERT INTO samples (ap, ts_ms, site, clients, interval_s) VALUES (1, 1000, 1, 3, 300);
INSERT INTO usage VALUES (1, 1, 0, 3600000, 1, 3600000, 2, 3, 4, 5, 6, 7, NULL, 8, 9);
PRAGMA user_version = 1;
"""


def test_a_file_of_version_1_keeps_what_it_holds_and_takes_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "spotwatch.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)
    held = usage_rows(
        [("library", 0)], end_ms=3_600_000, aps=1, expected_ms=3_600_000, covered_ms=2, up_ms=3,
        down_ms=4, maintenance_ms=5, clients_ms=6, user_ms=7, peak_clients=pd.NA, rx_bytes=8,
        tx_bytes=9, sessions=pd.NA, passers_by=pd.NA, device_days=pd.NA,
        randomised_device_days=pd.NA,
    )  # fmt: skip
    new = usage_rows([("parc", 0)], watched_ms=5, sessions=2)
    for _ in range(2):  # the second time there is nothing left to bring up to date
        with closing(SqliteStore(path)) as store:
            assert store.read_samples(0, 2_000)["clients"].tolist() == [3]
            pd.testing.assert_frame_equal(store.read_usage("hour", 0, 1, sites=["library"]), held)
            assert store.read_ap_usage("hour", 0, 1, sites=["library"]).empty
            store.write_usage("hour", new)
            pd.testing.assert_frame_equal(store.read_usage("hour", 0, 1, sites=["parc"]), new)
            ap = pd.DataFrame([dict.fromkeys(AP_USAGE_COLUMNS, 1) | {"site": "parc", "ap": "ap-2"}])
            store.write_ap_usage("hour", ap.astype(AP_USAGE_COLUMNS))
            assert store.read_ap_usage("hour", 0, 2)["ap"].tolist() == ["ap-2"]


def not_a_database(path: Path) -> None:
    path.write_text("ts,ap\n" * 1000)


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE invoices (id INTEGER)")


def of_a_newer_version(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (not_a_database, "not a database; name another file"),
        (of_another_program, "another program; name another file"),
        (of_a_newer_version, "newer Spotwatch .schema 999.*install that version"),
        (a_folder, "unable to open"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "spotwatch.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(StoreError, match=rf"spotwatch\.db: .*{message}"):
        SqliteStore(path)

    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_damaged_file_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "spotwatch.db"
    with closing(SqliteStore(path)) as store:
        store.write_samples([Reading("ap-1", "library", i, clients=1) for i in range(20_000)])
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * 4096] + b"\x55" * (len(whole) - 2 * 4096))

    with pytest.raises(StoreError, match="restore it from a backup"):  # noqa: SIM117
        with closing(SqliteStore(path)) as store:
            store.read_samples(0, 20_000)


def test_a_file_locked_for_too_long_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.05)
    with (
        closing(SqliteStore(tmp_path / "spotwatch.db")) as store,
        closing(sqlite3.connect(tmp_path / "spotwatch.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked; another process"):
            store.write_samples([Reading("ap-1", "library", 1_000)])
        other.execute("ROLLBACK")
        store.write_samples([Reading("ap-1", "library", 1_000)])
        assert len(store.read_samples(0, 2_000)) == 1


def test_a_disk_that_takes_no_more_fails_the_write_whole_and_only_that(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.write_samples([Reading("ap-1", "library", 1_000)])
    many = [Reading(f"ap-{i}", "parc", 2_000) for i in range(20_000)]
    used = (tmp_path / "spotwatch.db-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (used + 100_000, hard))
    try:
        with pytest.raises(StoreError, match="nothing of this write was kept"):
            store.write_samples(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.read_samples(0, 9_000)["ap"]) == ["ap-1"]
    store.write_samples(many)
    assert len(store.read_samples(0, 9_000)) == 20_001


def test_a_number_that_no_column_holds_fails_the_write_whole(store: SqliteStore) -> None:
    with pytest.raises(StoreError):
        store.write_samples(
            [
                Reading("ap-1", "library", 1_000, rx_bytes=1),
                Reading("ap-1", "library", 2_000, rx_bytes=MAX_COUNTER + 1),
            ]
        )
    assert store.read_samples(0, 9_000).empty


@contextmanager
def without_the_right_to_write(folder: Path) -> Iterator[None]:
    """As another user, where we are root and no mode binds us."""
    modes = {path: path.stat().st_mode for path in [folder, *folder.iterdir()]}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


def test_who_may_not_write_reads_beside_the_daemon_and_is_told_what_is_missing() -> None:
    # Not tmp_path: its parents are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(SqliteStore(folder / "spotwatch.db")) as daemon:
            daemon.write_samples([Reading("ap-1", "library", 1_000)])
            with (
                without_the_right_to_write(folder),
                closing(SqliteStore(folder / "spotwatch.db")) as reader,
            ):
                assert list(reader.read_samples(0, 2_000)["ap"]) == ["ap-1"]
                with pytest.raises(StoreError, match="the right to write"):
                    reader.write_samples([Reading("ap-2", "library", 1_000)])
