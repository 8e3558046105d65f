"""Everything that the live engine knows from one moment to the next."""

from dataclasses import dataclass

from pipeline.outages.incident import Cause, Incident, Scope, Spell, incident_id
from pipeline.outages.track import Track

Key = tuple[Scope, str]
"""What failed."""


@dataclass(frozen=True, slots=True)
class Root:
    """What explains others: a group that fails together, or our own poller that is blind."""

    scope: Scope
    subject: str
    cause: Cause
    spells: tuple[Spell, ...]
    maintenance: bool
    declared: bool = False
    """Said by the collector itself: only it says when that is over."""

    @property
    def key(self) -> Key:
        """What failed."""
        return self.scope, self.subject

    @property
    def id(self) -> str:
        """Of its incident."""
        return incident_id(self.scope, self.subject, self.spells[0].start_ms)

    @property
    def time(self) -> str:
        """Names the last time that it was down, among all of all roots."""
        return f"{self.id}/{self.spells[-1].start_ms}"

    @property
    def is_open(self) -> bool:
        """Whether it is down."""
        return self.spells[-1].end_ms is None


@dataclass(frozen=True, slots=True)
class Own:
    """The incident of one AP."""

    site: str
    """Where it stood when it began."""
    spells: tuple[Spell, ...]
    maintenance: bool
    parent: str | None = None
    """The incident that explains it."""
    root: str | None = None
    """The `time` of the root that explains the last of the spells."""

    @property
    def start_ms(self) -> int:
        """The first failed poll."""
        return self.spells[0].start_ms

    @property
    def is_open(self) -> bool:
        """Whether it is down."""
        return self.spells[-1].end_ms is None


@dataclass(slots=True)
class Memory:
    """Of it alone follows what an engine will say."""

    tracks: dict[str, Track]
    """By AP."""
    controllers: dict[str, Track]
    """Of those that are polled for themselves."""
    own: dict[str, Own]
    """By AP."""
    roots: dict[Key, Root]
    told: dict[str, Incident]
    """What was said of each incident last, by its id."""
    once: dict[str, list[str]]
    """What is said of an incident once only, and was, by its id."""
    blind: dict[str, list[tuple[int, int | None]]]
    """When each collector was blind of late, [start, end) in UTC milliseconds."""

    @classmethod
    def empty(cls) -> "Memory":
        """Nothing is known."""
        return cls({}, {}, {}, {}, {}, {}, {})

    def root(self, key: Key) -> Root | None:
        """The open root of something."""
        root = self.roots.get(key)
        return root if root is not None and root.is_open else None
