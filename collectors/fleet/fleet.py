"""The devices of the demo city, alive: SNMP agents on UDP, and access points on MQTT."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

import structlog

from collectors.fleet.agent import Agent, Tree, TreeSource
from collectors.fleet.broker import start_broker
from collectors.fleet.city import ApNow, City
from collectors.fleet.clock import DAY_MS
from collectors.fleet.families import CONTROLLER_TREES, LONE_TREES, family
from collectors.fleet.publisher import Publisher
from config.deployment import AccessPoint, Controller, Deployment
from config.settings import CommunityCredential

log = structlog.get_logger(__name__)

HOST: Final = "127.0.0.1"
FRESH_MS: Final = 1_000
"""A state of the city is shared by all devices for so long."""
TICK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """From which a fleet and its history can be made again, the same."""

    began_ms: int
    days: int
    seed: int

    def city(self, deployment: Deployment, open_hours: dict[str, list[tuple[int, int]]]) -> City:
        """The city of this plan."""
        return City(
            deployment,
            open_hours,
            **asdict(self),
            counter_bits={
                ap.ap: family(deployment, ap).counter_bits
                for ap in deployment.access_points.values()
            },
        )


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the fleet is reached, on loopback."""

    snmp: dict[str, int]
    """UDP, by AP or controller."""
    mqtt: int


class Fleet:
    """Serves until stopped. `clock` gives UTC milliseconds."""

    def __init__(
        self,
        deployment: Deployment,
        city: City,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        tick_s: float = TICK_S,
    ) -> None:
        self._deployment = deployment
        self._city = city
        self._clock = clock
        self._tick_s = tick_s
        self._state: tuple[int, dict[str, ApNow]] = (-FRESH_MS, {})
        self._broker = start_broker(HOST)
        self._agents: dict[str, Agent] = {}
        self._publishers: dict[str, Publisher] = {}
        self._listed: set[bytes] = set()

    def client_macs(self) -> frozenset[bytes]:
        """The addresses of all client devices that the SNMP agents listed so far, 6 octets each."""
        return frozenset(self._listed)

    async def start(self) -> Ports:
        """Start the broker and every device; MQTT access points have spoken once on return."""
        await self._broker.__aenter__()
        for ap in self._deployment.access_points.values():
            if ap.source == "snmp" and ap.host:
                self._agents[ap.ap] = self._agent(ap.credential, partial(self._lone_tree, ap))
        for controller in self._deployment.controllers.values():
            tree = partial(self._controller_tree, controller)
            self._agents[controller.controller] = self._agent(controller.credential, tree)
        for agent in self._agents.values():
            await agent.start()
        await asyncio.to_thread(self._connect_publishers)
        return Ports({name: agent.port for name, agent in self._agents.items()}, self._broker.port)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; each access point in its own second of the interval."""
        mqtt = self._deployment.settings.mqtt
        interval = mqtt.poll_seconds if mqtt else 1
        tick = 0
        while not stop.is_set():
            turn = list(self._publishers)[tick % interval :: interval]
            # In a thread: cutting a line takes a moment, and the agents must go on answering.
            await asyncio.to_thread(self._publish, turn)
            tick += 1
            try:
                await asyncio.wait_for(stop.wait(), self._tick_s)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Switch everything off."""
        for agent in self._agents.values():
            agent.close()
        await asyncio.to_thread(self._disconnect_publishers)
        await self._broker.__aexit__(None, None, None)

    def _agent(self, credential: str, tree: TreeSource) -> Agent:
        known = self._deployment.settings.snmp.credentials[credential]
        if not isinstance(known, CommunityCredential):
            raise TypeError(f"simulated agents know SNMP v1 and v2c only, not {credential}")
        return Agent({known.community.get_secret_value(): tree})

    def _now(self) -> dict[str, ApNow]:
        now_ms = self._clock()
        if not 0 <= now_ms - self._state[0] < FRESH_MS:
            self._state = (now_ms, self._city.at(now_ms))
        return self._state[1]

    def _lone_tree(self, ap: AccessPoint) -> Tree | None:
        now = self._now().get(ap.ap)
        if now is None or not now.up:
            return None
        self._list_clients(ap, now)
        return LONE_TREES[ap.profile](ap, now)

    def _controller_tree(self, controller: Controller) -> Tree | None:
        now = self._now()
        rows = [
            (ap, now[ap.ap])
            for ap in self._deployment.access_points.values()
            if ap.controller == controller.controller and ap.ap in now
        ]
        for ap, said in rows:
            if said.up:
                self._list_clients(ap, said)
        uptime_s = (self._state[0] - self._city.start_ms + 30 * DAY_MS) // 1000
        return CONTROLLER_TREES[controller.profile](controller.controller, uptime_s, rows)

    def _list_clients(self, ap: AccessPoint, now: ApNow) -> None:
        if family(self._deployment, ap).lists_clients:
            self._listed.update(now.stations)

    def _connect_publishers(self) -> None:
        mqtt = self._deployment.settings.mqtt
        for ap in self._deployment.access_points.values():
            if mqtt and ap.source == "mqtt":
                publisher = Publisher(ap, mqtt.base_topic, HOST, self._broker.port)
                publisher.connect()
                self._publishers[ap.ap] = publisher
        self._publish(list(self._publishers))

    def _publish(self, names: list[str]) -> None:
        now = self._now()
        for name in names:
            try:
                if name in now:
                    self._publishers[name].say(now[name], self._clock())
            except OSError as error:
                log.warning("simulated AP cannot reach the broker", ap=name, reason=str(error))

    def _disconnect_publishers(self) -> None:
        for publisher in self._publishers.values():
            publisher.close()
