"""One subject's machine: what confirms an outage, what ends it, what is no outage."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from collectors.reading import Reading
from config.settings import Outages
from pipeline.outages.evidence import Evidence, evidence_of, in_order
from pipeline.outages.incident import Spell
from pipeline.outages.machine import NOTHING_KNOWN, Condition, Event, settle, state, step

RULES = Outages()
T = 1_772_400_000_000
INTERVAL_S = 300
MINUTE = 60_000


def at(
    minutes: float,
    answered: bool,
    *,
    uptime_s: int | None = None,
    clients: int | None = None,
    octets: int | None = None,
) -> Evidence:
    ts_ms = T + round(minutes * MINUTE)
    return Evidence("ap", ts_ms, answered, INTERVAL_S, "", uptime_s, clients, octets)


def polls(pattern: str, *, start: float = 0, every: float = 5) -> list[Evidence]:
    """A poll each interval: `u` answers, `d` fails, a space is no poll at all."""
    return [
        at(start + i * every, letter == "u") for i, letter in enumerate(pattern) if letter != " "
    ]


def folded(evidence: Iterable[Evidence], rules: Outages = RULES) -> tuple[Condition, list[Event]]:
    condition, events = NOTHING_KNOWN, list[Event]()
    for item in evidence:
        condition, new = step(condition, item, rules)
        events += new
    return condition, events


def whats(evidence: Iterable[Evidence]) -> list[str]:
    return [event.what for event in folded(evidence)[1]]


def minutes(spells: Iterable[Spell]) -> list[tuple[float, float, float | None]]:
    return [
        (
            (spell.start_ms - T) / MINUTE,
            (spell.confirmed_ms - T) / MINUTE,
            None if spell.end_ms is None else (spell.end_ms - T) / MINUTE,
        )
        for spell in spells
    ]


def test_three_failed_polls_in_a_row_are_an_outage_from_the_first_to_the_first_good_one() -> None:
    condition, events = folded(polls("uudddduu"))
    assert [event.what for event in events] == ["suspected", "down", "up"]
    assert minutes(condition.spells) == [(10, 20, 30)]


def test_two_failed_polls_are_none() -> None:
    assert whats(polls("uuddu")) == ["suspected", "cleared"]


def test_quick_polls_count_but_must_span_more_than_an_interval() -> None:
    quick = [at(0, True), *(at(5 + i / 2, False) for i in range(10))]
    assert whats(quick) == ["suspected"]
    condition, events = folded([*quick, at(10, False), at(11.25, False)])
    assert [event.what for event in events] == ["suspected", "down"]
    assert minutes(condition.spells) == [(5, 11.25, None)]


def test_unwatched_time_is_no_outage_and_breaks_the_row() -> None:
    assert "down" not in whats(polls("udd ddu"))
    condition, _ = folded(polls("udd ddd"))
    assert minutes(condition.spells) == [(20, 30, None)]


def test_a_confirmed_outage_goes_on_across_unwatched_time() -> None:
    condition, _ = folded(polls("uddd      du"))
    assert minutes(condition.spells) == [(5, 15, 55)]


def test_a_relapse_within_half_an_hour_is_the_same_incident() -> None:
    condition, events = folded(polls("dddu" + "u" * 5 + "dddu"))
    assert [event.what for event in events].count("down") == 1
    assert minutes(condition.spells) == [(0, 10, 15), (45, 55, 60)]


def test_later_it_is_another_one() -> None:
    condition, events = folded(polls("dddu" + "u" * 6 + "dddu"))
    assert [event.what for event in events if event.what in ("down", "settled")] == [
        "down", "settled", "down",
    ]  # fmt: skip
    assert minutes(condition.spells) == [(50, 60, 65)]


def test_it_settles_as_time_passes() -> None:
    condition, _ = folded(polls("dddu"))
    assert settle(condition, T + 45 * MINUTE, RULES) == (condition, ())
    after, (event,) = settle(condition, T + 46 * MINUTE, RULES)
    assert (event.what, after.spells) == ("settled", ())


def test_a_relapse_that_is_only_suspected_when_time_is_up_is_still_one() -> None:
    condition, events = folded(polls("dddu" + "u" * 5 + "ddd"))
    assert events[-1].what == "relapsed"
    assert len(condition.spells) == 2


def test_a_reboot_is_noted_and_is_no_outage() -> None:
    evidence = [at(0, True, uptime_s=86_400), at(5, False), at(10, True, uptime_s=120)]
    condition, events = folded(evidence)
    assert [event.what for event in events] == ["suspected", "rebooted", "cleared"]
    assert events[1].at_ms == T + 8 * MINUTE
    assert condition.spells == ()


def test_an_uptime_that_goes_on_or_wraps_is_no_reboot() -> None:
    wrap = 2**32 // 100
    assert whats([at(0, True, uptime_s=100), at(5, True, uptime_s=395)]) == []
    assert whats([at(0, True, uptime_s=wrap - 100), at(5, True, uptime_s=200)]) == []


def test_counters_that_stand_still_under_clients_are_told_once() -> None:
    still = [at(5 * i, True, clients=3, octets=1000) for i in range(8)]
    assert whats(still) == ["stuck"]
    moving = [at(5 * i, True, clients=3, octets=1000 + i) for i in range(8)]
    empty = [at(5 * i, True, clients=0, octets=1000) for i in range(8)]
    assert whats(moving) == whats(empty) == []


def test_states() -> None:
    def after(pattern: str, minutes_later: float = 1) -> str:
        evidence = polls(pattern)
        now_ms = evidence[-1].ts_ms + round(minutes_later * MINUTE)
        return state(folded(evidence)[0], now_ms, RULES)

    assert state(NOTHING_KNOWN, T, RULES) == "unknown"
    assert after("u") == "up"
    assert after("ud") == "suspect"
    assert after("uddd") == "down"
    assert after("u", minutes_later=7.5) == after("uddd", minutes_later=7.5) == "unknown"
    assert after("dddu" * 3) == "up"
    assert after("dddu" * 4) == after("dddu" * 4 + "ddd") == "flapping"
    condition, _ = folded(polls("ddd"))
    assert state(condition, T, RULES, in_maintenance=True) == "maintenance"


def test_what_a_reading_says() -> None:
    assert evidence_of(Reading("a", "s", T, up=0)) == Evidence("a", T, False, 300, "s")
    assert evidence_of(Reading("a", "s", T, clients=0)) == Evidence(
        "a", T, True, 300, "s", clients=0
    )
    assert evidence_of(Reading("a", "s", T)) is None
    assert evidence_of(Reading("a", "s", T, counter_bits=32)) is None
    counted = evidence_of(Reading("a", "s", T, up=1, rx_bytes=3, tx_bytes=4))
    assert counted is not None
    assert counted.octets == 7


steps = st.lists(
    st.tuples(st.integers(min_value=1, max_value=1200), st.booleans()), min_size=1, max_size=60
)


def walk(deltas: list[tuple[int, bool]]) -> list[Evidence]:
    found, ts = [], T
    for seconds, answered in deltas:
        ts += seconds * 1000
        found.append(Evidence("ap", ts, answered, INTERVAL_S))
    return found


@given(steps)
def test_an_outage_is_never_confirmed_by_losses_under_the_span(
    deltas: list[tuple[int, bool]],
) -> None:
    evidence = walk(deltas)
    for event in folded(evidence)[1]:
        if event.what not in ("down", "relapsed"):
            continue
        spell = event.spells[-1]
        of_it = [e for e in evidence if spell.start_ms <= e.ts_ms <= spell.confirmed_ms]
        assert not any(e.answered for e in of_it)
        assert len(of_it) >= RULES.misses
        assert spell.confirmed_ms - spell.start_ms >= 1.25 * INTERVAL_S * 1000


@given(steps)
def test_what_opens_closes_before_it_opens_again(deltas: list[tuple[int, bool]]) -> None:
    is_down = False
    last_ms = 0
    for event in folded(walk(deltas))[1]:
        if event.what in ("down", "relapsed"):
            assert not is_down
            is_down = True
        elif event.what == "up":
            assert is_down
            is_down = False
        elif event.what == "settled":
            assert not is_down
        if event.what in ("down", "relapsed", "up"):
            assert event.at_ms >= last_ms
            last_ms = event.at_ms


@given(steps.flatmap(lambda deltas: st.permutations([*walk(deltas), *walk(deltas)])))
def test_the_order_of_arrival_does_not_matter(arrived: list[Evidence]) -> None:
    once = sorted(set(arrived), key=lambda evidence: evidence.ts_ms)
    assert in_order(arrived) == once


def test_where_two_say_otherwise_of_one_instant_something_answered() -> None:
    answer, failure = at(0, True), at(0, False)
    assert in_order([answer, failure]) == in_order([failure, answer]) == [answer]
