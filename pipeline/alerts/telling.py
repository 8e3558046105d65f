"""What the desk remembers, what it is told, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from config.settings import Language, Settings
from pipeline.alerts.message import Kind
from pipeline.alerts.outage import Outage
from pipeline.alerts.routing import MINUTE_MS, Order

STEADY_RELAPSES: Final = 4
"""What comes and goes is steady when it has been up for so many times as long as a relapse takes at
most: what flaps is not found down each time that it is.
"""
STARTED_POLLS: Final = 2
"""Poll intervals within which access points are seen to be back that start at the same time."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What one notifier was told of one incident."""

    says: Literal["down", "back"]
    """Last."""
    since_ms: int
    """When it was told first."""
    last_ms: int
    """When it was told last."""
    language: Language
    damped: bool = False
    """Told to come and go."""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as known now."""

    outage: Outage
    acknowledged: bool = False
    in_maintenance: bool = False
    """All of it."""


OrdersOf = Callable[[Outage], Mapping[str, Order]]
"""Who is to hear of an outage, by notifier."""


class Told(NamedTuple):
    """What a telling is of."""

    incident: str
    notifier: str


@dataclass(frozen=True, slots=True)
class Desk:
    """All that has to be remembered."""

    tellings: Mapping[Told, Telling] = field(default_factory=dict)
    known: Mapping[str, Outage] = field(default_factory=dict)
    """The incidents that somebody was told of, as last known."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Since when something waits to be told to a notifier, so that more can join. UTC ms."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Since when an incident that was told to be down is not known of any more. UTC ms."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that the desk goes by."""

    group_ms: int
    resolve_ms: int
    """Back for so long before it is told."""
    steady_ms: int
    """The same of what comes and goes."""
    flapping: int
    """Relapses from which on it is told that it comes and goes."""
    together_ms: int
    """What something explained may come back so long after it, and is not told in between: it has
    to start, and to be asked.
    """

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """From the settings."""
        alerts, outages = settings.alerts, settings.outages
        resolve_ms = round(alerts.resolve_minutes * MINUTE_MS)
        return cls(
            group_ms=alerts.group_seconds * 1000,
            resolve_ms=resolve_ms,
            steady_ms=max(resolve_ms, STEADY_RELAPSES * outages.relapse_minutes * MINUTE_MS),
            flapping=outages.flapping_relapses,
            together_ms=max(resolve_ms, STARTED_POLLS * settings.snmp.poll_seconds * 1000),
        )


class Note(NamedTuple):
    """A message that was decided, not yet worded."""

    notifier: str
    kind: Kind
    language: Language
    outages: tuple[Outage, ...]
    """By start."""
