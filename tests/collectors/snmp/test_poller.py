"""A round over a deployment: every device polled, none that stops the others."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from collectors.fleet.agent import Agent, Oid, Value
from collectors.fleet.snmprec import load
from collectors.reading import Reading
from collectors.sink import NotDurableError
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.holding import Holding
from collectors.snmp.jobs import jobs_of
from collectors.snmp.poller import Poller
from collectors.snmp.profiles import Profiles
from config.deployment import AccessPoint, Controller, Deployment, Site
from config.settings import CommunityCredential, Settings, Snmp

RECORDINGS = Path(__file__).parents[2] / "recordings"
NOW = datetime(2026, 3, 5, 10, 4, tzinfo=UTC)
NOW_MS = 1_772_705_040_000
ALL: dict[Oid, Value] = load(RECORDINGS / "unifi.snmprec")


class Kept:
    """A sink that keeps everything, or refuses."""

    def __init__(self, *, durable: bool = True) -> None:
        self.readings: list[Reading] = []
        self.durable = durable

    async def write(self, readings: Sequence[Reading]) -> None:
        if not self.durable:
            raise NotDurableError("disk full")
        self.readings += readings

    def by_ap(self) -> dict[str, Reading]:
        assert len({r.ap for r in self.readings}) == len(self.readings)
        return {reading.ap: reading for reading in self.readings}


def deployment(
    aps: Sequence[dict[str, Any]], controllers: Sequence[dict[str, Any]] = (), **snmp: Any
) -> Deployment:
    patience: dict[str, Any] = {"timeout_s": 0.1, "retries": 0, "poll_seconds": 60}
    default = CommunityCredential(community=SecretStr("public"))
    settings = Settings(
        city="Testville",
        timezone="Europe/Brussels",
        snmp=Snmp(credentials={"default": default}, **patience | snmp),
    )
    site = {"site": "lib", "source": "snmp", "host": None}
    return Deployment(
        folder=Path("nowhere"),
        settings=settings,
        sites={"lib": Site(site="lib", kind="library")},
        access_points={a["ap"]: AccessPoint.model_validate(site | a) for a in aps},
        controllers={c["controller"]: Controller.model_validate(c) for c in controllers},
    )


def poller(where: Deployment, profiles: Profiles) -> Poller:
    return Poller(where, GufoEngine(), profiles, lambda: NOW)


async def test_an_ap_that_answers_is_up_and_one_that_does_not_is_down(profiles: Profiles) -> None:
    async with Agent({"public": ALL}) as good, Agent({"public": lambda: None}) as off:
        where = deployment(
            [
                {"ap": "ap-1", "host": "127.0.0.1", "port": good.port},
                {"ap": "ap-2", "host": "127.0.0.1", "port": off.port, "poll_seconds": 30},
                {"ap": "ap-3", "source": "mqtt"},
            ]
        )
        sink = Kept()
        report = await poller(where, profiles).round(sink)
    assert sink.by_ap() == {
        "ap-1": Reading(
            "ap-1", "lib", NOW_MS, 1, 14, 3, 11, None, 5_000_000_010, 50, 64, 86_400, 35.0, 60
        ),
        "ap-2": Reading("ap-2", "lib", NOW_MS, up=0, interval_s=30),
    }
    assert (report.targets, report.ok, report.readings, report.is_durable) == (2, 1, 2, True)
    assert [failure.device for failure in report.failed] == ["ap-2"]
    assert f"ap-2 (127.0.0.1:{off.port})" in report.failed[0].reason


async def test_a_controllers_aps_are_found_by_mac_and_by_name(profiles: Profiles) -> None:
    tree = load(RECORDINGS / "cisco-airespace.snmprec")
    async with Agent({"public": tree}) as agent:
        where = deployment(
            [
                {"ap": "by-label", "controller": "wlc", "mac": "0200.0000.0111"},
                {"ap": "Library-2", "controller": "wlc"},
                {"ap": "gone", "controller": "wlc"},
            ],
            [{"controller": "wlc", "host": "127.0.0.1", "port": agent.port, "poll_seconds": 120}],
        )
        sink = Kept()
        with capture_logs() as logs:
            rounds = poller(where, profiles)
            await rounds.round(sink)
            await rounds.round(Kept())
    found = sink.by_ap()
    assert found.keys() == {"by-label", "Library-2"}
    assert found["by-label"] == Reading(
        "by-label", "lib", NOW_MS, 1, 13, 4, 9, None, 1_000_000, 5_000_000, 32, 3600, 61.0, 120
    )
    assert (found["Library-2"].up, found["Library-2"].clients) == (0, 0)
    told = [(log["event"], log["count"], log["aps"]) for log in logs]
    assert told == [("APs not listed by its controller", 1, ["gone"])]


@pytest.mark.parametrize("by", ["base radio", "name in other letters"])
async def test_an_ap_may_be_known_by_its_radio_or_its_name(profiles: Profiles, by: str) -> None:
    ap = {"ap": "x", "mac": "02:00:00:00:01:10"} if by == "base radio" else {"ap": " LIBRARY-1 "}
    async with Agent({"public": load(RECORDINGS / "cisco-airespace.snmprec")}) as agent:
        where = deployment(
            [{**ap, "controller": "wlc"}],
            [{"controller": "wlc", "host": "127.0.0.1", "port": agent.port}],
        )
        sink = Kept()
        with capture_logs() as logs:
            await poller(where, profiles).round(sink)
    assert [r.clients for r in sink.readings] == [13]
    assert [(log["event"], log["aps"]) for log in logs] == [
        ("APs not in access_points.csv", ["library-2"])
    ]


async def test_a_dead_controller_takes_down_those_seen_through_it_alone(
    profiles: Profiles,
) -> None:
    async with Agent({"public": ALL}) as good, Agent({"other": ALL}) as dead:
        where = deployment(
            [
                {"ap": "behind", "controller": "wlc"},
                {"ap": "direct", "controller": "wlc", "host": "127.0.0.1", "port": good.port},
            ],
            [{"controller": "wlc", "host": "127.0.0.1", "port": dead.port}],
        )
        sink = Kept()
        report = await poller(where, profiles).round(sink)
    assert {ap: reading.up for ap, reading in sink.by_ap().items()} == {"behind": 0, "direct": 1}
    assert [failure.device for failure in report.failed] == ["controller wlc"]


async def test_an_unknown_profile_fails_its_device_alone(profiles: Profiles) -> None:
    async with Agent({"public": ALL}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port}
        where = deployment([{"ap": "a", "profile": "nope", **there}, {"ap": "b", **there}])
        sink = Kept()
        report = await poller(where, profiles).round(sink)
    assert {ap: reading.up for ap, reading in sink.by_ap().items()} == {"a": 0, "b": 1}
    assert "'nope' is no profile; allowed: auto," in report.failed[0].reason


async def test_what_is_out_of_service_is_not_polled(profiles: Profiles) -> None:
    async with Agent({"public": ALL}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port}
        where = deployment(
            [
                {"ap": "before", "in_service_since": date(2026, 3, 6), **there},
                {"ap": "first-day", "in_service_since": date(2026, 3, 5), **there},
                {"ap": "after", "out_of_service_since": date(2026, 3, 5), **there},
            ]
        )
        sink = Kept()
        report = await poller(where, profiles).round(sink)
    assert sink.by_ap().keys() == {"first-day"}
    assert report.targets == 1


async def test_what_the_store_refuses_waits_for_the_next_round(profiles: Profiles) -> None:
    times = iter([NOW, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)])
    sink = Kept(durable=False)
    async with Agent({"public": ALL}) as agent:
        where = deployment([{"ap": "a", "host": "127.0.0.1", "port": agent.port}])
        at_work = Poller(where, GufoEngine(), profiles, lambda: next(times))
        with capture_logs() as logs:
            refused = await at_work.round(sink)
        sink.durable = True
        accepted = await at_work.round(sink)
    assert (refused.ok, refused.readings, refused.is_durable) == (1, 0, False)
    assert logs[-1]["reason"] == "disk full"
    assert (accepted.readings, accepted.is_durable) == (2, True)
    assert [r.ts_ms for r in sink.readings] == [NOW_MS, NOW_MS + 60_000]


async def test_readings_are_counted_whoever_waits_for_the_store(profiles: Profiles) -> None:
    class Slow(Kept):
        async def write(self, readings: Sequence[Reading]) -> None:
            await asyncio.sleep(0)
            self.readings += readings

    sink = Slow()
    async with Agent({"public": ALL}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port}
        where = deployment([{"ap": f"ap-{n}", **there} for n in range(5)])
        report = await poller(where, profiles).round(sink)
    assert report.readings == len(sink.readings) == 5


async def test_what_waits_is_handed_over_at_the_end(profiles: Profiles) -> None:
    sink = Kept(durable=False)
    async with Agent({"public": ALL}) as agent:
        where = deployment([{"ap": "a", "host": "127.0.0.1", "port": agent.port}])
        at_work = poller(where, profiles)
        await at_work.round(sink)
    with capture_logs() as logs:
        await at_work.flush(sink)
    assert [(e["event"], e["readings"]) for e in logs] == [("readings lost", 1)]
    sink.durable = True
    await at_work.flush(sink)
    await at_work.flush(sink)
    assert [r.ap for r in sink.readings] == ["a"]


async def test_what_waits_is_bounded_and_the_newest_stay() -> None:
    holding = Holding(most=3)
    refusing = Kept(durable=False)
    with capture_logs() as logs:
        for minute in range(5):
            with pytest.raises(NotDurableError):
                await holding.write(refusing, [Reading("a", "lib", NOW_MS + minute * 60_000)])
    assert sum(e["oldest"] for e in logs if e["event"] == "readings dropped") == 2
    accepting = Kept()
    assert await holding.write(accepting, []) == 3
    assert [(r.ts_ms - NOW_MS) // 60_000 for r in accepting.readings] == [2, 3, 4]
    assert holding.held == 0


async def test_no_more_devices_than_allowed_at_the_same_time(profiles: Profiles) -> None:
    """Dead devices cost their patience each; two at a time, four take two patiences."""
    async with Agent({"public": lambda: None}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port}
        where = deployment([{"ap": f"ap-{n}", **there} for n in range(4)], concurrency=2)
        report = await poller(where, profiles).round(Kept())
    assert report.duration_s >= 0.2
    assert len(report.failed) == 4


async def test_some_jobs_only(profiles: Profiles) -> None:
    async with Agent({"public": ALL}) as agent:
        there = {"host": "127.0.0.1", "port": agent.port}
        where = deployment([{"ap": "a", **there}, {"ap": "b", "poll_seconds": 30, **there}])
        rounds = poller(where, profiles)
        sink = Kept()
        await rounds.round(sink, [job for job in rounds.jobs if job.poll_seconds == 30])
    assert sink.by_ap().keys() == {"b"}


async def test_warnings_are_logged_with_the_device(profiles: Profiles) -> None:
    broken: dict[Oid, Value] = {
        **ALL,
        (1, 3, 6, 1, 4, 1, 41112, 1, 6, 1, 2, 1, 8, 3): ("octets", b"many"),
    }
    async with Agent({"public": broken}) as agent:
        where = deployment([{"ap": "a", "host": "127.0.0.1", "port": agent.port}])
        with capture_logs() as logs:
            report = await poller(where, profiles).round(Kept())
    assert report.warnings == 1
    assert logs[0]["reason"] == (
        f"a (127.0.0.1:{agent.port}): 1.3.6.1.4.1.41112.1.6.1.2.1.8: 1 wrong value dropped: "
        "text where a number belongs"
    )


async def test_silence_is_told_when_it_begins_and_when_it_ends(profiles: Profiles) -> None:
    switched_on: list[dict[Oid, Value] | None] = [ALL]
    async with Agent({"public": lambda: switched_on[0]}, cache_s=0) as agent:
        city = deployment([{"ap": "lib-1", "host": "127.0.0.1", "port": agent.port}])
        poller = Poller(city, GufoEngine(), profiles, lambda: NOW)
        told: list[list[tuple[str, str]]] = []
        for tree in (ALL, None, None, ALL, ALL):
            switched_on[0] = tree
            with capture_logs() as logs:
                await poller.round(Kept())
            told.append([(e["event"], e["log_level"]) for e in logs if e["log_level"] != "debug"])
    assert told == [[], [("poll failed", "warning")], [], [("answers again", "info")], []]


def test_jobs_carry_the_deployments_patience() -> None:
    where = deployment(
        [{"ap": "a", "host": "10.0.0.1"}, {"ap": "b", "controller": "wlc"}],
        [{"controller": "wlc", "host": "10.0.0.2"}],
        timeout_s=3,
        retries=1,
        max_repetitions=7,
    )
    direct, through = jobs_of(where)
    assert (direct.target.timeout_s, direct.target.retries, direct.target.max_repetitions) == (
        3, 1, 7,
    )  # fmt: skip
    assert [ap.ap for ap in through.aps] == ["b"]
    assert through.poll_seconds == 60
    assert "public" not in repr(direct)
