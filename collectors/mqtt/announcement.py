"""Maintenance of a site, as one JSON object: `{"from": "2026-03-05T10:00", "to": "...", ...}`.

`from` and `to` are written as in `maintenance.csv`: local days, both included, or date-times, local
or with an offset. `reason` may be missing. Anything else in it is refused: whoever misspells `to`
would be called at night.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from collectors.mqtt.json_telemetry import parse_object
from collectors.mqtt.telemetry import PayloadError
from collectors.sink import Announcement
from config.periods import span_of

NAME: Final = "maintenance"
"""The last level of the topic: `hotspots/<site>/maintenance`."""

_KEYS: Final = ("from", "to", "reason")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse(payload: bytes, site: str, zone: ZoneInfo, now_ms: int) -> Announcement:
    """Parse what was announced of a site; raise PayloadError naming the first key that is wrong."""
    document = parse_object(payload)
    if document.keys() - set(_KEYS):
        raise PayloadError("format", f"has unknown keys; allowed: {', '.join(_KEYS)}")
    try:
        start, end = span_of(_text(document, "from"), _text(document, "to"), zone)
    except ValueError as error:
        raise PayloadError("field", str(error)) from error
    reason = None if document.get("reason") is None else _text(document, "reason")
    return Announcement(site, _ms(start), _ms(end), reason, "mqtt", now_ms)


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise PayloadError("field", f"{key}: must be text, as in {NAME}.csv")
    return value


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
