"""paho's client, set up so that nothing is acknowledged or reconnected behind our back."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from config.settings import Mqtt

_MAX_PACKET: Final = 1024 * 1024
"""An MQTT 5 broker keeps anything larger to itself."""
_KEEP_ALIVE_S: Final = 30
"""A line that is dead is noticed within twice as long; until then APs seem to be silent."""


class Client(paho.Client):
    """paho's client; its thread says that it ends, whatever it ends of."""

    ended: Callable[[OSError | None], None]

    def loop_forever(
        self,
        timeout: float = 1.0,
        retry_first_connection: bool = False,  # noqa: ARG002 - paho asks for it; we never retry
    ) -> MQTTErrorCode:
        """Connect once, serve, tell."""
        failure = None
        try:
            return super().loop_forever(timeout)
        except OSError as error:
            failure = error
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        finally:
            self.ended(failure)


class _TlsSocket(ssl.SSLSocket):
    """Closed where the handshake fails, which paho forgets."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def build_client(
    settings: Mqtt, *, folder: Path, protocol: MQTTProtocolVersion, receive_maximum: int
) -> Client:
    """Build a client that connects once its loop starts. Blocks: it reads certificates.

    folder: where a relative mqtt.ca_file lies. receive_maximum: messages that an MQTT 5 broker may
    send ahead of our acknowledgements. Raises ValueError naming the setting that is wrong.
    """
    five = protocol == MQTTProtocolVersion.MQTTv5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        clean_session=None if five else False,
        protocol=protocol,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    if settings.username is not None:
        password = settings.password
        client.username_pw_set(settings.username, password.get_secret_value() if password else None)
    if settings.tls:
        ca_file = folder / settings.ca_file if settings.ca_file else None
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ValueError) as error:
            raise ValueError(f"mqtt.ca_file: cannot read {ca_file}: {error}") from error
        context.sslsocket_class = _TlsSocket
        client.tls_set_context(context)
    if five:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_hours * 3600
        properties.ReceiveMaximum = receive_maximum
        properties.MaximumPacketSize = _MAX_PACKET
        client.connect_async(
            settings.host,
            settings.port,
            _KEEP_ALIVE_S,
            clean_start=False,
            properties=properties,
        )
    else:
        client.connect_async(settings.host, settings.port, _KEEP_ALIVE_S)
    return client
