"""Cells of a session file: what they may hold, and how a refusal reads."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.imports.cells import Refusal, Rules
from pipeline.imports.session_rows import SESSIONS, UNKNOWN, SessionRows, read
from pipeline.imports.source import open_source
from pipeline.scrub import scrub_macs

T = "2026-03-05T10:00:00Z"
T_MS = 1_772_704_800_000
SITES = {"library": 0, "parc": 1}
KEY = b"k" * 32
HEADER = "site,start,duration_s,device,rx_bytes,tx_bytes"


def parsed(
    tmp_path: Path, *lines: str, header: str = HEADER, zone: ZoneInfo | None = None
) -> tuple[SessionRows, Sequence[Refusal]]:
    path = tmp_path / "sessions.csv"
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    rules = Rules(
        home={}, sites=SITES, zone=zone, now_ms=T_MS + 3_600_000, kept_since_ms=T_MS - 10**10,
        kept_by="usage.sessions_days", called={"ts": "start"}, quoted=scrub_macs,
    )  # fmt: skip
    (batch,) = open_source(path).batches(SESSIONS)
    return read(batch, rules, SITES, KEY)


def test_a_row_becomes_a_stay(tmp_path: Path) -> None:
    rows, refusals = parsed(tmp_path, f"parc,{T},90,phone-7,1000,")
    assert refusals == []
    assert rows.site.tolist() == [1]
    assert (rows.start_ms - T_MS).tolist() == [0]
    assert (rows.end_ms - T_MS).tolist() == [90_000]
    assert (rows.known.tolist(), rows.rx_bytes.tolist(), rows.tx_bytes.tolist()) == (
        [True], [1000], [UNKNOWN]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "ms"),
    [("0", 0), ("59.9", 59_900), ('"59,9"', 59_900), ("0.0004", 0), ("1000000", 10**9)],
)
def test_durations_are_seconds_with_a_point_or_a_comma(tmp_path: Path, cell: str, ms: int) -> None:
    rows, _ = parsed(tmp_path, f"parc,2026-02-01T00:00:00Z,{cell},,,")
    assert (rows.end_ms - rows.start_ms).tolist() == [ms]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (f"bib,{T},60,,,", "site", "unknown site"),
        (f",{T},60,,,", "site", "unknown site"),
        ("parc,yesterday,60,,,", "start", "no time"),
        ("parc,,60,,,", "start", "no time"),
        ("parc,2026-03-05 10:00,60,,,", "start", "time without an offset"),
        ("parc,2030-01-01T00:00:00Z,60,,,", "start", "future"),
        ("parc,2010-01-01T00:00:00Z,60,,,", "start", "expired"),
        (f"parc,{T},,,,", "duration_s", "no duration"),
        (f"parc,{T},-1,,,", "duration_s", "no duration"),
        (f"parc,{T},1e3,,,", "duration_s", "no duration"),
        (f"parc,{T},00:10:00,,,", "duration_s", "no duration"),
        (f"parc,{T},31622401,,,", "duration_s", "no duration"),
        (f"parc,{T},90061,,,", "duration_s", "future"),
        (f"parc,{T},60,,many,", "rx_bytes", "no whole number in range"),
        (f"parc,{T},60,,,-5", "tx_bytes", "no whole number in range"),
    ],
)
def test_a_wrong_cell_is_named_with_what_is_allowed(
    tmp_path: Path, row: str, column: str, reason: str
) -> None:
    rows, refusals = parsed(tmp_path, f"parc,{T},60,,,", row)
    assert len(rows.site) == 1
    assert [(r.line, r.column, r.reason) for r in refusals] == [(3, column, reason)]


def test_local_times_are_read_with_their_zone(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Brussels")
    rows, _ = parsed(tmp_path, "parc,2026-03-05 11:00,60,,,", zone=zone)
    assert rows.start_ms.tolist() == [T_MS]


def test_no_column_of_devices_tells_none(tmp_path: Path) -> None:
    rows, refusals = parsed(tmp_path, f"parc;{T};60", header="site;start;duration_s")
    assert refusals == []
    assert rows.known.tolist() == [False]


def test_one_device_is_one_hash_however_its_address_is_spelled(tmp_path: Path) -> None:
    devices = ("02:1A:2B:3c:4d:5e", "02-1a-2b-3c-4d-5e", "021a.2b3c.4d5e", "021a2b3c4d5e", "", "x")
    rows, _ = parsed(tmp_path, *(f"parc,{T},60,{device},," for device in devices))
    assert len(set(rows.device[:4].tolist())) == 1
    assert len(set(rows.device[3:].tolist())) == 3
    assert rows.known.tolist() == [True] * 4 + [False, True]
    assert rows.randomised.tolist() == [1, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN]


def test_an_address_that_a_manufacturer_gave_is_not_randomised(tmp_path: Path) -> None:
    devices = ("3c:1a:2b:3c:4d:5e", "36:1a:2b:3c:4d:5e", "3a:1a:2b:3c:4d:5e", "31:1a:2b:3c:4d:5e")
    rows, _ = parsed(tmp_path, *(f"parc,{T},60,{device},," for device in devices))
    assert rows.randomised.tolist() == [0, 1, 1, 0]


def test_no_address_shows_in_a_refusal(tmp_path: Path) -> None:
    mac = "02:1a:2b:3c:4d:5e"
    cells = [f"{mac},{T},60,,,", f"parc,{mac},60,,,", f"parc,{T},{mac},,,", f"parc,{T},1,,{mac},"]
    _, refusals = parsed(tmp_path, *cells, f"parc,{T},x,{mac},,")
    assert len(refusals) == 5
    assert all("1a:2b" not in str(refusal) for refusal in refusals)
