"""A deployment of two sites, whose APs are heard over MQTT, and where their readings go."""

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.reading import Reading
from collectors.sink import Announcement, NotDurableError, Refused
from config.deployment import AccessPoint, Deployment, Site
from config.settings import Mqtt, Settings

MakeDeployment = Callable[..., Deployment]


@pytest.fixture
def make_deployment(tmp_path: Path) -> MakeDeployment:
    """Build it; keywords are settings of the mqtt section."""

    def make(**mqtt: Any) -> Deployment:
        settings = Settings(
            city="Demo", timezone="Europe/Brussels", mqtt=Mqtt(**{"host": "127.0.0.1"} | mqtt)
        )
        aps = [
            AccessPoint(ap="hall", site="library", source="mqtt"),
            AccessPoint(ap="attic", site="library", source="mqtt", poll_seconds=60),
            AccessPoint(ap="pool", site="baths", source="mqtt"),
            AccessPoint(ap="lobby", site="baths", source="snmp", host="192.0.2.1"),
            AccessPoint(ap="old", site="baths", source="import"),
        ]
        return Deployment(
            folder=tmp_path,
            settings=settings,
            sites={name: Site(site=name, kind="library") for name in ("library", "baths")},
            access_points={ap.ap: ap for ap in aps},
        )

    return make


@pytest.fixture
def deployment(make_deployment: MakeDeployment) -> Deployment:
    return make_deployment()


class MemoryStore:
    """A sink and a place for dead letters, which can be told to fail or to wait."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.refused: list[Refused] = []
        self.announced: list[Announcement] = []
        self.attempts = 0
        self.good_writes = math.inf
        """Then it fails."""
        self.may_write = asyncio.Event()
        self.may_write.set()
        self._changed = asyncio.Condition()

    async def write(self, readings: Sequence[Reading]) -> None:
        await self._note()
        await self.may_write.wait()
        self._check()
        self.readings += readings
        await self._note()

    async def set_aside(self, refused: Sequence[Refused]) -> None:
        self._check()
        self.refused += refused
        await self._note()

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        self._check()
        self.announced += announcements
        await self._note()

    def _check(self) -> None:
        self.attempts += 1
        if self.good_writes <= 0:
            raise NotDurableError("disk full")
        self.good_writes -= 1

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that changes with a write."""
        async with asyncio.timeout(6), self._changed:
            await self._changed.wait_for(holds)

    def clients(self, ap: str = "hall") -> list[int | None]:
        return [r.clients for r in self.readings if r.ap == ap]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
