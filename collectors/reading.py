"""What leaves the collectors: one `Reading` per access point and instant.

The pipeline imports this module and `collectors.sink`, and nothing else of `collectors`.
"""

from typing import Final, NamedTuple

MAX_COUNTER: Final = 2**63 - 1
"""The largest counter a store can hold (a signed 64-bit integer)."""
HOLD: Final = 1.5
"""Poll intervals that a reading holds for, where the AP's next one does not come before."""


class Reading(NamedTuple):
    """What one access point (AP) said at one instant. None: the device does not say; never 0.

    A named tuple, because a round of a large city makes a hundred thousand of them and the stores
    write them column by column in this order.
    """

    ap: str
    site: str
    """The site that the AP belonged to when it was read."""
    ts_ms: int
    """UTC, milliseconds since the epoch."""
    up: int | None = None
    """1: serves, 0: does not (also: the poll failed). None with clients known means 1."""
    clients: int | None = None
    """Associated clients, all bands."""
    clients_2g: int | None = None
    clients_5g: int | None = None
    clients_6g: int | None = None
    rx_bytes: int | None = None
    """Octets received from clients, a counter as read; at most MAX_COUNTER."""
    tx_bytes: int | None = None
    """Octets sent to clients, a counter as read; at most MAX_COUNTER."""
    counter_bits: int | None = None
    """Where rx_bytes and tx_bytes wrap: 32 or 64. None: the source does not say."""
    uptime_s: int | None = None
    channel_utilisation: float | None = None
    """Share of air time in use, per cent, the busiest radio."""
    interval_s: int = 300
    """The poll interval in force: a reading holds for at most HOLD of it."""
