"""A vendor profile: what to read from a vendor's devices, as data.

Tables have a role, which says what a row of them is, and columns by the field that they fill. The
wire type never matters: the `kind` of a column decides how its values are read.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from collectors.snmp.oids import IndexKind, Oid

Kind = Literal[
    "gauge", "counter32", "counter64", "text", "mac", "enum", "ticks", "seconds", "percent",
    "channel", "mhz", "any",
]  # fmt: skip
"""How a value is read:

- gauge: a whole number of 0 or more, also as text, also where the wire says Counter32;
- counter32, counter64: wraps at 2^32, 2^64;
- text; mac: six octets, or text in any spelling; enum: through `map`;
- ticks: hundredths of a second; seconds;
- percent: 0 to 100, also as text ("3.7");
- channel: an 802.11 channel, as a number (low 8 bits) or text ("44E"); mhz: a frequency;
- any: whatever it is, the row exists.
"""

Role = Literal["nodes", "aps", "radios", "ssids", "vaps", "ports", "interfaces", "stations"]
"""What a row is: a member of a controller cluster, an AP, a radio, a network name, a network name
on a radio, a wired port of an AP, an interface of the device polled, a client device (what becomes
of it: `collectors.snmp.client_table`).
"""

NAME_KEY: Final = "(name of the file)"

_NUMBER: Final = frozenset({"gauge"})
_COUNTER: Final = frozenset({"counter32", "counter64"})
_BAND: Final = frozenset({"enum", "channel", "mhz"})
_PERCENT: Final = frozenset({"percent"})
_TEXT: Final = frozenset({"text"})
_MAC: Final = frozenset({"mac"})
_TIME: Final = frozenset({"ticks", "seconds"})
_ENUM: Final = frozenset({"enum"})
_ANY: Final = frozenset({"any"})
_CLIENTS: Final = dict.fromkeys(("clients", "clients_2g", "clients_5g", "clients_6g"), _NUMBER)
_TRAFFIC: Final = dict.fromkeys(("rx_bytes", "tx_bytes"), _COUNTER)

SCALARS: Final[Mapping[str, frozenset[str]]] = {
    "name": _TEXT,
    "mac": _MAC,
    "uptime_s": _TIME,
    "clients_total": _NUMBER,
    "ap_count": _NUMBER,
    "channel_utilisation": _PERCENT,
}
"""What a device says of itself, and the kinds that each may have."""

COLUMNS: Final[Mapping[Role, Mapping[str, frozenset[str]]]] = {
    "nodes": {"ap_count": _NUMBER},
    "aps": {
        "name": _TEXT,
        "mac": _MAC,
        "up": _ENUM,
        "uptime_s": _TIME,
        "channel_utilisation": _PERCENT,
        **_CLIENTS,
        **_TRAFFIC,
    },
    "radios": {
        "ap_name": _TEXT,
        "mac": _MAC,
        "name": _TEXT,
        "band": _BAND,
        "clients": _NUMBER,
        "channel_utilisation": _PERCENT,
        **_TRAFFIC,
    },
    "ssids": {"ssid": _TEXT, **_CLIENTS},
    "vaps": {
        "ssid": _TEXT,
        "bssid": _MAC | _ANY,
        "band": _BAND,
        "clients": _NUMBER,
        **_TRAFFIC,
    },
    "ports": _TRAFFIC,
    "interfaces": {"name": _TEXT, "type": _TEXT, **_TRAFFIC},
    "stations": {
        "mac": _MAC,
        "ap_mac": _MAC,
        "ap_name": _TEXT,
        "ssid": _TEXT,
        "band": _BAND,
        "status": _TEXT,
        "station": _ANY,
    },
}
"""The fields of each role, and the kinds that each may have.

`rx_bytes` is what the AP received from its clients, `tx_bytes` what it sent to them: on a wireless
interface these are in and out, on an uplink they are out and in.

Of a client device, `mac` is its address: a column, or a part of the index. The AP that it is at is
the part `ap` of the index, or `ap_mac` (the AP's address, its radio's or the `bssid` of one of its
virtual APs), or `ap_name` (its name, or what the index of the APs calls it). `ssid`, `band` and
`status` are there to be filtered by, and are not walked where nothing is.
"""

ADDRESS: Final = "mac"
"""The column or index part of the stations' table that holds the address of a client."""

ENUM_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "up": frozenset({"up", "down", "unknown"}),
    "band": frozenset({"2g", "5g", "6g", "unknown"}),
}
"""What the map of an enum may yield, by field."""


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


Regex = Annotated[str, AfterValidator(_regex)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Part):
    """When a profile fits; every key given must hold. The most specific match of all wins."""

    sys_object_id: Oid = Field(description="The device's sysObjectID is this or lies below it.")
    sys_descr: Regex | None = Field(None, description="Found in sysDescr, upper or lower case.")
    has: Oid | None = Field(
        None, description="The device has this OID, or one below; for a shared identity."
    )


class Cell(_Part):
    """Where a value stands and how to read it."""

    oid: Oid
    kind: Kind
    map: dict[str, str] = Field(
        default_factory=dict, description="Of an enum: its numbers or texts by meaning."
    )
    other: str | None = Field(None, description="Of an enum: what every other value means.")
    scale: float = Field(1, gt=0, description="Multiplies; 0.1 where a device says tenths.")
    max: float | None = Field(None, description="A larger value is wrong and dropped.")
    prefix: str | None = Field(
        None, description="Only rows whose last index part starts so; it is cut off."
    )

    @model_validator(mode="after")
    def _map_belongs_to_enum(self) -> Self:
        if (self.kind == "enum") != bool(self.map):
            raise ValueError("an enum needs a map, and nothing else has one")
        return self


Alternatives = Annotated[tuple[Cell, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""In order of preference: the first that the device has."""


class Table(_Part):
    """A table of the device. Its columns share an index."""

    index: dict[str, IndexKind] = Field(
        min_length=1, description="Name and kind of each part. `ap` links a row to its AP."
    )
    columns: dict[str, Alternatives] = Field(min_length=1)
    only: dict[str, Regex] = Field(
        default_factory=dict, description="Rows where each of these fields or index parts fits."
    )
    leave_out: dict[str, Regex] = Field(
        default_factory=dict, description="Not the rows where one of these fits."
    )

    @model_validator(mode="after")
    def _filters_name_what_is_there(self) -> Self:
        known = {*self.columns, *self.index}
        for field in (*self.only, *self.leave_out):
            if field not in known:
                raise ValueError(f"{field!r} is no column and no index part; {_allowed(known)}")
        return self


class Profile(_Part):
    """What to read from one family of devices."""

    title: str = Field(min_length=1, description="Vendor and product family.")
    device: Literal["ap", "controller"] = Field(
        description="ap: is itself the access point; controller: speaks for many."
    )
    match: tuple[Match, ...] = ()
    verified_by: tuple[str, ...] = Field((), description="Recordings that prove it.")
    scalars: dict[str, Alternatives] = Field(default_factory=dict)
    tables: dict[Role, Table] = Field(default_factory=dict)
    name: str = Field(alias=NAME_KEY)
    """The file's; not a key that a file may have."""

    @model_validator(mode="after")
    def _fields_are_known(self) -> Self:
        _check_fields("scalars", self.scalars, SCALARS)
        for role, table in self.tables.items():
            _check_fields(f"tables.{role}.columns", table.columns, COLUMNS[role])
            kind = table.index.get(ADDRESS)
            if role == "stations" and kind not in {None, "mac", "counted_mac"}:
                raise ValueError(
                    f"tables.stations.index.{ADDRESS}: kind {kind!r} does not fit; "
                    f"{_allowed({'mac', 'counted_mac'})}"
                )
        return self


def _check_fields(
    where: str,
    fields: Mapping[str, tuple[Cell, ...]],
    allowed: Mapping[str, frozenset[str]],
) -> None:
    for field, cells in fields.items():
        if field not in allowed:
            raise ValueError(f"{where}.{field}: unknown; {_allowed(allowed)}")
        for cell in cells:
            if cell.kind not in allowed[field]:
                raise ValueError(
                    f"{where}.{field}: kind {cell.kind!r} does not fit; {_allowed(allowed[field])}"
                )
            meanings = {*cell.map.values(), *([cell.other] if cell.other else [])}
            wrong = meanings - ENUM_VALUES.get(field, frozenset())
            if wrong:
                raise ValueError(
                    f"{where}.{field}.map: {', '.join(sorted(wrong))}: unknown; "
                    f"{_allowed(ENUM_VALUES[field])}"
                )
    if len(fields.get("rx_bytes", ())) != len(fields.get("tx_bytes", ())):
        raise ValueError(f"{where}: rx_bytes and tx_bytes need the same number of alternatives")


def _allowed(names: Mapping[str, object] | set[str] | frozenset[str]) -> str:
    return f"allowed: {', '.join(sorted(names))}"
