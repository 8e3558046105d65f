"""Alertmanager, by its API v2: https://prometheus.io/docs/alerting/latest/alerts_api/."""

from datetime import UTC, datetime
from typing import Any, Final

import orjson
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from config.settings import AlertmanagerNotifier as Settings
from pipeline.alerts.message import Fact, Message
from pipeline.alerts.notifiers.base import RefusedError, UndeliveredError

CONNECT_S: Final = 5.0
READ_S: Final = 10.0
RENEW_S: Final = 60.0
"""It forgets what it is not told again: on a restart of its own, or where nobody says until when
an alert holds.
"""
HOLDS_MS: Final = 24 * 3_600_000
"""For so long an alert holds that nobody renews: a pause of ours is no good news."""
TEST_HOLDS_MS: Final = 60_000


class AlertmanagerNotifier:
    """Posts alerts; their labels are the key, so that the same one twice is one."""

    renew_s = RENEW_S

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.url}/api/v2/alerts"
        self._headers = {"Content-Type": "application/json"}
        if settings.token:
            self._headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        timeout = Timeout(connect=CONNECT_S, read=READ_S)
        self._pool = PoolManager(maxsize=1, retries=False, timeout=timeout)

    def send(self, message: Message, now_ms: int) -> None:
        """Post every incident of a message, and the test as an alert of a minute."""
        alerts = [_alert(fact, message, now_ms) for fact in message.facts] or [
            _test(message, now_ms)
        ]
        try:
            answer = self._pool.request(
                "POST", self._url, body=orjson.dumps(alerts), headers=self._headers
            )
        except HTTPError as error:
            # Its text may be long, and names addresses only.
            raise UndeliveredError(f"{self._url}: {type(error).__name__}") from error
        if 200 <= answer.status < 300:
            return
        said = answer.data[:200].decode(errors="replace").strip()
        reason = f"{self._url}: HTTP {answer.status}{f': {said}' if said else ''}"
        raise RefusedError(reason) if answer.status in (400, 422) else UndeliveredError(reason)


def _alert(fact: Fact, message: Message, now_ms: int) -> dict[str, Any]:
    labels = {
        "alertname": "SpotwatchOutage",
        "severity": fact["severity"],
        "incident": fact["id"],
        "scope": fact["scope"],
        "subject": fact["subject"],
        "site": fact["site"],
        "kind": fact["kind"],
        "commune": fact["commune"],
    }
    ends_ms = now_ms + HOLDS_MS if fact["end_ms"] is None else fact["end_ms"]
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {
            "summary": message.subject if len(message.facts) == 1 else fact["text"],
            "description": fact["text"],
            "cause": fact["cause"],
        },
        "startsAt": _time(fact["start_ms"]),
        "endsAt": _time(ends_ms),
    }


def _test(message: Message, now_ms: int) -> dict[str, Any]:
    return {
        "labels": {"alertname": "SpotwatchTest", "severity": message.severity},
        "annotations": {"summary": message.subject, "description": message.body},
        "startsAt": _time(now_ms),
        "endsAt": _time(now_ms + TEST_HOLDS_MS),
    }


def _time(ts_ms: int) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat(timespec="milliseconds")
