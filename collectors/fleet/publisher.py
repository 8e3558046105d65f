"""Simulated access points that publish over MQTT, each with its own connection and last will.

They speak MQTT 3.1.1, as small APs do.
"""

import socket
from datetime import UTC, datetime
from typing import Final

import orjson
from paho.mqtt.client import Client, ConnectFlags, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collectors.fleet.city import ApNow
from config.deployment import AccessPoint

COUNTER_BITS: Final = 32
KEEP_ALIVE_S: Final = 30


class Publisher:
    """One AP: `say` publishes its telemetry, or lets the broker tell that it is gone."""

    def __init__(self, ap: AccessPoint, base_topic: str, host: str, port: int) -> None:
        self._name = ap.ap
        self._topic = f"{base_topic}/{ap.site}/{ap.ap}"
        self._address = (host, port)
        self._client: Client | None = None

    def connect(self) -> None:
        """Connect; raises OSError where there is no broker. Reconnects by itself afterwards."""
        self._client = self._open()

    def say(self, now: ApNow, ts_ms: int) -> None:
        """Publish what the AP says now; an AP that is down vanishes from the network instead."""
        if not now.up:
            self._vanish()
            return
        if self._client is None:
            self._client = self._open()
        self._client.publish(f"{self._topic}/telemetry", telemetry(now, ts_ms), qos=1)

    def close(self) -> None:
        """Say goodbye: the broker keeps the will to itself."""
        client, self._client = self._client, None
        if client:
            client.disconnect()
            client.loop_stop()

    def _open(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"ap-{self._name}", protocol=MQTTv311
        )
        client.on_connect = self._announce
        client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        client.connect(*self._address, keepalive=KEEP_ALIVE_S)
        client.loop_start()
        return client

    def _vanish(self) -> None:
        """Cut the line without a goodbye, so that the broker publishes the last will."""
        client, self._client = self._client, None
        if client is None:
            return
        client.loop_stop()
        line = client.socket()
        if isinstance(line, socket.socket):
            line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _announce(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not reason.is_failure:
            client.publish(f"{self._topic}/status", "online", qos=1, retain=True)


def telemetry(now: ApNow, ts_ms: int) -> bytes:
    """The project's own JSON payload."""
    at = datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return orjson.dumps(
        {
            "ts": at.replace("+00:00", "Z"),
            "up": 1,
            "clients": now.clients,
            "clients_2g": now.clients_2g,
            "clients_5g": now.clients_5g,
            "rx_bytes": now.rx_bytes,
            "tx_bytes": now.tx_bytes,
            "counter_bits": COUNTER_BITS,
            "uptime_s": now.uptime_s,
            "channel_utilisation": now.channel_utilisation,
        }
    )
