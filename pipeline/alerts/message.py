"""What is told to somebody: worded, and with the facts for those who word it themselves."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal, TypedDict

from config.settings import Language, Severity

LOGGED: Final = 5
"""Incidents that the log names."""
Kind = Literal["opened", "flapping", "reminder", "escalated", "resolved", "withdrawn", "test"]
"""- opened: it is down; flapping: it comes and goes; reminder: it is still down; escalated: nobody
  acknowledged it;
- resolved: it is back for good; withdrawn: later evidence shows that there was no such outage;
- test: nothing happened, somebody tries a notifier.
"""


class Fact(TypedDict):
    """An incident in a message."""

    id: str
    scope: str
    subject: str
    site: str | None
    site_name: str | None
    ap: str | None
    controller: str | None
    kind: str | None
    """Of the site."""
    commune: str | None
    severity: Severity
    start_ms: int
    end_ms: int | None
    cause: str
    text: str
    """One line of it, in the language of the message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one notifier."""

    notifier: str
    """Its name in the settings."""
    kind: Kind
    language: Language
    severity: Severity
    """The worst in it."""
    at_ms: int
    """When it was decided."""
    subject: str
    body: str
    line: str
    """All of it in one line, for SMS."""
    facts: tuple[Fact, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same decision, whenever it is told."""
        ids = ",".join(sorted(fact["id"] for fact in self.facts))
        said = f"{self.notifier}|{self.kind}|{self.language}|{ids}|{self.at_ms}"
        return blake2b(said.encode(), digest_size=12).hexdigest()

    @property
    def incidents(self) -> tuple[str, ...]:
        """The ids of the incidents that it tells of."""
        return tuple(fact["id"] for fact in self.facts)

    @property
    def about(self) -> dict[str, object]:
        """For the log, which a storm must not fill."""
        few = list(self.incidents[:LOGGED])
        return {"kind": self.kind, "outages": len(self.facts), "incidents": few}

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Message":
        """From what was kept."""
        return cls(**{**document, "facts": tuple(document["facts"])})
