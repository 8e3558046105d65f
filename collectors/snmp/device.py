"""What one poll of a device yields. Its fields are the JSON of `spotwatch poll`."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from collectors.snmp.stations import Stations

Band = Literal["2g", "5g", "6g"]

AP_FIELDS: Final = (
    "ap", "name", "mac", "up", "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes",
    "tx_bytes", "uptime_s", "channel_utilisation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ApPoll:
    """What a device says of one AP. None: it does not say; never 0."""

    ap: str | None = None
    """The AP's id in the deployment, where it is known to one."""
    name: str | None = None
    mac: str | None = None
    up: bool | None = None
    clients: int | None = None
    clients_2g: int | None = None
    clients_5g: int | None = None
    clients_6g: int | None = None
    rx_bytes: int | None = None
    """Octets received from clients, a counter that wraps at 2^counter_bits."""
    tx_bytes: int | None = None
    """Octets sent to clients, likewise."""
    uptime_s: int | None = None
    channel_utilisation: float | None = None
    """Per cent, the busiest radio."""
    counter_bits: int | None = None
    macs: tuple[str, ...] = ()
    """Every MAC address by which the AP may be known: its label's, its radio's."""
    stations: Stations | None = None
    """The client devices at it; None: not read, or not wholly. No part of the JSON."""

    def as_json(self) -> dict[str, Any]:
        """The AP's row in the JSON of `spotwatch poll`."""
        return {field: getattr(self, field) for field in AP_FIELDS}


@dataclass(frozen=True, slots=True)
class DevicePoll:
    """What a device said when polled."""

    profile: str | None
    """None: it did not answer."""
    device: Literal["ap", "controller"]
    sys_descr: str | None = None
    sys_object_id: str | None = None
    device_up: bool = True
    clients_total: int | None = None
    """The device's own total, else summed over SSIDs, radios, virtual APs, APs, or client rows."""
    ap_count: int | None = None
    """The controller's own count of connected APs, else its AP rows not known to be down."""
    counts_aps: bool = False
    """Whether `ap_count` is the controller's own."""
    aps: tuple[ApPoll, ...] = ()
    warnings: tuple[str, ...] = ()
    """What could not be read or was dropped as wrong; names device and OID."""
    stations: Stations | None = None
    """All client devices that the device lists; None: not read, or not wholly. No part of the
    JSON.
    """
    elsewhere: int = 0
    """How many of them are at no AP that the device lists."""

    def as_json(self) -> dict[str, Any]:
        """The JSON of `spotwatch poll`."""
        return {
            "profile": self.profile,
            "sys_descr": self.sys_descr,
            "sys_object_id": self.sys_object_id,
            "device_up": self.device_up,
            "clients_total": self.clients_total,
            "ap_count": self.ap_count,
            "aps": [ap.as_json() for ap in self.aps],
        }
