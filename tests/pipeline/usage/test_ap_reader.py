"""Usage of access points, from what is stored and, where nothing is, from samples."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.ap_reader import ApUsageReader
from pipeline.usage.figures import figures
from pipeline.usage.periods import DAY_MS, HOUR_MS, WINDOW_MS
from pipeline.usage.reader import By, UsageReader
from tests.pipeline.memory_store import MemoryState, MemoryStore, city

# Monday midnight in Brussels; in Kolkata the clock is half an hour off.
START = round(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp() * 1000)
DAYS = 3
CLOSED = START + 2 * DAY_MS + 10 * HOUR_MS + WINDOW_MS
END = START + DAYS * DAY_MS
SITES = ["s", "k"]


def deployment() -> Deployment:
    return city(
        [Site(site="s", kind="library"), Site(site="k", kind="park", timezone="Asia/Kolkata")],
        [
            AccessPoint(ap="a", site="s", source="import"),
            AccessPoint(ap="b", site="s", source="import"),
            AccessPoint(ap="mute", site="s", source="import"),
            AccessPoint(ap="c", site="k", source="import"),
        ],
    )


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """Three days of samples, of which two and a half are aggregated. `a` moves on the second."""
    store, state = MemoryStore(), MemoryState()
    store.write_samples(
        [
            Reading(ap, site, ts, clients=i % 7, rx_bytes=i * 10, interval_s=900)
            for ap, home in (("a", "s"), ("b", "s"), ("c", "k"))
            for i, ts in enumerate(range(START, END, WINDOW_MS))
            for site in ["k" if ap == "a" and ts >= START + DAY_MS + 5 * HOUR_MS else home]
        ]
    )
    Aggregator(deployment(), store, state).close_windows(CLOSED + 120_000)
    assert state.closed == CLOSED
    return store


def read(
    store: MemoryStore, start: int, end: int, by: By, aps: list[str] | None = None
) -> pd.DataFrame:
    return ApUsageReader(deployment(), store, CLOSED).periods(start, end, by, sites=SITES, aps=aps)


@settings(deadline=None, max_examples=12)
@given(
    st.integers(0, DAYS * 96 - 1),
    st.integers(1, DAYS * 96),
    st.sampled_from(["15min", "hour", "day", "week", "total"]),
)
def test_whatever_the_period_it_is_the_usage_of_the_same_windows(
    store: MemoryStore, first: int, length: int, by: By
) -> None:
    start = START + first * WINDOW_MS
    end = min(start + length * WINDOW_MS, END)
    found = read(store, start, end, by)
    sites = UsageReader(deployment(), store, CLOSED).periods(start, end, by, sites=SITES)
    # The access points of a site add up to it, period by period.
    for name in ("expected_ms", "covered_ms", "user_ms", "clients_ms", "rx_bytes"):
        parts = found.groupby(["site", "start_ms"])[name].sum()
        whole = sites.groupby(["site", "start_ms"])[name].sum()
        pd.testing.assert_series_equal(parts[parts > 0], whole[whole > 0])
    assert found["start_ms"].min() == start
    assert found["end_ms"].max() == end


def test_an_access_point_that_moved_has_a_row_at_either_site(store: MemoryStore) -> None:
    moved = read(store, START, START + 2 * DAY_MS, "total", ["a"])
    assert moved["site"].tolist() == ["k", "s"]
    # 29 hours here, 19 there.
    assert (moved["covered_ms"] / HOUR_MS).tolist() == [19, 29]


def test_an_access_point_that_never_spoke_is_there_and_unknown(store: MemoryStore) -> None:
    (mute,) = figures(read(store, START, START + DAY_MS, "total", ["mute"]))
    assert (mute.coverage, mute.user_hours, mute.sessions) == (0, None, None)
    assert mute.missing["user_hours"] == "nothing was heard from its access points"


def test_hours_in_parts_are_all_of_them_once(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.usage.reader.MAX_ROWS", 1)
    reader = ApUsageReader(deployment(), store, CLOSED)
    parts = list(reader.hours_in_parts(START + WINDOW_MS, END, SITES))
    assert len(parts) == len(SITES)
    assert [set(part["site"]) for part in parts] == [{"s"}, {"k"}]
    total = read(store, START + WINDOW_MS, END, "total")["user_ms"].sum()
    assert sum(part["user_ms"].sum() for part in parts) == total
