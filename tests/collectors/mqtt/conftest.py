"""A deployment of two sites, whose APs are heard over MQTT."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
