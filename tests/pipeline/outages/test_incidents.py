"""Incidents are kept in the state: those told live, and those found in the past."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.outages.incident import Incident, Spell, incident_id
from pipeline.outages.incidents import Incidents
from pipeline.outages.telling import Change, IncidentEvent
from pipeline.state import State

HOUR = 3_600_000


@pytest.fixture
def incidents(tmp_path: Path) -> Iterator[Incidents]:
    with closing(State(tmp_path / "state.db")) as state:
        yield Incidents(state)


def incident(ap: str, start: int, end: int | None, parent: str | None = None) -> Incident:
    return Incident(
        id=incident_id("ap", ap, start * HOUR),
        scope="ap",
        subject=ap,
        site="lib",
        ap=ap,
        controller=None,
        start_ms=start * HOUR,
        end_ms=None if end is None else end * HOUR,
        confirmed_ms=start * HOUR + 600_000,
        cause="no_answer",
        parent=parent,
        maintenance=True,
        spells=(Spell(start * HOUR, start * HOUR + 600_000, None if end is None else end * HOUR),),
    )


def event(what: Change, one: Incident) -> IncidentEvent:
    return IncidentEvent(what, one, 0)


def test_what_was_told_last_is_kept(incidents: Incidents) -> None:
    a, b = incident("a", 1, None), incident("b", 2, None)
    incidents.tell([event("opened", a), event("opened", b)])
    ended = incident("a", 1, 3)
    incidents.tell([event("ended", ended), event("withdrawn", b)])
    assert incidents.between(0, 10 * HOUR) == [ended]


def test_those_that_meet_a_span(incidents: Incidents) -> None:
    known = [incident("a", 1, 2), incident("b", 3, 5), incident("c", 4, None)]
    incidents.replace([], known, searched_since_ms=0)
    assert [i.subject for i in incidents.between(2 * HOUR, 3 * HOUR)] == []
    assert [i.subject for i in incidents.between(2 * HOUR, 3 * HOUR + 1)] == ["b"]
    assert [i.subject for i in incidents.between(4 * HOUR, 9 * HOUR)] == ["b", "c"]


def test_one_is_found_by_the_beginning_of_its_id_and_what_it_explains_by_it(
    incidents: Incidents,
) -> None:
    root = incident("a", 1, 2)
    child = replace(incident("b", 1, 2), parent=root.id)
    incidents.replace([], [child, root], searched_since_ms=0)
    assert incidents.by_id(root.id[:6].upper()) == [root]
    assert incidents.by_id("%") == []
    assert incidents.children(root.id) == [child]
    assert incidents.between(0, HOUR * 2) == [root, child]


def test_the_past_is_replaced_at_once_and_how_far_it_was_searched_is_known(
    incidents: Incidents,
) -> None:
    assert incidents.searched_since_ms() is None
    old, new = incident("a", 1, 2), incident("a", 0, 2)
    incidents.replace([], [old], searched_since_ms=5)
    incidents.replace([old.id], [new], searched_since_ms=3)
    incidents.replace([], [], searched_since_ms=9)
    assert incidents.between(0, 10 * HOUR) == [new]
    assert incidents.searched_since_ms() == 3
