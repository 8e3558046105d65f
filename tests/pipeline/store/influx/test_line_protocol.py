"""Lines say what the readings say, in the form that InfluxDB documents."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.reading import MAX_COUNTER, Reading
from pipeline.store.base import StoreError
from pipeline.store.influx.line_protocol import (
    fields_of,
    merge_lines,
    sample_line,
    unwritable,
    usage_lines,
)
from pipeline.store.schema import (
    AP_USAGE,
    AP_USAGE_COLUMNS,
    AP_USAGE_FIELDS,
    SAMPLE_FIELDS,
    SITE_USAGE,
    USAGE_COLUMNS,
    USAGE_FIELDS,
)

quantity = st.none() | st.integers(0, MAX_COUNTER)
anything = st.builds(
    Reading,
    ap=st.just("a"),
    site=st.just("s"),
    ts_ms=st.integers(0, 2**42),
    up=st.none() | st.integers(0, 1),
    clients=quantity,
    clients_2g=quantity,
    clients_5g=quantity,
    clients_6g=quantity,
    rx_bytes=quantity,
    tx_bytes=quantity,
    counter_bits=st.sampled_from([None, 32, 64]),
    uptime_s=quantity,
    channel_utilisation=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    interval_s=st.integers(1, 86400),
)


def said(reading: Reading) -> dict[str, int | float]:
    named = zip(SAMPLE_FIELDS, reading[3:], strict=True)
    return {name: value for name, value in named if value is not None}


def test_the_fields_of_the_schema_are_those_of_a_reading() -> None:
    assert tuple(SAMPLE_FIELDS) == Reading._fields[3:]
    assert SAMPLE_FIELDS["up"] == SAMPLE_FIELDS["rx_bytes"] == "integer"


def test_integers_are_marked_and_what_is_unknown_is_left_out() -> None:
    reading = Reading("ap 1", "a,b=c", 17, up=0, clients=3, channel_utilisation=12, interval_s=60)
    assert sample_line(reading) == (
        rb"sample,ap=ap\ 1,site=a\,b\=c up=0i,clients=3i,channel_utilisation=12.0,interval_s=60i 17"
    )


@pytest.mark.parametrize("nothing", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_says_nothing(nothing: float) -> None:
    reading = Reading("a", "s", 1, channel_utilisation=nothing)
    assert sample_line(reading) == b"sample,ap=a,site=s interval_s=300i 1"


@given(anything)
def test_a_line_reads_back_as_it_was(reading: Reading) -> None:
    assert fields_of(sample_line(reading)) == said(reading)


@given(anything, anything)
def test_a_rewrite_carries_its_fields_and_keeps_the_rest(older: Reading, newer: Reading) -> None:
    merged = merge_lines(sample_line(older), sample_line(newer))
    assert fields_of(merged) == said(older) | said(newer)
    assert merged.rsplit(b" ", 1)[1] == str(newer.ts_ms).encode()


@pytest.mark.parametrize("name", ["", "ends\\", "two\nlines"])
def test_a_name_that_no_line_can_hold_is_refused_by_name(name: str) -> None:
    assert unwritable(name)
    with pytest.raises(StoreError, match="cannot be stored in InfluxDB"):
        sample_line(Reading("a", name, 1))


def test_usage_carries_kind_and_commune_where_known_and_no_unknown_value() -> None:
    row: dict[str, object] = dict.fromkeys(USAGE_FIELDS, 5)
    rows = [
        row | {"site": "s 1", "start_ms": 900_000, "rx_bytes": 2**53 + 1},
        row | {"site": "s2", "start_ms": 0, "peak_clients": None, "rx_bytes": None},
        row | {"site": "in no file", "start_ms": 0},
    ]
    usage = pd.DataFrame(
        {name: pd.Series([r[name] for r in rows], dtype=t) for name, t in USAGE_COLUMNS.items()}
    )
    tags = {"s 1": ("library", "Mont-sur-Marchienne"), "s2": ("park", None)}
    first, second, third = usage_lines(SITE_USAGE, "15min", usage, tags)
    assert first.startswith(rb"usage_15min,commune=Mont-sur-Marchienne,kind=library,site=s\ 1 ")
    assert first.endswith(b" 900000")
    assert fields_of(first) == dict.fromkeys(USAGE_FIELDS, 5) | {"rx_bytes": 2**53 + 1}
    assert second.startswith(b"usage_15min,kind=park,site=s2 ")
    assert set(USAGE_FIELDS) - set(fields_of(second)) == {"peak_clients", "rx_bytes"}
    assert third.startswith(rb"usage_15min,site=in\ no\ file ")


def test_usage_of_an_access_point_carries_its_site_and_its_own_name_as_tags() -> None:
    row: dict[str, object] = dict.fromkeys(AP_USAGE_COLUMNS, 5)
    row |= {"site": "s 1", "ap": "ap,2", "start_ms": 3_600_000, "sessions": None}
    usage = pd.DataFrame([row]).astype(AP_USAGE_COLUMNS)
    (line,) = usage_lines(AP_USAGE, "hour", usage, {"s 1": ("library", None)})
    assert line.startswith(rb"usage_ap_hour,ap=ap\,2,kind=library,site=s\ 1 ")
    assert set(AP_USAGE_FIELDS) - set(fields_of(line)) == {"sessions"}
