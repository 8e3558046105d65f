"""Incidents of the past: the same as were told live, of the same samples."""

from collections.abc import Iterable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import Deployment
from config.settings import Outages
from pipeline.outages.calendar import Calendar
from pipeline.outages.evidence import evidence_of, in_order
from pipeline.outages.history import incidents_of
from pipeline.outages.incident import Incident, Spell
from pipeline.outages.machine import NOTHING_KNOWN, step
from pipeline.outages.polls import joined, polls_of, spells_of
from pipeline.outages.topology import Topology
from tests.pipeline.memory_store import frame
from tests.pipeline.outages.cities import (
    T,
    brief,
    deployment,
    engine,
    final,
    play,
    rounds,
)

RULES = Outages()


def of_past(here: Deployment, readings: Iterable[Reading]) -> list[Incident]:
    topology = Topology.of(here)
    polls = polls_of(frame(readings), tuple(topology.aps))
    return incidents_of(polls, topology, here.settings.outages, Calendar())


def of_patterns(here: Deployment, patterns: Mapping[str, str]) -> list[Incident]:
    return of_past(here, [r for batch in rounds(here, patterns) for r in batch])


walks = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=1000), st.sampled_from([0, 0, 0, 1, 1, None]),
        st.sampled_from([300, 300, 60]),
    ),
    max_size=80,
)  # fmt: skip


@given(st.lists(walks, min_size=1, max_size=3), st.integers(min_value=0, max_value=200))
def test_all_at_once_finds_what_the_machine_finds_step_by_step(
    of_aps: list[list[tuple[int, int | None, int]]], cut_at: int
) -> None:
    readings, expected = [], []
    for number, walk in enumerate(of_aps):
        ap, ts = f"ap{number}", T
        mine = []
        for seconds, up, interval_s in walk:
            ts += seconds * 1000
            mine.append(Reading(ap, "s", ts, up=up, interval_s=interval_s))
        readings += mine
        condition, spells = NOTHING_KNOWN, dict[int, Spell]()
        for evidence in in_order(e for e in map(evidence_of, mine) if e):
            condition, _ = step(condition, evidence, RULES)
            spells |= {spell.start_ms: spell for spell in condition.spells}
        expected += [(ap, spell) for spell in spells.values()]
    aps = tuple(f"ap{number}" for number in range(len(of_aps)))
    # Read in two parts, as months are read day by day.
    cut_ms = T + cut_at * 300_000
    parts = [
        polls_of(frame(r for r in readings if (r.ts_ms < cut_ms) == before), aps)
        for before in (True, False)
    ]
    found = spells_of(joined(parts, aps), RULES)
    assert [(aps[found.ap[i]], found.spell(i)) for i in range(len(found))] == sorted(expected)


def test_a_site_a_controller_and_the_poller_in_one_history() -> None:
    aps = {"a1": "a", "a2": "a", "b1": "b wlc", "c1": "c wlc", "d1": "d", "e1": "e"}
    here = deployment(aps)
    patterns = {
        "a1": "uudddduuuu" + "u" * 10 + "uuuuuuuuuu" + "uuudddduuu",
        "a2": "uudddduuuu" + "u" * 10 + "uuuuuuuuuu" + "uuudddduuu",
        "b1": "uuuuuuuuuu" + "u" * 10 + "uuddddduuu" + "uuudddduuu",
        "c1": "uuuuuuuuuu" + "u" * 10 + "uudddddduu" + "uuudddduuu",
        "d1": "uuuuuuuuuu" + "u" * 10 + "uuuuuuuuuu" + "uuudddduuu",
        "e1": "uuuuuuuuuu" + "u" * 10 + "uuuuuuuuuu" + "uuudddduuu",
    }
    found = of_patterns(here, patterns)
    assert [brief(i) for i in found] == [
        ("site", "a", 10.0, 30.0), ("ap", "a1", 10.0, 30.0), ("ap", "a2", 10.0, 30.0),
        ("controller", "wlc", 110.0, 135.0), ("ap", "b1", 110.0, 135.0),
        ("ap", "c1", 110.0, 140.1), ("poller", "import", 165.0, 185.0),
    ]  # fmt: skip
    by_subject = {i.subject: i for i in found}
    assert by_subject["a1"].parent == by_subject["a"].id
    assert by_subject["c1"].parent == by_subject["wlc"].id
    assert [i.subject for i in found if i.parent is None] == ["a", "wlc", "import"]


def test_a_stretch_without_rows_is_no_incident() -> None:
    here = deployment({"a1": "a", "b1": "b"})
    assert of_patterns(here, {"a1": "uuu" + " " * 40 + "uuu", "b1": "u" * 46}) == []
    assert of_patterns(here, {"a1": "udd" + " " * 40 + "ddu", "b1": "u" * 46}) == []


def test_time_out_of_service_is_no_outage() -> None:
    here = deployment({"a1": "a", "b1": "b"})
    # T is 1 March 2026 in the evening.
    row = here.access_points["a1"].model_copy(update={"out_of_service_since": None})
    late = row.model_validate({**row.model_dump(), "out_of_service_since": "2026-03-02"})
    here = here.model_copy(update={"access_points": {**here.access_points, "a1": late}})
    patterns = {"a1": "u" * 20 + "d" * 40, "b1": "u" * 60}
    assert of_patterns(here, patterns) == []


AS_FILED = {"a1": "a wlc", "a2": "a wlc sw", "b1": "b wlc sw", "b2": "b", "c1": "c"}
parts = st.sampled_from(["u" * 5, "ud", "uddu", "ddd", "dddd" + "u", "d" * 9, " " * 3, "uuuuuuuu"])
patterns_of_parts = st.lists(parts, min_size=3, max_size=8).map("".join)
together = st.tuples(
    st.sets(st.sampled_from(sorted(AS_FILED)), min_size=2),
    st.integers(min_value=1, max_value=30),
    st.integers(min_value=3, max_value=8),
)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, str]:
    """Faults of single APs, and some that strike several at once."""
    found = {ap: list(draw(patterns_of_parts).ljust(40, "u")[:40]) for ap in AS_FILED}
    for struck, at, length in draw(st.lists(together, max_size=3)):
        for ap in struck:
            found[ap][at : at + length] = "d" * len(found[ap][at : at + length])
    return {ap: "".join(letters) for ap, letters in found.items()}


def comparable(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda i: (i.start_ms, i.scope, i.subject))


@settings(max_examples=150)
@given(histories(), st.sampled_from([0, 1, 40]))
def test_live_and_history_agree(patterns: dict[str, str], stagger_s: int) -> None:
    here = deployment(AS_FILED)
    batches = rounds(here, patterns, stagger_s=stagger_s)
    live = final(play(engine(here), batches))
    past = of_past(here, [r for batch in batches for r in batch])
    assert comparable(live.values()) == comparable(past)


@settings(max_examples=40)
@given(histories(), st.permutations(sorted(AS_FILED)))
def test_the_order_of_files_does_not_matter(patterns: dict[str, str], order: list[str]) -> None:
    expected = of_patterns(deployment(AS_FILED), patterns)
    other = deployment({ap: AS_FILED[ap] for ap in order})
    batches = rounds(deployment(AS_FILED), patterns)
    assert of_past(other, [r for batch in batches for r in batch]) == expected
