"""Availability is what was up of what is known, and the list of outages adds up to what was not."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.deployment import Deployment, SitePeriod
from pipeline.outages.archive import Archive
from pipeline.outages.availability import (
    NO_FAILURE,
    NO_HOURS,
    NOT_IN_SERVICE,
    Row,
    Subject,
    left_out_of,
    lines_of,
    rows_of,
)
from pipeline.outages.availability_reader import Known, blind_times, tally_of
from pipeline.outages.availability_tally import Tally, Terms, Time
from pipeline.outages.calendar import Calendar
from pipeline.outages.incident import Incident
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.intervals import Intervals
from pipeline.usage.periods import window_ceil
from tests.pipeline.memory_store import MemoryState, MemoryStore
from tests.pipeline.outages.cities import MINUTE, T, deployment, rounds

HOUR = 60 * MINUTE
START = T - T % HOUR + HOUR
"""The first whole hour; patterns begin with it."""
POLLS_PER_HOUR = 12


class Past:
    """A city whose access points answered as patterns say, from START on."""

    def __init__(self, here: Deployment, patterns: dict[str, str]) -> None:
        self.here = here
        self.store = MemoryStore()
        shift = (START - T) / MINUTE
        batches = rounds(here, patterns, start=shift, stagger_s=0)
        self.store.write_samples([r for batch in batches for r in batch])
        self.end = window_ceil(START + max(map(len, patterns.values())) * 5 * MINUTE)
        self.state = MemoryState()
        Aggregator(here, self.store, self.state).close_windows(self.end + 2 * HOUR)

    def known(self, start: int, end: int) -> Known:
        calendar = Calendar.of(self.here, START - HOUR, self.end)
        incidents = Archive(self.here, self.store).incidents(START - HOUR, end, calendar)
        return Known(incidents, blind_times(incidents, {}, (start, end)), calendar)

    def tally_of(self, known: Known, start: int, end: int) -> Tally:
        return tally_of(
            self.here,
            self.store,
            known,
            span=(start, end),
            sites=list(self.here.sites),
            closed_until_ms=self.state.closed,
            now_ms=self.end,
        )

    def tally(
        self, start: int | None = None, end: int | None = None
    ) -> tuple[Tally, Collection[Incident], tuple[int, int]]:
        span = start or START, end or self.end
        known = self.known(*span)
        return self.tally_of(known, *span), known.incidents, span

    def rows(self, by: Subject, start: int | None = None, end: int | None = None) -> dict[str, Row]:
        tally, incidents, span = self.tally(start, end)
        sites = list(self.here.sites)
        found = rows_of(self.here, tally, incidents, span=span, by=by, sites=sites)
        return {row.subject: row for row in found}


def maintained(site: str, since: int, until: int) -> SitePeriod:
    """`since` and `until`: minutes after START."""
    begin = datetime.fromtimestamp(START / 1000, UTC)
    return SitePeriod(
        site=site, start=begin + timedelta(minutes=since), end=begin + timedelta(minutes=until)
    )


def minutes(time: Time) -> tuple[float, float, float, float]:
    """Up, down, in maintenance, unknown."""
    states = time.up_ms, time.down_ms, time.maintenance_ms, time.unknown_ms
    up, down, announced, unknown = (ms / MINUTE for ms in states)
    return up, down, announced, unknown


def test_an_outage_is_charged_to_the_minute_and_counted() -> None:
    past = Past(deployment({"a1": "a", "b1": "b"}), {"a1": "u" * 30 + "d" * 9 + "u" * 33,
                                                     "b1": "u" * 72})  # fmt: skip
    rows = past.rows("ap")
    assert minutes(rows["a1"].times.total) == (315, 45, 0, 0)
    told = rows["a1"].failures
    assert (told.outages, told.ap_outages, told.mttr_median_minutes) == (1, 1, 45)
    assert told.mtbf_hours == 315 / 60
    assert rows["b1"].times.total.availability == 1
    assert rows["b1"].missing["mtbf_hours"] == NO_FAILURE
    whole = past.rows("city")["Testville"]
    assert whole.times.total.availability == (315 + 360) / 720
    assert whole.failures.mtbf_hours == (315 + 360) / 60


def test_one_fault_that_strikes_several_is_one_outage() -> None:
    """All of a site at once; somebody else goes on answering."""
    down = "u" * 24 + "d" * 12 + "u" * 36
    past = Past(
        deployment({"a1": "a", "a2": "a", "b1": "b"}), {"a1": down, "a2": down, "b1": "u" * 72}
    )
    told = past.rows("site")["a"].failures
    assert (told.outages, told.ap_outages, told.mttr_mean_minutes) == (1, 2, 60)


def test_blind_time_is_charged_to_nobody_to_the_minute() -> None:
    """All of a collector fail for 70 minutes; one of them was down before and goes on to be."""
    here = deployment({"a1": "a", "b1": "b", "c1": "c", "d1": "d"})
    seen = dict.fromkeys(("b1", "c1", "d1"), "u" * 26 + "d" * 14 + "u" * 32)
    past = Past(here, {"a1": "u" * 14 + "d" * 36 + "u" * 22, **seen})
    rows = past.rows("ap")
    assert minutes(rows["b1"].times.total) == (290, 0, 0, 70)
    assert rows["b1"].failures.outages == 0
    assert minutes(rows["a1"].times.total) == (180, 110, 0, 70)
    assert past.rows("city")["Testville"].times.total.coverage == 1 - 70 / 360


def test_blind_time_whose_samples_are_gone_is_taken_out_of_stored_hours() -> None:
    """Down from 01:00 to 03:30, of which 01:30 to 03:00 says nothing."""
    past = Past(deployment({"a1": "a", "b1": "b"}), {"a1": "u" * 12 + "d" * 30 + "u" * 6,
                                                     "b1": "u" * 48})  # fmt: skip
    tally = Tally(Terms())
    blind = Intervals.of([(START + 90 * MINUTE, START + 180 * MINUTE)])
    tally.add(past.store.read_ap_usage("hour", START, past.end), {"a1": blind})
    assert minutes(tally.times["a", "a1"].total) == (90, 60, 0, 90)
    assert minutes(tally.times["b", "b1"].total) == (240, 0, 0, 0)


def test_an_outage_inside_maintenance_changes_nothing() -> None:
    here = deployment({"a1": "a", "b1": "b"}, maintenance=[maintained("a", 100, 200)])
    quiet = Past(here, {"a1": "u" * 72, "b1": "u" * 72})
    past = Past(here, {"a1": "u" * 22 + "d" * 16 + "u" * 34, "b1": "u" * 72})
    for by in ("ap", "site", "city"):
        assert past.rows(by) == quiet.rows(by)
    tally, incidents, span = past.tally()
    assert lines_of(tally, incidents, span) == []
    (one,) = left_out_of(here, tally, span, ["a"])
    assert (one.site_ms, one.counted.total_ms) == (100 * MINUTE, 100 * MINUTE)


def test_what_goes_on_after_maintenance_counts_from_its_end() -> None:
    here = deployment({"a1": "a", "b1": "b"}, maintenance=[maintained("a", 100, 200)])
    past = Past(here, {"a1": "u" * 22 + "d" * 26 + "u" * 24, "b1": "u" * 72})
    row = past.rows("ap")["a1"]
    assert minutes(row.times.total) == (220, 40, 100, 0)
    assert (row.failures.outages, row.failures.mttr_mean_minutes) == (1, 40)
    assert row.outages_ms == 40 * MINUTE


def test_every_minute_of_flapping_counts() -> None:
    pattern = "u" * 12 + ("d" * 4 + "u" * 2) * 8 + "u" * 12
    past = Past(deployment({"a1": "a", "b1": "b"}), {"a1": pattern, "b1": "u" * len(pattern)})
    row = past.rows("ap")["a1"]
    assert row.times.total.down_ms == 8 * 4 * 5 * MINUTE == row.outages_ms
    assert (row.failures.outages, row.failures.flaps) == (1, 7)


def test_an_outage_under_way_when_the_period_begins_is_no_failure_of_it() -> None:
    past = Past(deployment({"a1": "a", "b1": "b"}), {"a1": "u" * 20 + "d" * 20 + "u" * 32,
                                                     "b1": "u" * 72})  # fmt: skip
    row = past.rows("ap", START + 2 * HOUR)["a1"]
    assert (row.failures.outages, row.failures.mtbf_hours) == (0, None)
    assert row.outages_ms == row.times.total.down_ms == 80 * MINUTE


def test_a_site_is_usable_while_one_of_it_serves() -> None:
    """One after the other is down for two hours, and together for one of them."""
    past = Past(
        deployment({"a1": "a", "a2": "a", "b1": "b"}),
        {"a1": "u" * 12 + "d" * 24 + "u" * 36, "a2": "u" * 24 + "d" * 24 + "u" * 24,
         "b1": "u" * 72},
    )  # fmt: skip
    row = past.rows("site")["a"]
    assert row.times.total.availability == 8 / 12
    assert row.usable is not None
    assert (row.usable.least, row.usable.most) == (5 / 6, 5 / 6)


def test_within_an_hour_usable_is_between_two_bounds() -> None:
    past = Past(
        deployment({"a1": "a", "a2": "a", "b1": "b"}),
        {"a1": "u" * 6 + "d" * 6 + "u" * 12, "a2": "d" * 6 + "u" * 18, "b1": "u" * 24},
    )
    usable = past.rows("site")["a"].usable
    assert usable is not None
    assert (usable.least, usable.most) == (0.75, 1)


def test_what_is_not_known_says_why() -> None:
    here = deployment({"a1": "a", "b1": "b"})
    past = Past(here, {"a1": "u" * 72, "b1": ""})
    row = past.rows("site")["b"]
    assert (row.times.total.availability, row.usable and row.usable.least) == (None, None)
    assert row.missing["availability"] == row.missing["usable_least"] == NOT_IN_SERVICE
    assert past.rows("site")["a"].missing["availability_open"] == NO_HOURS


def test_open_hours_cut_within_an_hour_are_right_where_it_was_down_all_along() -> None:
    """Open from 10:00 to 10:30; it is down from 09:00 to 12:00."""
    here = deployment({"a1": "a", "b1": "b"}, opening_hours="10:00-10:30")
    zone_hour = datetime.fromtimestamp(START / 1000, here.settings.zone).hour
    before = (9 - zone_hour) % 24 * POLLS_PER_HOUR
    past = Past(
        here, {"a1": "u" * before + "d" * 36 + "u" * 12, "b1": "u" * (before + 48)}
    )  # fmt: skip
    times = past.rows("ap")["a1"].times
    assert minutes(times.open) == (0, 30, 0, 0)
    assert minutes(times.closed)[1] == 150


def test_a_site_that_may_be_switched_off_is_not_charged_for_it() -> None:
    here = deployment({"a1": "a", "b1": "b"}, opening_hours="10:00-10:30")
    outages = here.settings.outages.model_copy(update={"off_when_closed": ("library",)})
    here = here.model_copy(
        update={"settings": here.settings.model_copy(update={"outages": outages})}
    )
    zone_hour = datetime.fromtimestamp(START / 1000, here.settings.zone).hour
    before = (9 - zone_hour) % 24 * POLLS_PER_HOUR
    past = Past(here, {"a1": "u" * before + "d" * 36 + "u" * 12, "b1": "u" * (before + 48)})
    times = past.rows("ap")["a1"].times
    assert (times.open.down_ms, times.closed.down_ms) == (30 * MINUTE, 0)
    assert times.closed.unknown_ms == 150 * MINUTE


AS_FILED = {"a1": "a wlc", "a2": "a", "b1": "b wlc", "c1": "c"}
pieces = st.sampled_from(["u" * 12, "u" * 5, "ud", "dddu", "d" * 9, "d" * 20, " " * 7, "dduddd"])
pasts = st.fixed_dictionaries(
    {ap: st.lists(pieces, min_size=2, max_size=9).map("".join) for ap in AS_FILED}
)
announced = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 300), st.integers(min_value=1, max_value=200)),
    max_size=3,
)


def drawn(patterns: dict[str, str], periods: Sequence[tuple[str, int, int]]) -> Past:
    """All of them are blind together for an hour, too."""
    here = deployment(
        AS_FILED,
        opening_hours="00:00-01:10,08:20-17:00",
        maintenance=[maintained(site, at, at + length) for site, at, length in periods],
    )
    letters = {ap: list(pattern.ljust(72, "u")) for ap, pattern in patterns.items()}
    for pattern in letters.values():
        pattern[40:52] = "d" * 12
    return Past(here, {ap: "".join(found) for ap, found in letters.items()})


@settings(max_examples=10, deadline=None)
@given(pasts, announced)
def test_nothing_is_under_0_or_over_1_and_the_list_adds_up(
    patterns: dict[str, str], periods: list[tuple[str, int, int]]
) -> None:
    past = drawn(patterns, periods)
    tally, incidents, span = past.tally()
    lines = lines_of(tally, incidents, span)
    left_out = left_out_of(past.here, tally, span, list(past.here.sites))
    for by in ("ap", "site", "kind", "city"):
        rows = rows_of(past.here, tally, incidents, span=span, by=by, sites=list(past.here.sites))
        for row in rows:
            for time in row.times:
                assert min(time) >= 0 <= time.unknown_ms
                assert all(0 <= s <= 1 for s in (time.availability, time.coverage) if s is not None)
            assert row.times.open.plus(row.times.closed) == row.times.total
            assert 0 <= row.outages_ms <= row.times.total.down_ms
            if row.usable and row.usable.least is not None and row.usable.most is not None:
                assert 0 <= row.usable.least <= row.usable.most <= 1
        assert sum(r.outages_ms for r in rows) == sum(line.counted.total_ms for line in lines)
        left = sum(one.counted.total_ms for one in left_out)
        assert sum(r.times.total.maintenance_ms for r in rows) == left


@settings(max_examples=6, deadline=None)
@given(pasts, announced, st.sets(st.integers(1, 23), max_size=3))
def test_the_parts_of_a_period_add_up_to_it(
    patterns: dict[str, str], periods: list[tuple[str, int, int]], cuts: set[int]
) -> None:
    past = drawn(patterns, periods)
    known = past.known(START, past.end)
    at = sorted({START, past.end} | {START + q * 15 * MINUTE for q in cuts})
    whole = past.tally_of(known, START, past.end)
    times = dict.fromkeys(whole.times, Time())
    for since, until in pairwise(at):
        for key, found in past.tally_of(known, since, until).times.items():
            times[key] = times.get(key, Time()).plus(found.total)
    assert times == {key: found.total for key, found in whole.times.items()}


@pytest.mark.parametrize("length", [3, 12, 40])
def test_a_single_access_point_is_usable_while_it_is_up(length: int) -> None:
    pattern = "u" * 15 + "d" * length + "u" * 20
    past = Past(deployment({"a1": "a", "b1": "b"}), {"a1": pattern, "b1": "u" * len(pattern)})
    row = past.rows("site")["a"]
    assert row.usable is not None
    assert row.usable.least == row.usable.most == row.times.total.availability
