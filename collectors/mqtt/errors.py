"""Why there is no connection, in the operator's words."""

import socket
import ssl
from typing import Final, Literal

from config.settings import Mqtt

ADVICE: Final = {
    "Bad user name or password": "check mqtt.username and mqtt.password",
    "Not authorized": "check mqtt.username and mqtt.password, and that the broker lets them in",
    "Client identifier not valid": "choose another mqtt.client_id",
    "Session taken over": "another client has the same mqtt.client_id: give each its own",
}
"""By the reason that a broker gives, as paho names it."""

Cause = Literal["protocol", "silent", "other"]


class ConnectError(Exception):
    """The broker cannot be talked to; the text says why and what to do.

    cause: `protocol`, it does not speak this version; `silent`, it hung up without an answer, as
    some do for the same reason.
    """

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause: Cause = cause


def explain(error: OSError | ValueError, settings: Mqtt) -> str:
    """Say in the operator's words why no connection comes about."""
    match error:
        case socket.gaierror():
            return f"the name {settings.host} is not known: check mqtt.host"
        case ConnectionRefusedError():
            return (
                "nothing listens there: is the broker running, are mqtt.host and mqtt.port right?"
            )
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({error.verify_message}): "
                "set mqtt.ca_file to the authority that signed it, and mqtt.host to its name"
            )
        case ssl.SSLError():
            return f"TLS fails ({error.reason}): does it speak TLS on this port?"
        case TimeoutError():
            return "no answer: are mqtt.host and mqtt.port right, is a firewall in between?"
        case _:
            return str(error)
