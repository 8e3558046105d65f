"""What is known of one subject while evidence comes in, late and out of order included."""

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from config.settings import Outages
from pipeline.outages.evidence import Evidence, in_order
from pipeline.outages.machine import NOTHING_KNOWN, Condition, Event, settle, step

Ignored = Callable[[Evidence], bool]
"""Whether a failed poll says nothing, such as one of a poller that was blind."""


@dataclass(slots=True)
class Track:
    """The condition of a subject, and the evidence of the last while, from which it is made anew
    when some of it comes late, or turns out to say nothing.
    """

    horizon_ms: int
    """How late evidence may come."""
    base: Condition = NOTHING_KNOWN
    """Before the recent evidence."""
    recent: list[Evidence] = field(default_factory=list)
    """By time."""
    condition: Condition = NOTHING_KNOWN
    failing_since_ms: int | None = None
    """The first of the polls that failed in a row, those included that say nothing."""
    over_ms: int = -1
    """When the last incident began that is over for good: it is not found again."""

    def add(
        self, evidence: Evidence, rules: Outages, ignored: Ignored
    ) -> Iterator[tuple[Condition, Event]]:
        """Take more evidence; yields what it shows, with what is known by then.

        Evidence from before the horizon changes nothing any more.
        """
        newest = self.recent[-1] if self.recent else self.base.last
        if newest is None or evidence.ts_ms > newest.ts_ms:
            self._note_failure(evidence, newest)
            self.recent.append(evidence)
            if evidence.answered or not ignored(evidence):
                self.condition, events = step(self.condition, evidence, rules)
                for event in events:
                    self._note(event)
                    yield self.condition, event
            if self.recent[0].ts_ms < evidence.ts_ms - 2 * self.horizon_ms:
                self._trim(evidence.ts_ms - self.horizon_ms, rules, ignored)
        elif self.base.last is None or evidence.ts_ms > self.base.last.ts_ms:
            insort(self.recent, evidence, key=lambda item: item.ts_ms)
            self.recent = in_order(self.recent)
            self.refold(rules, ignored)

    def refold(self, rules: Outages, ignored: Ignored) -> None:
        """Make the condition anew from the evidence that still says something."""
        self.condition = self.base
        for evidence in self.recent:
            if evidence.answered or not ignored(evidence):
                self.condition, _ = step(self.condition, evidence, rules)
        spells = self.condition.spells
        if spells and spells[0].start_ms <= self.over_ms and not self.condition.is_down:
            self.condition = replace(self.condition, spells=())

    def settle(self, now_ms: int, rules: Outages) -> bool:
        """Let what is over be over; whether something was."""
        self.condition, events = settle(self.condition, now_ms, rules)
        for event in events:
            self._note(event)
        return bool(events)

    def _note_failure(self, evidence: Evidence, last: Evidence | None) -> None:
        watched = last is not None and evidence.ts_ms <= last.hold_ends_ms
        if evidence.answered:
            self.failing_since_ms = None
        elif self.failing_since_ms is None or not (watched or self.condition.is_down):
            self.failing_since_ms = evidence.ts_ms

    def _note(self, event: Event) -> None:
        if event.what == "settled":
            self.over_ms = event.spells[0].start_ms

    def _trim(self, since_ms: int, rules: Outages, ignored: Ignored) -> None:
        kept = next(i for i, item in enumerate(self.recent) if item.ts_ms >= since_ms)
        for evidence in self.recent[:kept]:
            if evidence.answered or not ignored(evidence):
                self.base, _ = step(self.base, evidence, rules)
        del self.recent[:kept]
