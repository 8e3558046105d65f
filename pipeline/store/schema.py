"""The stored columns: names, types and units, in one place for every store and reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.reading import Reading

SAMPLE_COLUMNS: Final = Reading._fields

USAGE_COLUMNS: Final = {
    "site": "str",
    "start_ms": "int64",  # UTC milliseconds
    "end_ms": "int64",
    "aps": "int64",  # APs in service in the period
    "expected_ms": "int64",  # AP-milliseconds in service
    "covered_ms": "int64",  # AP-milliseconds observed: up, down or in maintenance
    "up_ms": "int64",  # AP-milliseconds up, maintenance taken out
    "down_ms": "int64",  # AP-milliseconds down, maintenance taken out
    "maintenance_ms": "int64",  # observed AP-milliseconds inside announced maintenance
    "clients_ms": "int64",  # AP-milliseconds with the client count known (down counts: nobody)
    "user_ms": "int64",  # clients integrated over clients_ms; 3.6 million are a user-hour
    "peak_clients": "Int64",  # most clients at one instant over the site; NA under 80 % observed
    "rx_bytes": "Int64",  # octets from clients; NA where no two counters could be compared
    "tx_bytes": "Int64",  # octets to clients
    "watched_ms": "int64",  # AP-milliseconds with a source that tells sessions
    "sessions": "Int64",  # sessions that began, passers-by apart; NA where nothing watched
    "passers_by": "Int64",  # sessions too short for a stay; NA where the source tells no durations
    "device_days": "Int64",  # devices first seen in their local day at the site
    "randomised_device_days": "Int64",  # of them, with an address that their owner makes up
}
"""Additive where it can be, in whole milliseconds, so that the sum over any grouping is exact and
recomputing gives the same bits. Rates (mean clients, availability, coverage) are derived when read.
"""
AP_USAGE_COLUMNS: Final = {
    "site": "str",
    "ap": "str",
    **{name: kind for name, kind in USAGE_COLUMNS.items() if name not in ("site", "aps")},
}
"""Of one access point at one site. What says AP-milliseconds above is then of that one."""

# How InfluxDB holds the same columns. Every other column of a row is a field.
SAMPLE_MEASUREMENT: Final = "sample"
SAMPLE_TAGS: Final = ("site", "ap")
SAMPLE_FIELDS: Final = {
    "up": "integer",  # not a boolean: InfluxQL cannot take the mean of booleans
    "clients": "integer",
    "clients_2g": "integer",
    "clients_5g": "integer",
    "clients_6g": "integer",
    "rx_bytes": "integer",
    "tx_bytes": "integer",
    "counter_bits": "integer",
    "uptime_s": "integer",
    "channel_utilisation": "float",
    "interval_s": "integer",  # in every point: what counts points counts this
}
USAGE_MEASUREMENTS: Final = {"15min": "usage_15min", "hour": "usage_hour", "day": "usage_day"}
USAGE_TAGS: Final = ("site", "kind", "commune")
USAGE_FIELDS: Final = tuple(c for c in USAGE_COLUMNS if c not in ("site", "start_ms"))
"""All integers. The time of a point is `start_ms`."""
AP_USAGE_MEASUREMENTS: Final = {"hour": "usage_ap_hour", "day": "usage_ap_day"}
AP_USAGE_TAGS: Final = ("site", "ap", "kind", "commune")
AP_USAGE_FIELDS: Final = tuple(c for c in AP_USAGE_COLUMNS if c not in ("site", "ap", "start_ms"))


@dataclass(frozen=True, slots=True)
class UsageSchema:
    """The schema of a table of usage, for whoever stores it."""

    columns: Mapping[str, str]
    """pandas' name of each column's type, in order."""
    subject: tuple[str, ...]
    """The columns that say whose usage a row is; with `start_ms` they are its key."""
    measurements: Mapping[str, str]
    """By level."""
    tags: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def key(self) -> list[str]:
        """The columns that no two rows share."""
        return [*self.subject, "start_ms"]

    @property
    def nullable(self) -> tuple[str, ...]:
        """The columns that may be unknown."""
        return tuple(name for name, kind in self.columns.items() if kind == "Int64")


SITE_USAGE: Final = UsageSchema(
    USAGE_COLUMNS, ("site",), USAGE_MEASUREMENTS, USAGE_TAGS, USAGE_FIELDS
)
AP_USAGE: Final = UsageSchema(
    AP_USAGE_COLUMNS, ("site", "ap"), AP_USAGE_MEASUREMENTS, AP_USAGE_TAGS, AP_USAGE_FIELDS
)


def series_count(aps: int, sites: int) -> int:
    """How many series a deployment makes in InfluxDB: bounded by its files, not by its visitors.

    An AP or a site whose place, kind or commune changes adds one series a change and measurement.
    """
    return aps * (1 + len(AP_USAGE_MEASUREMENTS)) + sites * len(USAGE_MEASUREMENTS)
