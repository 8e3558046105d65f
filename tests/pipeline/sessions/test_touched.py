"""What late presences change is marked: figures that are mended are those counted afresh."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.presence import Device, Presence
from pipeline.sessions.ledger import Noted, Rules, SessionLedger
from pipeline.sessions.touched import touched
from pipeline.sessions.tracker import Change, Session, Was
from pipeline.usage.periods import window_ceil, window_floor

MINUTE = 60_000
HOUR = 3_600_000
BRUSSELS = ZoneInfo("Europe/Brussels")
T = int(datetime(2026, 3, 28, 20, tzinfo=UTC).timestamp() * 1000)  # 21:00, before a short day
END = T + 30 * HOUR
A = b"12345678"


def zone(_: str) -> ZoneInfo:
    return BRUSSELS


def change(start: float, end: float, *before: tuple[float, float], ap: str = "ap-1") -> Noted:
    """Hours since T."""
    ms = [T + round(hours * HOUR) for hours in (start, end)]
    was = [Was("ap-1", A, T + round(a * HOUR), T + round(b * HOUR)) for a, b in before]
    return Noted([Change(Session("library", ap, A, A, randomised=True, start_ms=ms[0],
                                 end_ms=ms[1]), was)])  # fmt: skip


@pytest.mark.parametrize(
    ("noted", "spans"),
    [
        (change(5, 6), [(5, 26)]),
        (change(1, 2), [(1, 3)]),  # the day ends at 23:00 UTC
        (change(1, 4), [(1, 26)]),
        (change(5, 9, (5, 8)), []),
        (change(1, 4, (1, 2.9)), [(3, 26)]),
        (change(1, 4, (1, 3)), [(3, 26)]),
        (change(1, 4, (1, 3.1)), []),
        (change(4, 9, (5, 8)), [(4, 26)]),
        (change(4, 9, (4, 5), (8, 9)), [(4, 26)]),
        (change(5, 8, (5, 8), ap="ap-2"), [(5, 26)]),
    ],
)
def test_a_session_changes_its_window_and_the_days_that_it_meets(
    noted: Noted, spans: list[tuple[float, float]]
) -> None:
    found = touched(noted, zone, 0, END)
    assert [((a - T) / HOUR, (b - T) / HOUR) for _, a, b in found] == spans


def test_only_what_begins_in_closed_time_is_told() -> None:
    noted = change(5, 6)
    assert touched(noted, zone, 0, T + 5 * HOUR) == []
    assert touched(noted, zone, T + 6 * HOUR, END) == []
    assert len(touched(noted, zone, T + 5 * HOUR, T + 5 * HOUR + 1)) == 1


SIGHTINGS = st.lists(
    st.builds(
        lambda quarter, key, ap, minutes: Presence(
            ap, "library", T + quarter * 7 * MINUTE, minutes * 60,
            (Device(bytes([key]) * 8, None, randomised=True),),
        ),
        st.integers(0, 200),
        st.sampled_from([1, 2]),
        st.sampled_from(["ap-1", "ap-2"]),
        st.sampled_from([5, 90]),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@settings(max_examples=30)
@given(presences=SIGHTINGS, gap_minutes=st.sampled_from([15, 240]))
def test_figures_that_are_mended_are_those_counted_afresh(
    presences: list[Presence], gap_minutes: int
) -> None:
    rules = Rules(gap_minutes * MINUTE, MINUTE, zone)
    with (
        TemporaryDirectory() as folder,
        closing(SessionLedger(Path(folder) / "sessions.db", rules)) as ledger,
    ):
        mended = ledger.counts(T, END)
        for presence in presences:
            noted = ledger.note([presence])
            for _, start, end in touched(noted, zone, 0, END):
                first, last = window_floor(start), min(window_ceil(end), END)
                stays = (mended["start_ms"] < first) | (mended["start_ms"] >= last)
                mended = pd.concat([mended[stays], ledger.counts(first, last)])
        afresh = ledger.counts(T, END)
    mended = mended.sort_values(["site", "ap", "start_ms"], ignore_index=True)
    pd.testing.assert_frame_equal(mended, afresh)
