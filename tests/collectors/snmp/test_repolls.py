"""Devices asked again, soon after something of theirs failed."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.snmprec import load
from collectors.reading import Reading
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.jobs import jobs_of
from collectors.snmp.poller import ControllerPoll, Poller
from collectors.snmp.profiles import Profiles
from collectors.snmp.repolls import Repolls
from tests.collectors.snmp.test_poller import NOW, NOW_MS, Kept, deployment

UNIFI = load(Path(__file__).parents[2] / "recordings" / "unifi.snmprec")
CISCO = load(Path(__file__).parents[2] / "recordings" / "cisco-airespace.snmprec")
BEHIND = [{"ap": f"Library-{n}", "controller": "wlc"} for n in (1, 2)]
WLC = {"controller": "wlc", "host": "192.0.2.9", "poll_seconds": 120}


def names(jobs: Sequence[object]) -> list[str]:
    return [job.target.name for job in jobs]  # type: ignore[attr-defined]


def test_a_controller_is_one_device_for_all_that_is_behind_it() -> None:
    where = deployment([*BEHIND, {"ap": "a", "host": "192.0.2.1"}], [WLC])
    repolls = Repolls(jobs_of(where))
    chosen = repolls.chosen(["Library-1", "Library-2", "a", "mqtt-ap"], NOW_MS, 10, ())
    assert names(chosen) == ["controller wlc", "a"]


def test_no_more_than_so_many_and_none_that_is_being_asked() -> None:
    where = deployment([{"ap": ap, "host": "192.0.2.1"} for ap in "abcd"])
    chosen = Repolls(jobs_of(where)).chosen(["a", "b", "c", "d"], NOW_MS, 2, {"b"})
    assert names(chosen) == ["a", "c"]


def test_a_controller_that_answers_is_not_walked_through_all_the_time() -> None:
    where = deployment(BEHIND, [WLC])
    (job,) = jobs_of(where)
    repolls = Repolls([job])
    repolls.note(job, NOW_MS, answered=True)
    assert repolls.chosen(["Library-1"], NOW_MS + 14_999, 5, ()) == []
    assert repolls.chosen(["Library-1"], NOW_MS + 15_000, 5, ()) == [job]
    repolls.note(job, NOW_MS, answered=False)
    assert repolls.chosen(["Library-1"], NOW_MS, 5, ()) == [job]


def switched(tree: dict[Oid, Value]) -> tuple[list[bool], Callable[[], dict[Oid, Value] | None]]:
    on = [True]
    return on, lambda: tree if on[0] else None


async def test_only_what_answers_for_the_suspects_is_asked_again(profiles: Profiles) -> None:
    async with Agent({"public": UNIFI}) as agent, Agent({"public": UNIFI}) as other:
        there = {"host": "127.0.0.1"}
        where = deployment(
            [{"ap": "a", "port": agent.port, **there}, {"ap": "b", "port": other.port, **there}]
        )
        sink = Kept()
        poller = Poller(where, GufoEngine(), profiles, lambda: NOW)
        report = await poller.repoll(sink, ["b"], jitter_s=0.001)
        assert agent.requests == 0
    assert [(r.ap, r.up, r.interval_s) for r in sink.readings] == [("b", 1, 60)]
    assert (report.targets, report.ok) == (1, 1)


@pytest.mark.parametrize("first", ["round", "repoll"])
async def test_a_device_is_never_asked_twice_at_once(profiles: Profiles, first: str) -> None:
    async with Agent({"public": lambda: None}) as silent:
        where = deployment([{"ap": "a", "host": "127.0.0.1", "port": silent.port}])
        sink = Kept()
        poller = Poller(where, GufoEngine(), profiles, lambda: NOW)
        regular, again = poller.round(sink), poller.repoll(sink, ["a"])
        earlier, later = (regular, again) if first == "round" else (again, regular)
        under_way = asyncio.create_task(earlier)
        async with asyncio.timeout(5):
            while not silent.requests:  # noqa: ASYNC110 - datagrams arrive elsewhere
                await asyncio.sleep(0.001)
            assert (await later).targets == 0
            assert not under_way.done()
            await under_way
    assert [(r.ap, r.up) for r in sink.readings] == [("a", 0)]


async def test_what_a_poll_of_a_controller_came_to_is_told_before_its_readings(
    profiles: Profiles,
) -> None:
    on, tree = switched(CISCO)
    told: list[object] = []

    class Telling(Kept):
        async def write(self, readings: Sequence[Reading]) -> None:
            told.extend((r.ap, r.up) for r in readings)

    async with Agent({"public": tree}, cache_s=0) as agent:
        wlc = WLC | {"host": "127.0.0.1", "port": agent.port}
        where = deployment(BEHIND[:1], [wlc])
        poller = Poller(where, GufoEngine(), profiles, lambda: NOW, on_controller=told.append)
        await poller.round(Telling())
        on[0] = False
        await poller.round(Telling())
    assert told == [
        ControllerPoll("wlc", NOW_MS, True, 120), ("Library-1", 1),
        ControllerPoll("wlc", NOW_MS, False, 120), ("Library-1", 0),
    ]  # fmt: skip
