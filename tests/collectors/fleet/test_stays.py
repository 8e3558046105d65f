"""The demo's past visitors: as many as its history counts, followed by the rule of sessions."""

from collections import Counter
from functools import cache

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet import trouble
from collectors.fleet.city import City
from collectors.fleet.clock import DAY_MS, HOUR_MS
from collectors.fleet.fleet import Plan
from collectors.fleet.stays import Tables, client_tables, stays, watched
from collectors.presence import Device, Presence
from config import demo
from config.deployment import Deployment
from config.loader import load
from pipeline.sessions.tracker import follow

BEGAN_MS = 1_795_000_500_000
GAP_MS = 900_000
QUARTER_S = 900


@cache
def deployment() -> Deployment:
    return load(demo.FOLDER)


@cache
def city() -> City:
    always = [(BEGAN_MS - 9 * DAY_MS, BEGAN_MS + 9 * DAY_MS)]
    plan = Plan(began_ms=BEGAN_MS, days=1, seed=1)
    return plan.city(deployment(), dict.fromkeys(deployment().sites, always))


@cache
def past() -> dict[str, Tables]:
    read = client_tables(deployment(), city(), BEGAN_MS - 6 * HOUR_MS, BEGAN_MS)
    return {tables.site: tables for tables in read}


def test_tables_list_as_many_as_the_history_counts_and_nobody_twice() -> None:
    listed = {
        (tables.aps[ap], ts_ms): 0
        for tables in past().values()
        for ap, read in enumerate(tables.read_ms)
        for ts_ms in read.tolist()
    }
    for tables in past().values():
        for ap, ts_ms in zip(tables.ap.tolist(), tables.ts_ms.tolist(), strict=True):
            listed[tables.aps[ap], ts_ms] += 1
        quarter = (tables.ts_ms // (QUARTER_S * 1000)).tolist()
        there = Counter(zip(quarter, tables.device.tolist(), strict=True))
        assert max(there.values()) == 1
    told = 0
    for course in city().history(BEGAN_MS - 6 * HOUR_MS, BEGAN_MS):
        said = (column.tolist() for column in (course.ts_ms, course.up, course.clients))
        for ts_ms, up, clients in zip(*said, strict=True):
            if (course.ap, ts_ms) in listed:
                assert listed[course.ap, ts_ms] == (clients if up else 0)
                told += 1
    assert told == len(listed) > 0


def test_only_what_lists_its_clients_live_did_so_then() -> None:
    profiles = set()
    for tables in past().values():
        for name in tables.aps:
            ap = deployment().access_points[name]
            controller = deployment().controllers.get(ap.controller or "")
            profiles.add(controller.profile if controller else ap.profile)
    assert profiles == {"cisco-airespace", "aruba-controller", "mikrotik"}


def test_a_controller_speaks_for_an_ap_that_is_down() -> None:
    site = deployment().access_points[trouble.DEAD_AP].site
    tables = past()[site]
    dead = tables.aps.index(trouble.DEAD_AP)
    since_ms = BEGAN_MS - trouble.DOWN_SINCE_HOURS * HOUR_MS
    assert (tables.read_ms[dead] > since_ms).sum() > 4 * trouble.DOWN_SINCE_HOURS - 2
    assert not ((tables.ap == dead) & (tables.ts_ms > since_ms)).any()


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 3), st.integers(0, 1), st.integers(0, 40)),
        max_size=40,
    )
)
def test_devices_are_followed_as_the_ledger_follows_them(
    sightings: list[tuple[int, int, int, int]],
) -> None:
    """Of (quarter, device, AP, second of the quarter); each device once a quarter."""
    once = sorted({(q, device): (ap, s) for q, device, ap, s in sightings}.items())
    at = [(ap, (q * QUARTER_S + s) * 1000, device) for (q, device), (ap, s) in once]
    ap, ts_ms, device = (np.array([row[n] for row in at], np.int64) for n in range(3))
    tables = Tables("library", ("0", "1"), ap, ts_ms, device, read_ms=())
    found = stays(tables, gap_ms=GAP_MS, until_ms=10**9)
    presences = [
        Presence(str(where), "library", when, QUARTER_S, (Device(bytes([who]), None, False),))
        for where, when, who in at
    ]
    expected = [change.now for change in follow([], presences, GAP_MS).changes]
    stayed = zip(found.ap, found.device, found.start_ms, found.end_ms, strict=True)
    assert sorted((str(where), who, start, end) for where, who, start, end in stayed) == sorted(
        (session.ap, session.device[0], session.start_ms, session.end_ms) for session in expected
    )
    assert (found.seen_ms + QUARTER_S * 1000 == found.end_ms).all()
    assert (np.diff(found.start_ms) >= 0).all()


def test_nobody_stays_beyond_what_is_known() -> None:
    tables = past()["bib-grand-place"]
    found = stays(tables, gap_ms=GAP_MS, until_ms=BEGAN_MS)
    assert found.end_ms.max() == BEGAN_MS
    assert (found.start_ms < found.end_ms).all()


def test_time_is_watched_until_a_table_was_not_read() -> None:
    quarters = np.array([0, 1, 2, 6, 7], np.int64) * 900_000
    assert watched(quarters, until_ms=10**9) == [(0, 3_150_000), (5_400_000, 7_650_000)]
    assert watched(quarters, until_ms=7_000_000)[-1] == (5_400_000, 7_000_000)
    assert watched(quarters[:0], until_ms=10**9) == []
