"""What an outage is called: an incident, with what it struck, since when, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

Scope = Literal["ap", "site", "controller", "uplink", "poller"]
"""What is down: an access point, every one of a site, a controller with all that is seen through
it, what several access points hang on, or our own poller, which then knows nothing of anybody.
"""
SCOPES: Final[tuple[Scope, ...]] = ("ap", "site", "controller", "uplink", "poller")
Cause = Literal[
    "no_answer", "said_down", "controller_silent", "all_behind_it", "all_of_site", "blind",
    "nobody",
]  # fmt: skip
"""Why it is thought so: polls failed; the device, its controller or its last will said so; the
controller itself does not answer; all that hangs on it failed together; all of a site's failed
together; everything that one collector asks failed together. `nobody`: it is up, and of no use, as
it seems; people are told of it, but it is no outage.
"""


class Spell(NamedTuple):
    """One time that something was down, from its first failed poll on. UTC milliseconds."""

    start_ms: int
    confirmed_ms: int
    """When enough was known to call it an outage."""
    end_ms: int | None
    """The first good poll; None: there was none yet."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage from its first failed poll to the first good one. Times are UTC milliseconds."""

    id: str
    """Follows from the scope, the subject and the start: the same evidence gives the same."""
    scope: Scope
    subject: str
    """The id of what is down: an AP, a site, a controller, a parent, or a collector's name."""
    site: str | None
    """None on scopes wider than a site, and where it is not known."""
    ap: str | None
    controller: str | None
    start_ms: int
    end_ms: int | None
    """None: it is not over, as far as is known."""
    confirmed_ms: int
    """When enough was known to call it an outage."""
    cause: Cause
    parent: str | None = None
    """The id of the incident that explains it; None: it is a root, and told."""
    flaps: int = 0
    """How often it came back and failed again within the incident."""
    maintenance: bool = False
    """Began inside announced maintenance."""
    spells: tuple[Spell, ...] = ()
    """Each time that it was down, in order; flaps are all but the first."""

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.end_ms is None

    def as_of(self, at_ms: int) -> "Incident | None":
        """What was known of it at an instant; None: nothing yet."""
        known = tuple(
            spell._replace(end_ms=None) if spell.end_ms and spell.end_ms > at_ms else spell
            for spell in self.spells
            if spell.confirmed_ms <= at_ms
        )
        if not known:
            return None
        return replace(self, end_ms=known[-1].end_ms, flaps=len(known) - 1, spells=known)


def in_order(incidents: Sequence[Incident]) -> list[Incident]:
    """The earliest first, and what explains others before what it explains."""
    return sorted(
        incidents, key=lambda i: (i.start_ms, i.parent is not None, i.scope, i.subject, i.id)
    )


def incident_id(scope: Scope, subject: str, start_ms: int) -> str:
    """Twelve hexadecimal digits, short enough to be read out on the phone."""
    return blake2b(f"{scope}|{subject}|{start_ms}".encode(), digest_size=6).hexdigest()
