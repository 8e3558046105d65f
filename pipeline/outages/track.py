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
    failing: Condition = NOTHING_KNOWN
    """Since its last good poll, those failed polls included that say nothing."""
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
            self._note_failure(evidence, rules)
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
            for event in self.refold(rules, ignored):
                yield self.condition, event

    def refold(self, rules: Outages, ignored: Ignored) -> list[Event]:
        """Make the condition anew from the evidence that still says something.

        Returns what is seen only now to be over for good.
        """
        self.condition, over = self.base, list[Event]()
        for evidence in self.recent:
            if evidence.answered or not ignored(evidence):
                self.condition, events = step(self.condition, evidence, rules)
                over += [event for event in events if event.what == "settled"]
        over = [event for event in over if event.spells[0].start_ms > self.over_ms]
        for event in over:
            self._note(event)
        spells = self.condition.spells
        if spells and spells[0].start_ms <= self.over_ms and not self.condition.is_down:
            self.condition = replace(self.condition, spells=())
        return over

    def settle(self, now_ms: int, rules: Outages) -> tuple[Event, ...]:
        """Let what is over be over."""
        self.condition, events = settle(self.condition, now_ms, rules)
        for event in events:
            self._note(event)
        return events

    @property
    def failing_since_ms(self) -> int | None:
        """The first of the polls that failed in a row, whatever they say."""
        spells = self.failing.spells
        return spells[0].start_ms if spells else self.failing.first_miss_ms

    def _note_failure(self, evidence: Evidence, rules: Outages) -> None:
        if evidence.answered:
            self.failing = NOTHING_KNOWN
        else:
            self.failing, _ = step(self.failing, evidence, rules)

    def _note(self, event: Event) -> None:
        if event.what == "settled":
            self.over_ms = event.spells[0].start_ms

    def _trim(self, since_ms: int, rules: Outages, ignored: Ignored) -> None:
        kept = next(i for i, item in enumerate(self.recent) if item.ts_ms >= since_ms)
        for evidence in self.recent[:kept]:
            if evidence.answered or not ignored(evidence):
                self.base, _ = step(self.base, evidence, rules)
        del self.recent[:kept]
