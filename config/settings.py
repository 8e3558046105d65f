"""`spotwatch.yaml`: every setting with its default, its limits and what it means."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)

from config import values
from config.secrets import PassPhrase, Secret, Secrets

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]
Host = Annotated[str, AfterValidator(values.host)]
TimeZone = Annotated[str, AfterValidator(values.time_zone)]
Country = Annotated[
    str, AfterValidator(values.country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})
]
Topic = Annotated[
    str,
    AfterValidator(values.topic),
    Field(json_schema_extra={"pattern": "^[^+#/]+(/[^+#/]+)*$"}),
]
Url = Annotated[
    str,
    AfterValidator(values.url),
    Field(json_schema_extra={"pattern": "^https?://[^@?#]+$"}),
]
BucketName = Annotated[
    str,
    AfterValidator(values.bucket),
    Field(json_schema_extra={"pattern": values.BUCKET.pattern}),
]
Language = Literal["fr", "nl", "en"]
NotifierName = Annotated[
    str,
    AfterValidator(values.notifier_name),
    Field(json_schema_extra={"pattern": values.NOTIFIER_NAME.pattern}),
]
NotifierNames = Annotated[
    tuple[NotifierName, ...],
    AfterValidator(values.at_least_one),
    Field(json_schema_extra={"minItems": 1}),
]
AlertHours = Annotated[str, AfterValidator(values.alert_hours)]
Severity = Literal["critical", "warning", "info"]
"""- critical: people at a site, or at several, have no Wi-Fi, or nobody watches;
- warning: an access point is out, others of its site serve;
- info: everything answers, and yet something seems wrong.
"""
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""The worst first."""


class Section(BaseModel):
    """A part of the settings. Unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
        # An error that gets out of the loader must not quote what stands beside a secret.
        hide_input_in_errors=True,
    )


class SqliteStore(Section):
    """The embedded store: one SQLite file, nothing to install."""

    kind: Literal["sqlite"] = Field("sqlite", description="SQLite, in one file.")
    path: Path = Field(Path("spotwatch.db"), description="Relative to the deployment's folder.")


class InfluxdbStore(Section):
    """InfluxDB: what a deployment with Grafana runs on. `spotwatch db setup` prepares it."""

    kind: Literal["influxdb"] = Field(description="InfluxDB 2.x; 1.8 and 3.x as far as they go.")
    url: Url = Field(description="Such as http://127.0.0.1:8086.")
    org: str = Field(min_length=1, description="The organisation; of no meaning to 1.8 and 3.x.")
    token: Secret = Field(description="May read and write both buckets; on 1.8 user:password.")
    bucket: BucketName = Field(
        "spotwatch", description="Samples are kept in BUCKET_raw, usage in BUCKET_usage."
    )
    raw_days: int = Field(
        400, ge=8, le=36525, description="Samples older than this expire; usage stays."
    )
    usage_days: int = Field(3653, ge=366, le=36525, description="Usage expires; ten years.")
    timeout_s: float = Field(
        30.0, gt=0, le=600, description="Wait for the server's next words, in seconds."
    )
    spool_max_mb: int = Field(
        2048, ge=16, le=1_048_576, description="Most that may wait on this machine's disk."
    )

    @property
    def raw_bucket(self) -> str:
        """Of samples."""
        return f"{self.bucket}_raw"

    @property
    def usage_bucket(self) -> str:
        """Of usage."""
        return f"{self.bucket}_usage"


def _store_kind(store: Any) -> str | None:
    if isinstance(store, Mapping):
        kinds = {"sqlite": "SqliteStore", "influxdb": "InfluxdbStore"}
        return kinds.get(str(store.get("kind", "sqlite")))
    is_model = isinstance(store, SqliteStore | InfluxdbStore)
    return type(store).__name__ if is_model else "SqliteStore"


Store = Annotated[
    Annotated[SqliteStore, Tag("SqliteStore")] | Annotated[InfluxdbStore, Tag("InfluxdbStore")],
    Discriminator(
        _store_kind, custom_error_type="store_kind", custom_error_message="a kind of store"
    ),
]
"""Told apart by `kind`."""


class CommunityCredential(Section):
    """SNMP v1 or v2c."""

    version: Literal["1", "2c"] = Field("2c", description="v1 has no bulk reads; 2c is faster.")
    community: Secret = Field(description="The read community of the devices.")


class UserCredential(Section):
    """SNMP v3. Without an auth_key it is noAuthNoPriv, without a priv_key authNoPriv."""

    version: Literal["3"] = Field(description="With a user, and better with keys.")
    user: str = Field(min_length=1, max_length=32, description="The user name on the devices.")
    auth_protocol: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = Field(
        "sha256", description="As the devices are set."
    )
    auth_key: PassPhrase | None = Field(None, description="A pass phrase, at least 8 characters.")
    priv_protocol: Literal["des", "aes128", "aes192", "aes256"] = Field(
        "aes128", description="As the devices are set."
    )
    priv_key: PassPhrase | None = Field(None, description="A pass phrase, at least 8 characters.")

    @field_validator("priv_key")
    @classmethod
    def _privacy_needs_authentication(cls, key: Any, info: ValidationInfo) -> Any:
        if key is not None and "auth_key" in info.data and info.data["auth_key"] is None:
            raise ValueError("needs an auth_key beside it; SNMP v3 has no privacy without one")
        return key


def _credential_kind(credential: Any) -> str | None:
    if isinstance(credential, Mapping):
        version = str(credential.get("version", "2c"))
        kinds = {"1": "CommunityCredential", "2c": "CommunityCredential", "3": "UserCredential"}
        return kinds.get(version)
    is_model = isinstance(credential, CommunityCredential | UserCredential)
    return type(credential).__name__ if is_model else "CommunityCredential"


Credential = Annotated[
    Annotated[CommunityCredential, Tag("CommunityCredential")]
    | Annotated[UserCredential, Tag("UserCredential")],
    Discriminator(
        _credential_kind,
        custom_error_type="credential_version",
        custom_error_message="a version of SNMP",
    ),
]
"""Told apart by `version`, so that a mistake is told for the version that was meant."""


class Snmp(Section):
    """How devices are polled."""

    poll_seconds: int = Field(
        300, ge=5, le=86400, description="How often, where a device sets none."
    )
    timeout_s: float = Field(2.0, gt=0, le=60, description="Wait for one answer, in seconds.")
    retries: int = Field(2, ge=0, le=10, description="Asked again so often before giving up.")
    concurrency: int = Field(256, ge=1, le=4096, description="Devices polled at the same time.")
    max_repetitions: int = Field(20, ge=1, le=100, description="Rows per GETBULK.")
    client_tables: Annotated[bool, BeforeValidator(values.boolean)] = Field(
        True,
        description="Count sessions and devices from the tables of clients, hashed at once; costs "
        "100 to 150 requests more per 1,000 clients and poll.",
    )
    credentials: dict[str, Credential] = Field(
        default_factory=dict, description="By the name that access_points.csv uses."
    )


class Mqtt(Section):
    """The broker that access points publish to."""

    host: Host = Field(min_length=1, description="Name or address of the broker.")
    port: Port = Field(1883, description="Usually 1883, with TLS 8883.")
    client_id: str = Field("spotwatch", min_length=1, description="Keeps the broker's session.")
    username: str | None = Field(None, description="Where the broker asks for one.")
    password: Secret | None = Field(None, description="Where the broker asks for one.")
    tls: Annotated[bool, BeforeValidator(values.boolean)] = Field(
        False, description="Encrypt, and check the broker's certificate."
    )
    ca_file: Path | None = Field(
        None,
        description="Certificates to trust instead of the system's; relative to the "
        "deployment's folder.",
    )
    base_topic: Topic = Field(
        "hotspots", description="Messages arrive on BASE/site/ap/telemetry and .../status."
    )
    poll_seconds: int = Field(300, ge=5, le=86400, description="How often APs publish.")
    session_hours: int = Field(
        168, ge=1, le=8760, description="How long the broker keeps messages while we are away."
    )

    @field_validator("ca_file")
    @classmethod
    def _certificates_need_tls(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None and info.data.get("tls") is False:
            raise ValueError("is of no use without tls; add tls: true or take it out")
        return path


class Usage(Section):
    """How samples become usage."""

    grace_seconds: int = Field(
        120, ge=0, le=3600, description="Wait for late samples before a window is closed."
    )
    max_counter_gap_hours: float = Field(
        24, gt=0, le=168, description="Traffic across a longer gap is unknown, not guessed."
    )
    session_gap_minutes: int = Field(
        15, ge=1, le=240, description="A device away from its site for less continues its session."
    )
    passer_by_seconds: int = Field(
        60, ge=0, le=3600, description="Shorter sessions are counted apart, where known so well."
    )
    sessions_days: int = Field(
        400, ge=8, le=36525, description="Session records older than this are deleted."
    )


class Underuse(Section):
    """The definition of an underused spot; published with every list."""

    window_weeks: int = Field(13, ge=4, le=52, description="How far back a site is judged.")
    min_coverage: Share = Field(0.6, description="Of the open hours; below: not_assessable.")
    min_weeks: int = Field(8, ge=1, le=52, description="In service; below: not_assessable.")
    min_open_days: int = Field(8, ge=1, le=366, description="Observed; below: not_assessable.")
    min_availability: Share = Field(0.8, description="In open hours; below: repair_first.")
    ratio: Share = Field(0.5, description="Of the peers' median; below: underused or watch.")
    min_peers: int = Field(5, ge=1, le=100, description="Fewer: mixed with the whole city.")
    resamples: int = Field(2000, ge=200, le=100_000, description="Of weeks, for the interval.")
    surplus_ratio: Share = Field(
        0.2, description="Of its site's other access points; below: an access point is surplus."
    )


class Relocation(Section):
    """Where an idle spot would serve people better; published with every proposal."""

    min_distance_m: float = Field(
        100, ge=0, le=100_000, description="Of a new spot to every other one, in metres."
    )
    promote_from: Share = Field(
        0.7, description="A spot of this target_public or more is promoted, never moved."
    )
    unknown_target_public: Share = Field(
        0.5, description="Stands in where a site or a place gives no target_public."
    )
    stated_weight: float = Field(
        2, ge=0, le=100, description="The city's own expectation counts as so many peers."
    )
    min_gain_user_hours_day: float = Field(
        1, ge=0, description="Expected and weighted by target public; below: not proposed."
    )
    max_loss_chance: Share = Field(
        0.2, description="The chance that a move loses weighted user-hours; above: not proposed."
    )
    horizon_years: float = Field(
        5, gt=0, le=50, description="A move's cost is set against the gain of so many years."
    )
    min_gain_per_1000_eur: float = Field(
        200, ge=0, description="Weighted user-hours that 1,000 EUR must gain over the horizon."
    )


class Outages(Section):
    """When something counts as down, and what it is explained by."""

    misses: int = Field(
        3,
        ge=2,
        le=20,
        description="Polls that fail in a row, quick ones among them, before an access point "
        "counts as down.",
    )
    span_intervals: float = Field(
        1.25, ge=1, le=10, description="Poll intervals that they span at least."
    )
    repoll_seconds: int = Field(
        30, ge=5, le=3600, description="What failed is polled again after so long."
    )
    relapse_minutes: int = Field(
        30, ge=0, le=1440, description="Down again within so long: the same incident goes on."
    )
    flapping_relapses: int = Field(
        3, ge=1, le=100, description="Relapses from which on it is called flapping."
    )
    off_when_closed: tuple[str, ...] = Field(
        (), description="Sites, by id or kind, that may be switched off while they are closed."
    )
    idle_chance: float = Field(
        1e-6,
        gt=0,
        le=0.01,
        description="A site with nobody for so long that chance would do it this rarely is told "
        "as up, but of no use.",
    )


class AppriseNotifier(Section):
    """Somebody told through apprise: by mail, Teams, Slack, ntfy, SMS, MQTT and 100 more."""

    kind: Literal["apprise"] = Field("apprise", description="See appriseit.com for the URLs.")
    url: Secrets = Field(description="An apprise URL, or a list of them; all are told.")
    short: Annotated[bool, BeforeValidator(values.boolean)] = Field(
        False, description="One line, as for SMS."
    )


class AlertmanagerNotifier(Section):
    """An Alertmanager, which groups, silences and tells by rules of its own."""

    kind: Literal["alertmanager"] = Field(description="Its API v2 is spoken, as Prometheus does.")
    url: Url = Field(description="Such as http://127.0.0.1:9093.")
    token: Secret | None = Field(None, description="A bearer token, where a proxy asks for one.")


def _notifier_kind(notifier: Any) -> str | None:
    if isinstance(notifier, Mapping):
        kinds = {"apprise": "AppriseNotifier", "alertmanager": "AlertmanagerNotifier"}
        return kinds.get(str(notifier.get("kind", "apprise")))
    is_model = isinstance(notifier, AppriseNotifier | AlertmanagerNotifier)
    return type(notifier).__name__ if is_model else "AppriseNotifier"


Notifier = Annotated[
    Annotated[AppriseNotifier, Tag("AppriseNotifier")]
    | Annotated[AlertmanagerNotifier, Tag("AlertmanagerNotifier")],
    Discriminator(
        _notifier_kind,
        custom_error_type="notifier_kind",
        custom_error_message="a kind of notifier",
    ),
]
"""Told apart by `kind`."""


def _url_alone(notifier: Any) -> Any:
    return {"url": notifier} if isinstance(notifier, str | list) else notifier


class Escalation(Section):
    """Who else is told of what nobody acknowledged."""

    after_minutes: int = Field(ge=1, le=10_080, description="After it was first told.")
    to: NotifierNames = Field(description="Names of notifiers.")


class Route(Section):
    """Which outages are told to whom. What is left empty takes all."""

    to: NotifierNames = Field(description="Names of notifiers.")
    sites: tuple[str, ...] = Field((), description="As in sites.csv.")
    kinds: tuple[str, ...] = Field((), description="Kinds of sites, such as library.")
    communes: tuple[str, ...] = Field((), description="As in sites.csv.")
    scopes: tuple[Literal["ap", "site", "controller", "uplink", "poller"], ...] = Field(
        (), description="What is down."
    )
    severities: tuple[Severity, ...] = Field(
        (), description="critical: no Wi-Fi at a site; warning: one access point of several."
    )
    when: AlertHours = Field(
        "always",
        description="open_hours or closed_hours of what is down, or hours of the city's time as "
        "OpenStreetMap writes them; what is still down when they begin is told then.",
    )
    language: Language | None = Field(None, description="Default: that of alerts.")
    remind_hours: float | None = Field(
        None, ge=0, le=8760, description="Default: that of alerts; 0: never."
    )
    escalate: tuple[Escalation, ...] | None = Field(None, description="Default: that of alerts.")


class Alerts(Section):
    """Who is told of outages, and how."""

    notifiers: dict[
        NotifierName,
        Annotated[Notifier, BeforeValidator(_url_alone, json_schema_input_type=Secrets | Notifier)],
    ] = Field(default_factory=dict, description="By name; an apprise URL alone will do.")
    routes: tuple[Route, ...] = Field(
        (),
        description="Tried in order: a notifier is told of an outage by the first that fits. "
        "Without any, everybody is told of everything.",
    )
    language: Language | None = Field(None, description="Default: that of the city.")
    group_seconds: int = Field(
        30, ge=0, le=3600, description="What comes together within so long is one message."
    )
    resolve_minutes: float = Field(
        5, ge=0, le=1440, description="Back for so long, before it is told to be back."
    )
    remind_hours: float = Field(24, ge=0, le=8760, description="Told again; 0: never.")
    escalate: tuple[Escalation, ...] = Field(
        (), description="Who else is told of what nobody acknowledged."
    )
    give_up_hours: float = Field(
        24, gt=0, le=720, description="A message that cannot be delivered is given up after."
    )
    keep_days: int = Field(400, ge=1, le=36525, description="What was told is remembered.")


class Settings(Section):
    """The whole of `spotwatch.yaml`."""

    city: str = Field(min_length=1, description="The city's name, as reports show it.")
    timezone: TimeZone = Field(description="IANA name, such as Europe/Brussels.")
    country: Country = Field(
        "BE", description="ISO 3166 code, for the public holidays all of it has."
    )
    language: Language = Field("en", description="Of reports and names: fr, nl or en.")
    state_dir: Path = Field(Path("state"), description="Relative to the deployment's folder.")
    store: Store = Field(SqliteStore(), description="Where samples and usage are kept.")
    snmp: Snmp = Field(Snmp(), description="How devices are polled.")
    mqtt: Mqtt | None = Field(None, description="Without it nothing is listened to.")
    usage: Usage = Field(Usage(), description="How samples become usage.")
    underuse: Underuse = Field(Underuse(), description="What counts as an underused spot.")
    relocation: Relocation = Field(Relocation(), description="Where such a spot may move to.")
    outages: Outages = Field(Outages(), description="What counts as an outage.")
    alerts: Alerts = Field(Alerts(), description="Who is told of outages.")

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)
