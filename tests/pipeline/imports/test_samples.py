"""What each column may hold, cell by cell, and why a row is refused."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.reading import MAX_COUNTER, Reading
from pipeline.imports.batch import Batch, completed, text_table
from pipeline.imports.cells import Refusal, Rules
from pipeline.imports.samples import read

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
T = "2026-03-05T10:04:00Z"
T_MS = int(datetime(2026, 3, 5, 10, 4, tzinfo=UTC).timestamp() * 1000)
BRUSSELS = ZoneInfo("Europe/Brussels")
HOME = {"ap-1": ("library", 300), "ap-2": ("parc", 900)}
Row = dict[str, str]


def judged(
    rows: Sequence[Row], zone: ZoneInfo | None = None
) -> tuple[list[Reading], list[Refusal]]:
    names = {name for row in rows for name in row}
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    batch = Batch(completed(text_table(columns)), np.arange(len(rows)) + 2, (), 0)
    rules = Rules(home=HOME, sites={"library", "parc"}, zone=zone, now_ms=NOW_MS)
    parsed, refusals = read(batch, rules)
    assert parsed.ts_ms.tolist() == [reading.ts_ms for reading in parsed.readings]
    return parsed.readings, refusals


def row(**cells: str) -> Row:
    return {"ts": T, "ap": "ap-1", "clients": "3"} | cells


def one(**cells: str) -> Reading | str:
    """The reading of a row, or the column and reason that it is refused for."""
    readings, refusals = judged([row(**cells)])
    if refusals:
        assert readings == []
        (refusal,) = refusals
        assert refusal.line == 2
        return f"{refusal.column}: {refusal.reason}"
    return readings[0]


def instant(ts: str, zone: ZoneInfo | None = None) -> int | str:
    readings, refusals = judged([row(ts=ts)], zone)
    return readings[0].ts_ms if readings else refusals[0].reason


def test_a_row_becomes_the_reading_of_its_ap_at_its_site() -> None:
    whole = row(
        up="1", clients_2g="1", clients_5g="2", clients_6g="0", rx_bytes="10", tx_bytes="20",
        uptime_s="30",
    )  # fmt: skip
    assert judged([whole]) == (
        [Reading("ap-1", "library", T_MS, 1, 3, 1, 2, 0, 10, 20, uptime_s=30, interval_s=300)],
        [],
    )
    assert one(ap="ap-2", site="library") == Reading(
        "ap-2", "library", T_MS, clients=3, interval_s=900
    )


def test_unknown_is_never_zero() -> None:
    reading = one(clients="", up="1")
    assert isinstance(reading, Reading)
    assert reading.up == 1
    assert {reading.clients, reading.clients_2g, reading.rx_bytes, reading.uptime_s} == {None}


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2026, 5, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
    st.sampled_from(["auto", "minutes", "seconds", "milliseconds", "microseconds"]),
)
def test_a_time_with_an_offset_is_that_instant_to_the_millisecond(
    local: datetime, offset: int, separator: str, precision: str
) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = moment.isoformat(separator, precision)
    meant = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    assert instant(text) == meant // timedelta(milliseconds=1)


@given(st.integers(NOW_MS - 26 * 365 * 86_400_000, NOW_MS))
def test_numbers_are_seconds_or_milliseconds_since_1970(ms: int) -> None:
    assert instant(str(ms)) == ms
    assert instant(f"{ms}.0") == ms
    assert instant(str(ms // 1000)) == ms // 1000 * 1000
    assert instant(f"{ms // 1000}.{ms % 1000:03}") == ms


@given(st.datetimes(datetime(2000, 1, 2), datetime(2026, 5, 31)))  # noqa: DTZ001
def test_a_local_time_is_read_where_there_is_exactly_one(local: datetime) -> None:
    instants = {local.replace(tzinfo=BRUSSELS, fold=fold).astimezone(UTC) for fold in (0, 1)}
    meant = [m for m in instants if m.astimezone(BRUSSELS).replace(tzinfo=None) == local]
    since = datetime(1970, 1, 1, tzinfo=UTC)
    expected = (
        (meant[0] - since) // timedelta(milliseconds=1) if len(meant) == 1 else "ambiguous time"
    )
    assert instant(local.isoformat(), BRUSSELS) == expected
    assert instant(local.isoformat()) == "time without an offset"


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        ("2026-03-29 01:59:59", int(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC).timestamp())),
        ("2026-03-29 02:30:00", "ambiguous time"),
        ("2025-10-26 02:30:00", "ambiguous time"),
        ("2025-10-26 03:00", int(datetime(2025, 10, 26, 2, tzinfo=UTC).timestamp())),
        ("2025-10-26T02:30:00+01:00", int(datetime(2025, 10, 26, 1, 30, tzinfo=UTC).timestamp())),
    ],
)
def test_clock_changes(ts: str, expected: int | str) -> None:
    assert instant(ts, BRUSSELS) == (expected if isinstance(expected, str) else expected * 1000)


@pytest.mark.parametrize(
    ("ts", "reason"),
    [
        ("", "no time"),
        ("yesterday", "no time"),
        ("05/03/2026 10:04", "no time"),
        ("2026-03-05", "no time"),
        ("2026-02-30T10:00:00Z", "no time"),
        ("2026-03-05T10:60:00Z", "no time"),
        ("2026-03-05T10:04:00+25:00", "no time"),
        ("1772705040000000", "no time"),
        ("-1772705040", "no time"),
        ("1999-12-31T23:59:59Z", "too old"),
        ("946684799", "too old"),
        ((NOW + timedelta(days=1, seconds=1)).isoformat(), "future"),
        ("9999-12-31T23:59:59Z", "future"),
        ("2026-03-05T10:04:00", "time without an offset"),
    ],
)
def test_what_is_no_time_of_a_sample_is_refused(ts: str, reason: str) -> None:
    assert one(ts=ts) == f"ts: {reason}"


def test_a_clock_may_be_ahead_by_a_day() -> None:
    ahead = NOW + timedelta(days=1)
    assert instant(ahead.isoformat()) == NOW_MS + 86_400_000


@given(st.integers(0, MAX_COUNTER), st.sampled_from(["", ".", ".0", ".00"]))
def test_counters_keep_every_digit(count: int, end: str) -> None:
    reading = one(rx_bytes=f"{count}{end}", tx_bytes=str(MAX_COUNTER - count))
    assert isinstance(reading, Reading)
    assert (reading.rx_bytes, reading.tx_bytes) == (count, MAX_COUNTER - count)


@pytest.mark.parametrize("column", ["clients", "clients_6g", "rx_bytes", "uptime_s"])
@pytest.mark.parametrize(
    "cell",
    [
        "-1",
        "1.5",
        "1e3",
        "0x1F",
        "+5",
        "1 000",
        "1,5",
        "many",
        "nan",
        "\u0663",
        str(2**63),
        "9" * 30,
    ],
)
def test_what_is_no_whole_number_in_range_is_refused(column: str, cell: str) -> None:
    assert one(**{column: cell}) == f"{column}: no whole number in range"


@pytest.mark.parametrize(
    ("cell", "up"),
    [("0", 0), ("1", 1), ("true", 1), ("FALSE", 0), ("1.0", 1), ("", None)],
)
def test_up_is_read_as_programs_write_it(cell: str, up: int | None) -> None:
    reading = one(up=cell)
    assert isinstance(reading, Reading)
    assert reading.up == up


@pytest.mark.parametrize("cell", ["2", "-1", "yes", "0.5"])
def test_up_is_nothing_else(cell: str) -> None:
    assert one(up=cell) == "up: not 0 or 1"


def test_a_row_that_says_nothing_is_refused() -> None:
    assert one(clients="") == "ap: says nothing"
    assert isinstance(one(clients="", uptime_s="5"), Reading)


def test_who_and_where_must_be_in_the_deployment() -> None:
    readings, refusals = judged([row(ap="ap-3"), row(ap=""), row(site="libary"), row()])
    assert len(readings) == 1
    assert [(r.line, r.column, r.reason) for r in sorted(refusals)] == [
        (2, "ap", "unknown access point"),
        (3, "ap", "unknown access point"),
        (4, "site", "unknown site"),
    ]
    assert "'ap-3' is not in access_points.csv; did you mean" in refusals[0].message
    assert "did you mean 'library'?" in refusals[2].message


def test_a_row_is_refused_once_for_the_first_thing_that_is_wrong() -> None:
    assert one(ap="nobody", ts="never", clients="none") == "ap: unknown access point"


def test_readings_are_sorted_and_of_one_instant_the_later_row_comes_later() -> None:
    later = "2026-03-05T10:05:00Z"
    rows = [
        row(ap="ap-2", clients="1"),
        row(ts=later, clients="2"),
        row(clients="3"),
        row(ap="ap-2", clients="4"),
        row(clients="5"),
    ]
    by_ap = {
        ap: [(r.ts_ms, r.clients) for r in judged(rows)[0] if r.ap == ap] for ap in ("ap-1", "ap-2")
    }
    assert by_ap == {
        "ap-1": [(T_MS, 3), (T_MS, 5), (T_MS + 60_000, 2)],
        "ap-2": [(T_MS, 1), (T_MS, 4)],
    }


def test_no_rows_are_no_readings() -> None:
    assert judged([]) == ([], [])
