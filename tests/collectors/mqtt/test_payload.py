"""From a message to a reading."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.mqtt.payload import PAYLOAD_FORMATS, Heard, Interpreter
from collectors.mqtt.telemetry import MAX_PAYLOAD, PayloadError
from collectors.reading import Reading
from config.deployment import Deployment

NOW_MS = 1_772_705_040_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000
HALL = "hotspots/library/hall/telemetry"
HALL_STATUS = "hotspots/library/hall/status"


@pytest.fixture
def interpreter(deployment: Deployment) -> Interpreter:
    return Interpreter(deployment, "hotspots")


def read(
    interpreter: Interpreter, payload: bytes, topic: str = HALL, *, retained: bool = False
) -> Heard:
    return interpreter.read(topic, payload, retained=retained, now_ms=NOW_MS)


def refusal(
    interpreter: Interpreter, payload: bytes, topic: str = HALL, *, retained: bool = False
) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        read(interpreter, payload, topic, retained=retained)
    return caught.value


def test_a_reading_carries_the_site_and_the_interval_of_its_ap(interpreter: Interpreter) -> None:
    heard = read(interpreter, b'{"clients": 7}', "hotspots/library/attic/telemetry")
    assert heard.reading == Reading("attic", "library", NOW_MS, up=1, clients=7, interval_s=60)


def test_what_answers_is_up_and_what_says_down_is_down(interpreter: Interpreter) -> None:
    def up(payload: bytes) -> int | None:
        reading = read(interpreter, payload).reading
        return reading.up if reading else None

    assert up(b'{"uptime_s": 7}') == 1
    assert up(b'{"up": 0}') == 0


def test_its_own_time_stands_also_when_retained(interpreter: Interpreter) -> None:
    payload = json.dumps({"ts": NOW_MS - DAY_MS, "clients": 1}).encode()
    heard = read(interpreter, payload, retained=True)
    assert heard.reading is not None
    assert heard.reading.ts_ms == NOW_MS - DAY_MS


def test_retained_without_a_time_is_of_unknown_age(interpreter: Interpreter) -> None:
    error = refusal(interpreter, b'{"clients": 1}', retained=True)
    assert error.cause == "time"
    assert "add ts" in str(error)


@pytest.mark.parametrize("retained", [False, True])
@pytest.mark.parametrize(
    "payload", [b"offline", b" offline\n", b'{"status": "offline"}', b'{"status":"offline","ts":1}']
)
def test_offline_is_down_now(interpreter: Interpreter, payload: bytes, retained: bool) -> None:
    heard = read(interpreter, payload, HALL_STATUS, retained=retained)
    assert heard.reading == Reading("hall", "library", NOW_MS, up=0)
    assert heard.is_state


@pytest.mark.parametrize("payload", [b"online", b'{"status": "online"}'])
def test_online_is_a_sign_of_life_and_no_reading(interpreter: Interpreter, payload: bytes) -> None:
    assert read(interpreter, payload, HALL_STATUS) == Heard("hall", None)


@pytest.mark.parametrize(
    "payload", [b"", b"OFF", b"{}", b'{"status": 1}', b'{"status": null}', b"\xff", b"{"]
)
def test_another_status_is_refused(interpreter: Interpreter, payload: bytes) -> None:
    assert refusal(interpreter, payload, HALL_STATUS).cause == "format"


@pytest.mark.parametrize(
    ("age_ms", "taken"),
    [
        (-5 * MINUTE_MS, True),
        (-5 * MINUTE_MS - 1, False),
        (400 * DAY_MS, True),
        (400 * DAY_MS + 1, False),
        (NOW_MS, False),
        (-(10**18), False),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    interpreter: Interpreter, age_ms: int, taken: bool
) -> None:
    payload = json.dumps({"ts": NOW_MS - age_ms, "clients": 1}).encode()
    if taken:
        assert read(interpreter, payload).reading is not None
    else:
        error = refusal(interpreter, payload)
        assert error.cause == "time"
        assert "set the clock of the AP" in str(error)


@pytest.mark.parametrize(
    ("topic", "cause", "allowed"),
    [
        ("hotspots/library/cellar/telemetry", "unknown_ap", "add it with source mqtt"),
        ("hotspots/baths/hall/telemetry", "unknown_ap", "hotspots/library/hall/telemetry"),
        ("hotspots/baths/lobby/telemetry", "unknown_ap", "source snmp"),
        ("hotspots/baths/old/telemetry", "unknown_ap", "source import"),
        ("hotspots/library/hall/configuration", "topic", "one of telemetry, status"),
        ("hotspots/library/hall", "topic", "hotspots/<site>/<ap>/telemetry"),
        ("hotspots/library/hall/telemetry/more", "topic", "hotspots/<site>/<ap>/telemetry"),
        ("hotspots/library/hall/radio/telemetry", "topic", "hotspots/<site>/<ap>/telemetry"),
        ("library/hall/telemetry", "topic", "hotspots/<site>/<ap>/telemetry"),
        ("$SYS/broker/uptime", "topic", "hotspots/<site>/<ap>/telemetry"),
        ("", "topic", "hotspots/<site>/<ap>/telemetry"),
    ],
)
def test_where_nobody_may_publish(
    interpreter: Interpreter, topic: str, cause: str, allowed: str
) -> None:
    error = refusal(interpreter, b'{"clients": 1}', topic)
    assert error.cause == cause
    assert allowed in str(error)


def test_an_oversized_payload_is_refused_unread(interpreter: Interpreter) -> None:
    padded = b'{"clients": 1}'.ljust(MAX_PAYLOAD)
    assert read(interpreter, padded).reading is not None
    assert refusal(interpreter, padded + b" ").cause == "size"


def test_every_format_is_subscribed_to(deployment: Deployment) -> None:
    topics = Interpreter(deployment, "city/wifi").topics
    assert topics[:-1] == [f"city/wifi/+/+/{name}" for name in PAYLOAD_FORMATS]
    assert topics[-1] == "city/wifi/+/maintenance"


TOPICS = st.sampled_from([HALL, HALL_STATUS]) | st.text() | st.text().map("hotspots/{}/x".format)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TOPICS, st.binary() | st.just(b"offline"), st.booleans())
def test_any_message_is_read_or_refused(
    interpreter: Interpreter, topic: str, payload: bytes, retained: bool
) -> None:
    try:
        heard = read(interpreter, payload, topic, retained=retained)
    except PayloadError:
        return
    assert heard.ap == "hall"
