"""From incidents to a message at a real endpoint, across restarts and kills."""

# ruff: noqa: RUF001 -- the apostrophe of French is the typographic one.

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import AlertmanagerNotifier, Alerts, AppriseNotifier, Escalation, Route
from pipeline.alerts.alerting import Alerting
from pipeline.alerts.outbox import Acknowledgement, Outbox
from pipeline.outages.incident import Incident
from tests.pipeline.alerts.decides import alerts as all_at_once
from tests.pipeline.alerts.endpoint import OK, TAKEN_UNSAID, Endpoint, endpoint
from tests.pipeline.alerts.town import (
    HOUR,
    MINUTE,
    ended,
    incident,
    town,
)

ROOT = Path(__file__).parents[3]
COUNT = 12
NOW = time.time_ns() // 1_000_000
START = NOW - 5 * HOUR
"""What is older than a day is not delivered any more."""


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def no_maintenance(site: str, now_ms: int) -> bool:
    return False


def run(alerting: Alerting, start_ms: int, end_ms: int, *incidents: Incident) -> None:
    for now_ms in range(start_ms, end_ms, 30_000):
        alerting.tick(incidents, now_ms, no_maintenance)


def until(reached: Callable[[], bool], patience_s: float = 20) -> None:
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def deciding(folder: Path, server: Endpoint, what: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.pipeline.alerts.decides"]
    patient = server.url().replace("rto=0.3", "rto=20")
    arguments = [str(folder), patient, what, str(COUNT)]
    with subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def delivered(folder: Path) -> set[str]:
    outbox = Outbox(town(folder).alerts_path)
    done = {queued.message.key for queued in outbox.log(1000) if queued.state == "delivered"}
    outbox.close()
    return done


def test_three_lines_of_settings_tell_of_an_outage_and_its_end(
    tmp_path: Path, server: Endpoint
) -> None:
    oncall = AppriseNotifier(url=(SecretStr(server.url()),))
    alerting = Alerting(town(tmp_path, Alerts(notifiers={"oncall": oncall})))
    alerting.start()
    down = incident("site", "bib", start_ms=START, cause="all_of_site")
    run(alerting, START, START + HOUR, down)
    end = START + 42 * MINUTE
    run(alerting, START + HOUR, START + 2 * HOUR, ended(down, end))
    server.wait_for(2)
    alerting.stop()
    assert [body["title"] for body in server.taken] == [
        "No Wi-Fi: Bibliothèque centrale",
        "Back after 42 minutes: Bibliothèque centrale",
    ]


def test_a_restart_neither_loses_nor_repeats(tmp_path: Path, server: Endpoint) -> None:
    down = incident("ap", "parc-1", start_ms=START)
    for hour in range(3):
        alerting = Alerting(town(tmp_path, all_at_once(server.url())))
        alerting.start()
        run(alerting, START + hour * HOUR, START + (hour + 1) * HOUR, down)
        until(lambda: len(delivered(tmp_path)) == 1)
        alerting.stop()
    assert len(server.taken) == 1


def test_killed_between_deciding_and_sending_nothing_is_lost_and_nothing_told_twice(
    tmp_path: Path, server: Endpoint
) -> None:
    with deciding(tmp_path, server, "decide") as process:
        assert process.stdout is not None
        assert "decided\n" in iter(process.stdout.readline, "")
        process.send_signal(signal.SIGKILL)
    assert server.taken == []
    alerting = Alerting(town(tmp_path, all_at_once(server.url())))
    alerting.start()
    server.wait_for(COUNT)
    until(lambda: len(delivered(tmp_path)) == COUNT)
    alerting.stop()
    assert len(server.taken) == COUNT
    assert len({body["message"] for body in server.taken}) == COUNT


def test_killed_while_sending_only_what_was_on_its_way_comes_twice(
    tmp_path: Path, server: Endpoint
) -> None:
    server.answers = [OK] * 4 + [TAKEN_UNSAID]
    with deciding(tmp_path, server, "send") as process:
        assert process.stdout is not None
        assert "decided\n" in iter(process.stdout.readline, "")
        server.wait_for(5)
        process.send_signal(signal.SIGKILL)
    assert len(delivered(tmp_path)) == 4
    alerting = Alerting(town(tmp_path, all_at_once(server.url())))
    alerting.start()
    until(lambda: len(delivered(tmp_path)) == COUNT)
    alerting.stop()
    arrived = Counter(body["message"] for body in server.taken)
    assert len(arrived) == COUNT, "nothing is lost"
    assert sorted(arrived.values()) == [1] * (COUNT - 1) + [2]
    assert arrived[server.taken[4]["message"]] == 2


def test_who_takes_it_on_stops_reminders_and_escalation(tmp_path: Path, server: Endpoint) -> None:
    url = AppriseNotifier(url=(SecretStr(server.url()),))
    settings = Alerts(
        notifiers={"oncall": url, "chief": url},
        remind_hours=1,
        escalate=(Escalation(after_minutes=30, to=("chief",)),),
    )
    alerting = Alerting(town(tmp_path, settings))
    root = incident("site", "bib", start_ms=START, cause="all_of_site")
    run(alerting, START, START + 20 * MINUTE, root)
    alerting.outbox.acknowledge(Acknowledgement(root.id, START, "Zoé", ""))
    child = incident("ap", "bib-1", start_ms=START, parent=root.id)
    end = START + 20 * MINUTE
    run(alerting, end, end + 5 * HOUR, ended(root, end), child)
    told = [(queued.target, queued.message.kind) for queued in alerting.outbox.log(99)]
    alerting.stop()
    assert told == [("oncall", "resolved"), ("oncall", "opened")], "its children are taken on too"


def test_alertmanager_is_told_again_and_again_what_is_down(
    tmp_path: Path, server: Endpoint
) -> None:
    am = AlertmanagerNotifier(kind="alertmanager", url=f"http://127.0.0.1:{server.port}")
    alerting = Alerting(town(tmp_path, Alerts(notifiers={"am": am}, group_seconds=0)))
    down = incident("ap", "parc-1", start_ms=START)
    alerting.tick([down], START, no_maintenance)
    alerting.start()
    server.wait_for(2)
    alerting.stop()
    (first,), (again,) = (posted for _, _, posted in server.requests[:2])
    assert first["labels"] == again["labels"]
    assert first["startsAt"] == again["startsAt"]


def test_languages_and_places_go_to_whom_they_concern(tmp_path: Path, server: Endpoint) -> None:
    url = AppriseNotifier(url=(SecretStr(server.url()),))
    settings = Alerts(
        notifiers={"bxl": url, "parks": url},
        routes=(
            Route(to=("bxl",), communes=("Havremont",), language="fr"),
            Route(to=("parks",), kinds=("park",), language="nl"),
        ),
    )
    alerting = Alerting(town(tmp_path, settings), usual=lambda sites, _: dict.fromkeys(sites, 12.4))
    run(
        alerting,
        START,
        START + HOUR,
        incident("site", "bib", start_ms=START),
        incident("ap", "parc-1", start_ms=START),
    )
    told = {q.target: q.message for q in alerting.outbox.log(9)}
    alerting.stop()
    assert told["bxl"].subject == "Plus de Wi-Fi : Bibliothèque centrale"
    assert "D’habitude 12 utilisateurs à cette heure." in told["bxl"].body
    assert told["parks"].subject == "Geen wifi: Parc du Lavoir"
    assert len(told) == 2


def test_a_day_without_outages_writes_nothing(tmp_path: Path) -> None:
    alerting = Alerting(town(tmp_path, all_at_once("json://127.0.0.1:1")))
    assert alerting.tick([], START, no_maintenance) == []
    with alerting.outbox._locked() as db:
        assert db.execute("SELECT count(*) FROM desk").fetchone() == (0,)
    health = alerting.health(START)
    assert health is not None
    assert (health.ok, health.targets, health.detail) == (True, 1, "all delivered")
    alerting.stop()
