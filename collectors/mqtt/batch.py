"""What a batch of messages amounts to: readings to store, and what is refused. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.mqtt.connection import Message
from collectors.mqtt.liveness import Sign
from collectors.mqtt.payload import Heard, Interpreter
from collectors.mqtt.telemetry import MAX_PAYLOAD, Cause, PayloadError
from collectors.reading import Reading
from collectors.sink import Announcement, Refused

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MAC: Final = re.compile(r"(?:[0-9a-f]{2}_?){6}", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?:[0-9a-f]{2}[:._ -]?){6,}|[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5,}"
    r"|\d{1,3}(?:[.,:-]\d{1,3}){5,}",
    re.IGNORECASE | re.ASCII,
)
_MAX_TOPIC: Final = 120


@dataclass
class Batch:
    """Everything that messages amount to, in their order."""

    readings: list[Reading] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    causes: Counter[Cause] = field(default_factory=Counter)
    """Of the refused."""
    announced: list[Announcement] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    """Of life, one of each message of an AP that can be read."""
    outdated: int = 0
    """States that a later message of the same AP has overtaken."""
    unknown_keys: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """AP and keys, of each message that has some."""


def sort_out(interpreter: Interpreter, messages: Sequence[Message]) -> Batch:
    """Read the messages of a batch; none of them stops the others.

    An `offline` that the same AP's later message follows is not read: where messages waited for us
    it happened at a time that nobody knows, and the AP has come back.
    """
    batch = Batch()
    heard: list[Heard] = []
    for message in messages:
        try:
            found = interpreter.announced(message.topic, message.payload, message.at_ms)
            if found is not None:
                batch.announced.append(found)
                continue
            one = interpreter.read(
                message.topic, message.payload, retained=message.retained, now_ms=message.at_ms
            )
        except PayloadError as error:
            batch.causes[error.cause] += 1
            content = message.payload[:MAX_PAYLOAD]
            batch.refused.append(Refused(message.at_ms, "mqtt", message.topic, str(error), content))
            ap = interpreter.publisher(message.topic) if error.cause == "time" else None
            if ap is not None:
                # Its clock is wrong, or ours: either way it is not silent.
                batch.signs.append(Sign(ap, message.at_ms, retained=message.retained))
            continue
        heard.append(one)
        batch.signs.append(_sign(one, message))
        if one.unknown_keys:
            batch.unknown_keys.append((one.ap, one.unknown_keys))
    last = {one.ap: place for place, one in enumerate(heard)}
    for place, one in enumerate(heard):
        if one.is_state and last[one.ap] > place:
            batch.outdated += 1
        elif one.reading is not None:
            batch.readings.append(one.reading)
    return batch


def _sign(heard: Heard, message: Message) -> Sign:
    reading = heard.reading
    return Sign(
        heard.ap,
        message.at_ms,
        offline=heard.is_state,
        retained=message.retained,
        ts_ms=reading.ts_ms if reading is not None and reading.up else None,
    )


def loggable(keys: Sequence[str]) -> list[str]:
    """Names of keys for a log. A key could be a client's MAC address; what looks so is hidden."""
    names = sorted(key for key in keys if _NAME.fullmatch(key) and not _MAC.search(key))
    hidden = len(keys) - len(names)
    return [*names, f"and {hidden} more"] if hidden else names


def loggable_topic(topic: str) -> str:
    """A topic for a log. A level of it could be a client's MAC address; what looks so is hidden."""
    return _ADDRESS.sub("...", topic)[:_MAX_TOPIC]
