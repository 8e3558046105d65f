"""Availability as incidents, or failed polls, have it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from config.deployment import Deployment
from pipeline.outages.calendar import Calendar
from pipeline.outages.incident import Incident
from pipeline.usage.intervals import Intervals

HOUR_MS = 3_600_000

Spans = Iterable[tuple[int, int]]
"""[start, end) in UTC milliseconds."""
Hours = Mapping[str, tuple[float, float]]
"""Up and down, of the time that counts and is known, of every AP."""


def by_incidents(
    incidents: Iterable[Incident],
    deployment: Deployment,
    span_ms: tuple[int, int],
    true_ms: Callable[[int], int],
) -> Hours:
    """As incidents have it: time in which we were blind is unknown.

    `true_ms`: when our own clock showed a time.
    """
    down: dict[str, list[tuple[int, int]]] = {}
    blind: dict[str, list[tuple[int, int]]] = {}
    for incident in incidents:
        ends = ((s.start_ms, span_ms[1] if s.end_ms is None else s.end_ms) for s in incident.spells)
        spans = [(true_ms(start), true_ms(end)) for start, end in ends]
        if incident.scope == "poller":
            blind.setdefault(incident.subject, []).extend(spans)
        elif incident.ap is not None:
            down.setdefault(incident.ap, []).extend(spans)
    return _hours(down, blind, deployment, span_ms)


def by_polls(
    down: Mapping[str, Sequence[tuple[int, int]]], deployment: Deployment, span_ms: tuple[int, int]
) -> Hours:
    """As failed polls have it, for whoever does not know of blindness."""
    return _hours(down, {}, deployment, span_ms)


def _hours(
    down: Mapping[str, Spans],
    blind: Mapping[str, Spans],
    deployment: Deployment,
    span_ms: tuple[int, int],
) -> Hours:
    calendar = Calendar.of(deployment, *span_ms)
    found = {}
    for ap in deployment.access_points.values():
        excused = (
            span
            for spans in (calendar.maintenance.get(ap.site), calendar.off.get(ap.site))
            if spans is not None
            for span in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
        )
        hidden = Intervals.of([*excused, *blind.get(ap.source, ())])
        known = _sum(Intervals.of([span_ms]).minus(hidden))
        dark = _sum(Intervals.of(down.get(ap.ap, ())).minus(hidden))
        found[ap.ap] = known - dark, dark
    return found


def _sum(intervals: Intervals) -> float:
    return int((intervals.ends - intervals.starts).sum()) / HOUR_MS
