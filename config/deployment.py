"""A deployment: the settings and the spreadsheets of a city, read and checked."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from config import values
from config.settings import Host, Port, Settings, Share, TimeZone

Id = Annotated[str, AfterValidator(values.identifier)]
"""Trimmed; `/`, `+` and `#` would break MQTT topics."""
Number = Annotated[float, BeforeValidator(values.number)]
Positive = Annotated[Number, Field(ge=0)]
Euros = Annotated[float, BeforeValidator(values.amount), Field(ge=0)]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
"""Degrees, WGS 84."""
Longitude = Annotated[Number, Field(ge=-180, le=180)]
Weight = Annotated[Share, BeforeValidator(values.number)]
Day = Annotated[date, BeforeValidator(values.day)]
Mac = Annotated[str, BeforeValidator(values.mac)]
PollSeconds = Annotated[int, Field(ge=5, le=86400)]

SiteKind = Literal[
    "library", "senior_centre", "sports_centre", "social_antenna", "town_hall", "epn",
    "youth_centre", "neighbourhood_house", "social_housing", "school", "museum", "park", "street",
    "other",
]  # fmt: skip
SITE_KINDS: Final = get_args(SiteKind)
Source = Literal["snmp", "mqtt", "import"]
HolidayKind = Literal["public", "school"]


class Row(BaseModel):
    """A row of a spreadsheet. Unknown columns are refused; an empty cell means unknown."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True
    )


def _position_is_whole(lon: float | None, info: ValidationInfo) -> float | None:
    if "lat" in info.data and (info.data["lat"] is None) != (lon is None):
        missing, given = ("lon", "lat") if lon is None else ("lat", "lon")
        raise ValueError(f"{given} is given without {missing}; give both or neither")
    return lon


def _ends_after_it_began(out: date | None, info: ValidationInfo) -> date | None:
    since = info.data.get("in_service_since")
    if out and since and out < since:
        raise ValueError(f"{out} is before in_service_since, {since}; allowed: that day or later")
    return out


class Site(Row):
    """A public place with Wi-Fi; a row of `sites.csv`."""

    site: Id
    name_fr: str | None = None
    name_nl: str | None = None
    name_en: str | None = None
    kind: SiteKind
    commune: str | None = None
    lat: Latitude | None = None
    lon: Longitude | None = Field(None, validate_default=True)
    opening_hours: Annotated[str, AfterValidator(values.opening_hours_of)] | None = None
    """OpenStreetMap syntax."""
    target_public: Weight | None = None
    in_service_since: Day | None = None
    """First local day in service."""
    out_of_service_since: Day | None = None
    """First local day out of service."""
    capex_eur: Euros | None = None
    opex_eur_year: Euros | None = None
    timezone: TimeZone | None = None
    """Default: the city's."""

    _position = field_validator("lon")(_position_is_whole)
    _service = field_validator("out_of_service_since")(_ends_after_it_began)

    def name(self, language: str) -> str:
        """The site's name in a language, else in another, else its id."""
        names = {"fr": self.name_fr, "nl": self.name_nl, "en": self.name_en}
        return names.get(language) or next(filter(None, names.values()), self.site)


class AccessPoint(Row):
    """An AP; a row of `access_points.csv`."""

    ap: Id
    site: Id
    source: Source
    host: Host | None = None
    port: Port = 161
    profile: str = "auto"
    credential: str = "default"
    controller: Id | None = None
    """Seen through this controller, when it has a row in `controllers.csv`; else a mere group."""
    parent: Id | None = None
    """What it hangs on: a switch, an uplink."""
    mac: Mac | None = None
    """Of the AP itself, lower case with colons."""
    poll_seconds: PollSeconds | None = None
    in_service_since: Day | None = None
    """First local day in service, where later than its site's."""
    out_of_service_since: Day | None = None
    """First local day out of service, where earlier than its site's."""

    _service = field_validator("out_of_service_since")(_ends_after_it_began)


class Controller(Row):
    """A WLAN controller: one poll of it yields many APs; a row of `controllers.csv`."""

    controller: Id
    site: Id | None = None
    host: Host
    port: Port = 161
    profile: str = "auto"
    credential: str = "default"
    poll_seconds: PollSeconds | None = None
    parent: Id | None = None


class CandidatePlace(Row):
    """A place that a spot could move to; a row of `candidate_places.csv`."""

    place: Id
    name: str | None = None
    kind: SiteKind | None = None
    commune: str | None = None
    lat: Latitude | None = None
    lon: Longitude | None = Field(None, validate_default=True)
    target_public: Weight | None = None
    expected_user_hours_day: Positive | None = None
    ready: Annotated[bool, BeforeValidator(values.boolean)] | None = None
    cost_eur: Euros | None = None

    _position = field_validator("lon")(_position_is_whole)


class SitePeriod(Row):
    """An announced closure or maintenance of a site: a row of `closures.csv`, `maintenance.csv`.

    In the files `from` and `to` are local days, both included, or date-times; here they are
    instants, [start, end), in UTC.
    """

    site: Id
    start: datetime
    end: datetime
    reason: str | None = None


class Holiday(Row):
    """Days that are holidays beside the country's: a row of `holidays.csv`.

    A public holiday is `PH` in the opening hours of the commune's sites, a school holiday `SH`.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    commune: str | None = None
    """None: the whole city."""
    start: Day = Field(alias="from")
    """First local day."""
    end: Day = Field(alias="to")
    """Last local day, included."""
    kind: HolidayKind
    name: str | None = None


class Deployment(BaseModel):
    """Everything that a deployment's folder says."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    folder: Path
    settings: Settings
    sites: Mapping[str, Site]
    access_points: Mapping[str, AccessPoint]
    controllers: Mapping[str, Controller] = {}
    candidate_places: Mapping[str, CandidatePlace] = {}
    closures: tuple[SitePeriod, ...] = ()
    maintenance: tuple[SitePeriod, ...] = ()
    holidays: tuple[Holiday, ...] = ()

    @property
    def state_dir(self) -> Path:
        """Where state that changes lives."""
        return self.folder / self.settings.state_dir

    @property
    def state_path(self) -> Path:
        """The file that this state is kept in."""
        return self.state_dir / "state.db"

    @property
    def spool_path(self) -> Path:
        """The file that samples wait in on their way to InfluxDB."""
        return self.state_dir / "spool.db"

    @property
    def sessions_path(self) -> Path:
        """The file of session records, with either store."""
        return self.state_dir / "sessions.db"

    @property
    def day_keys_path(self) -> Path:
        """The file of the keys that client addresses are hashed under."""
        return self.state_dir / "day_keys.json"

    @property
    def alerts_path(self) -> Path:
        """The file of what was told of outages, and of what is still to be told."""
        return self.state_dir / "alerts.db"

    def with_maintenance(self, announced: Iterable[SitePeriod]) -> "Deployment":
        """The same, with maintenance that was announced beside the files."""
        return self.model_copy(update={"maintenance": (*self.maintenance, *announced)})

    @property
    def profiles_dir(self) -> Path:
        """Vendor profiles of one's own; the folder may be missing."""
        return self.folder / "profiles"

    def zone(self, site: str) -> ZoneInfo:
        """The time zone of a site; of a site that left the files, the city's."""
        known = self.sites.get(site)
        return ZoneInfo((known.timezone if known else None) or self.settings.timezone)

    def poll_seconds(self, ap: AccessPoint) -> int:
        """How often an AP is heard: its own setting, its controller's, else the default."""
        if ap.poll_seconds:
            return ap.poll_seconds
        controller = self.controllers.get(ap.controller) if ap.controller else None
        if controller and controller.poll_seconds:
            return controller.poll_seconds
        mqtt = self.settings.mqtt
        if ap.source == "mqtt" and mqtt:
            return mqtt.poll_seconds
        return self.settings.snmp.poll_seconds

    def service_ms(self, ap: AccessPoint) -> tuple[int | None, int | None]:
        """When an AP is in service, [since, until) in UTC ms: its site's dates cut by its own.

        None: no date given. Since None counts from the site's first sample.
        """
        site = self.sites[ap.site]
        zone = self.zone(ap.site)
        since = [d for d in (site.in_service_since, ap.in_service_since) if d]
        until = [d for d in (site.out_of_service_since, ap.out_of_service_since) if d]
        return (
            local_day_ms(max(since), zone) if since else None,
            local_day_ms(min(until), zone) if until else None,
        )


def local_day_ms(day: date, zone: ZoneInfo) -> int:
    """Start of a local day in UTC milliseconds."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
