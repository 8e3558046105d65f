"""The project's own payload: one JSON object, as `{"ts": "2026-03-05T10:04:00Z", "clients": 12}`.

Every key may be missing, or null where the AP does not know:

- `ts`: when it was so: ISO 8601 with `Z` or an offset, or seconds or milliseconds since the epoch.
  Without it the message counts from its arrival, which is wrong by as long as it waited somewhere;
- the fields of `telemetry.FIELDS`; at least one.

Where `clients` is not given it is the sum of the bands given: an AP without a 6 GHz radio does not
speak of it. A band that is null makes the sum unknown. A total beside the bands stands as it is.
Other keys are ignored, since firmware grows fields, and told to the operator.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from collectors.mqtt.telemetry import FIELDS, PayloadError, Telemetry

_BANDS: Final = ("clients_2g", "clients_5g", "clients_6g")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = 1e11
"""From here on a number is milliseconds: 1973 in milliseconds, the year 5138 in seconds."""
_TS_ALLOWED: Final = (
    "ts: write 2026-03-05T10:04:00Z, an offset such as +01:00 in place of Z, "
    "or seconds or milliseconds since 1970"
)


def parse(payload: bytes) -> Telemetry:
    """Parse; raise PayloadError naming the first key that is wrong."""
    document = parse_object(payload)
    fields: dict[str, Any] = {
        key: check(key, value)
        for key, check in FIELDS.items()
        if (value := document.get(key)) is not None
    }
    if not fields:
        raise PayloadError("format", f"says nothing: give at least one of {', '.join(FIELDS)}")
    if fields.get("counter_bits") == 32:
        for key in ("rx_bytes", "tx_bytes"):
            if fields.get(key, 0) >= 2**32:
                raise PayloadError("field", f"{key}: larger than counter_bits 32 can count")
    bands = [band for band in _BANDS if band in document]
    if "clients" not in fields and bands and all(band in fields for band in bands):
        fields["clients"] = sum(fields[band] for band in bands)
    return Telemetry(
        ts_ms=None if document.get("ts") is None else parse_ts(document["ts"]),
        unknown_keys=tuple(document.keys() - FIELDS.keys() - {"ts"}),
        **fields,
    )


def parse_object(payload: bytes) -> dict[str, Any]:
    """Parse one JSON object; raise PayloadError."""
    if not payload:
        raise PayloadError("format", "empty: expected a JSON object")
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        # Its text gives the place and never the content.
        raise PayloadError("format", f"not JSON in UTF-8: {error}") from error
    if not isinstance(document, dict):
        raise PayloadError("format", "expected a JSON object")
    return document


def parse_ts(value: object) -> int:
    """UTC milliseconds of a `ts`; raise PayloadError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PayloadError("field", _TS_ALLOWED)
    if not isinstance(value, str):
        return round(value if abs(value) >= _FIRST_MS else value * 1000)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PayloadError("field", _TS_ALLOWED) from error
    if moment.tzinfo is None:
        raise PayloadError("field", f"{_TS_ALLOWED}; a time without an offset could be anywhere's")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
