"""Why there is no connection, in the operator's words."""

import socket

import pytest

from collectors.mqtt.errors import explain
from config.settings import Mqtt


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name broker.example is not known"),
        (ConnectionRefusedError(111, "Connection refused"), "is the broker running"),
        (TimeoutError(), "is a firewall in between?"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_errors_of_the_network(error: OSError, told: str) -> None:
    assert told in explain(error, Mqtt(host="broker.example"))
