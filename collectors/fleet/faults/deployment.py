"""An invented network as the deployment that watches it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collectors.fleet.faults.network import AT_NIGHT_OFF, POLL_SECONDS, Network, Spot
from collectors.fleet.faults.troubles import CLOSES, OPENS, ZONE, Troubles
from config.deployment import AccessPoint, Controller, Deployment, Site, SitePeriod
from config.settings import Mqtt, Outages, Settings, Snmp

_HOST: Final = "127.0.0.1"
_HOURS: Final = f"{OPENS:%H:%M}-{CLOSES:%H:%M}"


def deployment_of(network: Network, troubles: Troubles) -> Deployment:
    """What the files would say: nothing in it tells what goes wrong."""
    return Deployment(
        folder=Path(),
        settings=Settings(
            city="Trial",
            timezone=ZONE.key,
            snmp=Snmp(poll_seconds=POLL_SECONDS),
            mqtt=Mqtt(host=_HOST, poll_seconds=POLL_SECONDS),
            outages=Outages(off_when_closed=(AT_NIGHT_OFF,)),
        ),
        sites={
            site: Site(site=site, kind=kind, opening_hours=_HOURS)
            for site, kind in network.kinds.items()
        },
        access_points={spot.ap: _row(spot) for spot in network.spots},
        controllers={
            head.name: Controller(controller=head.name, host=_HOST, parent=head.parent)
            for head in network.heads
        },
        maintenance=tuple(
            SitePeriod(site=site, start=_utc(start), end=_utc(end), reason="works")
            for site, start, end in troubles.works
        ),
    )


def _row(spot: Spot) -> AccessPoint:
    return AccessPoint(
        ap=spot.ap,
        site=spot.site,
        source=spot.source,
        host=_HOST if spot.source == "snmp" and spot.controller is None else None,
        controller=spot.controller,
        parent=spot.parent,
    )


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
