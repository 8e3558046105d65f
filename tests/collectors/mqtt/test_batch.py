"""A batch of messages, sorted out."""

from unittest.mock import Mock

import pytest

from collectors.mqtt.batch import loggable, loggable_topic, sort_out
from collectors.mqtt.connection import Connection, Message
from collectors.mqtt.liveness import Sign
from collectors.mqtt.payload import Interpreter
from collectors.mqtt.telemetry import MAX_PAYLOAD
from collectors.reading import Reading
from collectors.sink import Announcement
from config.deployment import Deployment

NOW_MS = 1_772_705_040_000


@pytest.fixture
def interpreter(deployment: Deployment) -> Interpreter:
    return Interpreter(deployment, "hotspots")


def message(topic: str, payload: bytes, at_ms: int = NOW_MS) -> Message:
    return Message(Mock(spec=Connection), 1, 1, f"hotspots/{topic}", payload, False, at_ms)


def test_one_bad_message_stops_no_other(interpreter: Interpreter) -> None:
    batch = sort_out(
        interpreter,
        [
            message("library/hall/telemetry", b'{"clients": 1}'),
            message("library/hall/telemetry", b'{"clients": -1}', NOW_MS + 1),
            message("library/nobody/telemetry", b'{"clients": 1}'),
            message("baths/pool/telemetry", b'{"clients": 2}'),
        ],
    )
    assert [(r.ap, r.clients) for r in batch.readings] == [("hall", 1), ("pool", 2)]
    assert batch.causes == {"field": 1, "unknown_ap": 1}
    first = batch.refused[0]
    assert (first.at_ms, first.source) == (NOW_MS + 1, "mqtt")
    assert (first.subject, first.content) == ("hotspots/library/hall/telemetry", b'{"clients": -1}')
    assert first.reason.startswith("clients: ")


def test_an_offline_that_was_overtaken_says_nothing(interpreter: Interpreter) -> None:
    batch = sort_out(
        interpreter,
        [
            message("library/hall/status", b"offline"),
            message("library/attic/status", b"offline"),
            message("library/hall/status", b"online"),
            message("baths/pool/telemetry", b'{"clients": 2}'),
            message("baths/pool/status", b"offline", NOW_MS + 5),
        ],
    )
    assert batch.outdated == 1
    assert batch.readings == [
        Reading("attic", "library", NOW_MS, up=0, interval_s=60),
        Reading("pool", "baths", NOW_MS, up=1, clients=2),
        Reading("pool", "baths", NOW_MS + 5, up=0),
    ]


def test_a_refused_message_overtakes_nothing(interpreter: Interpreter) -> None:
    batch = sort_out(
        interpreter,
        [
            message("library/hall/status", b"offline"),
            message("library/hall/telemetry", b"garbage"),
        ],
    )
    assert [(r.ap, r.up) for r in batch.readings] == [("hall", 0)]


def test_each_message_of_an_ap_is_a_sign_of_its_life(interpreter: Interpreter) -> None:
    batch = sort_out(
        interpreter,
        [
            message("library/hall/telemetry", b'{"clients": 1}'),
            message("library/hall/telemetry", b'{"ts": 1772705000, "up": 1}', NOW_MS + 1),
            message("library/hall/telemetry", b'{"ts": 1772705000, "up": 0}', NOW_MS + 2),
            message("library/attic/status", b"offline", NOW_MS + 3),
            message("library/hall/status", b"online", NOW_MS + 4),
            message("library/nobody/status", b"online", NOW_MS + 5),
            message("library/hall/telemetry", b"garbage", NOW_MS + 6),
        ],
    )
    assert batch.signs == [
        Sign("hall", NOW_MS, ts_ms=NOW_MS),
        Sign("hall", NOW_MS + 1, ts_ms=1_772_705_000_000),
        Sign("hall", NOW_MS + 2),
        Sign("attic", NOW_MS + 3, offline=True),
        Sign("hall", NOW_MS + 4),
    ]


def test_maintenance_is_announced_on_the_topic_of_a_site(interpreter: Interpreter) -> None:
    works = b'{"from": "2026-03-05 12:00", "to": "2026-03-05T12:30Z", "reason": "switch"}'
    batch = sort_out(
        interpreter,
        [
            message("library/maintenance", works),
            message("nowhere/maintenance", works),
            message("library/hall/maintenance", works),
        ],
    )
    start_ms = 1_772_708_400_000  # 11:00 UTC
    assert batch.announced == [
        Announcement("library", start_ms, start_ms + 90 * 60_000, "switch", "mqtt", NOW_MS)
    ]
    assert batch.causes == {"unknown_site": 1, "topic": 1}
    assert batch.signs == []


def test_what_is_kept_of_an_oversized_message_is_bounded(interpreter: Interpreter) -> None:
    batch = sort_out(interpreter, [message("library/hall/telemetry", b"x" * (MAX_PAYLOAD + 1))])
    assert len(batch.refused[0].content) == MAX_PAYLOAD


def test_unknown_keys_are_named_unless_they_could_be_a_client() -> None:
    keys = ("noise_5g", "b8:27:eb:12:34:56", "b827eb123456", "sta_B8_27_EB_12_34_56", "x" * 41)
    assert loggable(keys) == ["noise_5g", "and 4 more"]
    assert loggable(("noise", "model")) == ["model", "noise"]


@pytest.mark.parametrize(
    "mac",
    ["ac:5b:73:11:c9:d4", "AC-5B-73-11-C9-D4", "ac5b7311c9d4", "ac5b.7311.c9d4", "ac5b73-11c9d4",
     "2:0:5e:10:0:ff", "172.91.115.17.201.212"],
)  # fmt: skip
def test_a_topic_shows_no_address(mac: str) -> None:
    assert loggable_topic(f"hotspots/{mac}/ap-1/status") == "hotspots/.../ap-1/status"
    assert loggable_topic(f"hotspots/lib/ap_{mac}/telemetry") == "hotspots/lib/ap_.../telemetry"


def test_a_topic_shows_whom_it_is_about() -> None:
    for topic in (
        "hotspots/place-de-la-facade/decade-12/telemetry",
        "x/2026-03-05/10.0.0.7/a",
    ):
        assert loggable_topic(topic) == topic
    assert len(loggable_topic("x" * 500)) == 120


def test_one_whose_clock_is_ahead_is_refused_and_not_silent(interpreter: Interpreter) -> None:
    ahead = b'{"ts": %d, "clients": 1}' % (NOW_MS // 1000 + 3600)
    batch = sort_out(
        interpreter,
        [
            message("library/hall/telemetry", ahead),
            message("baths/pool/status", b"?"),
            message("library/nobody/telemetry", ahead),
        ],
    )
    assert batch.readings == []
    assert len(batch.refused) == 3
    assert batch.signs == [Sign("hall", NOW_MS)]
