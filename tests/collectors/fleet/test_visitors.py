"""The people of the demo city: they stay a while, move about, leave, and come back."""

from functools import cache
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.fleet.clock import DAY_MS, HOUR_MS
from collectors.fleet.visitors import RANDOMISED, Visitors, address
from config import demo
from config.deployment import Deployment
from config.loader import load

MINUTE_MS = 60_000
START_MS = 1_795_000_000_000
SITE = "bib-grand-place"


@cache
def deployment() -> Deployment:
    return load(demo.FOLDER)


def aps() -> list[str]:
    return [ap.ap for ap in deployment().access_points.values() if ap.site == SITE]


def visitors(seed: int = 1) -> Visitors:
    return Visitors(deployment(), seed=seed)


VISITORS = visitors()


@settings(max_examples=25)
@given(
    ts_ms=st.integers(START_MS, START_MS + 400 * DAY_MS),
    counts=st.lists(st.integers(0, 30), min_size=5, max_size=5),
)
def test_every_ap_has_as_many_as_it_counts_and_nobody_is_twice(
    ts_ms: int, counts: list[int]
) -> None:
    clients = dict.fromkeys(deployment().access_points, 2) | dict(zip(aps(), counts, strict=True))
    there = VISITORS.at(ts_ms, clients)
    assert {ap: len(macs) for ap, macs in there.items()} == clients
    everybody = [mac for macs in there.values() for mac in macs]
    assert len(set(everybody)) == len(everybody)


def test_a_seed_makes_the_same_people_and_another_seed_others() -> None:
    clients = dict.fromkeys(aps(), 4)
    assert visitors().at(START_MS, clients) == visitors().at(START_MS, clients)
    assert visitors(2).at(START_MS, clients) != visitors().at(START_MS, clients)


def test_a_visit_takes_a_while_and_then_somebody_else_comes() -> None:
    clients = dict.fromkeys(aps(), 6)
    since: dict[bytes, int] = {}
    stays = []
    for minute in range(0, 24 * 60, 2):
        now_ms = START_MS + minute * MINUTE_MS
        there = {mac for macs in VISITORS.at(now_ms, clients).values() for mac in macs}
        stays += [now_ms - since.pop(mac) for mac in set(since) - there]
        since |= dict.fromkeys(there - since.keys(), now_ms)
    assert 20 * MINUTE_MS < median(stays) < 60 * MINUTE_MS
    assert min(stays) >= 2 * MINUTE_MS
    assert max(stays) < 8 * HOUR_MS


def test_the_same_people_come_back_the_next_days() -> None:
    clients = dict.fromkeys(aps(), 4)
    days = [
        {
            mac
            for hour in range(10)
            for macs in VISITORS.at(START_MS + day * DAY_MS + hour * HOUR_MS, clients).values()
            for mac in macs
        }
        for day in range(3)
    ]
    assert days[0] & days[1]
    assert days[1] & days[2]
    assert days[0] != days[1]


def test_people_roam_between_the_aps_of_a_site_where_its_counts_shift() -> None:
    few, many = dict.fromkeys(aps(), 4), dict.fromkeys(aps(), 4) | {aps()[0]: 6}
    before, after = VISITORS.at(START_MS, few), VISITORS.at(START_MS, many)
    roamed = set(before[aps()[1]]) & set(after[aps()[0]])
    assert len(roamed) == 2


def test_most_addresses_are_made_up_and_the_others_belong_to_nobody() -> None:
    macs = [address(1, number) for number in range(3000)]
    randomised = [mac for mac in macs if mac[0] & 0x02]
    assert len(set(macs)) == len(macs)
    assert abs(len(randomised) / len(macs) - RANDOMISED) < 0.05
    assert all(len(mac) == 6 and not mac[0] & 0x01 for mac in macs)
    others = {mac for mac in macs if not mac[0] & 0x02}
    assert all(mac.startswith(bytes.fromhex("00005e")) and mac[3] >= 0x80 for mac in others)
