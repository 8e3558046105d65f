"""From a message to a reading: topic, payload and time of arrival in, `Reading` out. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from collectors.mqtt import announcement, json_telemetry, status
from collectors.mqtt.liveness import Publisher
from collectors.mqtt.telemetry import MAX_PAYLOAD, Parser, PayloadError, Telemetry
from collectors.reading import Reading
from collectors.sink import Announcement
from config.deployment import Deployment

PAYLOAD_FORMATS: Final[Mapping[str, Parser]] = {
    "telemetry": json_telemetry.parse,
    "status": status.parse,
}
"""By the last level of the topic: `hotspots/<site>/<ap>/telemetry`. Each is subscribed to.

A new format is a module with a `parse` and a line here.
"""

_MAX_AHEAD_MS: Final = 5 * 60_000
_MAX_AGE_MS: Final = 400 * 86_400_000
_MAX_MAINTENANCE_MS: Final = 366 * 86_400_000
"""A year that is mistyped must not silence a site for ever."""


class Heard(NamedTuple):
    """What one message tells."""

    ap: str
    reading: Reading | None
    """None: the AP is alive, and says nothing more."""
    is_state: bool = False
    unknown_keys: tuple[str, ...] = ()


class Interpreter:
    """Knows which AP publishes where. Reads nothing but its arguments."""

    def __init__(self, deployment: Deployment, base_topic: str) -> None:
        self._base = base_topic
        self._sources = {ap.ap: ap.source for ap in deployment.access_points.values()}
        self.publishers: Mapping[str, Publisher] = {
            ap.ap: Publisher(ap.site, deployment.poll_seconds(ap), deployment.service_ms(ap))
            for ap in deployment.access_points.values()
            if ap.source == "mqtt"
        }
        """The APs that are heard over MQTT."""
        self._zones = {site: deployment.zone(site) for site in deployment.sites}

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        levels = [f"+/{name}" for name in PAYLOAD_FORMATS]
        return [f"{self._base}/+/{last}" for last in (*levels, announcement.NAME)]

    def announced(self, topic: str, payload: bytes, now_ms: int) -> Announcement | None:
        """Read what is announced of a site; None: the topic is an AP's. Raises PayloadError."""
        levels = topic.removeprefix(f"{self._base}/").split("/")
        if len(levels) != 2 or levels[1] != announcement.NAME:
            return None
        zone = self._zones.get(levels[0])
        if zone is None:
            raise PayloadError("unknown_site", "the site is not in sites.csv")
        if len(payload) > MAX_PAYLOAD:
            raise PayloadError("size", f"larger than {MAX_PAYLOAD} octets")
        found = announcement.parse(payload, levels[0], zone, now_ms)
        if found.end_ms < now_ms - _MAX_AGE_MS:
            raise PayloadError("time", "was over more than 400 days ago")
        if found.end_ms - found.start_ms > _MAX_MAINTENANCE_MS:
            raise PayloadError("time", "lasts longer than 366 days; is the year right?")
        return found

    def read(self, topic: str, payload: bytes, *, retained: bool, now_ms: int) -> Heard:
        """Read a message that arrives now; raise PayloadError.

        An AP that says anything answers, so a reading without `up` is up. A retained message is as
        old as nobody knows: it needs a time of its own, unless it says how things are now.
        """
        ap, parse = self._addressed(topic)
        known = self.publishers[ap]
        if len(payload) > MAX_PAYLOAD:
            raise PayloadError("size", f"larger than {MAX_PAYLOAD} octets")
        said = parse(payload)
        if said is None:
            return Heard(ap, None)
        ts_ms = self._time(said, retained=retained, now_ms=now_ms)
        reading = Reading(
            ap=ap,
            site=known.site,
            ts_ms=ts_ms,
            up=1 if said.up is None else said.up,
            clients=said.clients,
            clients_2g=said.clients_2g,
            clients_5g=said.clients_5g,
            clients_6g=said.clients_6g,
            rx_bytes=said.rx_bytes,
            tx_bytes=said.tx_bytes,
            counter_bits=said.counter_bits,
            uptime_s=said.uptime_s,
            channel_utilisation=said.channel_utilisation,
            interval_s=known.interval_s,
        )
        return Heard(ap, reading, said.is_state, said.unknown_keys)

    def publisher(self, topic: str) -> str | None:
        """The AP that publishes on a topic by itself; None: nobody that we know, or the broker for
        it, as with a last will.
        """
        try:
            ap, parse = self._addressed(topic)
        except PayloadError:
            return None
        return None if parse is status.parse else ap

    def _addressed(self, topic: str) -> tuple[str, Parser]:
        """The AP that a topic names, and how its payload is read."""
        levels = topic.removeprefix(f"{self._base}/").split("/")
        if len(levels) != 3 or not topic.startswith(f"{self._base}/"):
            raise PayloadError("topic", f"publish on {self._base}/<site>/<ap>/telemetry")
        site, ap, name = levels
        parse = PAYLOAD_FORMATS.get(name)
        if parse is None:
            allowed = ", ".join(PAYLOAD_FORMATS)
            raise PayloadError("topic", f"the last level must be one of {allowed}")
        source = self._sources.get(ap)
        if source is None:
            raise PayloadError(
                "unknown_ap", "the AP is not in access_points.csv; add it with source mqtt"
            )
        if source != "mqtt":
            raise PayloadError(
                "unknown_ap",
                f"the AP has source {source} in access_points.csv; only mqtt may publish",
            )
        expected = self.publishers[ap].site
        if site != expected:
            raise PayloadError(
                "unknown_ap",
                f"the AP belongs to site {expected} in access_points.csv; "
                f"publish on {self._base}/{expected}/{ap}/{name}",
            )
        return ap, parse

    @staticmethod
    def _time(said: Telemetry, *, retained: bool, now_ms: int) -> int:
        if said.ts_ms is None:
            if retained and not said.is_state:
                raise PayloadError(
                    "time", "retained without ts, so of unknown age: add ts, or do not retain it"
                )
            return now_ms
        if said.ts_ms > now_ms + _MAX_AHEAD_MS:
            raise PayloadError(
                "time", "ts is more than 5 minutes in the future: set the clock of the AP"
            )
        if said.ts_ms < now_ms - _MAX_AGE_MS:
            raise PayloadError("time", "ts is more than 400 days ago: set the clock of the AP")
        return said.ts_ms
