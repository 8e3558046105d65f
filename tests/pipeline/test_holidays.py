"""Holidays of the city and of a commune act on opening hours as those of the country do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours, State

from config.deployment import Holiday, Site, SitePeriod
from pipeline.holidays import Holidays, affected, by_commune, kinds_named, on
from pipeline.open_hours import open_hours
from tests.pipeline.memory_store import city

BRUSSELS = ZoneInfo("Europe/Brussels")
HOUR_MS = 3_600_000

# 2026-09-27 is a Sunday, 2026-09-28 a Monday; none of September 2026 is a holiday of Belgium.
FEAST = date(2026, 9, 28)
CLASSES_OUT = (date(2026, 9, 14), date(2026, 9, 20))


def holiday(
    kind: str, first: date, last: date | None = None, commune: str | None = None
) -> Holiday:
    return Holiday.model_validate(
        {"commune": commune, "from": first, "to": last or first, "kind": kind}
    )


def hours_of(
    expression: str,
    day: date,
    *holidays: Holiday,
    commune: str | None = "Havremont",
    country: str = "BE",
    closures: tuple[SitePeriod, ...] = (),
) -> list[str]:
    """The hours of one local day, as a door would show them."""
    site = Site(site="s", kind="library", commune=commune, opening_hours=expression)
    deployment = city([site], [], closures=closures)
    settings = deployment.settings.model_copy(update={"country": country})
    deployment = deployment.model_copy(update={"holidays": holidays, "settings": settings})
    start, end = (datetime.combine(d, time(), BRUSSELS) for d in (day, day + timedelta(days=1)))
    # Asked for a week around: what is computed is not computed for the day alone.
    around = (start - timedelta(days=3), end + timedelta(days=3))
    first, last = (round(moment.timestamp() * 1000) for moment in around)
    found = open_hours(deployment, first, last)["s"]
    shown = []
    for opens, closes in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
        a, b = (
            min(max(datetime.fromtimestamp(ms / 1000, UTC), start), end) for ms in (opens, closes)
        )
        if a < b:
            a, b = a.astimezone(BRUSSELS), b.astimezone(BRUSSELS)
            shown.append(f"{a:%H:%M}-{'24:00' if b == end else f'{b:%H:%M}'}")
    return shown


ALL_DAY = ["00:00-24:00"]
PUBLIC = holiday("public", FEAST)
SCHOOL = holiday("school", *CLASSES_OUT)
MONDAY_BEFORE, TUESDAY_AFTER = FEAST - timedelta(days=7), FEAST + timedelta(days=1)
IN_CLASS_TIME = date(2026, 9, 9)  # A Wednesday.
NO_CLASSES = date(2026, 9, 16)  # The next one.


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("Mo-Fr 09:00-17:00; PH off", []),
        ("Mo-Fr 09:00-17:00; PH closed", []),
        ("Mo-Fr 09:00-17:00; PH,Su off", []),
        ("Mo-Fr 09:00-17:00; Su,PH off", []),
        ("24/7; PH off", []),
        ('Mo-Fr 09:00-17:00; PH off "fête"', []),
        # Without PH a holiday is a weekday like any other.
        ("Mo-Fr 09:00-17:00", ["09:00-17:00"]),
        ("24/7", ALL_DAY),
        ('Mo-Fr 09:00-17:00; Su off "not PH off"', ["09:00-17:00"]),
        # Later rules override, ...
        ("PH off; Mo-Fr 09:00-17:00", ["09:00-17:00"]),
        ("Mo-Fr 09:00-17:00; PH 10:00-12:00", ["10:00-12:00"]),
        ("Mo-Fr,PH 10:00-12:00", ["10:00-12:00"]),
        ("Mo-Fr 09:00-17:00; Sa,Su,PH 10:00-12:00", ["10:00-12:00"]),
        ("Mo-Fr 09:00-17:00; PH,Sa,Su 10:00-12:00", ["10:00-12:00"]),
        ("Tu-Fr 09:00-17:00; PH 14:00-16:00", ["14:00-16:00"]),
        # ... those after a comma add, those after || stand in.
        ("Mo-Fr 09:00-12:00, PH 14:00-16:00", ["09:00-12:00", "14:00-16:00"]),
        ("PH 14:00-16:00 || Mo-Fr 09:00-12:00", ["14:00-16:00"]),
        ("Tu-Fr 09:00-12:00 || PH 14:00-16:00", ["14:00-16:00"]),
        # The months and weeks of a rule hold as before.
        ("Mo-Fr 09:00-17:00; Sep PH 10:00-12:00", ["10:00-12:00"]),
        ("Mo-Fr 09:00-17:00; Oct PH 10:00-12:00", ["09:00-17:00"]),
        # Those of a Monday, those of a Sunday: both are asked.
        ("PH Mo-Fr 10:00-12:00", ["10:00-12:00"]),
        ("PH Sa-Su 10:00-12:00", []),
        ("Mo-Fr 09:00-17:00; PH Sa-Su off", ["09:00-17:00"]),
        # Nobody can count on what is unknown.
        ("Mo-Fr 09:00-17:00; PH unknown", []),
    ],
)
def test_a_public_holiday_of_the_commune_is_one(expression: str, hours: list[str]) -> None:
    own = holiday("public", FEAST, commune="Havremont")
    assert hours_of(expression, FEAST, own) == hours
    assert hours_of(expression, FEAST, PUBLIC) == hours


@pytest.mark.parametrize(
    ("expression", "in_class_time", "no_classes"),
    [
        ("Mo-Fr 09:00-17:00; SH off", ["09:00-17:00"], []),
        ("SH Mo-Fr 09:00-12:00", [], ["09:00-12:00"]),
        ("Mo-Fr SH 09:00-12:00", [], ["09:00-12:00"]),
        ("SH Sa 09:00-12:00", [], []),
        ("SH,Sa 09:00-12:00", [], ["09:00-12:00"]),
        ("Mo-Fr 16:00-18:00; SH Mo-Fr 09:00-12:00", ["16:00-18:00"], ["09:00-12:00"]),
        ("Mo-Fr 16:00-18:00, SH 09:00-12:00", ["16:00-18:00"], ["09:00-12:00", "16:00-18:00"]),
        ("Mo-Fr 16:00-18:00; PH,SH off", ["16:00-18:00"], []),
        ("Mo-Fr 16:00-18:00; PH off", ["16:00-18:00"], ["16:00-18:00"]),
        ("SH We[3] 09:00-12:00", [], ["09:00-12:00"]),
        ("SH We[2] 09:00-12:00", [], []),
        ("SH 22:00-02:00", [], ["00:00-02:00", "22:00-24:00"]),
    ],
)
def test_a_school_holiday_is_one(
    expression: str, in_class_time: list[str], no_classes: list[str]
) -> None:
    assert hours_of(expression, IN_CLASS_TIME, SCHOOL) == in_class_time
    assert hours_of(expression, NO_CLASSES, SCHOOL) == no_classes


def test_the_days_before_and_after_are_days_like_any_other() -> None:
    expression = "Mo-Fr 09:00-17:00; PH off"
    for day in (MONDAY_BEFORE, TUESDAY_AFTER, FEAST - timedelta(days=3)):
        assert hours_of(expression, day, PUBLIC) == ["09:00-17:00"]
    assert hours_of("SH 22:00-02:00", CLASSES_OUT[1] + timedelta(days=1), SCHOOL) == ["00:00-02:00"]
    assert hours_of("SH 22:00-02:00", CLASSES_OUT[0], SCHOOL) == ["22:00-24:00"]


def test_a_night_that_begins_on_a_holiday_goes_on_the_morning_after() -> None:
    nights = "Mo-Su 20:00-22:00; PH 22:00-04:00"
    assert hours_of(nights, FEAST, PUBLIC) == ["22:00-24:00"]
    assert hours_of("Mo-Su 20:00-22:00, PH 22:00-04:00", TUESDAY_AFTER, PUBLIC) == [
        "00:00-04:00",
        "20:00-22:00",
    ]


def test_the_day_before_a_holiday() -> None:
    eve = "Mo-Fr 09:00-17:00; PH -1 day 09:00-12:00"
    assert hours_of(eve, FEAST - timedelta(days=1), PUBLIC) == ["09:00-12:00"]
    assert hours_of(eve, FEAST, PUBLIC) == ["09:00-17:00"]


def test_another_commune_has_its_own_and_all_have_those_of_the_city() -> None:
    expression = "Mo-Fr 09:00-17:00; PH off"
    own = holiday("public", FEAST, commune="Havremont")
    assert hours_of(expression, FEAST, own, commune="La Verrerie") == ["09:00-17:00"]
    assert hours_of(expression, FEAST, own, commune=None) == ["09:00-17:00"]
    city_wide = holiday("public", TUESDAY_AFTER)
    for commune in ("Havremont", "La Verrerie", None):
        assert hours_of(expression, TUESDAY_AFTER, own, city_wide, commune=commune) == []


def test_the_holidays_of_the_country_stay() -> None:
    national = date(2026, 7, 21)  # A Tuesday.
    expression = "Mo-Fr 09:00-17:00; PH off"
    assert hours_of(expression, national, PUBLIC) == []
    assert hours_of(expression, national, country="FR") == ["09:00-17:00"]
    # On both lists it is one all the same, and the night after it ends as it would.
    again = holiday("public", national)
    assert hours_of(expression, national, again) == []
    late = "Mo-Fr 09:00-17:00, PH 22:00-02:00"
    assert hours_of(late, national + timedelta(days=1), again) == hours_of(
        late, national + timedelta(days=1)
    )


def test_a_day_can_be_a_public_and_a_school_holiday() -> None:
    both = (holiday("public", NO_CLASSES), SCHOOL)
    expression = "Mo-Fr 16:00-18:00; SH 09:00-12:00; PH off"
    assert hours_of(expression, NO_CLASSES, *both) == []
    assert hours_of(expression, NO_CLASSES + timedelta(days=1), *both) == ["09:00-12:00"]
    assert hours_of("Mo-Fr 16:00-18:00; PH off; SH 09:00-12:00", NO_CLASSES, *both) == [
        "09:00-12:00"
    ]


def test_announced_closures_come_on_top() -> None:
    shut = SitePeriod(
        site="s",
        start=datetime(2026, 9, 28, 9, 30, tzinfo=UTC),
        end=datetime(2026, 9, 29, 12, tzinfo=UTC),
    )
    expression = "Mo-Fr 09:00-17:00; PH 10:00-13:00"
    assert hours_of(expression, FEAST, PUBLIC, closures=(shut,)) == ["10:00-11:30"]
    assert hours_of(expression, TUESDAY_AFTER, PUBLIC, closures=(shut,)) == ["14:00-17:00"]
    assert hours_of("24/7", FEAST, PUBLIC, closures=(shut,)) == ["00:00-11:30"]


@pytest.mark.parametrize(
    ("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (FEAST, 24)]
)
def test_the_nights_when_the_clocks_change(day: date, length: int) -> None:
    site = Site(site="s", kind="park", opening_hours="Mo-Sa 10:00-11:00; PH 00:00-24:00")
    deployment = city([site], []).model_copy(update={"holidays": (holiday("public", day),)})
    start = round(datetime.combine(day, time(), BRUSSELS).timestamp() * 1000)
    end = round(datetime.combine(day + timedelta(days=1), time(), BRUSSELS).timestamp() * 1000)
    found = open_hours(deployment, start, end)["s"]
    assert found.within(np.array([start]), np.array([end])) / HOUR_MS == length


@pytest.mark.parametrize(
    ("expression", "kinds"),
    [
        ("Mo-Fr 09:00-17:00", set()),
        ("Mo-Fr 09:00-17:00; PH off", {"PH"}),
        ("PH,SH off", {"PH", "SH"}),
        ('Mo-Fr 09:00-17:00 "PH by appointment"', set()),
    ],
)
def test_an_expression_names_the_holidays_it_speaks_of(expression: str, kinds: set[str]) -> None:
    assert kinds_named(expression) == kinds


def test_only_the_days_that_need_it_are_rewritten() -> None:
    days = Holidays(public=frozenset({FEAST}))
    year = (date(2026, 1, 1), date(2026, 12, 31))
    assert list(affected("Mo-Fr 09:00-17:00", days, *year)) == []
    assert list(affected("Mo-Fr 09:00-17:00; SH off", days, *year)) == []
    assert list(affected("Mo-Fr 09:00-17:00; PH off", days, *year)) == [FEAST, TUESDAY_AFTER]


def test_holidays_of_a_commune_are_those_of_the_city_and_its_own() -> None:
    own = holiday("public", FEAST, commune="Havremont")
    found = by_commune([own, holiday("public", TUESDAY_AFTER), SCHOOL])
    assert found["Havremont"].public == {FEAST, TUESDAY_AFTER}
    assert found[None].public == {TUESDAY_AFTER}
    assert found["Havremont"].school == found[None].school
    assert len(found[None].school) == 7


WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
weekdays = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True).map(",".join)
days = st.one_of(
    weekdays,
    st.just("PH"),
    weekdays.map(lambda names: f"{names},PH"),
    weekdays.map(lambda names: f"PH,{names}"),
    st.just("Mo-Fr"),
    st.just("PH +1 day"),
)
times = st.tuples(st.integers(0, 23), st.integers(1, 12)).map(
    lambda pair: f"{pair[0]:02}:00-{pair[0] + pair[1]:02}:00"
)
rules = st.tuples(days, st.one_of(times, st.just("off"), times.map(lambda t: f"{t} unknown"))).map(
    " ".join
)
expressions = st.tuples(
    rules, st.lists(st.tuples(st.sampled_from(["; ", ", ", " || "]), rules), max_size=3)
).map(lambda drawn: drawn[0] + "".join(separator + rule for separator, rule in drawn[1]))

NATIONAL = date(2026, 7, 21)  # Of Belgium, a Tuesday; no other is within a fortnight.
OWN = NATIONAL - timedelta(days=7)


def holds(days: str, day: date) -> bool:
    return OpeningHours(days, country="BE").is_open(datetime.combine(day, time(12)))


def pattern(expression: str, day: date) -> list[tuple[timedelta, timedelta]]:
    start = datetime.combine(day, time())
    hours = OpeningHours(expression, country="BE")
    return [
        (opens - start, closes - start)
        for opens, closes, state, _ in hours.intervals(start, start + timedelta(days=1))
        if state == State.OPEN
    ]


@given(expressions, st.sampled_from(["PH", "SH"]))
def test_our_own_holiday_is_as_good_as_the_country_s(expression: str, kind: str) -> None:
    """The library's own reading of a holiday it knows, a week later, is what ours must give."""
    ours = expression.replace("PH +1 day", "PH") if kind == "SH" else expression
    national = ours
    ours = ours.replace("PH", kind)
    holidays = Holidays(frozenset({OWN}), frozenset({OWN}))
    for later in range(-1, 3):
        day = OWN + timedelta(days=later)
        rewritten = on(ours, day, holidays, holds)
        assert pattern(rewritten, day) == pattern(national, NATIONAL + timedelta(days=later))
