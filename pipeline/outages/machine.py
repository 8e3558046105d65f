"""The state machine of one access point, controller or collector: evidence in, state and events
out. Pure; what is down for certain is decided here and nowhere else, live as in history.

- Polls that fail in a row, at least `misses` of them and over at least `span_intervals` poll
  intervals, are an outage from the first of them on, until the first good poll.
- A stretch without evidence, longer than evidence holds, is unknown time. Failures before it and
  after it are not in a row; an outage that was confirmed before it goes on until a good poll.
- An outage that begins within `relapse_minutes` of the last one's end is the same incident.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from config.settings import Outages
from pipeline.outages.evidence import Evidence
from pipeline.outages.incident import Spell

State = Literal["up", "suspect", "down", "unknown", "maintenance", "flapping"]
What = Literal["suspected", "cleared", "down", "up", "relapsed", "settled", "rebooted", "stuck"]

BOOT_TOLERANCE_MS: Final = 90_000
"""Clocks drift and polls take time: what seems to have started so much later did not restart."""
TICKS_WRAP_S: Final = 2**32 // 100
"""sysUpTime (SNMPv2-MIB) counts hundredths of a second in 32 bits: 497 days."""


class Event(NamedTuple):
    """Something that evidence shows."""

    what: What
    """- suspected, cleared: a poll failed; the next was good, and it was nothing;
    - down, relapsed, up: confirmed; confirmed again within the same incident; a good poll again;
    - settled: it stayed up for long enough, the incident is over for good;
    - rebooted: its uptime began anew, which is no outage by itself;
    - stuck: its counters stand still though clients are associated.
    """
    at_ms: int
    """When it happened: the first failed poll, the first good one, the start of the device."""
    spells: tuple[Spell, ...] = ()
    """Of the incident that it is about."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of one subject."""

    last: Evidence | None = None
    answered_ms: int | None = None
    """The last good poll."""
    answering_since_ms: int | None = None
    """The first good poll of those since the last failed one."""
    misses: int = 0
    """Polls failed in a row."""
    first_miss_ms: int | None = None
    spells: tuple[Spell, ...] = ()
    """Of the incident under way, or of one that may yet relapse."""
    still_since_ms: int | None = None
    """Since when its counters stand still with clients associated."""

    @property
    def is_down(self) -> bool:
        """Confirmed, and no good poll since."""
        return bool(self.spells) and self.spells[-1].end_ms is None


NOTHING_KNOWN: Final = Condition()


def step(
    condition: Condition, evidence: Evidence, rules: Outages
) -> tuple[Condition, tuple[Event, ...]]:
    """What is known after one more piece of evidence, in order of time."""
    known, settled = settle(condition, evidence.ts_ms, rules)
    still, stuck = _standing_still(condition, evidence, rules)
    # A failed poll says no uptime: the last one known, carried on to now, stands for it.
    now = _with_uptime(evidence, condition.last)
    if evidence.answered:
        after, events = _answer(known, now, still)
    else:
        after, events = _miss(known, now, rules)
    return after, (*settled, *_reboot(condition.last, evidence), *events, *stuck)


def settle(
    condition: Condition, now_ms: int, rules: Outages
) -> tuple[Condition, tuple[Event, ...]]:
    """Let an incident be over for good that did not relapse in time."""
    if not condition.spells or condition.is_down:
        return condition, ()
    end_ms = condition.spells[-1].end_ms or 0
    # What is suspected since before the time was up may still turn out to be a relapse.
    began_ms = now_ms if condition.first_miss_ms is None else condition.first_miss_ms
    if began_ms - end_ms <= rules.relapse_minutes * 60_000:
        return condition, ()
    over = Event("settled", end_ms, condition.spells)
    return replace(condition, spells=()), (over,)


def state(
    condition: Condition, now_ms: int, rules: Outages, *, in_maintenance: bool = False
) -> State:
    """How it stands at an instant."""
    if in_maintenance:
        return "maintenance"
    if condition.last is None or condition.last.hold_ends_ms <= now_ms:
        return "unknown"
    if len(condition.spells) > rules.flapping_relapses:
        return "flapping"
    if condition.is_down:
        return "down"
    return "suspect" if condition.misses else "up"


def _answer(
    condition: Condition, evidence: Evidence, still_since_ms: int | None
) -> tuple[Condition, tuple[Event, ...]]:
    events: tuple[Event, ...] = ()
    spells = condition.spells
    if condition.is_down:
        spells = (*spells[:-1], spells[-1]._replace(end_ms=evidence.ts_ms))
        events = (Event("up", evidence.ts_ms, spells),)
    elif condition.misses:
        events = (Event("cleared", evidence.ts_ms),)
    goes_on = condition.last is not None and condition.last.answered
    after = Condition(
        last=evidence,
        answered_ms=evidence.ts_ms,
        answering_since_ms=condition.answering_since_ms if goes_on else evidence.ts_ms,
        spells=spells,
        still_since_ms=still_since_ms,
    )
    return after, events


def _miss(
    condition: Condition, evidence: Evidence, rules: Outages
) -> tuple[Condition, tuple[Event, ...]]:
    last, first, misses = condition.last, condition.first_miss_ms, condition.misses
    if last is None or evidence.ts_ms > last.hold_ends_ms:
        # A stretch that nobody watched: what failed before it is not in a row with this.
        first, misses = (first, misses) if condition.is_down else (None, 0)
        condition, settled = settle(
            replace(condition, first_miss_ms=first, misses=misses), evidence.ts_ms, rules
        )
    else:
        settled = ()
    misses += 1
    first = evidence.ts_ms if first is None else first
    after = replace(
        condition, last=evidence, misses=misses, first_miss_ms=first, still_since_ms=None
    )
    if condition.is_down:
        return after, settled
    spans_ms = evidence.ts_ms - first
    if misses < rules.misses or spans_ms < rules.span_intervals * evidence.interval_s * 1000:
        suspected = (Event("suspected", first),) if misses == 1 else ()
        return after, (*settled, *suspected)
    spells = (*condition.spells, Spell(first, evidence.ts_ms, None))
    what: What = "relapsed" if condition.spells else "down"
    return replace(after, spells=spells), (*settled, Event(what, first, spells))


def _reboot(last: Evidence | None, evidence: Evidence) -> tuple[Event, ...]:
    if last is None or last.uptime_s is None or evidence.uptime_s is None:
        return ()
    booted_ms = evidence.ts_ms - evidence.uptime_s * 1000
    before_ms = last.ts_ms - last.uptime_s * 1000
    ran_on_s = last.uptime_s + (evidence.ts_ms - last.ts_ms) / 1000
    wrapped = ran_on_s + BOOT_TOLERANCE_MS / 1000 >= TICKS_WRAP_S
    if wrapped or booted_ms - before_ms <= BOOT_TOLERANCE_MS:
        return ()
    return (Event("rebooted", booted_ms),)


def _with_uptime(evidence: Evidence, last: Evidence | None) -> Evidence:
    if evidence.uptime_s is not None or last is None or last.uptime_s is None:
        return evidence
    elapsed_s = (evidence.ts_ms - last.ts_ms) // 1000
    return evidence._replace(uptime_s=last.uptime_s + elapsed_s)


def _standing_still(
    condition: Condition, evidence: Evidence, rules: Outages
) -> tuple[int | None, tuple[Event, ...]]:
    last = condition.last
    if last is None or evidence.octets is None or evidence.octets != last.octets:
        return None, ()
    if not evidence.clients or not last.clients or evidence.ts_ms > last.hold_ends_ms:
        return None, ()
    since = last.ts_ms if condition.still_since_ms is None else condition.still_since_ms
    needed_ms = rules.misses * evidence.interval_s * 1000
    reached = evidence.ts_ms - since >= needed_ms > last.ts_ms - since
    return since, (Event("stuck", since),) if reached else ()
