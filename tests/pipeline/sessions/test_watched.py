"""Watched time: runs that do not overlap, whatever is laid over them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from collectors.presence import Presence
from pipeline.sessions.watched import DAY_MS, Run, Source, overlaid, run_of, uncovered_ms

TABLE = Source(1, durations=False, devices=True, randomised=True)
RECORDS = Source(3, durations=True, devices=False, randomised=False)


def test_a_client_table_speaks_as_long_as_a_sample_holds() -> None:
    assert run_of(Presence("ap-1", "library", 1000, 300, ())) == Run(1000, 451_000, TABLE)


def test_tables_read_one_after_the_other_are_one_run() -> None:
    assert overlaid([Run(0, 450, TABLE)], Run(300, 750, TABLE)) == [Run(0, 750, TABLE)]
    assert overlaid([Run(0, 450, TABLE)], Run(450, 900, TABLE)) == [Run(0, 900, TABLE)]


def test_what_nobody_watched_stays_a_gap() -> None:
    runs = [Run(0, 450, TABLE), Run(900, 950, TABLE)]
    assert overlaid(runs[:1], runs[1]) == runs
    assert uncovered_ms(runs, Run(300, 940, TABLE)) == 450
    assert uncovered_ms(runs, Run(300, 450, TABLE)) is None


def test_where_two_sources_overlap_both_count() -> None:
    both = Source(3, durations=True, devices=True, randomised=True)
    assert overlaid([Run(0, 100, TABLE)], Run(50, 200, RECORDS)) == [
        Run(0, 50, TABLE), Run(50, 100, both), Run(100, 200, RECORDS)
    ]  # fmt: skip


def test_no_run_passes_midnight() -> None:
    assert overlaid([], Run(DAY_MS - 5, 2 * DAY_MS + 7, TABLE)) == [
        Run(DAY_MS - 5, DAY_MS, TABLE),
        Run(DAY_MS, 2 * DAY_MS, TABLE),
        Run(2 * DAY_MS, 2 * DAY_MS + 7, TABLE),
    ]


HOUR = 3_600_000
RUNS = st.builds(
    lambda start, length, source: Run(start * HOUR, (start + length) * HOUR, source),
    st.integers(0, 60),
    st.integers(1, 40),
    st.sampled_from([TABLE, RECORDS]),
)


@given(runs=st.lists(RUNS, max_size=8))
def test_any_runs_in_any_order_cover_what_they_cover(runs: list[Run]) -> None:
    found: list[Run] = []
    for run in runs:
        found = overlaid(found, run)
    for hour in range(101):
        at = hour * HOUR
        here = [run.source for run in runs if run.start_ms <= at < run.end_ms]
        told = [run.source for run in found if run.start_ms <= at < run.end_ms]
        expected = [tuple(max(values) for values in zip(*here, strict=True))] if here else []
        assert told == expected
    assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(found))
    assert all(run.start_ms // DAY_MS == (run.end_ms - 1) // DAY_MS for run in found)
