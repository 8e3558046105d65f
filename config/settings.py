"""`spotwatch.yaml`: every setting with its default, its limits and what it means."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from config.secrets import Secret

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]
Language = Literal["fr", "nl", "en"]


class Section(BaseModel):
    """A part of the settings. Unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SqliteStore(Section):
    """The embedded store: one SQLite file, nothing to install."""

    kind: Literal["sqlite"] = "sqlite"
    path: Path = Field(Path("spotwatch.db"), description="Relative to the deployment's folder.")


class CommunityCredential(Section):
    """SNMP v1 or v2c."""

    version: Literal["1", "2c"] = "2c"
    community: Secret


class UserCredential(Section):
    """SNMP v3. Without an auth_key it is noAuthNoPriv, without a priv_key authNoPriv."""

    version: Literal["3"]
    user: str = Field(min_length=1, max_length=32)
    auth_protocol: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = "sha256"
    auth_key: Secret | None = Field(None, description="A pass phrase of at least 8 characters.")
    priv_protocol: Literal["des", "aes128", "aes192", "aes256"] = "aes128"
    priv_key: Secret | None = Field(None, description="A pass phrase of at least 8 characters.")


class Snmp(Section):
    """How devices are polled."""

    poll_seconds: int = Field(300, ge=5, le=86400, description="Where a device sets none.")
    timeout_s: float = Field(2.0, gt=0, le=60, description="Wait for one answer.")
    retries: int = Field(2, ge=0, le=10, description="Asked again so often before giving up.")
    concurrency: int = Field(256, ge=1, le=4096, description="Devices polled at the same time.")
    max_repetitions: int = Field(20, ge=1, le=100, description="Rows per GETBULK.")
    credentials: dict[str, CommunityCredential | UserCredential] = Field(
        default_factory=dict, description="By the name that access_points.csv uses."
    )


class Mqtt(Section):
    """The broker that access points publish to."""

    host: str = Field(min_length=1)
    port: Port = 1883
    client_id: str = Field("spotwatch", min_length=1, description="Keeps the broker's session.")
    username: str | None = None
    password: Secret | None = None
    tls: bool = False
    ca_file: Path | None = None
    base_topic: str = Field("hotspots", pattern=r"^[^+#/]+(/[^+#/]+)*$")
    poll_seconds: int = Field(300, ge=5, le=86400, description="How often APs publish.")
    session_hours: int = Field(
        168, ge=1, le=8760, description="How long the broker keeps messages while we are away."
    )


class Usage(Section):
    """How samples become usage."""

    grace_seconds: int = Field(
        120, ge=0, le=3600, description="Wait for late samples before a window is closed."
    )
    max_counter_gap_hours: float = Field(
        24, gt=0, le=168, description="Traffic across a longer gap is unknown, not guessed."
    )


class Underuse(Section):
    """The definition of an underused spot; published with every list."""

    window_weeks: int = Field(13, ge=4, le=52)
    min_coverage: Share = Field(0.6, description="Of the open hours; below: not_assessable.")
    min_weeks: int = Field(8, ge=1, le=52, description="In service; below: not_assessable.")
    min_open_days: int = Field(8, ge=1, le=366, description="Observed; below: not_assessable.")
    min_availability: Share = Field(0.8, description="In open hours; below: repair_first.")
    ratio: Share = Field(0.5, description="Of the peers' median; below: underused or watch.")
    min_peers: int = Field(5, ge=1, le=100, description="Fewer: mixed with the whole city.")
    resamples: int = Field(2000, ge=200, le=100_000, description="Of weeks, for the interval.")


class Settings(Section):
    """The whole of `spotwatch.yaml`."""

    city: str = Field(min_length=1)
    timezone: str = Field(description="IANA name, such as Europe/Brussels.")
    country: str = Field("BE", pattern=r"^[A-Z]{2}$", description="ISO 3166 code, for holidays.")
    language: Language = "en"
    state_dir: Path = Field(Path("state"), description="Relative to the deployment's folder.")
    store: SqliteStore = SqliteStore()
    snmp: Snmp = Snmp()
    mqtt: Mqtt | None = Field(None, description="Without it nothing is listened to.")
    usage: Usage = Usage()
    underuse: Underuse = Underuse()

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)
