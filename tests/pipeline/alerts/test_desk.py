"""What is told when: once, not for nothing, and never left standing."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from config.settings import Language
from pipeline.alerts.desk import decide
from pipeline.alerts.memory import dumped, loaded
from pipeline.alerts.outage import outages
from pipeline.alerts.routing import Order
from pipeline.alerts.telling import Case, Desk, Note, Rules
from pipeline.outages.incident import Incident
from tests.pipeline.alerts.town import (
    HOUR,
    MINUTE,
    THURSDAY,
    ended,
    incident,
    relapsed,
    town,
)

RULES = Rules(
    group_ms=30_000,
    resolve_ms=5 * MINUTE,
    steady_ms=30 * MINUTE,
    flapping=3,
    together_ms=10 * MINUTE,
)
TOWN = town()


@dataclass
class Day:
    """Asks the desk again and again, as the daemon does, and keeps what was told."""

    orders: dict[str, Order] = field(default_factory=lambda: {"oncall": Order("en")})
    rules: Rules = RULES
    desk: Desk = field(default_factory=Desk)
    told: list[tuple[int, Note]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    maintenance: set[str] = field(default_factory=set)

    def at(self, now_ms: int, *incidents: Incident) -> "Day":
        known = outages(TOWN, incidents)
        cases = [
            Case(
                outage,
                outage.incident.id in self.acknowledged,
                bool(outage.sites) and set(outage.sites) <= self.maintenance,
            )
            for outage in known.values()
        ]
        self.desk, notes = decide(self.desk, cases, lambda _: self.orders, self.rules, now_ms)
        # As a restart has it.
        self.desk = loaded(dumped(self.desk))
        self.told += [(now_ms, note) for note in notes]
        return self

    def during(self, start_ms: int, end_ms: int, *incidents: Incident) -> "Day":
        for now_ms in range(start_ms, end_ms, 15_000):
            self.at(now_ms, *incidents)
        return self

    def kinds(self, notifier: str = "oncall") -> list[str]:
        return [note.kind for _, note in self.told if note.notifier == notifier]


def test_an_outage_is_told_once_and_its_end_once() -> None:
    down = incident("ap", "bib-1")
    seen = THURSDAY + 6 * MINUTE
    day = Day().during(seen, seen + HOUR, down)
    assert day.kinds() == ["opened"]
    assert day.told[0][0] == seen + RULES.group_ms
    end = THURSDAY + 42 * MINUTE
    day.during(seen + HOUR, seen + 2 * HOUR, ended(down, end))
    day.during(seen + 2 * HOUR, seen + 3 * HOUR)
    assert day.kinds() == ["opened", "resolved"]
    assert day.desk == Desk()


def test_being_back_is_told_when_it_lasts() -> None:
    down = incident("ap", "bib-1")
    day = Day().during(THURSDAY, THURSDAY + HOUR, down)
    end = THURSDAY + HOUR
    day.during(end, end + 4 * MINUTE, ended(down, end))
    assert day.kinds() == ["opened"]
    day.during(end + 4 * MINUTE, end + 10 * MINUTE, relapsed(ended(down, end), end + 3 * MINUTE))
    assert day.kinds() == ["opened"], "a flap inside is no news"


def test_what_ends_before_it_could_be_told_is_not_told() -> None:
    down = incident("ap", "bib-1")
    day = Day().at(THURSDAY, down).at(THURSDAY + 15_000, ended(down, THURSDAY + 10_000))
    day.during(THURSDAY + 30_000, THURSDAY + HOUR, ended(down, THURSDAY + 10_000))
    assert day.kinds() == []


def test_what_comes_together_is_one_message() -> None:
    day = Day()
    first, second = incident("ap", "bib-1"), incident("ap", "parc-1", start_ms=THURSDAY + MINUTE)
    day.at(THURSDAY, first).at(THURSDAY + 20_000, first, second)
    day.during(THURSDAY + 30_000, THURSDAY + 2 * MINUTE, first, second)
    ((_, note),) = day.told
    assert [outage.incident for outage in note.outages] == [first, second]


def test_what_is_explained_is_not_told_and_is_listed_with_its_cause() -> None:
    root = incident("site", "bib", cause="all_of_site")
    children = [incident("ap", ap, parent=root.id) for ap in ("bib-1", "bib-2", "bib-3")]
    day = Day().during(THURSDAY, THURSDAY + HOUR, *children, root)
    ((_, note),) = day.told
    assert [outage.incident.id for outage in note.outages] == [root.id]
    assert note.outages[0].aps == ("bib-1", "bib-2", "bib-3")


def test_what_stays_down_longer_than_its_cause_is_told_then() -> None:
    root = incident("site", "bib", cause="all_of_site")
    left, back = (incident("ap", ap, parent=root.id) for ap in ("bib-1", "bib-2"))
    day = Day().during(THURSDAY, THURSDAY + HOUR, root, left, back)
    end = THURSDAY + HOUR
    day.during(end, end + HOUR, ended(root, end), left, ended(back, end))
    assert day.kinds() == ["opened", "resolved", "opened"]
    assert [outage.incident.id for outage in day.told[-1][1].outages] == [left.id]
    assert day.told[-1][0] - end == RULES.together_ms + RULES.group_ms


def test_what_starts_a_little_later_than_what_explained_it_is_not_told() -> None:
    root = incident("site", "bib", cause="all_of_site")
    slow, quick = (incident("ap", ap, parent=root.id) for ap in ("bib-1", "bib-2"))
    day = Day().during(THURSDAY, THURSDAY + HOUR, root, slow, quick)
    end = THURSDAY + HOUR
    back = end + 9 * MINUTE
    day.during(end, back, ended(root, end), slow, ended(quick, end))
    day.during(back, back + HOUR, ended(root, end), ended(slow, back), ended(quick, end))
    assert day.kinds() == ["opened", "resolved"]


def test_what_was_told_before_its_cause_was_known_is_told_to_be_back() -> None:
    alone = incident("ap", "bib-1")
    day = Day().during(THURSDAY, THURSDAY + 5 * MINUTE, alone)
    root = incident("site", "bib", start_ms=THURSDAY + MINUTE)
    child = replace(alone, parent=root.id)
    day.during(THURSDAY + 5 * MINUTE, THURSDAY + HOUR, root, child)
    assert day.kinds() == ["opened", "opened"]
    end = THURSDAY + HOUR
    day.during(end, end + HOUR, ended(root, end), ended(child, end))
    assert day.kinds() == ["opened", "opened", "resolved"]
    assert len(day.told[-1][1].outages) == 2


def test_something_wider_takes_the_place_of_what_was_told() -> None:
    site = incident("site", "tour", cause="all_of_site")
    day = Day().during(THURSDAY, THURSDAY + HOUR, site)
    uplink = incident("uplink", "switch-9", cause="all_behind_it")
    day.during(THURSDAY + HOUR, THURSDAY + 2 * HOUR, uplink)
    assert day.kinds() == ["opened", "opened"], "nothing is withdrawn: it is down"
    end = THURSDAY + 2 * HOUR
    day.during(end, end + HOUR, ended(uplink, end)).during(end + HOUR, end + 2 * HOUR)
    assert day.kinds() == ["opened", "opened", "resolved"]
    assert day.desk == Desk()


def test_what_comes_and_goes_is_told_to_and_then_only_when_it_stays() -> None:
    down = incident("ap", "bib-1")
    now = THURSDAY
    day = Day().during(now, now + 10 * MINUTE, down)
    for _ in range(40):
        now += 10 * MINUTE
        down = ended(down, now)
        day.during(now, now + 10 * MINUTE, down)
        now += 10 * MINUTE
        down = relapsed(down, now)
        day.during(now, now + 10 * MINUTE, down)
    # Up for 10 minutes it was told to be back, once; since then it is known to come and go.
    assert day.kinds() == ["opened", "resolved", "flapping"]
    down = ended(down, now + 10 * MINUTE)
    day.during(now + 10 * MINUTE, now + 2 * HOUR, down)
    assert day.kinds() == ["opened", "resolved", "flapping", "resolved"]
    assert day.told[-1][0] - (now + 10 * MINUTE) >= RULES.steady_ms


def test_outages_of_the_same_thing_soon_after_each_other_are_told_to_come_and_go() -> None:
    now, day, before = THURSDAY, Day(rules=replace(RULES, steady_ms=2 * HOUR)), list[Incident]()
    for _ in range(5):
        down = incident("ap", "bib-1", start_ms=now)
        day.during(now, now + 12 * MINUTE, *before, down)
        before.append(ended(down, now + 12 * MINUTE))
        day.during(now + 12 * MINUTE, now + 70 * MINUTE, *before)
        now += 70 * MINUTE
    assert day.kinds() == ["opened", "resolved", "flapping"]
    first, second = before[:2]
    (outage,) = day.told[-1][1].outages
    assert (outage.incident.id, outage.incident.flaps) == (second.id, 1)
    assert outage.incident.start_ms == first.start_ms
    day.during(now, now + 2 * HOUR, *before)
    assert day.kinds() == ["opened", "resolved", "flapping", "resolved"]
    later = incident("ap", "bib-1", start_ms=now + 5 * HOUR)
    day.during(now + 5 * HOUR, now + 6 * HOUR, *before, later)
    assert day.kinds()[-1] == "opened"


def test_quick_flaps_are_told_with_their_count_as_soon_as_they_are_many() -> None:
    down = incident("ap", "bib-1")
    day = Day().during(THURSDAY, THURSDAY + 2 * MINUTE, down)
    now = THURSDAY + 2 * MINUTE
    for _ in range(5):
        down = relapsed(ended(down, now), now + MINUTE)
        day.during(now + MINUTE, now + 2 * MINUTE, down)
        now += 2 * MINUTE
    assert day.kinds() == ["opened", "flapping"]
    assert day.told[-1][1].outages[0].incident.flaps == RULES.flapping


def test_maintenance_is_quiet_and_what_is_down_at_its_end_is_told_then() -> None:
    short, lasting = incident("ap", "parc-1"), incident("site", "bib")
    day = Day(maintenance={"bib", "parc"})
    day.during(THURSDAY, THURSDAY + HOUR, short, lasting)
    assert day.told == []
    day.at(THURSDAY + HOUR, ended(short, THURSDAY + HOUR), lasting)
    day.maintenance.clear()
    end = THURSDAY + 2 * HOUR
    day.during(end, end + MINUTE, ended(short, THURSDAY + HOUR), lasting)
    ((at_ms, note),) = day.told
    assert [outage.incident.id for outage in note.outages] == [lasting.id]
    assert at_ms == end + RULES.group_ms


def test_an_end_in_maintenance_is_told_of_what_was_told_before() -> None:
    down = incident("site", "bib")
    day = Day().during(THURSDAY, THURSDAY + HOUR, down)
    day.maintenance.add("bib")
    end = THURSDAY + HOUR
    day.during(end, end + HOUR, ended(down, end))
    assert day.kinds() == ["opened", "resolved"]


def test_out_of_hours_nothing_is_told_and_what_is_down_when_they_begin_is_told_then() -> None:
    down = incident("ap", "bib-1")
    closed = Order("en", may_tell=False, may_tell_back=False)
    day = Day({"oncall": closed}).during(THURSDAY, THURSDAY + 5 * HOUR, down)
    assert day.told == []
    day.orders["oncall"] = Order("en")
    day.during(THURSDAY + 5 * HOUR, THURSDAY + 6 * HOUR, down)
    assert day.kinds() == ["opened"]
    day.orders["oncall"] = closed
    end = THURSDAY + 6 * HOUR
    day.during(end, end + HOUR, ended(down, end)).during(end + HOUR, end + 2 * HOUR)
    assert day.kinds() == ["opened"], "nobody is woken up for good news"
    day.orders["oncall"] = Order("en")
    day.during(end + 2 * HOUR, end + 3 * HOUR)
    assert day.kinds() == ["opened", "resolved"], "though it is settled and forgotten elsewhere"


def test_reminders_come_in_time_together_and_never_after_it_is_taken_on() -> None:
    order = Order("en", remind_ms=4 * HOUR)
    first, second = incident("ap", "bib-1"), incident("ap", "parc-1", start_ms=THURSDAY + HOUR)
    day = Day({"oncall": order}).during(THURSDAY, THURSDAY + HOUR, first)
    day.during(THURSDAY + HOUR, THURSDAY + 5 * HOUR, first, second)
    assert day.kinds() == ["opened", "opened", "reminder"]
    at_ms, note = day.told[-1]
    assert at_ms - day.told[0][0] == 4 * HOUR + RULES.group_ms
    assert len(note.outages) == 2, "the younger one is due soon enough"
    day.acknowledged.add(first.id)
    day.during(THURSDAY + 5 * HOUR, THURSDAY + 10 * HOUR, first, second)
    assert day.kinds() == ["opened", "opened", "reminder", "reminder"]
    assert [outage.incident.id for outage in day.told[-1][1].outages] == [second.id]


def test_what_nobody_takes_on_goes_to_who_else_there_is() -> None:
    orders = {
        "oncall": Order("en"),
        "chief": Order("fr", after_ms=60 * MINUTE, behind=("oncall",)),
    }
    ignored, taken = incident("ap", "bib-1"), incident("ap", "parc-1")
    day = Day(orders).during(THURSDAY, THURSDAY + 30 * MINUTE, ignored, taken)
    day.acknowledged.add(taken.id)
    day.during(THURSDAY + 30 * MINUTE, THURSDAY + 3 * HOUR, ignored, taken)
    assert day.kinds("chief") == ["escalated"]
    told = next((at, note) for at, note in day.told if note.notifier == "chief")
    assert told[0] - day.told[0][0] == 60 * MINUTE + RULES.group_ms
    assert [outage.incident.id for outage in told[1].outages] == [ignored.id]
    assert told[1].language == "fr"
    end = THURSDAY + 3 * HOUR
    day.during(end, end + HOUR, ended(ignored, end), ended(taken, end))
    assert day.kinds("chief") == ["escalated", "resolved"]
    assert day.kinds("oncall") == ["opened", "resolved"]


def test_what_was_taken_on_before_it_was_told_is_not_told() -> None:
    down = incident("ap", "bib-1")
    day = Day(acknowledged={down.id}).during(THURSDAY, THURSDAY + HOUR, down)
    assert day.told == []


def test_late_evidence_of_an_earlier_start_is_no_second_outage() -> None:
    down = incident("ap", "bib-1")
    day = Day().during(THURSDAY, THURSDAY + HOUR, down)
    earlier = incident("ap", "bib-1", start_ms=THURSDAY - 10 * MINUTE)
    day.during(THURSDAY + HOUR, THURSDAY + 2 * HOUR, earlier)
    assert day.kinds() == ["opened"]
    end = THURSDAY + 2 * HOUR
    day.during(end, end + HOUR, ended(earlier, end))
    assert day.kinds() == ["opened", "resolved"]
    assert day.told[-1][1].outages[0].incident.id == earlier.id


def test_what_was_no_outage_is_taken_back_but_not_for_a_moment_of_a_restart() -> None:
    down = incident("ap", "bib-1")
    day = Day().during(THURSDAY, THURSDAY + HOUR, down)
    day.during(THURSDAY + HOUR, THURSDAY + HOUR + 2 * MINUTE)
    day.during(THURSDAY + HOUR + 2 * MINUTE, THURSDAY + 2 * HOUR, down)
    assert day.kinds() == ["opened"]
    day.during(THURSDAY + 2 * HOUR, THURSDAY + 3 * HOUR)
    assert day.kinds() == ["opened", "withdrawn"]
    assert day.desk == Desk()


def test_blind_collectors_are_one_message() -> None:
    blind = [incident("poller", name, cause="blind") for name in ("snmp", "mqtt")]
    day = Day(maintenance={"bib"}).during(THURSDAY, THURSDAY + HOUR, *blind)
    ((_, note),) = day.told
    assert len(note.outages) == 2


def test_who_is_told_no_more_by_the_settings_is_told_the_end_of_what_he_was_told() -> None:
    down = incident("ap", "bib-1")
    day = Day({"oncall": Order("nl")}).during(THURSDAY, THURSDAY + HOUR, down)
    day.orders.clear()
    end = THURSDAY + HOUR
    day.during(end, end + HOUR, ended(down, end))
    assert day.kinds() == ["opened", "resolved"]
    assert day.told[-1][1].language == "nl"


def test_a_clock_that_jumps_back_repeats_nothing() -> None:
    down = incident("ap", "bib-1")
    day = Day({"oncall": Order("en", remind_ms=HOUR)})
    day.during(THURSDAY, THURSDAY + 30 * MINUTE, down)
    day.during(THURSDAY - 5 * HOUR, THURSDAY - 4 * HOUR, down)
    assert day.kinds() == ["opened"]
    fresh = incident("ap", "parc-1", start_ms=THURSDAY - 5 * HOUR)
    day.during(THURSDAY - 4 * HOUR, THURSDAY - 4 * HOUR + MINUTE, down, fresh)
    assert day.kinds() == ["opened", "opened"], "and what is new is told all the same"


LANGUAGES: list[Language] = ["fr", "nl", "en"]
SUBJECTS = ("bib-1", "bib-2", "parc-1")
orders = st.builds(
    Order,
    language=st.sampled_from(LANGUAGES),
    remind_ms=st.sampled_from([0, HOUR]),
    may_tell=st.booleans(),
    may_tell_back=st.booleans(),
)
steps = st.lists(
    st.tuples(
        st.integers(0, 40 * MINUTE),  # time that passes
        st.sampled_from([*SUBJECTS, "site", "ack", "maintenance", "hours", "nothing"]),
    ),
    max_size=40,
)


@given(steps=steps, first=orders, second=orders, group_ms=st.sampled_from([0, 30_000, 5 * MINUTE]))
def test_whatever_happens_down_is_told_once_and_ends_with_being_back(
    steps: list[tuple[int, str]], first: Order, second: Order, group_ms: int
) -> None:
    day = Day({"oncall": first, "chief": replace(second, after_ms=HOUR, behind=("oncall",))})
    day.rules = replace(RULES, group_ms=group_ms)
    now, known = THURSDAY, dict[str, Incident]()
    for passed, what in steps:
        now += passed
        _happen(day, known, what, now)
        day.at(now, *known.values())
    # In the end all is back, for long, in hours.
    day.maintenance.clear()
    for name, order in day.orders.items():
        day.orders[name] = replace(order, may_tell=True, may_tell_back=True)
    over = [ended(one, now) if one.is_open else one for one in known.values()]
    day.during(now, now + 45 * MINUTE, *over)
    for (notifier, _), kinds in _by_telling(day.told).items():
        first_kind = "opened" if notifier == "oncall" else "escalated"
        assert kinds[0] == first_kind
        assert Counter(kinds)[first_kind] == 1, "told once"
        assert kinds[-1] == "resolved"
        # Whoever reads only the last message knows how it stands, and no end is told twice.
        for earlier, later in pairwise(kinds):
            assert earlier != "resolved" or later == "flapping"
            assert (earlier, later) != ("flapping", "flapping")
    day.during(now + 45 * MINUTE, now + 50 * MINUTE)
    assert day.desk == Desk()


def _happen(day: Day, known: dict[str, Incident], what: str, now: int) -> None:
    before = known.get(what)
    if what == "ack":
        day.acknowledged.update(one.id for one in known.values())
    elif what == "maintenance":
        day.maintenance ^= {"bib"}
    elif what == "hours":
        order = day.orders["oncall"]
        day.orders["oncall"] = replace(order, may_tell=not order.may_tell)
    elif what == "site" and before is None:
        known[what] = incident("site", "bib", start_ms=now)
    elif what in SUBJECTS and before is None:
        fresh = incident("ap", what, start_ms=now)
        known[what] = replace(fresh, parent=_parent(known, what))
    elif before:
        known[what] = ended(before, now) if before.is_open else relapsed(before, now)


def _parent(known: dict[str, Incident], what: str) -> str | None:
    root = known.get("site")
    return root.id if root and root.is_open and what.startswith("bib") else None


def _by_telling(told: Iterable[tuple[int, Note]]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, note in told:
        for outage in note.outages:
            found[note.notifier, outage.incident.id].append(note.kind)
    return found
