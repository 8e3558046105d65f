"""What went wrong between us and InfluxDB, as the three cases that differ in what to do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import orjson

from pipeline.spool.destination import MisconfiguredError, RefusedError, UnavailableError
from pipeline.store.base import StoreError

REFUSED: Final = frozenset({400, 413, 422})
"""The content is at fault: not line protocol, a field of another type, too old, too large."""
BUSY: Final = frozenset({408, 425, 429})
MESSAGE_BYTES: Final = 400

_ADVICE: Final = {
    401: "it does not accept the token; check store.token (for `db setup`: the administrator's)",
    403: "the token may not do this; check its permissions on the bucket",
    404: "no such bucket, organisation or address; check store.url, store.org, store.bucket",
}


def from_response(
    url: str, status: int, content: bytes, headers: Mapping[str, str], now: datetime
) -> StoreError:
    """The error that an HTTP answer stands for."""
    reason = message_of(content)
    said = f"InfluxDB at {url} answered {status}" + (f": {reason}" if reason else "")
    if status in REFUSED:
        return RefusedError(said)
    if status in BUSY or status >= 500:
        return UnavailableError(said, retry_after_s(headers.get("Retry-After"), now))
    return MisconfiguredError(f"{said} ({_ADVICE.get(status, 'is this an InfluxDB?')})")


def from_statement(url: str, reason: str, statement: str) -> StoreError:
    """The error that stands in the place of rows, in an answer that HTTP calls good."""
    said = f"InfluxDB at {url} cannot answer: {reason} (asked: {statement[:MESSAGE_BYTES]})"
    if "not found" in reason:
        return MisconfiguredError(f"{said}; are its buckets and their mappings set up?")
    if any(word in reason for word in ("timeout", "interrupted", "limit exceeded", "shutdown")):
        return UnavailableError(said)
    return RefusedError(said)


def message_of(content: bytes) -> str:
    """The reason in an answer: `message` in 2.x, `error` in 1.x and 3.x, else its first words."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    text = content.decode("utf-8", "replace")
    if isinstance(document, dict):
        text = str(document.get("message") or document.get("error") or text)
    return " ".join(text[:MESSAGE_BYTES].split())


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """A Retry-After header in seconds from now: it holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    text = value.strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
