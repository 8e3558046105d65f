"""Rows of a file as sessions, by the rule that holds for what is followed live."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.imports.session_merge import hashed_by_day, merged
from pipeline.imports.session_rows import UNKNOWN, SessionRows

MINUTE = 60_000
HOUR = 3_600_000
GAP = 15 * MINUTE
BRUSSELS = ZoneInfo("Europe/Brussels")
REUNION = ZoneInfo("Indian/Reunion")
Row = tuple[int, int, int, int]
"""Site, minute, minutes and device; 0: it is not told."""


def rows(found: Sequence[Row], octets: Sequence[int] = ()) -> SessionRows:
    site, start, length, device = np.array(found, dtype=np.int64).reshape(-1, 4).T
    told = np.array(octets or [UNKNOWN] * len(site), dtype=np.int64)
    return SessionRows(
        site, start * MINUTE, (start + length) * MINUTE, device > 0, device,
        np.where(device > 0, device % 2, UNKNOWN), told, told,
    )  # fmt: skip


def stays(found: Sequence[Row]) -> list[Row]:
    return [
        (int(s["site"]), int(s["start_ms"]) // MINUTE,
         int(s["end_ms"] - s["start_ms"]) // MINUTE, int(s["device"]) if s["known"] else 0)
        for s in merged(rows(found), GAP)
    ]  # fmt: skip


def test_stays_of_a_device_less_than_the_gap_apart_are_one() -> None:
    assert stays([(0, 24, 5, 7), (0, 0, 10, 7)]) == [(0, 0, 29, 7)]
    assert stays([(0, 25, 5, 7), (0, 0, 10, 7)]) == [(0, 0, 10, 7), (0, 25, 5, 7)]


def test_a_long_stay_contains_short_ones() -> None:
    assert stays([(0, 0, 100, 7), (0, 5, 1, 7), (0, 110, 5, 7)]) == [(0, 0, 115, 7)]


def test_other_devices_and_other_sites_are_other_sessions() -> None:
    assert stays([(0, 0, 10, 7), (0, 12, 10, 8), (1, 12, 10, 7)]) == [
        (0, 0, 10, 7), (0, 12, 10, 8), (1, 12, 10, 7)
    ]  # fmt: skip


def test_who_is_not_told_is_never_one_with_another() -> None:
    found = [(0, 0, 10, 0), (0, 0, 10, 0), (0, 5, 10, 0)]
    assert stays(found) == found


def test_octets_of_one_stay_add_up_as_far_as_they_are_known() -> None:
    found = merged(rows([(0, 0, 5, 7), (0, 6, 5, 7), (0, 60, 5, 7)], [3, 4, UNKNOWN]), GAP)
    assert found["rx_bytes"].tolist() == [7, UNKNOWN]


def test_nothing_is_merged_to_nothing() -> None:
    assert len(merged(rows([]), GAP)) == 0


ROWS = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(0, 300), st.sampled_from([0, 1, 14, 90]), st.integers(0, 2)
    ),
    max_size=20,
)


@given(found=ROWS)
def test_merging_is_the_rule_worked_out_by_hand(found: list[Row]) -> None:
    expected: list[Row] = [row for row in found if not row[3]]
    for site, device in {(row[0], row[3]) for row in found if row[3]}:
        stay: Row | None = None
        for start, length in sorted((r[1], r[2]) for r in found if (r[0], r[3]) == (site, device)):
            if stay and start - (stay[1] + stay[2]) < 15:
                stay = (site, stay[1], max(stay[2], start + length - stay[1]), device)
            else:
                expected += [stay] if stay else []
                stay = (site, start, length, device)
        expected += [stay] if stay else []
    assert sorted(stays(found)) == sorted(expected)


def key_of(zone: ZoneInfo, day: int) -> bytes:
    return f"{zone} {day}".encode()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) // MINUTE


def test_a_device_has_another_hash_on_another_day_and_none_that_it_came_with() -> None:
    days = [at("2026-03-05T02:59"), at("2026-03-05T03:00"), at("2026-03-06T02:59")]
    sessions = merged(rows([(0, start, 1, 7) for start in days]), GAP)
    found = hashed_by_day(sessions[:1], [BRUSSELS], key_of)["device"].tolist()
    apart = hashed_by_day(merged(rows([(0, days[1] + 30, 1, 7), (0, days[2], 1, 7)]), GAP),
                          [BRUSSELS], key_of)["device"].tolist()  # fmt: skip
    assert apart[0] == apart[1] != found[0]
    assert 7 not in {*found, *apart}


def test_a_stay_over_the_change_has_the_hashes_of_both_days() -> None:
    found = hashed_by_day(
        merged(rows([(0, at("2026-03-05T02:00"), 120, 7), (0, at("2026-03-05T12:00"), 5, 7)]), GAP),
        [BRUSSELS], key_of,
    )  # fmt: skip
    assert found["device"][0] != found["last_device"][0]
    assert found["last_device"][0] == found["device"][1] == found["last_device"][1]


def test_the_day_of_a_key_is_that_of_the_site() -> None:
    # 01:00 UTC is 02:00 in Brussels, before the change of the keys, and 05:00 on the island.
    sessions = merged(rows([(site, at("2026-03-05T01:00"), 5, 7) for site in (0, 1)]), GAP)
    told: list[tuple[str, int]] = []

    def noting(zone: ZoneInfo, day: int) -> bytes:
        told.append((str(zone), day))
        return key_of(zone, day)

    found = hashed_by_day(sessions, [BRUSSELS, REUNION], noting)
    assert sorted(set(told)) == [("Europe/Brussels", 20516), ("Indian/Reunion", 20517)]
    assert found["device"][0] != found["device"][1]


def test_who_is_not_told_gets_no_hash() -> None:
    found = hashed_by_day(merged(rows([(0, 0, 5, 0)]), GAP), [BRUSSELS], key_of)
    assert found["known"].tolist() == [0]
