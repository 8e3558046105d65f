"""What carries messages, to real servers on loopback; and that no secret ever shows."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from cli import logs
from collectors.fleet.broker import start_broker
from config.settings import AlertmanagerNotifier as AlertmanagerSettings
from config.settings import Alerts
from config.settings import AppriseNotifier as AppriseSettings
from pipeline.alerts.message import Message
from pipeline.alerts.notifiers.alertmanager import HOLDS_MS, AlertmanagerNotifier
from pipeline.alerts.notifiers.apprise import AppriseNotifier
from pipeline.alerts.notifiers.base import Notifier, RefusedError, UndeliveredError
from pipeline.alerts.notifiers.kinds import NOTIFIERS, problem_of, targets_of
from pipeline.alerts.outage import outages
from pipeline.alerts.telling import Note
from pipeline.alerts.wording import Wording
from tests.pipeline.alerts.endpoint import HANG, RESET, Endpoint, endpoint
from tests.pipeline.alerts.town import HOUR, MINUTE, THURSDAY, ended, incident, town

SECRET = "hunter2-secret"
NOW = THURSDAY + 12 * MINUTE


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def message(*, over: bool = False) -> Message:
    down = incident("site", "bib", cause="all_of_site")
    down = ended(down, THURSDAY + 42 * MINUTE) if over else down
    outage = outages(town(), [down])[down.id]
    note = Note("oncall", "resolved" if over else "opened", "fr", (outage,))
    return Wording(town()).message(note, THURSDAY + HOUR if over else NOW)


def alertmanager(server: Endpoint, token: str | None = None) -> AlertmanagerNotifier:
    url = f"http://127.0.0.1:{server.port}"
    secret = SecretStr(token) if token else None
    return AlertmanagerNotifier(AlertmanagerSettings(kind="alertmanager", url=url, token=secret))


def test_apprise_carries_subject_and_body(server: Endpoint) -> None:
    AppriseNotifier(SecretStr(server.url())).send(message(), NOW)
    (body,) = server.taken
    assert body["title"] == "Plus de Wi-Fi : Bibliothèque centrale"
    assert body["message"] == message().body
    assert body["type"] == "failure"
    AppriseNotifier(SecretStr(server.url())).send(message(over=True), NOW)
    assert server.taken[-1]["type"] == "success"


def test_short_is_one_line(server: Endpoint) -> None:
    AppriseNotifier(SecretStr(server.url()), short=True).send(message(), NOW)
    (body,) = server.taken
    assert body["title"] == ""
    assert body["message"] == message().line
    assert len(body["message"]) <= 160
    long = replace(message(), line="x" * 500)
    AppriseNotifier(SecretStr(server.url()), short=True).send(long, NOW)
    assert len(server.taken[-1]["message"]) == 160


@pytest.mark.parametrize("answer", [500, 401, RESET, HANG])
def test_what_goes_wrong_is_said_without_the_secret(
    server: Endpoint, answer: int, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(verbose=True)
    server.usual = answer
    notifier = AppriseNotifier(SecretStr(server.url(f"{SECRET}/x")))
    with pytest.raises(UndeliveredError) as caught:
        notifier.send(message(), NOW)
    assert str(caught.value)
    if answer > 0:
        assert str(answer) in str(caught.value)
    else:
        # The host too may be a token: of some services it is.
        assert "notification to ***" in str(caught.value)
    said = [str(caught.value), repr(notifier), *capfd.readouterr()]
    assert not [text for text in said if SECRET in text]


def test_nobody_there_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"json://u:{SECRET}@127.0.0.1:{port}"
    with pytest.raises(UndeliveredError) as caught:
        AppriseNotifier(SecretStr(url)).send(message(), NOW)
    assert SECRET not in str(caught.value)


def test_messages_arrive_over_a_real_broker() -> None:
    received: list[bytes] = []
    arrived, subscribed = threading.Event(), threading.Event()

    def keep(client: Client, data: object, got: MQTTMessage) -> None:
        received.append(bytes(got.payload))
        arrived.set()

    with start_broker() as broker:
        reader = Client(CallbackAPIVersion.VERSION2, client_id="reader")
        reader.on_message = keep
        reader.on_subscribe = lambda *_: subscribed.set()
        reader.connect("127.0.0.1", broker.port)
        reader.loop_start()
        reader.subscribe("city/alerts", qos=1)
        assert subscribed.wait(10)
        url = f"mqtt://127.0.0.1:{broker.port}/city/alerts?qos=1"
        notifier = AppriseNotifier(SecretStr(url))
        notifier.send(message(), NOW)
        assert arrived.wait(10)
        reader.loop_stop()
        reader.disconnect()
    assert message().subject in received[0].decode()
    with pytest.raises(UndeliveredError):
        notifier.send(message(), NOW)


def test_alertmanager_gets_alerts_that_it_can_tell_apart(server: Endpoint) -> None:
    alertmanager(server, SECRET).send(message(), NOW)
    ((path, headers, (alert,)),) = server.requests
    assert path == "/api/v2/alerts"
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert alert["labels"] == {
        "alertname": "SpotwatchOutage",
        "severity": "critical",
        "incident": message().facts[0]["id"],
        "scope": "site",
        "subject": "bib",
        "site": "bib",
        "kind": "library",
        "commune": "Havremont",
    }
    assert alert["startsAt"] == "2026-03-05T09:04:00.000+00:00"
    # Firing until told otherwise: longer than any restart of ours.
    assert alert["endsAt"] == "2026-03-06T09:16:00.000+00:00"
    assert HOLDS_MS == 24 * HOUR
    alertmanager(server).send(message(over=True), THURSDAY + HOUR)
    (over,) = server.requests[-1][2]
    assert over["labels"] == alert["labels"], "which is its key"
    assert over["startsAt"] == alert["startsAt"]
    assert over["endsAt"] == "2026-03-05T09:46:00.000+00:00"


@pytest.mark.parametrize(
    ("answer", "error"), [(400, RefusedError), (503, UndeliveredError), (401, UndeliveredError)]
)
def test_alertmanager_that_refuses_is_told_from_one_that_cannot(
    server: Endpoint, answer: int, error: type[Exception]
) -> None:
    server.usual = answer
    with pytest.raises(UndeliveredError, match=f"HTTP {answer}: no") as caught:
        alertmanager(server, SECRET).send(message(), NOW)
    assert type(caught.value) is error
    assert SECRET not in str(caught.value)


def test_alertmanager_that_resets_is_undelivered(server: Endpoint) -> None:
    server.usual = RESET
    with pytest.raises(UndeliveredError, match="ProtocolError"):
        alertmanager(server).send(message(), NOW)


def test_a_test_is_no_outage_to_alertmanager(server: Endpoint) -> None:
    alertmanager(server).send(Wording(town()).test("oncall", "nl", NOW), NOW)
    (alert,) = server.requests[0][2]
    assert alert["labels"]["alertname"] == "SpotwatchTest"
    assert alert["endsAt"] == "2026-03-05T09:17:00.000+00:00"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (SECRET, "does not begin as a URL of apprise does, such as mailtos://"),
        (f"carrier-pigeon://{SECRET}", "does not begin as a URL of apprise does"),
        (f"tgram://{SECRET}", "is not a whole tgram:// URL; look up how it is written"),
        ("mailto://", "is not a whole mailto:// URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_it(url: str, problem: str) -> None:
    said = problem_of(AppriseSettings(url=(SecretStr(url),)))
    assert said is not None
    assert said.startswith(problem)
    assert SECRET not in said


@pytest.mark.parametrize(
    "url",
    [
        f"mailtos://user:{SECRET}@example.org?to=oncall@example.org",
        f"ntfys://{SECRET}@ntfy.example.org/topic",
        f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#{SECRET}",
        f"mqtt://user:{SECRET}@broker.example.org/alerts?qos=1",
        f"json://user:{SECRET}@example.org",
    ],
)
def test_services_that_cities_use_are_known(url: str) -> None:
    assert problem_of(AppriseSettings(url=(SecretStr(url),))) is None


def test_several_urls_of_a_notifier_are_targets_of_their_own(server: Endpoint) -> None:
    urls = (SecretStr(server.url()), SecretStr(server.url("b")))
    am = AlertmanagerSettings(kind="alertmanager", url="http://127.0.0.1:9093")
    alerts = Alerts(notifiers={"oncall": AppriseSettings(url=urls), "am": am})
    found = targets_of(alerts)
    assert {name: list(each) for name, each in found.items()} == {
        "oncall": ["oncall", "oncall#2"],
        "am": ["am"],
    }
    every: list[Notifier] = [one for each in found.values() for one in each.values()]
    assert [one.renew_s > 0 for one in every] == [False, False, True]


def test_every_kind_of_the_settings_has_its_notifier() -> None:
    schema = orjson.dumps(Alerts.model_json_schema()).decode()
    assert all(f'"const":"{kind}"' in schema for kind in NOTIFIERS)
    assert set(NOTIFIERS) == {"apprise", "alertmanager"}
