"""Access points that a controller no longer lists."""

from pathlib import Path

import pytest

from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.snmprec import load
from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.listed import Listed
from collectors.snmp.poller import Poller
from collectors.snmp.profiles import Profiles
from collectors.snmp.readings import match_aps
from config.deployment import AccessPoint
from tests.collectors.snmp.test_poller import NOW, Kept, deployment

CISCO: dict[Oid, Value] = load(Path(__file__).parents[2] / "recordings" / "cisco-airespace.snmprec")
APS = [AccessPoint(ap=ap, site="lib", source="snmp", controller="wlc") for ap in ("a", "b")]


def left(
    listed: Listed, *names: str, controller: str = "wlc", count: int | None = -1, torn: str = ""
) -> list[str]:
    """What has left a controller that lists these names and counts them, or as many as is said."""
    aps = APS if controller == "wlc" else []
    rows = tuple(ApPoll(name=name) for name in names)
    poll = DevicePoll(
        "cisco",
        "controller",
        ap_count=len(rows) if count == -1 else count,
        counts_aps=count is not None,
        aps=rows,
        warnings=(torn,) if torn else (),
    )
    return [ap.ap for ap in listed.left(controller, match_aps(aps, rows), poll)]


def test_what_was_listed_and_is_not_any_more_has_left() -> None:
    listed = Listed()
    assert left(listed, "a", "b") == []
    assert left(listed, "a") == ["b"]
    assert left(listed) == ["a", "b"]
    assert left(listed, "a", "b") == []


def test_what_was_never_listed_is_unknown() -> None:
    """Its row may name it otherwise than the controller does."""
    listed = Listed()
    assert left(listed, "a") == []
    assert left(listed, "a") == []


def test_a_poll_that_is_not_whole_says_nothing_of_who_is_missing() -> None:
    listed = Listed()
    left(listed, "a", "b")
    assert left(listed, "a", torn="wlc: 1.3.6.1: no answer") == []


@pytest.mark.parametrize("count", [2, 15, None])
def test_a_table_that_the_controllers_own_count_does_not_bear_out_is_not_believed(
    count: int | None,
) -> None:
    listed = Listed()
    left(listed, "a", "b")
    assert left(listed, "a", count=count) == []


def test_what_another_controller_lists_has_moved_there() -> None:
    listed = Listed()
    left(listed, "a", "b")
    left(listed, "b", controller="standby")
    assert left(listed, "a") == []
    left(listed, controller="standby")
    assert left(listed, "a") == ["b"]


async def test_it_is_down_for_those_who_ask(profiles: Profiles) -> None:
    base = (2, 0, 0, 0, 1, 16)  # the AP's MAC address, in every index of its rows
    without = {oid: value for oid, value in CISCO.items() if base not in (oid[-6:], oid[-7:-1])}
    connected = (1, 3, 6, 1, 4, 1, 9, 9, 618, 1, 8, 4, 0)  # clsSysApConnectCount
    kind, _ = CISCO[connected]
    trees = [CISCO, without | {connected: (kind, 0)}]
    async with Agent({"public": lambda: trees[0]}, cache_s=0) as agent:
        where = deployment(
            [{"ap": f"library-{n}", "controller": "wlc"} for n in (1, 2)],
            [{"controller": "wlc", "host": "127.0.0.1", "port": agent.port}],
        )
        poller = Poller(where, GufoEngine(), profiles, lambda: NOW)
        first, then = Kept(), Kept()
        await poller.round(first)
        del trees[0]
        await poller.round(then)
    before, after = first.by_ap()["library-1"], then.by_ap()["library-1"]
    assert (before.up, before.clients) == (1, 13)
    assert (after.up, after.clients) == (0, None)
