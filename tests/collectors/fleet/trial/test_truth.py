"""The right verdict follows from what was drawn, by the published definition."""

from datetime import date
from typing import Any

import pytest

from collectors.fleet.trial.draw import TrialCity, draw_city
from collectors.fleet.trial.place import Place
from collectors.fleet.trial.season import Season
from collectors.fleet.trial.timetable import FOUR_HOURS, USUAL
from collectors.fleet.trial.truth import Truth, truths
from config.settings import Underuse

# Fourteen weeks that end on a Monday in May; the first week is not judged.
SEASON = Season(date(2025, 5, 12), 14)
RULE = Underuse()


def place(site: str, level: float, **other: Any) -> Place:
    plain: dict[str, Any] = {
        "kind": "library",
        "circumstance": "plain",
        "aps": 2,
        "timetable": USUAL["library"][0],
        "hours_written": True,
        "week_sd": 0.1,
        "day_sd": 0.15,
        "outside": 0.1,
    }
    return Place(site=site, level=level, **plain | other)


def judged(*places: Place) -> dict[str, Truth]:
    found = truths(TrialCity(1, SEASON, places), RULE)
    assert [t.site for t in found] == [p.site for p in places]
    return {t.site: t for t in found}


def libraries(*levels: float) -> list[Place]:
    return [place(f"l{i}", level) for i, level in enumerate(levels)]


def test_the_ratio_is_to_the_median_of_the_others() -> None:
    found = judged(*libraries(10, 12, 14, 16, 18, 3))
    assert found["l5"].reference == 14
    assert found["l5"].ratio == pytest.approx(3 / 14)
    assert found["l5"].verdict == "underused"
    assert found["l0"].reference == 14
    assert found["l0"].verdict == "ok"
    assert found["l5"].low < 3 / 14 < found["l5"].high < 0.5


def test_under_half_but_not_surely_is_watch() -> None:
    others = libraries(20, 20, 20, 20, 20, 20)
    assert judged(*others, place("x", 9.9))["x"].verdict == "watch"
    assert judged(*others, place("x", 10.0))["x"].verdict == "ok"
    assert judged(*others, place("x", 7.0))["x"].verdict == "underused"
    assert judged(*others, place("x", 7.0, week_sd=0.8))["x"].verdict == "watch"


def test_fewer_hours_tell_less() -> None:
    others = libraries(20, 20, 20, 20, 20, 20)
    long = judged(*others, place("x", 5))["x"]
    short = judged(*others, place("x", 5, timetable=FOUR_HOURS[0]))["x"]
    assert short.high - short.low > 1.2 * (long.high - long.low)


def test_with_few_peers_the_city_stands_in() -> None:
    parks = [
        place("p0", 30, kind="park"),
        place("p1", 40, kind="park"),
        place("p2", 50, kind="park"),
    ]
    found = judged(*libraries(10, 10, 10, 10, 10, 10, 10), *parks)
    # Two peers of five: 2/5 of their median, 3/5 of the median of all nine others.
    assert found["p0"].reference == pytest.approx(0.4 * 45 + 0.6 * 10)


def test_what_cannot_be_judged_is_said_first_and_is_nobodys_peer() -> None:
    others = libraries(10, 10, 10, 10, 10)
    odd = {
        "new": place("new", 1, since=98 - 55),
        "blind": place("blind", 1, blind=(30, 70)),
        "both": place("both", 1, since=98 - 20, availability=0.5),
        "broken": place("broken", 1, availability=0.79),
    }
    found = judged(*others, *odd.values(), place("idle", 1))
    verdicts = {site: found[site].verdict for site in odd}
    assert verdicts == {
        "new": "not_assessable",
        "blind": "not_assessable",
        "both": "not_assessable",
        "broken": "repair_first",
    }
    # With them the median of the idle one's peers would be lower.
    assert found["idle"].reference == 10
    assert found["idle"].verdict == "underused"


def test_what_can_still_be_judged_is() -> None:
    others = libraries(10, 10, 10, 10, 10)
    found = judged(
        *others,
        place("eight", 1, since=98 - 56),
        place("blind", 1, blind=(30, 60)),
        place("closed", 1, closed=(30, 65)),
        place("losing", 1, lost_day=4),
        place("shaky", 1, availability=0.81),
    )
    for site in ("eight", "blind", "closed", "losing", "shaky"):
        assert found[site].verdict == "underused", site


def test_a_closure_does_not_count_as_unseen() -> None:
    # Closed for 35 of 91 days and blind for 20 of the others: 36 % of the open days, not 60 %.
    assert (
        judged(*libraries(10, 10), place("x", 1, closed=(10, 45), blind=(45, 65)))["x"].verdict
        != "not_assessable"
    )


@pytest.mark.parametrize("seed", range(3))
def test_truth_agrees_with_the_parameters_of_a_drawn_city(seed: int) -> None:
    city = draw_city(seed, 120, 14)
    for drawn, answer in zip(city.places, truths(city, RULE), strict=True):
        assert answer.ratio == pytest.approx(drawn.level / answer.reference)
        if drawn.circumstance in {"new", "mostly_blind"}:
            assert answer.verdict == "not_assessable"
        elif drawn.circumstance == "broken":
            assert answer.verdict == "repair_first"
        elif answer.ratio >= 0.5:
            assert answer.verdict == "ok"
        else:
            assert answer.verdict == ("underused" if answer.high < 0.5 else "watch")
