"""What the collector tells of itself."""

from collections import Counter
from dataclasses import dataclass, field

from collectors.mqtt.telemetry import Cause


@dataclass
class Counters:
    """Since the start."""

    received: int = 0
    written: int = 0
    """Readings."""
    outdated: int = 0
    """`offline` that the AP's next message had already overtaken."""
    silent: int = 0
    """Readings of access points that did not speak though they should have."""
    refused: Counter[Cause] = field(default_factory=Counter)
    unknown_keys: int = 0
    """Messages that say more than their format knows."""
    deferred: int = 0
    """Left to the broker for want of room; they come again."""
    store_failures: int = 0
    reconnects: int = 0
    """Attempts after the first."""


@dataclass(frozen=True)
class MqttHealth:
    """How listening goes."""

    ok: bool
    """Connected, and what arrives is stored."""
    last_seen_ms: int | None
    """Last message; UTC milliseconds."""
    targets: int
    """APs that publish."""
    silent: int
    """Of them, not heard for one and a half of their intervals."""
    detail: str
