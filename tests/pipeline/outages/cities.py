"""Small cities whose access points answer as a pattern says."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from collectors.reading import Reading
from config.deployment import AccessPoint, Controller, Deployment, Site, SitePeriod
from config.settings import Outages
from pipeline.outages.calendar import Calendar
from pipeline.outages.engine import Engine
from pipeline.outages.incident import Incident
from pipeline.outages.telling import IncidentEvent
from pipeline.outages.topology import Topology
from tests.pipeline.memory_store import city

T = 1_772_400_000_000
MINUTE = 60_000
INTERVAL_S = 300
FAR = (0, 2**42)


def deployment(
    aps: Mapping[str, str],
    *,
    controllers: Iterable[Controller] = (),
    maintenance: Sequence[SitePeriod] = (),
    kind: str = "library",
    opening_hours: str | None = None,
    outages: Outages | None = None,
    backwards: bool = False,
) -> Deployment:
    """`aps`: of each AP `SITE [CONTROLLER [PARENT]] [@SOURCE]`; `-` for none of it."""
    rows, sites = list[AccessPoint](), set[str]()
    for ap, words in aps.items():
        placed = [w for w in words.split() if not w.startswith("@")]
        source = next((w[1:] for w in words.split() if w.startswith("@")), "import")
        site, controller, parent, *_ = [*placed, "-", "-"]
        sites.add(site)
        rows.append(
            AccessPoint.model_validate(
                {
                    "ap": ap,
                    "site": site,
                    "source": source,
                    "controller": None if controller == "-" else controller,
                    "parent": None if parent == "-" else parent,
                    "poll_seconds": INTERVAL_S,
                }
            )
        )
    places = [
        Site.model_validate({"site": site, "kind": kind, "opening_hours": opening_hours})
        for site in sorted(sites)
    ]
    settings: dict[str, Any] = {"outages": outages} if outages else {}
    made = city(
        reversed(places) if backwards else places,
        reversed(rows) if backwards else rows,
        maintenance=maintenance,
        **settings,
    )
    return made.model_copy(update={"controllers": {c.controller: c for c in controllers}})


def engine(here: Deployment, restored: dict[str, Any] | None = None) -> Engine:
    calendar = Calendar.of(here, *FAR) if here.maintenance else Calendar()
    return Engine(Topology.of(here), here.settings.outages, calendar, restored)


def rounds(
    here: Deployment, patterns: Mapping[str, str], *, start: float = 0, stagger_s: int = 1
) -> list[list[Reading]]:
    """A poll of each AP each interval: `u` answers, `d` fails, a space is no poll.

    APs are polled `stagger_s` after each other, in the order given.
    """
    found = []
    for i in range(max(map(len, patterns.values()))):
        round_ms = T + round((start + i * INTERVAL_S / 60) * MINUTE)
        readings = []
        for nth, (ap, pattern) in enumerate(patterns.items()):
            if i < len(pattern) and pattern[i] != " ":
                site = here.access_points[ap].site
                up = int(pattern[i] == "u")
                ts_ms = round_ms + nth * stagger_s * 1000
                readings.append(Reading(ap, site, ts_ms, up=up, interval_s=INTERVAL_S))
        found.append(readings)
    return found


def play(to: Engine, batches: Iterable[Sequence[Reading]]) -> list[IncidentEvent]:
    """Readings when they come, those of one instant at once, and a tick every half minute."""
    events, now_ms = list[IncidentEvent](), 0
    in_time = sorted((r for batch in batches for r in batch), key=lambda r: r.ts_ms)
    for ts_ms, readings in groupby(in_time, key=lambda r: r.ts_ms):
        while now_ms and now_ms + 30_000 < ts_ms:
            now_ms += 30_000
            events += to.tick(now_ms)
        now_ms = ts_ms
        events += to.observe(readings, now_ms)
    for _ in range(20):
        now_ms += 30_000
        events += to.tick(now_ms)
    return events


def minute(ms: int | None) -> float | None:
    return None if ms is None else round((ms - T) / MINUTE, 1)


def brief(incident: Incident) -> tuple[str, str, float | None, float | None]:
    return incident.scope, incident.subject, minute(incident.start_ms), minute(incident.end_ms)


def told(events: Iterable[IncidentEvent], *whats: str) -> list[tuple[str, str, str]]:
    return [
        (e.what, e.incident.scope, e.incident.subject)
        for e in events
        if not whats or e.what in whats
    ]


def final(events: Iterable[IncidentEvent]) -> dict[str, Incident]:
    """What was said last of each incident that was not withdrawn."""
    found: dict[str, Incident] = {}
    for event in events:
        found[event.incident.id] = event.incident
        if event.what == "withdrawn":
            del found[event.incident.id]
    return found
