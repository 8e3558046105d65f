"""Incidents that somebody was told of and that are known of no more, or by another name."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.alerts.telling import Case, Desk


def renamed(desk: Desk, by_id: Mapping[str, Case]) -> Desk:
    """With late evidence an incident may turn out to have begun earlier, and its id is another."""
    gone = {told.incident for told in desk.tellings if told.incident not in by_id}
    names: dict[str, str] = {}
    for name in gone:
        former = desk.known[name].incident
        for case in by_id.values():
            now = case.outage.incident
            same = (now.scope, now.subject) == (former.scope, former.subject) and (
                case.outage.is_unused == desk.known[name].is_unused
            )
            taken = now.id in desk.known or now.id in names.values()
            meet = (now.end_ms is None or now.end_ms >= former.start_ms) and (
                former.end_ms is None or former.end_ms >= now.start_ms
            )
            if same and meet and not taken:
                names[name] = now.id
                break
    if not names:
        return desk
    return replace(
        desk,
        tellings={
            told._replace(incident=names.get(told.incident, told.incident)): telling
            for told, telling in desk.tellings.items()
        },
        known={names.get(name, name): outage for name, outage in desk.known.items()},
    )


def remembered(desk: Desk, present: Mapping[str, Case]) -> Mapping[str, Case]:
    """What is known of no more, and yet has an end that has to be told: it is over for good, or
    something wider has taken its place, and ends with it.
    """
    found: dict[str, Case] = {}
    for name, outage in desk.known.items():
        if name in present:
            continue
        if not outage.incident.is_open:
            found[name] = Case(outage)
            continue
        for wider in present.values():
            over_ms = wider.outage.incident.end_ms
            meets = over_ms is None or over_ms >= outage.incident.start_ms
            if meets and set(outage.aps) < set(wider.outage.aps):
                within = replace(
                    outage.incident, end_ms=over_ms, parent=wider.outage.incident.id, spells=()
                )
                found[name] = Case(replace(outage, incident=within))
                break
    return found


def noticed(desk: Desk, by_id: Mapping[str, Case], now_ms: int) -> Desk:
    """What is missing, and since when."""
    down = {told.incident for told, telling in desk.tellings.items() if telling.says == "down"}
    missing = {
        name: min(desk.missing.get(name, now_ms), now_ms)
        for name in sorted(down - by_id.keys())
        if desk.known[name].incident.is_open
    }
    return replace(desk, missing=missing)
