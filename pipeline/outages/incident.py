"""What an outage is called: an incident, with what it struck, since when, and why."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

Scope = Literal["ap", "site", "controller", "uplink", "poller"]
"""What is down: an access point, every one of a site, a controller with all that is seen through
it, what several access points hang on, or our own poller, which then knows nothing of anybody.
"""
SCOPES: Final[tuple[Scope, ...]] = ("ap", "site", "controller", "uplink", "poller")
Cause = Literal[
    "no_answer", "said_down", "controller_silent", "all_behind_it", "all_of_site", "blind",
]  # fmt: skip
"""Why it is thought so: polls failed; the device, its controller or its last will said so; the
controller itself does not answer; all that hangs on it failed together; all of a site's failed
together; everything that one collector asks failed together.
"""


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
    """Inside announced maintenance from its start on."""

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.end_ms is None


def incident_id(scope: Scope, subject: str, start_ms: int) -> str:
    """Twelve hexadecimal digits, short enough to be read out on the phone."""
    return blake2b(f"{scope}|{subject}|{start_ms}".encode(), digest_size=6).hexdigest()
