"""Which simulated device answers for which AP, and what that family can say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from collectors.fleet import controllers, lone_aps, publisher
from collectors.fleet.agent import Oid, Value
from collectors.fleet.city import ApNow
from config.deployment import AccessPoint, Deployment


@dataclass(frozen=True, slots=True)
class Family:
    """What the APs of a family say of themselves, whoever reads it."""

    counter_bits: Literal[32, 64]
    counts_clients: bool = True
    lists_clients: bool = False


LoneTree = Callable[[AccessPoint, ApNow], dict[Oid, Value]]
ControllerTree = Callable[[str, int, controllers.Rows], dict[Oid, Value]]

LONE_TREES: Final[dict[str, LoneTree]] = {
    "unifi": lone_aps.unifi,
    "mikrotik": lone_aps.mikrotik,
    "generic": lone_aps.generic,
}
CONTROLLER_TREES: Final[dict[str, ControllerTree]] = {
    "cisco-airespace": controllers.aireos,
    "aruba-controller": controllers.aruba,
}
"""By the profile that reads them."""

_FAMILIES: Final = {
    "unifi": Family(32),
    "mikrotik": Family(64, lists_clients=True),
    "generic": Family(32, counts_clients=False),
    "cisco-airespace": Family(32, lists_clients=True),
    "aruba-controller": Family(64, lists_clients=True),
    "mqtt": Family(publisher.COUNTER_BITS),
}


def family(deployment: Deployment, ap: AccessPoint) -> Family:
    """The family of an AP of the demo city."""
    if ap.source == "mqtt":
        return _FAMILIES["mqtt"]
    if ap.controller:
        return _FAMILIES[deployment.controllers[ap.controller].profile]
    return _FAMILIES[ap.profile]
