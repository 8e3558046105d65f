"""What of the troubles could be seen, and had to be told."""

import pytest

from collectors.fleet.faults.network import draw_network
from collectors.fleet.faults.troubles import (
    Blind,
    Down,
    Shift,
    Troubles,
    closed_hours,
    draw_troubles,
)
from collectors.fleet.faults.truth import Truth
from tests.collectors.fleet.faults.networks import A1, A2, C1, D1, HOUR, SMALL, T, fault, troubles


def seen(happens: Troubles, closed: tuple[tuple[int, int], ...] = ()) -> list[dict[int, object]]:
    truth = Truth(SMALL, happens, closed)
    return [
        {spot: [((s - T) / HOUR, (e - T) / HOUR) for s, e in spans] for spot, spans in each.items()}
        for _, each in truth.faults
    ]


def test_time_belongs_to_the_fault_that_came_first() -> None:
    one = fault("ap", "a1", T + 2 * HOUR, T + 4 * HOUR, A1)
    site = fault("site", "a", T + 3 * HOUR, T + 6 * HOUR, A1, A2)
    assert seen(troubles(site, one)) == [{A1: [(4, 6)], A2: [(3, 6)]}, {A1: [(2, 4)]}]


def test_what_is_wholly_inside_another_is_nobodys_business() -> None:
    one = fault("ap", "a1", T + 4 * HOUR, T + 5 * HOUR, A1)
    site = fault("site", "a", T + 3 * HOUR, T + 6 * HOUR, A1, A2)
    assert seen(troubles(one, site))[0] == {}


def test_maintenance_closed_hours_and_blindness_are_cut_out() -> None:
    down = fault("ap", "d1", T + HOUR, T + 20 * HOUR, D1)
    happens = troubles(
        down,
        works=(("d", T + 2 * HOUR, T + 3 * HOUR), ("a", T + HOUR, T + 20 * HOUR)),
        blind=(
            Blind("store", T + 5 * HOUR, T + 6 * HOUR),
            Blind("broker", T + 10 * HOUR, T + 11 * HOUR),
        ),
    )
    closed = ((T, T + 90 * 60_000), (T + 18 * HOUR, T + 24 * HOUR))
    assert seen(happens, closed) == [{D1: [(1.5, 2), (3, 5), (6, 18)]}]


def test_the_broker_blinds_us_for_those_alone_that_publish() -> None:
    blind = (Blind("broker", T + 2 * HOUR, T + 3 * HOUR),)
    down = fault("uplink", "up", T + HOUR, T + 4 * HOUR, A1, C1)
    assert seen(troubles(down, blind=blind)) == [{A1: [(1, 4)], C1: [(1, 2), (3, 4)]}]


def test_availability_is_of_the_time_that_counts() -> None:
    down = fault("ap", "a1", T + HOUR, T + 5 * HOUR, A1)
    happens = troubles(
        down,
        works=(("a", T + 2 * HOUR, T + 3 * HOUR),),
        blind=(Blind("stopped", T + 10 * HOUR, T + 12 * HOUR),),
    )
    truth = Truth(SMALL, happens, ())
    assert truth.hours(A1) == pytest.approx((18, 3))
    assert truth.hours(C1) == pytest.approx((22, 0))


def test_a_clock_that_is_set_back_shows_a_time_twice_in_which_we_are_blind() -> None:
    shift = Shift(-1, T + 2 * HOUR, T + 9 * HOUR, -HOUR // 2)
    found = Truth(SMALL, troubles(shifts=(shift,)), ()).blindness
    assert Blind("clock", T + 2 * HOUR, T + 2 * HOUR + HOUR // 2) in found
    small = shift._replace(by_ms=-60_000)
    assert Truth(SMALL, troubles(shifts=(small,)), ()).blindness == []


def test_the_same_seed_draws_the_same_and_everything_befalls_somebody() -> None:
    network = draw_network(3, 100)
    assert network == draw_network(3, 100)
    happens = draw_troubles(3, network, 26)
    assert happens == draw_troubles(3, network, 26)
    assert {f.kind for f in happens.faults} == {
        "ap", "reboot", "flapping", "site", "uplink", "controller", "work", "overslept",
    }  # fmt: skip
    assert {b.kind for b in happens.blind} == {"poller", "broker", "store", "stopped"}
    assert {s.spot < 0 for s in happens.shifts} == {True, False}
    assert happens.stalls
    ends = [b.end_ms for b in happens.blind]
    assert all(b.start_ms > end for b, end in zip(happens.blind[1:], ends, strict=False))
    downs: list[Down] = [d for f in happens.faults for d in f.downs]
    assert all(happens.start_ms <= d.start_ms < d.end_ms <= happens.end_ms for d in downs)


def test_nights_are_those_of_the_clock_on_the_wall() -> None:
    hours = [(end - start) // HOUR for start, end in closed_hours(13)]
    # The night of 29 March 2026 is an hour shorter.
    assert sorted(set(hours)) == [8, 9]
    assert hours.count(8) == 1
