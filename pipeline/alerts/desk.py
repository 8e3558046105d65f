"""The desk: what each notifier was told of each incident, and what it is told now. Pure.

It works on how things stand, not on what happened: every incident as known now, and the time. So
it can be asked as often as one likes, after a restart too, and says nothing twice.

- Down is told once of an incident, unless it was told to be back and was not: then it comes and
  goes, which is told as such and, from then on, only once it has been up for long. The same of what
  is down anew soon after it was told to be back.
- What is told to be down is told to be back, once, after it has been for a while.
- What waits together for the same notifier is one message a kind.
- What another incident explains is not told, unless it lasts longer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from config.settings import Language
from pipeline.alerts.message import Kind
from pipeline.alerts.outage import Outage
from pipeline.alerts.routing import Order
from pipeline.alerts.telling import Case, Desk, Note, OrdersOf, Rules, Telling, Told
from pipeline.alerts.vanished import noticed, remembered, renamed
from pipeline.outages.incident import Incident

TOGETHER: Final = 0.5
"""Of the time to a reminder: what has so much of it behind is reminded of with what is due."""


class _Due(NamedTuple):
    told: Told
    kind: Kind
    language: Language
    outage: Outage


@dataclass(frozen=True, slots=True)
class _Known:
    """A case, and who is to hear of it."""

    case: Case
    orders: Mapping[str, Order]

    @property
    def incident(self) -> Incident:
        return self.case.outage.incident


class _Kin(NamedTuple):
    """Another outage of the same thing, and how it was told."""

    incident: Incident
    telling: Telling


def decide(
    desk: Desk, cases: Iterable[Case], orders_of: OrdersOf, rules: Rules, now_ms: int
) -> tuple[Desk, tuple[Note, ...]]:
    """What is told now, and the desk after that.

    `cases`: every incident that may still change. One that somebody was told of, that was not over
    and is none of them any more, was no outage, as is known now.
    """
    present = {case.outage.incident.id: case for case in cases}
    desk = renamed(desk, present)
    over = remembered(desk, present)
    desk = noticed(desk, {**over, **present}, now_ms)
    by_id = {
        name: _Known(case, orders_of(case.outage)) for name, case in {**over, **present}.items()
    }
    told_of: dict[str, set[str]] = defaultdict(set)
    for told in desk.tellings:
        told_of[told.incident].add(told.notifier)
    due = [*_withdrawn(desk, rules, now_ms)]
    for name, known in by_id.items():
        for notifier in sorted(told_of[name] | known.orders.keys()):
            item = _due_of(desk, Told(name, notifier), by_id, rules, now_ms)
            due += [item] if item else []
    due += _reminders(desk, by_id, rules, now_ms)

    by_notifier: dict[str, list[_Due]] = defaultdict(list)
    for item in due:
        by_notifier[item.told.notifier].append(item)
    waiting: dict[str, int] = {}
    notes: list[Note] = []
    tellings = dict(desk.tellings)
    for notifier, items in by_notifier.items():
        since_ms = min(desk.waiting.get(notifier, now_ms), now_ms)
        if now_ms - since_ms < rules.group_ms:
            waiting[notifier] = since_ms
            continue
        notes += _grouped(notifier, items)
        for item in items:
            tellings[item.told] = _after(tellings.get(item.told), item, rules, now_ms)
    return _kept(desk, tellings, present, waiting), tuple(notes)


def _due_of(
    desk: Desk, told: Told, by_id: Mapping[str, _Known], rules: Rules, now_ms: int
) -> _Due | None:
    """What a notifier is to be told of an incident, reminders apart; None: nothing now."""
    known = by_id[told.incident]
    case, incident, order = known.case, known.incident, known.orders.get(told.notifier)
    telling = desk.tellings.get(told)
    kin = _kin(desk, told, by_id)
    outage = case.outage
    kind: Kind | None = None
    if telling and telling.says == "down" and incident.end_ms is not None:
        # Who is told no more by the settings of now is told the end of what he was told.
        if _is_over(incident, telling, by_id, rules, now_ms) and (
            order is None or order.may_tell_back
        ):
            kind = "resolved"
    elif incident.is_open and order and order.may_tell:
        if case.in_maintenance or _explained(incident, by_id, rules, now_ms):
            return None
        if telling is None:
            kind = None if case.acknowledged else _first(desk, incident.id, order, now_ms)
            if kind == "opened" and kin:
                kind, outage = _once_more(outage, kin, rules, now_ms)
        elif telling.says == "back" or (_often(incident, telling, rules) and not case.acknowledged):
            kind = "flapping"
    language = telling.language if telling else order.language if order else None
    return _Due(told, kind, language, outage) if kind and language else None


def _is_over(
    incident: Incident,
    telling: Telling,
    by_id: Mapping[str, _Known],
    rules: Rules,
    now_ms: int,
) -> bool:
    """Whether it has been up for so long that it is told to be back."""
    if not telling.damped:
        return incident.end_ms is not None and now_ms - incident.end_ms >= rules.resolve_ms
    ends = [known.incident.end_ms for known in by_id.values() if _same(known.incident, incident)]
    return all(end_ms is not None and now_ms - end_ms >= rules.steady_ms for end_ms in ends)


def _same(one: Incident, other: Incident) -> bool:
    """Whether they are of the same thing."""
    return (one.scope, one.subject) == (other.scope, other.subject)


def _once_more(
    outage: Outage, kin: Sequence[_Kin], rules: Rules, now_ms: int
) -> tuple[Kind | None, Outage]:
    """How something is told that is down anew."""
    if any(one.telling.damped and one.telling.says == "down" for one in kin):
        return None, outage  # it was told to come and go, and does
    lately = [
        one.incident
        for one in kin
        if not one.incident.is_open and now_ms - one.telling.last_ms < rules.steady_ms
    ]
    if not lately:
        return "opened", outage
    incident = outage.incident
    flaps = incident.flaps + sum(before.flaps + 1 for before in lately)
    start_ms = min(before.start_ms for before in lately)
    return "flapping", replace(outage, incident=replace(incident, flaps=flaps, start_ms=start_ms))


def _kin(desk: Desk, told: Told, by_id: Mapping[str, _Known]) -> list[_Kin]:
    """Other outages of the same thing that the notifier was told of, as far as still known."""
    this = by_id[told.incident].incident
    found = []
    for other, telling in desk.tellings.items():
        known = by_id.get(other.incident)
        if other.notifier != told.notifier or other == told or known is None:
            continue
        if _same(known.incident, this):
            found.append(_Kin(known.incident, telling))
    return found


def _often(incident: Incident, telling: Telling, rules: Rules) -> bool:
    """Whether it comes and goes, and was not told to."""
    return incident.flaps >= rules.flapping and not telling.damped


def _first(desk: Desk, incident: str, order: Order, now_ms: int) -> Kind | None:
    """The first that a notifier hears of an incident."""
    if not order.after_ms:
        return "opened"
    told = [desk.tellings.get(Told(incident, name)) for name in order.behind]
    first_ms = min(
        (telling.since_ms for telling in told if telling and telling.says == "down"), default=None
    )
    due = first_ms is not None and now_ms - first_ms >= order.after_ms
    return "escalated" if due else None


def _explained(incident: Incident, by_id: Mapping[str, _Known], rules: Rules, now_ms: int) -> bool:
    """Whether another incident accounts for it, or did until a moment ago."""
    parent = by_id.get(incident.parent or "")
    if parent is None:
        return False
    end_ms = parent.incident.end_ms
    return end_ms is None or now_ms - end_ms < rules.together_ms


def _reminders(
    desk: Desk, by_id: Mapping[str, _Known], rules: Rules, now_ms: int
) -> Iterable[_Due]:
    """Of all that a notifier is to be reminded of soon, as soon as one reminder is due."""
    found: dict[str, list[tuple[bool, _Due]]] = defaultdict(list)
    for told, telling in desk.tellings.items():
        known = by_id.get(told.incident)
        order = known.orders.get(told.notifier) if known else None
        if not known or not order or not order.remind_ms or not order.may_tell:
            continue
        if telling.says != "down" or not known.incident.is_open or known.case.acknowledged:
            continue
        if _often(known.incident, telling, rules):
            continue  # which is told now
        if known.case.in_maintenance or _explained(known.incident, by_id, rules, now_ms):
            continue
        passed = (now_ms - telling.last_ms) / order.remind_ms
        if passed >= TOGETHER:
            item = _Due(told, "reminder", telling.language, known.case.outage)
            found[told.notifier].append((passed >= 1, item))
    for items in found.values():
        if any(is_due for is_due, _ in items):
            yield from (item for _, item in items)


def _withdrawn(desk: Desk, rules: Rules, now_ms: int) -> Iterable[_Due]:
    """A restart may take a moment to know again what was known: so not at once."""
    for told, telling in desk.tellings.items():
        since_ms = desk.missing.get(told.incident)
        if since_ms is None or telling.says != "down" or now_ms - since_ms < rules.resolve_ms:
            continue
        yield _Due(told, "withdrawn", telling.language, desk.known[told.incident])


def _grouped(notifier: str, items: Iterable[_Due]) -> Iterable[Note]:
    groups: dict[tuple[Kind, Language, bool], list[Outage]] = defaultdict(list)
    for item in items:
        groups[item.kind, item.language, item.outage.is_unused].append(item.outage)
    for (kind, language, _), outages in groups.items():
        outages.sort(key=lambda outage: (outage.incident.start_ms, outage.incident.id))
        yield Note(notifier, kind, language, tuple(outages))


def _after(before: Telling | None, item: _Due, rules: Rules, now_ms: int) -> Telling:
    since_ms = before.since_ms if before else now_ms
    damped = before.damped if before else False
    if item.kind in ("resolved", "withdrawn"):
        return Telling("back", since_ms, now_ms, item.language, damped)
    often = item.kind == "flapping" or item.outage.incident.flaps >= rules.flapping
    return Telling("down", since_ms, now_ms, item.language, damped or often)


def _kept(
    desk: Desk,
    tellings: Mapping[Told, Telling],
    present: Mapping[str, Case],
    waiting: Mapping[str, int],
) -> Desk:
    """What is still of interest: what stands, and what is told to be down."""
    left = {
        told: telling
        for told, telling in tellings.items()
        if told.incident in present or telling.says == "down"
    }
    names = {told.incident for told in left}
    known = {
        name: present[name].outage if name in present else desk.known[name]
        for name in sorted(names)
    }
    missing = {name: since_ms for name, since_ms in desk.missing.items() if name in names}
    return Desk(left, known, waiting, missing)
