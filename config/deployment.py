"""A deployment: the settings and the spreadsheets of a city, read and checked."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from config.settings import Port, Settings, Share

Id = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^/+#\x00-\x1f]+$")]
"""Trimmed; `/`, `+` and `#` would break MQTT topics."""

SiteKind = Literal[
    "library", "senior_centre", "sports_centre", "social_antenna", "town_hall", "epn",
    "youth_centre", "neighbourhood_house", "social_housing", "school", "museum", "park", "street",
    "other",
]  # fmt: skip
SITE_KINDS: Final = get_args(SiteKind)
Source = Literal["snmp", "mqtt", "import"]


class Row(BaseModel):
    """A row of a spreadsheet. Unknown columns are refused; an empty cell means unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(Row):
    """A public place with Wi-Fi; a row of `sites.csv`."""

    site: Id
    name_fr: str | None = None
    name_nl: str | None = None
    name_en: str | None = None
    kind: SiteKind
    commune: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    opening_hours: str | None = None
    """OpenStreetMap syntax; checked when read."""
    target_public: Share | None = None
    in_service_since: date | None = None
    """First local day in service."""
    out_of_service_since: date | None = None
    """First local day out of service."""
    capex_eur: Annotated[float, Field(ge=0)] | None = None
    opex_eur_year: Annotated[float, Field(ge=0)] | None = None
    timezone: str | None = None
    """Default: the city's."""

    def name(self, language: str) -> str:
        """The site's name in a language, else in another, else its id."""
        names = {"fr": self.name_fr, "nl": self.name_nl, "en": self.name_en}
        return names.get(language) or next(filter(None, names.values()), self.site)


class AccessPoint(Row):
    """An AP; a row of `access_points.csv`."""

    ap: Id
    site: Id
    source: Source
    host: str | None = None
    port: Port = 161
    profile: str = "auto"
    credential: str = "default"
    controller: Id | None = None
    """Seen through this controller, when it has a row in `controllers.csv`; else a mere group."""
    parent: Id | None = None
    """What it hangs on: a switch, an uplink."""
    mac: str | None = None
    """Of the AP itself, lower case with colons."""
    poll_seconds: Annotated[int, Field(ge=5, le=86400)] | None = None
    in_service_since: date | None = None
    """First local day in service, where later than its site's."""
    out_of_service_since: date | None = None


class Controller(Row):
    """A WLAN controller: one poll of it yields many APs; a row of `controllers.csv`."""

    controller: Id
    site: Id | None = None
    host: str
    port: Port = 161
    profile: str = "auto"
    credential: str = "default"
    poll_seconds: Annotated[int, Field(ge=5, le=86400)] | None = None
    parent: Id | None = None


class CandidatePlace(Row):
    """A place that a spot could move to; a row of `candidate_places.csv`."""

    place: Id
    name: str | None = None
    kind: SiteKind
    commune: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    target_public: Share | None = None
    expected_user_hours_day: Annotated[float, Field(ge=0)] | None = None
    ready: bool | None = None
    cost_eur: Annotated[float, Field(ge=0)] | None = None


class SitePeriod(Row):
    """An announced closure or maintenance of a site: a row of `closures.csv`, `maintenance.csv`.

    In the files `from` and `to` are local days, both included, or date-times; here they are
    instants, [start, end).
    """

    site: Id
    start: datetime
    end: datetime
    reason: str | None = None


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

    @property
    def state_dir(self) -> Path:
        """Where state that changes lives."""
        return self.folder / self.settings.state_dir

    @property
    def store_path(self) -> Path:
        """The embedded store's file."""
        return self.folder / self.settings.store.path

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
