"""What an alert is worth, beside what happened."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipeline.evaluation.outages.alert import Alert
from pipeline.evaluation.outages.score import Missed, Real, Score, Span, Truth, Verdict, score

MINUTE = 60_000
INTERVAL_MS = 5 * MINUTE
MONTH = 30 * 86_400_000
APS = {"a": "snmp", "b": "snmp", "m": "mqtt"}
ALL_UP = dict.fromkeys(APS, (100.0, 0.0))


def minutes(*spans: tuple[float, float]) -> list[Span]:
    return [(round(start * MINUTE), round(end * MINUTE)) for start, end in spans]


def truth(
    *reals: Real,
    down: Mapping[str, Sequence[Span]] | None = None,
    blind: Mapping[str, Sequence[Span]] | None = None,
) -> Truth:
    everything: dict[str, list[Span]] = {}
    for real in reals:
        if not real.is_blindness:
            for ap, spans in real.seen.items():
                everything.setdefault(ap, []).extend(spans)
    return Truth(
        start_ms=0,
        end_ms=MONTH,
        interval_ms=INTERVAL_MS,
        reals=reals,
        collector=APS,
        down=down or everything,
        blind=blind or {},
        hours=ALL_UP,
    )


def real(ap: str, *spans: tuple[float, float], kind: str = "ap") -> Real:
    return Real(kind, ap, {ap: minutes(*spans)})


def alert(at: float, until: float, since: float, *aps: str, **more: Any) -> Alert:
    known: dict[str, Any] = {"scope": "ap", "subject": aps[0] if aps else "", "aps": aps}
    at_ms, until_ms, start_ms = (round(m * MINUTE) for m in (at, until, since))
    return Alert(at_ms, until_ms, start_ms, **(known | more))


def scored(happened: Truth, *alerts: Alert) -> Score:
    return score(happened, alerts, ALL_UP)


def test_an_outage_that_is_told() -> None:
    found = scored(truth(real("a", (100, 200))), alert(108, 205, 101, "a"))
    assert found.delay(0.5) == pytest.approx(8 / 5)
    assert (found.told, found.missed, found.verdicts) == (1, [], {"right": 1})
    assert found.per_incident == 1
    assert found.ap_months == 3


def test_what_lasts_longer_than_three_intervals_has_to_be_told() -> None:
    found = scored(truth(real("a", (100, 115)), real("b", (100, 115.1))))
    assert found.missed == [Missed("ap", "b", 100 * MINUTE, round(15.1 * MINUTE))]
    assert (found.incidents, found.short) == ({"ap": 1}, 1)


def test_told_too_late_is_not_told() -> None:
    found = scored(truth(real("a", (100, 200))), alert(200, 230, 100, "a"))
    assert len(found.missed) == 1


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (alert(108, 120, 101, "a"), "right"),
        (alert(305, 320, 301, "a"), "short"),
        (alert(405, 420, 401, "a"), "excused"),
        (alert(505, 520, 501, "a"), "blind"),
        (alert(505, 520, 501, "m"), "false"),
        (alert(605, 620, 601, "a"), "false"),
        (alert(108, 120, 101, "b"), "false"),
        (alert(108, 120, 101, "b", "m", "a", scope="uplink", subject="up"), "right"),
        (alert(108, 120, 101, scope="site", subject="x"), "false"),
        (alert(700, 720, 699, scope="poller", subject="mqtt"), "right"),
        (alert(505, 520, 501, scope="poller", subject="snmp"), "short"),
        (alert(700, 720, 699, scope="poller", subject="snmp"), "false"),
    ],
)
def test_what_is_behind_an_alert(given: Alert, verdict: Verdict) -> None:
    happened = truth(
        real("a", (100, 200)),
        real("a", (300, 310)),
        Real("blind: broker", "broker", {"mqtt": minutes((695, 720))}, is_blindness=True),
        down={"a": minutes((100, 200), (300, 310), (400, 450))},
        blind={"snmp": minutes((500, 510)), "mqtt": minutes((695, 720))},
    )
    assert scored(happened, given).verdicts == {verdict: 1}


def test_false_alerts_are_counted_per_thousand_ap_months() -> None:
    happened = truth(blind={"snmp": minutes((500, 510))})
    found = scored(happened, alert(100, 110, 95, "a"), alert(505, 520, 501, "a"))
    assert found.verdicts == {"false": 1, "blind": 1}
    assert found.false_per_1000 == pytest.approx(2000 / 3)


def test_of_what_comes_and_goes_the_first_long_time_counts() -> None:
    flaps = real("a", (100, 105), (110, 140), (150, 190), kind="flapping")
    late = scored(truth(flaps), alert(155, 200, 150, "a"))
    assert late.delay(0.5, "flapping") == pytest.approx((155 - 110) / 5)
    early = scored(truth(flaps), alert(104, 300, 100, "a"))
    assert early.delay(0.5) == 0


def test_somebody_who_is_still_told_an_older_outage_knows_of_the_next_one() -> None:
    happened = truth(real("a", (100, 130)), Real("site", "s", {"a": minutes((130, 200))}))
    found = scored(happened, alert(108, 205, 101, "a"))
    assert (found.told, found.missed) == (2, [])
    assert found.delay(0.0) == 0


def test_several_alerts_of_one_outage_show() -> None:
    site = Real("site", "s", {"a": minutes((100, 200)), "b": minutes((100, 200))})
    found = scored(truth(site), alert(108, 205, 101, "a"), alert(108, 205, 101, "b"))
    assert found.per_incident == 2


def test_blindness_has_to_be_told_of_a_collector_that_is_blind() -> None:
    broker = Real("blind: broker", "broker", {"mqtt": minutes((100, 200))}, is_blindness=True)
    happened = truth(broker, blind={"mqtt": minutes((100, 200))})
    of_it = alert(107, 206, 100, scope="poller", subject="mqtt")
    assert scored(happened, of_it).told == 1
    other = alert(107, 206, 100, scope="poller", subject="snmp")
    assert len(scored(happened, other).missed) == 1


def test_availability_is_compared_in_points() -> None:
    happened = truth()
    measured = {"a": (99.0, 1.0), "b": (100.0, 0.0), "m": (100.0, 0.0)}
    found = score(happened, (), measured)
    assert found.ap_errors == pytest.approx([-1, 0, 0])
    assert found.ap_mean_error == pytest.approx(1 / 3)
    assert found.city_error == pytest.approx(1 / 3)
    unknown = score(happened, (), ALL_UP | {"a": (0.0, 0.0)})
    assert len(unknown.ap_errors) == 2


def test_nothing_divided_by_nothing_is_nothing() -> None:
    nothing = Score()
    figures = (nothing.delay(0.5), nothing.false_per_1000, nothing.per_incident)
    assert (*figures, nothing.ap_error(0.95), nothing.city_error) == (None,) * 5


def test_months_add_up() -> None:
    one = scored(truth(real("a", (100, 200))), alert(110, 205, 101, "a"))
    two = scored(truth(real("a", (100, 200)), real("b", (0, 20))), alert(105, 205, 101, "a"))
    both = one + two
    assert both.delays == {"ap": [2, 1]}
    assert (both.incidents, both.told, len(both.missed)) == ({"ap": 3}, 2, 1)
    assert both.ap_months == 6
    assert len(both.ap_errors) == 6
