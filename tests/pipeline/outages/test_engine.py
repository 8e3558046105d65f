"""What is told live: each fault once, by its widest name, and nothing of what is no fault."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import Controller, SitePeriod
from config.settings import Outages
from pipeline.outages.calendar import Calendar
from pipeline.outages.evidence import Evidence
from tests.pipeline.outages.cities import (
    INTERVAL_S,
    MINUTE,
    T,
    brief,
    deployment,
    engine,
    final,
    minute,
    play,
    rounds,
    told,
)

THREE_SITES = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c"}


def utc(minutes: float) -> datetime:
    return datetime.fromtimestamp(T / 1000 + minutes * 60, UTC)


def test_an_ap_that_fails_is_told_once_and_its_end_too() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 20) | {"c1": "uddddddu" + "u" * 12}
    events = play(engine(here), rounds(here, patterns, stagger_s=0))
    assert told(events) == [("opened", "ap", "c1"), ("ended", "ap", "c1"), ("settled", "ap", "c1")]
    opened, ended, settled = events
    assert [minute(e.at_ms) for e in events] == [15, 35, 65.5]
    assert opened.incident.end_ms is None
    assert brief(ended.incident) == brief(settled.incident) == ("ap", "c1", 5, 35)


def test_a_lost_poll_or_two_are_not_told() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 12) | {"c1": "uduudduuduuu"}
    assert play(engine(here), rounds(here, patterns)) == []


def test_a_site_that_fails_as_a_whole_is_one_incident_and_its_aps_are_named_under_it() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 10) | dict.fromkeys(("a1", "a2"), "uu" + "d" * 8)
    events = play(engine(here), rounds(here, patterns))
    assert told(events) == [
        ("opened", "site", "a"), ("opened", "ap", "a1"), ("opened", "ap", "a2"),
    ]  # fmt: skip
    root, *children = (event.incident for event in events)
    assert (root.parent, root.site, root.cause) == (None, "a", "all_of_site")
    assert {child.parent for child in children} == {root.id}


@pytest.mark.parametrize("stagger_s", [0, 1, 30])
def test_a_sibling_that_is_asked_later_is_waited_for(stagger_s: int) -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 10) | dict.fromkeys(("a1", "a2"), "uu" + "d" * 8)
    in_turns = {ap: patterns[ap] for ap in ("a1", "b1", "b2", "c1", "a2")}
    events = play(engine(here), rounds(here, in_turns, stagger_s=stagger_s))
    assert told(events)[0] == ("opened", "site", "a")
    assert [e.incident.parent is None for e in events] == [True, False, False]


def test_a_second_ap_of_a_site_that_fails_hours_later_is_no_fault_of_the_site() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 30)
    patterns |= {"a1": "uu" + "d" * 28, "a2": "u" * 20 + "d" * 10}
    events = play(engine(here), rounds(here, patterns))
    assert told(events) == [("opened", "ap", "a1"), ("opened", "ap", "a2")]


def test_what_hangs_on_a_controller_is_one_incident_whatever_the_sites() -> None:
    aps = {"a1": "a wlc", "a2": "a wlc", "b1": "b wlc", "b2": "b", "c1": "c"}
    here = deployment(aps)
    patterns = dict.fromkeys(aps, "u" * 10) | dict.fromkeys(("a1", "a2", "b1"), "uu" + "d" * 8)
    events = play(engine(here), rounds(here, patterns))
    assert told(events)[0] == ("opened", "controller", "wlc")
    assert sorted(told(events)[1:]) == [("opened", "ap", ap) for ap in ("a1", "a2", "b1")]
    (root,) = (e.incident for e in events if e.incident.parent is None)
    assert (root.controller, root.site, root.cause) == ("wlc", None, "all_behind_it")


def test_what_hangs_on_an_uplink_by_way_of_a_controller_is_one_incident() -> None:
    aps = {"a1": "a wlc", "b1": "b wlc", "c1": "c - sw", "d1": "d"}
    controller = Controller(controller="wlc", host="127.0.0.1", parent="sw")
    here = deployment(aps, controllers=[controller])
    patterns = dict.fromkeys(aps, "uu" + "d" * 8) | {"d1": "u" * 10}
    roots = [
        e.incident for e in play(engine(here), rounds(here, patterns)) if not e.incident.parent
    ]
    assert [brief(root)[:3] for root in roots] == [("uplink", "sw", 10)]


def test_a_controller_that_does_not_answer_is_the_root_of_a_single_ap_too() -> None:
    aps = {"a1": "a wlc @snmp", "b1": "b @snmp", "c1": "c @snmp"}
    here = deployment(aps, controllers=[Controller(controller="wlc", host="127.0.0.1")])
    running, events = engine(here), []
    for i in range(6):
        now = T + i * INTERVAL_S * 1000
        events += running.observe_controllers([Evidence("wlc", now, i < 2, INTERVAL_S)], now)
        readings = [Reading("a1", "a", now, up=int(i < 2))]
        readings += [Reading(ap, ap[0], now, up=1) for ap in ("b1", "c1")]
        events += running.observe(readings, now)
    assert told(events) == [("opened", "controller", "wlc"), ("opened", "ap", "a1")]
    assert events[0].incident.cause == "controller_silent"
    assert events[1].incident.parent == events[0].incident.id


def test_when_nobody_answers_it_is_we_who_are_blind() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "uuuddddddu" + "u" * 12)
    running = engine(here)
    events = play(running, rounds(here, patterns))
    assert told(events) == [
        ("opened", "poller", "import"), ("ended", "poller", "import"),
        ("settled", "poller", "import"),
    ]  # fmt: skip
    assert brief(events[-1].incident) == ("poller", "import", 15, 45)
    assert events[0].incident.cause == "blind"


def test_what_was_down_before_we_were_blind_stays_down_and_the_rest_is_unknown() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 8 + "d" * 6 + "u" * 4)
    patterns["c1"] = "uudddddd" + "d" * 6 + "u" * 4
    running = engine(here)
    half = rounds(here, {ap: pattern[:12] for ap, pattern in patterns.items()})
    events = play(running, half)
    assert told(events) == [("opened", "ap", "c1"), ("opened", "poller", "import")]
    assert {running.state(ap, half[-1][-1].ts_ms) for ap in here.access_points} == {"unknown"}
    events += play(running, rounds(here, {a: p[12:] for a, p in patterns.items()}, start=60))
    assert told(events, "ended") == [("ended", "poller", "import"), ("ended", "ap", "c1")]


def test_what_is_still_down_after_we_were_blind_fails_from_then_on() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 4 + "d" * 6 + "u" * 6)
    patterns["c1"] = "u" * 4 + "d" * 12
    events = play(engine(here), rounds(here, patterns, stagger_s=0))
    assert [brief(i) for i in final(events).values() if i.is_open] == [("ap", "c1", 50, None)]


def test_a_collector_that_says_it_is_blind_is_believed() -> None:
    here = deployment({"a1": "a @mqtt", "b1": "b @mqtt"})
    running = engine(here)
    events = running.observe([Reading("a1", "a", T, up=1), Reading("b1", "b", T, up=1)], T)
    events += running.lose("mqtt", T + MINUTE, T + 2 * MINUTE)
    for i in range(2, 8):
        now = T + i * 5 * MINUTE
        events += running.observe([Reading("a1", "a", now, up=0)], now)
    assert told(events) == [("opened", "poller", "mqtt")]
    events = running.regain("mqtt", T + 60 * MINUTE, T + 61 * MINUTE)
    assert [(e.what, brief(e.incident)) for e in events] == [("ended", ("poller", "mqtt", 1, 60))]


def test_what_comes_and_goes_is_one_incident_with_a_count() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 40) | {"c1": "dddu" * 6 + "u" * 16}
    running = engine(here)
    batches = rounds(here, patterns)
    events = play(running, batches)
    assert told(events, "opened", "settled") == [("opened", "ap", "c1"), ("settled", "ap", "c1")]
    assert len(told(events, "relapsed")) == 5
    assert events[-1].incident.flaps == 5


def test_what_began_in_maintenance_is_marked_and_told_when_that_is_over() -> None:
    window = SitePeriod(site="c", start=utc(0), end=utc(40))
    here = deployment(THREE_SITES, maintenance=[window])
    patterns = dict.fromkeys(THREE_SITES, "u" * 12) | {"c1": "uu" + "d" * 10}
    running = engine(here)
    batches = rounds(here, patterns)
    events = play(running, batches)
    assert told(events) == [("opened", "ap", "c1"), ("maintenance_over", "ap", "c1")]
    assert all(e.incident.maintenance for e in events)
    assert (minute(events[1].at_ms) or 0) - 40 < 1


def test_a_site_that_may_be_switched_off_at_night_is_no_news_until_it_opens() -> None:
    # T is a Sunday, 22:20 in Brussels.
    rules = Outages(off_when_closed=("library",))
    here = deployment(THREE_SITES, opening_hours="Mo 00:00-24:00", outages=rules)
    running = engine(here)
    running.calendar = Calendar.of(here, T - 86_400_000, T + 86_400_000)
    patterns = dict.fromkeys(THREE_SITES, "u" * 30) | {"c1": "uu" + "d" * 28}
    (event,) = play(running, rounds(here, patterns, stagger_s=0))
    assert brief(event.incident) == ("ap", "c1", 100, None)


def test_an_ap_that_does_not_come_back_with_its_site_is_told_then() -> None:
    here = deployment(THREE_SITES)
    patterns = dict.fromkeys(THREE_SITES, "u" * 14)
    patterns |= {"a1": "uudddduuuuuuuu", "a2": "uu" + "d" * 12}
    events = play(engine(here), rounds(here, patterns))
    assert told(events, "left_behind") == [("left_behind", "ap", "a2")]
    assert told(events, "ended") == [("ended", "site", "a"), ("ended", "ap", "a1")]


def test_suspects_are_polled_again_until_it_is_certain() -> None:
    here = deployment(THREE_SITES)
    running = engine(here)
    running.observe([Reading(ap, s, T, up=1) for ap, s in THREE_SITES.items()], T)
    fails = T + INTERVAL_S * 1000
    running.observe([Reading("c1", "c", fails, up=0)], fails)
    assert running.suspects(fails + 29_000) == []
    assert running.suspects(fails + 30_000) == ["c1"]
    assert running.state("c1", fails + 30_000) == "suspect"
    for again in range(1, 14):
        running.observe([Reading("c1", "c", fails + again * 30_000, up=0)], fails + again * 30_000)
    assert running.state("c1", fails + 13 * 30_000) == "down"
    assert running.suspects(fails + 14 * 30_000) == []


def test_what_a_late_reading_shows_to_be_wrong_is_withdrawn() -> None:
    here = deployment(THREE_SITES)
    running = engine(here)
    batches = rounds(here, dict.fromkeys(THREE_SITES, "u" * 8) | {"c1": "uudddddd"})
    play(running, batches)
    assert len(running.incidents()) == 1
    late = [Reading("c1", "c", T + m * MINUTE, up=1) for m in (11, 16, 21, 26, 31, 36)]
    events = running.observe(late, T + 40 * MINUTE)
    assert told(events) == [("withdrawn", "ap", "c1")]


letters = st.sampled_from("uuuuddd ")
cities = st.fixed_dictionaries(
    {ap: st.text(letters, min_size=25, max_size=25) for ap in ("a1", "a2", "b1", "b2", "c1")}
)
AS_FILED = {"a1": "a wlc", "a2": "a wlc sw", "b1": "b wlc sw", "b2": "b", "c1": "c"}


@settings(max_examples=60)
@given(cities, st.randoms(use_true_random=False))
def test_the_order_of_files_and_readings_does_not_matter(
    patterns: dict[str, str],
    random: "st.Random",  # type: ignore[name-defined]
) -> None:
    here = deployment(AS_FILED)
    batches = rounds(here, patterns, stagger_s=0)
    running = engine(here)
    expected = [e for b in batches if b for e in running.observe(b, b[0].ts_ms)]
    other = engine(deployment(AS_FILED, backwards=True))
    got = []
    for batch in batches:
        if batch:
            random.shuffle(batch)
            got += other.observe(batch, batch[0].ts_ms)
    assert got == expected


@settings(max_examples=40)
@given(cities, st.integers(min_value=1, max_value=24))
def test_a_restart_changes_nothing(patterns: dict[str, str], at: int) -> None:
    here = deployment(AS_FILED)
    batches = [b for b in rounds(here, patterns, stagger_s=0) if b]
    running = engine(here)
    expected = [running.observe(b, b[0].ts_ms) for b in batches]
    got, other = [], engine(here)
    for i, batch in enumerate(batches):
        if i == at:
            other = engine(here, orjson.loads(orjson.dumps(other.snapshot())))
        got.append(other.observe(batch, batch[0].ts_ms))
    assert got == expected


@settings(max_examples=60)
@given(cities)
def test_nothing_opens_twice_or_closes_unopened(patterns: dict[str, str]) -> None:
    here = deployment(AS_FILED)
    is_open: dict[str, bool] = {}
    for event in play(engine(here), rounds(here, patterns)):
        known = event.incident.id in is_open
        match event.what:
            case "opened":
                assert not known
                is_open[event.incident.id] = True
            case "relapsed":
                assert not is_open[event.incident.id] or event.incident.end_ms is None
                is_open[event.incident.id] = True
            case "ended":
                assert is_open[event.incident.id]
                is_open[event.incident.id] = False
            case "settled" | "withdrawn":
                assert known
                del is_open[event.incident.id]
            case _:
                assert known
        if event.what == "opened" and event.incident.parent:
            assert event.incident.parent in is_open


def test_a_dead_uplink_is_named_and_not_the_controller_that_it_cuts_off() -> None:
    aps = {"a1": "a wlc @snmp", "a2": "a wlc @snmp", "b1": "b - sw @snmp", "c1": "c @snmp"}
    controller = Controller(controller="wlc", host="127.0.0.1", parent="sw")
    here = deployment(aps, controllers=[controller])
    running, events = engine(here), []
    for i in range(6):
        now = T + i * INTERVAL_S * 1000
        events += running.observe_controllers([Evidence("wlc", now, i < 2, INTERVAL_S)], now)
        events += running.observe(
            [Reading(ap, ap[0], now, up=int(i < 2 or ap == "c1")) for ap in aps], now
        )
    roots = [event.incident for event in events if event.incident.parent is None]
    assert [brief(root)[:3] for root in roots] == [("uplink", "sw", 10)]


def test_one_that_was_asked_just_before_we_went_blind_is_not_told() -> None:
    aps = {ap: f"{ap[0]} @snmp" for ap in ("a1", "b1", "c1", "d1", "e1")}
    here = deployment(aps)
    # It fails at the end of one round, all others from the next round on.
    patterns = dict.fromkeys(aps, "uuu" + "d" * 9) | {"e1": "uu" + "d" * 10}
    events = play(engine(here), rounds(here, patterns))
    roots = [event.incident for event in events if event.what == "opened"]
    assert [(root.scope, root.subject) for root in roots] == [("poller", "snmp")]


def test_nobody_is_to_be_told_in_maintenance_nor_while_a_site_may_be_off() -> None:
    works = SitePeriod(site="a", start=utc(0), end=utc(60))
    rules = Outages(off_when_closed=("library",))
    here = deployment({"a1": "a"}, maintenance=[works], outages=rules, opening_hours="08:00-22:00")
    calendar = Calendar.of(here, T - 86_400_000, T + 86_400_000)
    night = next(m for m in range(0, 1440, 10) if calendar.may_be_off("a", T + m * MINUTE))
    assert calendar.is_excused("a", T + night * MINUTE)
    assert calendar.is_excused("a", T)
    day = next(m for m in range(60, 1440, 10) if not calendar.may_be_off("a", T + m * MINUTE))
    assert not calendar.is_excused("a", T + day * MINUTE)
