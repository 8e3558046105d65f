"""Alerts beside what really happened: how late, how often for nothing, and what was missed. Pure.

- A fault has to be told if it takes down some access point, visibly, for more than MUST_INTERVALS
  poll intervals: outside of announced maintenance and of the closed hours of sites that may be
  switched off, and while we are not blind. So has our own blindness.
- An alert is right if one of those that it names is down by such a fault; else `short` if one is
  down, but not for long enough; `excused` if one is down and nobody was to be told; `blind` if all
  serve and it is we who do not see; `false` if all serve.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.outages.alert import Alert

MUST_INTERVALS: Final = 3
"""Poll intervals; what is over by then need not be told, and may be."""

Span = tuple[int, int]
"""[start, end) in UTC milliseconds."""
Verdict = Literal["right", "short", "excused", "blind", "false"]
VERDICTS: Final[tuple[Verdict, ...]] = ("right", "short", "excused", "blind", "false")
"""The best first."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Real:
    """Something that happened."""

    kind: str
    subject: str
    seen: Mapping[str, Sequence[Span]]
    """When each AP that it struck was visibly down because of it; of our own blindness, when each
    collector saw nothing.
    """
    is_blindness: bool = False

    def lasting(self, interval_ms: int) -> list[tuple[str, Span]]:
        """When it lasts for so long that it has to be told, in order of time; of whom."""
        spans = [(span, name) for name, spans in self.seen.items() for span in spans]
        least_ms = MUST_INTERVALS * interval_ms
        return [(name, span) for span, name in sorted(spans) if span[1] - span[0] > least_ms]


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened in some months."""

    start_ms: int
    end_ms: int
    interval_ms: int
    reals: Sequence[Real]
    collector: Mapping[str, str]
    """Of every AP."""
    down: Mapping[str, Sequence[Span]]
    """When each AP served nobody, seen and excused or not."""
    blind: Mapping[str, Sequence[Span]]
    """When we saw nothing, by the collector."""
    hours: Mapping[str, tuple[float, float]]
    """Up and down, of the time that counts, of every AP."""

    @property
    def ap_months(self) -> float:
        """Of 30 days."""
        return len(self.collector) * (self.end_ms - self.start_ms) / (30 * 86_400_000)


@dataclass(frozen=True, slots=True)
class Missed:
    """What ought to have been told, and never was."""

    kind: str
    subject: str
    start_ms: int
    lasted_ms: int


@dataclass(slots=True)
class Score:
    """How good alerts were; `+` puts several months together."""

    ap_months: float = 0.0
    incidents: Counter[str] = field(default_factory=Counter)
    """That had to be told, by kind."""
    delays: dict[str, list[float]] = field(default_factory=dict)
    """Of those that were told, in poll intervals, by kind."""
    missed: list[Missed] = field(default_factory=list)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    """Of the alerts."""
    short: int = 0
    """Faults that need not be told."""
    messages: int = 0
    """That the alerts came in."""
    ap_errors: list[float] = field(default_factory=list)
    """Of the availability of each AP, measured less true, in points of a per cent."""
    city_errors: list[float] = field(default_factory=list)
    """Of that of each city."""

    @property
    def told(self) -> int:
        """How many of those incidents were told."""
        return sum(len(delays) for delays in self.delays.values())

    def delay(self, quantile: float, kind: str | None = None) -> float | None:
        """In poll intervals, of all kinds or one; None: nothing was told."""
        kinds = self.delays if kind is None else {kind}
        every = [delay for name in kinds for delay in self.delays.get(name, ())]
        return float(np.quantile(every, quantile)) if every else None

    @property
    def false_per_1000(self) -> float | None:
        """Alerts that name nothing that is down, per 1,000 AP-months."""
        false = self.verdicts["false"] + self.verdicts["blind"]
        return 1000 * false / self.ap_months if self.ap_months else None

    @property
    def per_incident(self) -> float | None:
        """Right alerts per incident that was told."""
        return self.verdicts["right"] / self.told if self.told else None

    def ap_error(self, quantile: float) -> float | None:
        """How far from the truth the availability of APs is, either way, in points."""
        return float(np.quantile(np.abs(self.ap_errors), quantile)) if self.ap_errors else None

    @property
    def ap_mean_error(self) -> float | None:
        """On average over all APs, either way, in points."""
        return float(np.mean(np.abs(self.ap_errors))) if self.ap_errors else None

    @property
    def city_error(self) -> float | None:
        """Likewise of whole cities, the worst."""
        return max(map(abs, self.city_errors), default=None)

    def __add__(self, other: "Score") -> "Score":
        kinds = self.delays.keys() | other.delays.keys()
        return Score(
            self.ap_months + other.ap_months,
            self.incidents + other.incidents,
            {k: [*self.delays.get(k, ()), *other.delays.get(k, ())] for k in sorted(kinds)},
            [*self.missed, *other.missed],
            self.verdicts + other.verdicts,
            self.short + other.short,
            self.messages + other.messages,
            [*self.ap_errors, *other.ap_errors],
            [*self.city_errors, *other.city_errors],
        )


def score(
    truth: Truth,
    alerts: Sequence[Alert],
    measured: Mapping[str, tuple[float, float]],
    messages: int | None = None,
) -> Score:
    """Compare. `measured`: hours up and down of every AP; `messages`: None, one an alert."""
    must = [real for real in truth.reals if real.lasting(truth.interval_ms)]
    found = Score(
        ap_months=truth.ap_months,
        incidents=Counter(real.kind for real in must),
        short=sum(not real.is_blindness for real in truth.reals)
        - sum(not real.is_blindness for real in must),
        messages=len(alerts) if messages is None else messages,
    )
    _compare(truth, must, alerts, found)
    found.verdicts.update(_Judge(truth, must).verdicts(alerts))
    for ap, hours in truth.hours.items():
        error = _error(hours, measured[ap])
        if error is not None:
            found.ap_errors.append(error)
    whole = _error(_sum(truth.hours.values()), _sum(measured.values()))
    found.city_errors += [] if whole is None else [whole]
    return found


def _compare(truth: Truth, must: Sequence[Real], alerts: Sequence[Alert], found: Score) -> None:
    told = _told_of(alerts)
    for real in must:
        lasting = real.lasting(truth.interval_ms)
        start_ms = lasting[0][1][0]
        when = [
            at_ms
            for name, span in lasting
            for at_ms in _told_in(told.get((real.is_blindness, name)), span)
        ]
        if when:
            delay = (min(when) - start_ms) / truth.interval_ms
            found.delays.setdefault(real.kind, []).append(delay)
        else:
            lasted_ms = max(end - start for _, (start, end) in lasting)
            found.missed.append(Missed(real.kind, real.subject, start_ms, lasted_ms))


def _told_of(alerts: Iterable[Alert]) -> dict[tuple[bool, str], tuple[Ints, Ints]]:
    """When people were told that an AP is down, or that a collector is blind (True)."""
    found: dict[tuple[bool, str], list[Span]] = defaultdict(list)
    for alert in alerts:
        is_blindness = alert.scope == "poller"
        for name in (alert.subject,) if is_blindness else alert.aps:
            found[is_blindness, name].append((alert.at_ms, alert.until_ms))
    return {key: _columns(spans) for key, spans in found.items()}


def _told_in(told: tuple[Ints, Ints] | None, span: Span) -> Iterator[int]:
    """The first instant of a span at which people were told; none if they never were."""
    if told is None:
        return
    at, until = told
    meets = (until > span[0]) & (at < span[1])
    if meets.any():
        yield int(np.maximum(at[meets], span[0]).min())


class _Judge:
    """Says of each alert what was behind it."""

    def __init__(self, truth: Truth, must: Sequence[Real]) -> None:
        self._truth = truth
        self._must = self._seen(must)
        self._any = self._seen(truth.reals)
        self._down = {ap: _columns(spans) for ap, spans in truth.down.items()}
        self._blind = {name: _columns(spans) for name, spans in truth.blind.items()}

    def verdicts(self, alerts: Sequence[Alert]) -> Iterator[Verdict]:
        for alert in alerts:
            # What is told may have ended a moment ago, and began before it was first seen.
            span = (alert.start_ms - self._truth.interval_ms, alert.at_ms + 1)
            if alert.scope == "poller":
                yield self._of_blindness(alert, span)
            else:
                found = [self._of_ap(ap, span) for ap in alert.aps]
                yield min(found, key=VERDICTS.index, default="false")

    def _of_ap(self, ap: str, span: Span) -> Verdict:
        if _meets(self._must.get((False, ap)), span):
            return "right"
        if _meets(self._any.get((False, ap)), span):
            return "short"
        if _meets(self._down.get(ap), span):
            return "excused"
        is_blind = _meets(self._blind.get(self._truth.collector[ap]), span)
        return "blind" if is_blind else "false"

    def _of_blindness(self, alert: Alert, span: Span) -> Verdict:
        if _meets(self._must.get((True, alert.subject)), span):
            return "right"
        return "short" if _meets(self._blind.get(alert.subject), span) else "false"

    def _seen(self, reals: Iterable[Real]) -> dict[tuple[bool, str], tuple[Ints, Ints]]:
        found: dict[tuple[bool, str], list[Span]] = defaultdict(list)
        for real in reals:
            for name, spans in real.seen.items():
                found[real.is_blindness, name] += spans
        return {key: _columns(spans) for key, spans in found.items()}


def _columns(spans: Iterable[Span]) -> tuple[Ints, Ints]:
    table = np.array(sorted(spans), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _meets(spans: tuple[Ints, Ints] | None, span: Span) -> bool:
    if spans is None:
        return False
    starts, ends = spans
    return bool(((ends > span[0]) & (starts < span[1])).any())


def _error(true: tuple[float, float], measured: tuple[float, float]) -> float | None:
    """In points; None: there is nothing to compare."""
    if not sum(true) or not sum(measured):
        return None
    return 100 * (measured[0] / sum(measured) - true[0] / sum(true))


def _sum(hours: Iterable[tuple[float, float]]) -> tuple[float, float]:
    pairs = list(hours)
    return sum(up for up, _ in pairs), sum(down for _, down in pairs)
