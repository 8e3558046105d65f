"""The ledger on a real file: what was noted stays, is counted, and goes when its time is over."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from collectors.presence import Device, Presence
from pipeline.sessions.counts import UNKNOWN
from pipeline.sessions.ledger import Noted, Rules, SessionLedger
from pipeline.sessions.rows import FOLLOWED_ROW, IMPORTED_ROW
from pipeline.sessions.watched import CLIENT_TABLE, Run, Source
from pipeline.store.base import StoreError

MINUTE = 60_000
HOUR = 3_600_000
DAY = 24 * HOUR
BRUSSELS = ZoneInfo("Europe/Brussels")
T = int(datetime(2026, 3, 3, 10, tzinfo=UTC).timestamp() * 1000)
RULES = Rules(15 * MINUTE, MINUTE, lambda _: BRUSSELS)
RECORDS = Source(2, durations=True, devices=True, randomised=False)
A, B, C = (bytes([n, *range(n, n + 7)]) for n in (240, 20, 30))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SessionLedger]:
    with closing(SessionLedger(path, RULES)) as opened:
        yield opened


def seen(minute: float, *keys: bytes, ap: str = "ap-1", site: str = "library") -> Presence:
    devices = tuple(Device(key, None, randomised=key == A) for key in keys)
    return Presence(ap, site, T + round(minute * MINUTE), 300, devices)


def imported(*rows: tuple[float, float, int | None], site: int = 0) -> np.ndarray:
    """Minute, length in minutes and device of sessions of another system."""
    return np.array(
        [
            (
                site, device or 0, device or 0, device is not None, UNKNOWN,
                T + round(at * MINUTE), T + round((at + length) * MINUTE), 10, UNKNOWN,
            )
            for at, length, device in rows
        ],
        IMPORTED_ROW,
    )  # fmt: skip


def day_run() -> Run:
    return Run(T - 11 * HOUR, T + 13 * HOUR, RECORDS)


def total(ledger: SessionLedger, name: str = "sessions", hours: int = 48) -> int:
    counts = ledger.counts(T - 24 * HOUR, T + hours * HOUR)
    return int(counts[name].sum())


def stays(path: Path) -> list[tuple[str, float, float]]:
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute(
            "SELECT aps.name, start_ms, end_ms FROM sessions JOIN aps ON aps.id = ap ORDER BY 2, 3"
        ).fetchall()
    return [(ap, (start - T) / MINUTE, (end - T) / MINUTE) for ap, start, end in rows]


def test_sessions_followed_elsewhere_go_on_when_their_device_is_seen_again(
    ledger: SessionLedger,
) -> None:
    key = int.from_bytes(A, "big", signed=True)
    rows = np.array([(1, key, key, 1, T, T + 10 * MINUTE)], FOLLOWED_ROW)
    watched = {"ap-2": [Run(T, T + 10 * MINUTE, CLIENT_TABLE)]}
    ledger.add_followed("library", rows, ["ap-1", "ap-2"], watched)
    ledger.note([seen(20, A), seen(21, B)])
    counts = ledger.counts(T, T + HOUR)
    began = counts[counts["sessions"] > 0]
    assert began[["ap", "sessions", "device_days"]].to_numpy().tolist() == [
        ["ap-1", 1, 1],
        ["ap-2", 1, 1],
    ]
    assert total(ledger, "randomised_device_days") == 1
    assert ledger.span() == {"library": (T, T + round(28.5 * MINUTE))}


def test_what_was_noted_is_merged_with_what_comes_in_any_later_call(
    ledger: SessionLedger, path: Path
) -> None:
    ledger.note([seen(0, A, B), seen(0, C, site="parc", ap="ap-9")])
    ledger.note([seen(5, A), seen(5, ap="ap-2")])
    assert stays(path) == [("ap-1", 0, 5), ("ap-9", 0, 5), ("ap-1", 0, 10)]


def test_a_restart_goes_on_with_open_sessions(path: Path) -> None:
    for minute in (0, 5, 10):
        with closing(SessionLedger(path, RULES)) as ledger:
            ledger.note([seen(minute, A)])
    assert stays(path) == [("ap-1", 0, 15)]


def test_a_late_presence_that_joins_two_sessions_leaves_one(
    ledger: SessionLedger, path: Path
) -> None:
    ledger.note([seen(0, A), seen(30, A)])
    assert len(stays(path)) == 2
    ledger.note([seen(15, A)])
    assert stays(path) == [("ap-1", 0, 35)]


def test_over_the_change_of_keys_late_presences_are_the_same_stay(
    ledger: SessionLedger, path: Path
) -> None:
    both = Presence("ap-1", "library", T + 12 * MINUTE, 300, (Device(B, A, randomised=False),))
    for presence in (seen(25, B), both, seen(0, A)):
        ledger.note([presence])
    assert stays(path) == [("ap-1", 0, 30)]
    assert total(ledger, "device_days") == 1


def test_the_same_presence_twice_changes_nothing(ledger: SessionLedger, path: Path) -> None:
    noted = [seen(0, A, B), seen(5, B)]
    ledger.note(noted)
    before = stays(path)
    again = ledger.note(noted)
    assert (again.changes, again.watched) == ([], [])
    assert stays(path) == before


def test_counts_are_by_site_ap_and_window(ledger: SessionLedger) -> None:
    ledger.note([seen(0, A, B), seen(20, C, ap="ap-2"), seen(0, C, site="parc", ap="ap-9")])
    counts = ledger.counts(T, T + HOUR)
    assert counts[["site", "ap"]].apply(tuple, axis=1).tolist() == [
        ("library", "ap-1"), ("library", "ap-2"), ("parc", "ap-9")
    ]  # fmt: skip
    assert ((counts["start_ms"] - T) // MINUTE).tolist() == [0, 15, 0]
    assert (counts["watched_ms"] / MINUTE).tolist() == [7.5, 7.5, 7.5]
    assert counts["sessions"].tolist() == [2, 1, 1]
    assert counts["device_days"].tolist() == [2, 1, 1]
    assert counts["randomised_device_days"].tolist() == [1, 0, 0]
    assert counts["passers_by"].isna().all()


def test_of_an_empty_ledger_nothing_is_known(ledger: SessionLedger) -> None:
    counts = ledger.counts(T, T + HOUR)
    assert counts.empty
    assert counts["site"].dtype == "str"
    assert ledger.span() == {}


def test_span_tells_when_each_site_was_watched(ledger: SessionLedger) -> None:
    ledger.note([seen(0, A), seen(10, ap="ap-2")])
    ledger.add_imported(imported((0, 1, 1)), ["parc"], {"parc": day_run()})
    assert ledger.span() == {
        "library": (T, T + 10 * MINUTE + 450_000), "parc": (T - 11 * HOUR, T + 13 * HOUR)
    }  # fmt: skip


def test_a_stay_of_weeks_is_under_way_on_every_day_of_them(ledger: SessionLedger) -> None:
    ledger.add_imported(
        imported((0, 20 * DAY / MINUTE, 7)), ["library"],
        {"library": Run(T, T + 30 * DAY, RECORDS)},
    )  # fmt: skip
    midnight = T + 13 * HOUR
    days = [ledger.counts(midnight + n * DAY, midnight + (n + 1) * DAY) for n in range(25)]
    assert [int(day["device_days"].sum()) for day in days] == [1] * 20 + [0] * 5


def test_imported_sessions_are_counted_with_their_passers_by(ledger: SessionLedger) -> None:
    rows = imported((0, 30, 1), (5, 0.5, 2), (120, 10, 1), (130, 5, None))
    assert ledger.add_imported(rows, ["library"], {"library": day_run()}) == 4
    assert total(ledger) == 3
    assert total(ledger, "passers_by") == 1
    assert total(ledger, "device_days") == 2
    counts = ledger.counts(T, T + HOUR)
    assert counts["watched_ms"].tolist() == [2 * 15 * MINUTE] * 4
    assert counts["randomised_device_days"].isna().all()


def test_the_same_records_again_are_known_by_site_start_and_end(ledger: SessionLedger) -> None:
    watched = {"library": day_run(), "parc": day_run()}
    twins = imported((0, 30, 1), (0, 30, 2), (60, 5, 3))
    assert ledger.add_imported(twins, ["library"], watched) == 3
    with_others = imported((60, 5, 8), (0, 30, 9), (0, 30, 6), (0, 30, 5), (60, 6, 4))
    assert ledger.add_imported(with_others, ["library"], watched) == 2
    assert ledger.add_imported(twins, ["parc"], watched) == 3
    assert ledger.add_imported(twins, ["library"], watched) == 0


def test_imported_and_followed_sessions_do_not_mix(ledger: SessionLedger, path: Path) -> None:
    ledger.add_imported(imported((0, 30, 1)), ["library"], {"library": day_run()})
    ledger.note([seen(10, (1).to_bytes(8, "big"))])
    assert stays(path) == [("", 0, 30), ("ap-1", 10, 15)]


def test_lengths_are_of_sessions_that_began_in_the_span_without_passers_by(
    ledger: SessionLedger,
) -> None:
    ledger.add_imported(
        imported((0, 30, 1), (5, 0.5, 2), (120, 10, 1)), ["library"], {"library": day_run()}
    )
    ledger.note([seen(0, A, site="parc"), seen(5, A, site="parc")])
    lengths = ledger.lengths(T, T + HOUR)
    assert lengths["site"].tolist() == ["library", "parc"]
    assert lengths["length_ms"].tolist() == [30 * MINUTE, 10 * MINUTE]
    assert lengths["exact"].tolist() == [True, False]
    assert ledger.lengths(T, T + HOUR, ["parc"])["site"].tolist() == ["parc"]
    assert ledger.lengths(T + DAY, T + 2 * DAY).empty


def test_what_is_marked_is_told_before_it_is_durable_and_a_failure_keeps_nothing(
    ledger: SessionLedger, path: Path
) -> None:
    def full(noted: Noted) -> None:
        assert len(noted.changes) == 1
        assert stays(path) == []
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        ledger.note([seen(0, A)], full)
    assert stays(path) == []
    ledger.note([seen(0, A)])
    assert stays(path) == [("ap-1", 0, 5)]


def on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_expires_is_gone_from_the_disk_and_the_rest_is_counted_as_before(
    ledger: SessionLedger, path: Path
) -> None:
    ledger.note([seen(0, A), seen(5, A)])
    ledger.note([seen(24 * 60, B), seen(24 * 60 + 30, B)])
    later = ledger.counts(T + DAY, T + 2 * DAY)
    assert A in on_disk(path)
    assert ledger.expire(T + DAY) == 1
    assert A not in on_disk(path)
    pd.testing.assert_frame_equal(ledger.counts(T + DAY, T + 2 * DAY), later)
    assert ledger.counts(T - DAY, T + HOUR).empty
    assert ledger.expired_until_ms() == T + 13 * HOUR
    assert ledger.expire(T + 9 * DAY) == 2
    # Service began with the first of them, and still did.
    assert ledger.span() == {"library": (T, T + DAY + 30 * MINUTE + 450_000)}


def test_a_session_that_reaches_into_a_kept_day_is_kept(ledger: SessionLedger) -> None:
    ledger.add_imported(
        imported((0, DAY / MINUTE, 7)), ["library"], {"library": Run(T, T + 2 * DAY, RECORDS)}
    )
    after = ledger.counts(T + 13 * HOUR, T + 2 * DAY)
    assert ledger.expire(T + DAY) == 0
    pd.testing.assert_frame_equal(ledger.counts(T + 13 * HOUR, T + 2 * DAY), after)


def test_the_files_are_their_owners_alone(ledger: SessionLedger, path: Path) -> None:
    ledger.note([seen(0, A)])
    files = list(path.parent.iterdir())
    assert len(files) > 1  # the log of writes too
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_of_another_program_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 50)
    with pytest.raises(StoreError, match=r"sessions\.db"):
        SessionLedger(path, RULES)


def test_a_city_of_years_is_counted_a_part_at_a_time(
    ledger: SessionLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.note([seen(m, A, B) for m in range(0, 3000, 45)])
    whole = ledger.counts(T - DAY, T + 3 * DAY)
    monkeypatch.setattr("pipeline.sessions.ledger.MAX_CELLS", 7)
    pd.testing.assert_frame_equal(ledger.counts(T - DAY, T + 3 * DAY), whole)
