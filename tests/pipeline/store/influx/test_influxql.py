"""The pieces of a statement."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.influx import influxql
from pipeline.store.influx.runs import deletions, runs


def test_names_and_values_are_quoted() -> None:
    assert influxql.name('a"b') == r'"a\"b"'
    assert influxql.text("it's a \\ thing") == r"'it\'s a \\ thing'"
    assert influxql.one_of("site", ["b", "a'"]) == r"""("site" = 'a\'' OR "site" = 'b')"""


def test_times_are_written_to_the_millisecond_and_kept_within_what_the_server_can_hold() -> None:
    assert influxql.time(1_772_705_045_007) == "'2026-03-05T10:04:05.007Z'"
    assert influxql.time(-1) == "'1969-12-31T23:59:59.999Z'"
    assert influxql.time(2**62) < "'2262-04-12"
    assert influxql.time(-(2**62)) > "'1677-09-21"


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 40))
def test_spans_cover_a_window_once(start: int, length: int, step: int) -> None:
    pieces = list(influxql.spans(start, start + length, step))
    assert [ms for a, b in pieces for ms in range(a, b)] == list(range(start, start + length))
    assert all(0 < b - a <= step for a, b in pieces)


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_runs_hold_every_chosen_time_and_no_other(times: set[int], chosen: set[int]) -> None:
    found = list(runs(sorted(times), chosen))
    assert {t for t in times for a, b in found if a <= t <= b} == times & chosen
    assert found == sorted(found)


def test_points_side_by_side_go_by_one_statement() -> None:
    statements = list(deletions("sample", {"ap": "x", "site": ""}, [0, 1000, 2000], {0, 1000}))
    assert statements == [
        """DELETE FROM "sample" WHERE "ap" = 'x' AND "site" = '' """
        "AND time >= '1970-01-01T00:00:00.000Z' AND time <= '1970-01-01T00:00:01.000Z'"
    ]
