"""A real InfluxDB behind a proxy that makes it a 2.x and injects faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.spool.reader import DEFAULT_MAX_BYTES
from pipeline.spool.spool import Spool
from pipeline.store.influx.line_protocol import SiteTags
from pipeline.store.influx.server import InfluxServer
from pipeline.store.influx.store import InfluxStore
from tests.integration.influx.influxd import INFLUXD, MISSING, Influxd
from tests.integration.influx.proxy import Proxy

TOKEN = "a-token-of-the-tests"
SITE_TAGS: SiteTags = {
    "lib-1": ("library", "Charleroi"),
    "senior, 2": ("senior_centre", "Mont-sur-Marchienne"),
    "park=3": ("park", None),
}

_numbers = count()


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    if INFLUXD is None:
        pytest.skip(MISSING)
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def proxy(influxd: Influxd) -> Iterator[Proxy]:
    proxy = Proxy(influxd.url, TOKEN)
    proxy.start()
    yield proxy
    proxy.close()


@dataclass
class Clock:
    """Time of the spool, moved by the test."""

    ms: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class City:
    """An InfluxDB with two buckets of its own, and the store on it."""

    influxd: Influxd
    proxy: Proxy
    folder: Path
    name: str = field(default_factory=lambda: f"city{next(_numbers)}")
    clock: Clock = field(default_factory=Clock)
    site_tags: SiteTags = field(default_factory=lambda: SITE_TAGS)

    def __post_init__(self) -> None:
        for bucket in (self.raw, self.usage):
            self.influxd.query(f'CREATE DATABASE "{bucket}"')

    @property
    def raw(self) -> str:
        return f"{self.name}_raw"

    @property
    def usage(self) -> str:
        return f"{self.name}_usage"

    def server(self, *, token: str = TOKEN, timeout_s: float = 10.0) -> InfluxServer:
        return InfluxServer(
            url=self.proxy.url, org="city", token=SecretStr(token), timeout_s=timeout_s
        )

    def store(
        self,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        token: str = TOKEN,
        timeout_s: float = 10.0,
        site_tags: SiteTags | None = None,
    ) -> InfluxStore:
        return InfluxStore(
            self.server(token=token, timeout_s=timeout_s),
            Spool(self.folder / "spool.db", max_bytes=max_bytes),
            raw_bucket=self.raw,
            usage_bucket=self.usage,
            site_tags=self.site_tags if site_tags is None else site_tags,
            patience_s=0,
            now_ms=self.clock,
        )


@pytest.fixture
def city(influxd: Influxd, proxy: Proxy, tmp_path: Path) -> City:
    return City(influxd, proxy, tmp_path)


@pytest.fixture
def open_store(city: City) -> Iterator[Callable[..., InfluxStore]]:
    """Opens stores on the city; closed at the end."""
    opened: list[InfluxStore] = []

    def open_one(**settings: object) -> InfluxStore:
        store = city.store(**settings)  # type: ignore[arg-type]
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., InfluxStore]) -> InfluxStore:
    return open_store()
