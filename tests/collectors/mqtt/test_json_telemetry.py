"""The project's own payload."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.mqtt.json_telemetry import parse
from collectors.mqtt.telemetry import FIELDS, PayloadError, Telemetry
from collectors.reading import MAX_COUNTER

MOMENT_MS = 1_772_705_040_000  # 2026-03-05T10:04:00Z


def said(**fields: object) -> Telemetry:
    return parse(json.dumps(fields).encode())


def refusal(payload: bytes | dict[str, object]) -> PayloadError:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with pytest.raises(PayloadError) as caught:
        parse(content)
    return caught.value


def test_a_full_payload() -> None:
    payload = b"""{"ts": "2026-03-05T10:04:00Z", "up": 1, "clients": 12, "clients_2g": 3,
        "clients_5g": 8, "clients_6g": 1, "rx_bytes": 4294967296, "tx_bytes": 0,
        "counter_bits": 64, "uptime_s": 86400, "channel_utilisation": 37.5}"""
    assert parse(payload) == Telemetry(
        ts_ms=MOMENT_MS,
        up=1,
        clients=12,
        clients_2g=3,
        clients_5g=8,
        clients_6g=1,
        rx_bytes=4_294_967_296,
        tx_bytes=0,
        counter_bits=64,
        uptime_s=86_400,
        channel_utilisation=37.5,
    )


def test_what_is_not_said_is_unknown_and_never_zero() -> None:
    assert said(uptime_s=5, clients=None, rx_bytes=None) == Telemetry(uptime_s=5)


@pytest.mark.parametrize(
    "ts",
    [
        "2026-03-05T10:04:00Z",
        "2026-03-05T11:04:00+01:00",
        "2026-03-05T10:04:00.000Z",
        MOMENT_MS,
        MOMENT_MS / 1000,
        MOMENT_MS // 1000,
    ],
)
def test_spellings_of_a_time(ts: object) -> None:
    assert said(ts=ts, clients=1).ts_ms == MOMENT_MS


@given(st.integers(315_532_800_000, 7_258_118_400_000), st.integers(-14 * 60, 14 * 60))
def test_any_time_with_an_offset_is_the_same_instant(ts_ms: int, minutes: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms)
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert said(ts=local.isoformat(), clients=1).ts_ms == ts_ms
    assert said(ts=ts_ms, clients=1).ts_ms == ts_ms


@pytest.mark.parametrize(
    "ts", ["2026-03-05T10:04:00", "2026-03-05", "yesterday", "", True, [], {}, "99999999999999999"]
)
def test_a_time_that_could_be_any_is_refused(ts: object) -> None:
    error = refusal({"ts": ts, "clients": 1})
    assert error.cause == "field"
    assert str(error).startswith("ts: write 2026-03-05T10:04:00Z")


WHOLE = ["clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes", "tx_bytes", "uptime_s"]


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize("value", [-1, 1.5, True, "12", [], {}, 2**63, 2**80, 1e300])
def test_what_is_no_count_is_refused_by_its_key(key: str, value: object) -> None:
    error = refusal({key: value})
    assert error.cause == "field"
    assert str(error).startswith(f"{key}: must be a whole number from 0 to ")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("up", 2, "1, 0, true or false"),
        ("up", "yes", "1, 0, true or false"),
        ("counter_bits", 16, "32 or 64"),
        ("counter_bits", True, "32 or 64"),
        ("channel_utilisation", 100.1, "a number from 0 to 100"),
        ("channel_utilisation", -0.1, "a number from 0 to 100"),
        ("channel_utilisation", False, "a number from 0 to 100"),
        ("channel_utilisation", "37", "a number from 0 to 100"),
    ],
)
def test_what_a_field_cannot_be(key: str, value: object, allowed: str) -> None:
    assert f"{key}: must be {allowed}" in str(refusal({key: value}))


def test_counters_as_wide_as_a_store_takes() -> None:
    assert said(rx_bytes=MAX_COUNTER).rx_bytes == MAX_COUNTER


def test_a_counter_wider_than_it_says_is_refused() -> None:
    assert said(rx_bytes=2**32 - 1, counter_bits=32).rx_bytes == 2**32 - 1
    assert "tx_bytes" in str(refusal({"tx_bytes": 2**32, "counter_bits": 32}))


def test_whole_floats_are_counts_up_to_where_digits_are_lost() -> None:
    assert said(clients=12.0, rx_bytes=2.0**53) == Telemetry(clients=12, rx_bytes=2**53)
    assert "digits are lost" in str(refusal({"rx_bytes": 2.0**60}))


@pytest.mark.parametrize(("up", "expected"), [(True, 1), (False, 0), (1, 1), (0, 0), (0.0, 0)])
def test_up_may_be_a_truth_value(up: object, expected: int) -> None:
    assert said(up=up).up == expected


@pytest.mark.parametrize(
    ("bands", "clients"),
    [
        ({"clients_2g": 3, "clients_5g": 4, "clients_6g": 5}, 12),
        ({"clients_2g": 3, "clients_5g": 4}, 7),
        ({"clients_5g": 4}, 4),
        ({"clients_2g": 3, "clients_5g": None}, None),
        ({"clients_2g": 3, "clients_5g": 4, "clients": 9}, 9),
        ({"clients_2g": 3, "clients": None}, 3),
    ],
)
def test_bands_add_up_where_all_are_known(bands: dict[str, object], clients: int | None) -> None:
    assert said(**bands).clients == clients


def test_keys_that_nobody_knows_are_named_and_the_rest_is_taken() -> None:
    telemetry = said(clients=1, firmware="1.2.3", noise=-90)
    assert telemetry.clients == 1
    assert sorted(telemetry.unknown_keys) == ["firmware", "noise"]


@pytest.mark.parametrize(
    "payload",
    [b"", b"  ", b"online", b"12", b"null", b'["clients"]', b'{"clients": NaN}', b'{"clients":1',
     b'{"clients": 1, "x": "\xff\xfe"}', b"\x00\x01\x02", b"[" * 5000],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    assert refusal(payload).cause == "format"


@pytest.mark.parametrize("document", [{}, {"ts": MOMENT_MS}, {"client": 12}, {"clients": None}])
def test_a_payload_that_says_nothing_is_refused(document: dict[str, object]) -> None:
    error = refusal(document)
    assert error.cause == "format"
    assert "give at least one of up, clients" in str(error)


MAC = "b8:27:eb:12:34:56"


@pytest.mark.parametrize(
    "document",
    [{key: MAC} for key in (*FIELDS, "ts")] + [{"clients": [MAC]}, {MAC: 1}, {"up": {MAC: 1}}],
)
def test_no_reason_quotes_what_was_sent(document: dict[str, object]) -> None:
    assert "27:eb" not in str(refusal(document))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text("0123456789T:-+Z.")
JSON = SCALARS | st.lists(SCALARS, max_size=3)


def holds(telemetry: Telemetry) -> bool:
    counts = [getattr(telemetry, key) for key in WHOLE]
    share = telemetry.channel_utilisation
    return (
        all(n is None or (type(n) is int and 0 <= n <= MAX_COUNTER) for n in counts)
        and telemetry.up in (None, 0, 1)
        and (share is None or (math.isfinite(share) and 0 <= share <= 100))
        and type(telemetry.ts_ms) in (int, type(None))
    )


@given(st.binary())
def test_any_octets_are_read_or_refused(payload: bytes) -> None:
    try:
        telemetry = parse(payload)
    except PayloadError:
        return
    assert holds(telemetry)


@given(st.dictionaries(st.sampled_from([*FIELDS, "ts", "other"]), JSON))
def test_any_object_is_read_or_refused(document: dict[str, object]) -> None:
    try:
        telemetry = parse(json.dumps(document).encode())
    except PayloadError:
        return
    assert holds(telemetry)
