"""Maintenance announced over MQTT."""

import pytest

from collectors.mqtt.payload import Interpreter
from collectors.mqtt.telemetry import PayloadError
from config.deployment import Deployment

NOW_MS = 1_772_705_040_000  # 2026-03-05T10:04:00Z
TOPIC = "hotspots/library/maintenance"


@pytest.fixture
def interpreter(deployment: Deployment) -> Interpreter:
    return Interpreter(deployment, "hotspots")


def test_days_are_local_and_both_included(interpreter: Interpreter) -> None:
    found = interpreter.announced(TOPIC, b'{"from": "2026-03-05", "to": "2026-03-06"}', NOW_MS)
    assert found is not None
    midnight_ms = 1_772_665_200_000  # 2026-03-04T23:00:00Z
    assert (found.start_ms, found.end_ms) == (midnight_ms, midnight_ms + 2 * 86_400_000)
    assert (found.site, found.reason, found.source) == ("library", None, "mqtt")


@pytest.mark.parametrize(
    "topic", ["hotspots/library/hall/telemetry", "hotspots/library/status", "hotspots/maintenance"]
)
def test_other_topics_announce_nothing(interpreter: Interpreter, topic: str) -> None:
    assert interpreter.announced(topic, b"{}", NOW_MS) is None


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"", "empty: expected a JSON object"),
        (b"[]", "expected a JSON object"),
        (b'{"from": "2026-03-05"}', "to: must be text, as in maintenance.csv"),
        (b'{"from": 1772705040, "to": "2026-03-05"}', "from: must be text"),
        (b'{"from": "2026-03-05", "until": "2026-03-06"}', "unknown keys; allowed: from, to, "),
        (b'{"from": "2026-03-06", "to": "2026-03-05"}', "from: '2026-03-06' is not before to"),
        (b'{"from": "05/03/2026", "to": "2026-03-06"}', "from: '05/03/2026' is neither a date"),
        (b'{"from": "2026-03-29 02:30", "to": "2026-03-30"}', "from: 2026-03-29 02:30:00 does not"),
        (b'{"from": "2026-03-05", "to": "2062-03-06"}', "lasts longer than 366 days"),
        (b'{"from": "2020-03-05", "to": "2020-03-06"}', "was over more than 400 days ago"),
        (b'{"from": "2026-03-05", "to": "2026-03-06", "reason": 7}', "reason: must be text"),
        (b'{"from": "' + b"2" * 20_000 + b'"}', "larger than 16384 octets"),
    ],
)
def test_what_is_wrong_is_refused_and_told(
    interpreter: Interpreter, payload: bytes, told: str
) -> None:
    with pytest.raises(PayloadError) as caught:
        interpreter.announced(TOPIC, payload, NOW_MS)
    assert told in str(caught.value)
