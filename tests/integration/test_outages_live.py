"""Pull plugs of real devices and of ourselves, and read what a real notifier endpoint was sent.

A city of seven access points on loopback: SNMP agents on UDP, publishers on a real broker, and the
whole service. Everything is polled every two or three seconds.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cli.service import Service
from collectors.fleet.agent import Agent, Tree
from collectors.fleet.broker import find_mosquitto, start_broker
from collectors.fleet.city import ApNow
from collectors.fleet.families import CONTROLLER_TREES, LONE_TREES
from collectors.fleet.publisher import Publisher
from config.deployment import AccessPoint, Controller, Deployment, Site
from config.settings import (
    Alerts,
    AppriseNotifier,
    CommunityCredential,
    Mqtt,
    Outages,
    Settings,
    Snmp,
)
from tests.pipeline.alerts.endpoint import Endpoint, endpoint

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

INTERVAL_S = 2
CONTROLLER_S = 3
"""Longer, so that what all access points say is known before what its controller says."""
PATIENCE_S = 60
SECRET = "public"
SICK = ApNow(False, 0, 0, 0, 0, 0, 0)


class City:
    """Devices, each of which can be switched off."""

    def __init__(self, folder: Path, endpoint_port: int) -> None:
        self._folder = folder
        self._endpoint_port = endpoint_port
        self._began_s = time.monotonic()
        self.off: set[str] = set()
        self.broker = start_broker(state_dir=folder / "broker")
        self._agents: dict[str, Agent] = {}
        self._publishers: list[tuple[AccessPoint, Publisher]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Deployment]:
        """Everything on, until the block ends."""
        names = ["lib-1", "lib-2", "lib-3", "wlc"]
        agents = {name: Agent({SECRET: partial(self._tree, name)}, cache_s=0) for name in names}
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.broker)
            for agent in agents.values():
                await stack.enter_async_context(agent)
            self.deployment = self._deployment({name: one.port for name, one in agents.items()})
            publishing = asyncio.create_task(self._publish(self.broker.port))
            try:
                yield self.deployment
            finally:
                publishing.cancel()
                await asyncio.wait([publishing])

    def now(self, ap: str) -> ApNow:
        passed_s = int(time.monotonic() - self._began_s)
        well = ApNow(True, 5, 2, 1000 * passed_s, 9000 * passed_s, 86_400 + passed_s, 12)
        return SICK if ap in self.off else well

    def _tree(self, name: str) -> Tree | None:
        if name in self.off:
            return None
        if name == "wlc":
            behind = [ap for ap in self.deployment.access_points.values() if ap.controller == name]
            rows = [(ap, self.now(ap.ap)) for ap in behind]
            return CONTROLLER_TREES["cisco-airespace"](name, 86_400, rows)
        return LONE_TREES["unifi"](self.deployment.access_points[name], self.now(name))

    async def _publish(self, port: int) -> None:
        aps = [ap for ap in self.deployment.access_points.values() if ap.source == "mqtt"]
        publishers = [Publisher(ap, "hotspots", "127.0.0.1", port) for ap in aps]
        try:
            while True:
                for ap, publisher in zip(aps, publishers, strict=True):
                    now_ms = time.time_ns() // 1_000_000
                    with contextlib.suppress(OSError):  # the broker is off
                        await asyncio.to_thread(publisher.say, self.now(ap.ap), now_ms)
                await asyncio.sleep(INTERVAL_S / 2)
        finally:
            for publisher in publishers:
                publisher.close()

    def _deployment(self, ports: dict[str, int]) -> Deployment:
        direct = [
            AccessPoint(
                ap=ap, site="library", source="snmp", host="127.0.0.1", port=ports[ap],
                profile="unifi",
            )
            for ap in ("lib-1", "lib-2", "lib-3")
        ]  # fmt: skip
        behind = [
            AccessPoint(
                ap=f"gym-{n}", site="gym", source="snmp", controller="wlc",
                mac=f"02:00:00:00:01:{n}0",
            )
            for n in (1, 2)
        ]  # fmt: skip
        heard = [AccessPoint(ap=f"park-{n}", site="park", source="mqtt") for n in (1, 2)]
        wlc = Controller(
            controller="wlc", host="127.0.0.1", port=ports["wlc"], profile="cisco-airespace"
        )
        url = f"json://127.0.0.1:{self._endpoint_port}/alerts"
        settings = Settings(
            city="Testville",
            timezone="Europe/Brussels",
            snmp=Snmp(
                credentials={"default": CommunityCredential(community=SecretStr(SECRET))},
                timeout_s=0.2,
                retries=1,
            ),
            mqtt=Mqtt(host="127.0.0.1", port=self.broker.port),
            # The settings allow nothing as short as this: a poll of two seconds is for tests.
            outages=Outages(relapse_minutes=0).model_copy(update={"repoll_seconds": 1}),
            alerts=Alerts(
                notifiers={"oncall": AppriseNotifier(url=(SecretStr(url),))},
                group_seconds=0,
                resolve_minutes=0,
            ),
        )
        return Deployment(
            folder=self._folder,
            settings=settings,
            sites={
                name: Site(site=name, kind="library", name_en=name.title())
                for name in ("library", "gym", "park")
            },
            access_points={
                ap.ap: ap.model_copy(update={"poll_seconds": seconds})
                for aps, seconds in (
                    (direct, INTERVAL_S),
                    (behind, CONTROLLER_S),
                    (heard, INTERVAL_S),
                )
                for ap in aps
            },
            controllers={"wlc": wlc.model_copy(update={"poll_seconds": CONTROLLER_S})},
        )


@pytest.fixture
def taken() -> Any:
    with endpoint() as listening:
        yield listening


async def until(what: str, holds: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - other threads change it
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def sent(taken: Endpoint, count: int) -> None:
    """Until so many outages were told or resolved; some may share a message."""

    def lines() -> int:
        shared = [body["message"].count("\n- ") + 1 for body in taken.taken]
        return sum(shared)

    await until(f"{count} told", lambda: lines() >= count)


async def test_everything_that_was_broken_was_told_once_and_nothing_else(
    tmp_path: Path, taken: Endpoint
) -> None:
    city = City(tmp_path, taken.port)
    async with city.running() as deployment:
        service = Service(deployment)
        await service.start()

        def state(*aps: str) -> set[str]:
            return {service.watch.state(ap) for ap in aps or deployment.access_points}

        await until("all up", lambda: state() == {"up"})

        city.off |= {"lib-3", "wlc", "park-1"}
        await sent(taken, 3)
        await service.stop()
        service = Service(deployment)
        await service.start()
        city.off.clear()
        await sent(taken, 6)
        await until("all up again", lambda: state() == {"up"})

        await asyncio.to_thread(city.broker.stop)
        await sent(taken, 7)
        assert state("park-1", "park-2") == {"unknown"}
        async with start_broker(port=city.broker.port, state_dir=tmp_path / "broker"):
            await sent(taken, 8)
            await until("the park up again", lambda: state() == {"up"})

            city.off |= {"lib-1", "lib-2", "lib-3", "wlc"}
            await sent(taken, 9)
            assert state("lib-1", "gym-1") == {"unknown"}
            city.off.clear()
            await sent(taken, 10)
            await until("all up at last", lambda: state() == {"up"})
            decided = service.alerting.outbox.log(100)
            await service.stop()
    arrived = [body["title"] for body in taken.taken]
    assert arrived == [queued.message.subject for queued in reversed(decided)]
    facts = [
        (queued.message.kind, fact["scope"], fact["subject"])
        for queued in decided
        for fact in queued.message.facts
    ]
    broken = [
        ("ap", "lib-3"), ("ap", "park-1"), ("controller", "wlc"), ("poller", "mqtt"),
        ("poller", "snmp"),
    ]  # fmt: skip
    assert sorted(facts) == sorted(
        (kind, *what) for what in broken for kind in ("opened", "resolved")
    )
