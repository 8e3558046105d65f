"""`spotwatch alerts`, and what `check`, `doctor` and `run` say of notifiers."""

import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from pipeline.alerts.outbox import Outbox
from pipeline.alerts.telling import Desk
from tests.pipeline.alerts.endpoint import Endpoint, endpoint
from tests.pipeline.alerts.test_outbox import message

SECRET = "hunter2-secret"
NOW = time.time_ns() // 1_000_000


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def deployment(folder: Path, alerts: str = "") -> Path:
    (folder / "spotwatch.yaml").write_text(
        f"city: Havremont\ntimezone: Europe/Brussels\nlanguage: nl\n{alerts}", encoding="utf-8"
    )
    (folder / "sites.csv").write_text("site,kind\nbib,library\n", encoding="utf-8")
    (folder / "access_points.csv").write_text(
        "ap,site,source\nbib-1,bib,import\n", encoding="utf-8"
    )
    return folder


def with_notifiers(folder: Path, **urls: str) -> Path:
    lines = ""
    for name, url in urls.items():
        (folder / f"{name}.url").write_text(url, encoding="utf-8")
        lines += f"    {name}: file:{name}.url\n"
    return deployment(folder, f"alerts:\n  notifiers:\n{lines}")


def spotwatch(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(folder)])


def test_a_test_message_arrives_in_the_citys_language(tmp_path: Path, server: Endpoint) -> None:
    result = spotwatch(with_notifiers(tmp_path, oncall=server.url()), "alerts", "test")
    assert result.exit_code == 0
    assert result.stdout == "oncall (apprise): delivered\n"
    (body,) = server.taken
    assert body["title"] == "Test van Spotwatch, Havremont"


def test_what_did_not_arrive_is_said_and_fails(tmp_path: Path, server: Endpoint) -> None:
    dead = f"json://user:{SECRET}@127.0.0.1:1"
    folder = with_notifiers(tmp_path, oncall=server.url(), chief=dead)
    result = spotwatch(folder, "alerts", "test", "--json")
    assert result.exit_code == 1
    well, failed = orjson.loads(result.stdout)
    assert well == {"to": "oncall", "kind": "apprise", "delivered": True, "reason": None}
    assert (failed["to"], failed["delivered"]) == ("chief", False)
    assert "Connection error" in failed["reason"]
    assert SECRET not in result.output
    assert spotwatch(folder, "alerts", "test", "--to", "oncall").exit_code == 0


def test_who_is_not_there_is_told(tmp_path: Path) -> None:
    folder = with_notifiers(tmp_path, oncall="json://127.0.0.1:1")
    result = spotwatch(folder, "alerts", "test", "--to", "onkall")
    assert result.exit_code == 2
    assert "no notifier 'onkall'; did you mean 'oncall'?; there: oncall" in result.stderr
    result = spotwatch(deployment(tmp_path), "alerts", "test")
    assert result.exit_code == 2
    assert "alerts.notifiers: there is none" in result.stderr


def test_the_log_says_what_was_told_to_whom(tmp_path: Path) -> None:
    folder = with_notifiers(tmp_path, oncall="json://127.0.0.1:1")
    assert "Nothing was told" in spotwatch(folder, "alerts", "log").stdout
    outbox = Outbox(folder / "state" / "alerts.db")
    two = [message("a", at_ms=NOW - 2000), message("b", kind="resolved", at_ms=NOW - 1000)]
    outbox.commit(Desk(), two, {"oncall": ("oncall",)})
    first = outbox.next("oncall", NOW)
    assert first is not None
    outbox.begin(first)
    outbox.finish(first, "undeliverable", NOW, "HTTP 400")
    outbox.close()
    waiting, given_up = orjson.loads(spotwatch(folder, "alerts", "log", "--json").stdout)
    assert (waiting["kind"], waiting["state"], waiting["done"]) == ("resolved", "waiting", None)
    assert (given_up["state"], given_up["reason"], given_up["attempts"]) == (
        "undeliverable", "HTTP 400", 1,
    )  # fmt: skip
    assert given_up["incidents"] == ["a"]
    (only,) = orjson.loads(spotwatch(folder, "alerts", "log", "--incident", "b", "--json").stdout)
    assert only == waiting
    table = spotwatch(folder, "alerts", "log").stdout
    assert "undeliverable" in table
    assert "HTTP 400" in table


def test_doctor_says_what_does_not_arrive(tmp_path: Path) -> None:
    folder = with_notifiers(tmp_path, oncall="json://127.0.0.1:1")
    outbox = Outbox(folder / "state" / "alerts.db")
    outbox.commit(Desk(), [message("a", at_ms=NOW - 3_600_000)], {"oncall": ("oncall",)})
    outbox.close()
    findings = orjson.loads(spotwatch(folder, "doctor", "--json").stdout)["findings"]
    found = next(finding for finding in findings if finding["part"] == "alerts")
    assert found["health"] == "error"
    assert found["seen"].startswith("oncall: 1 waiting, the oldest for 60 minutes")


@pytest.mark.parametrize("command", ["check", "run", "doctor"])
def test_a_url_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, command: str) -> None:
    folder = with_notifiers(tmp_path, well="json://127.0.0.1", wrong=f"pigeon://{SECRET}")
    result = spotwatch(folder, command)
    assert result.exit_code == 2
    line = "spotwatch.yaml:7: alerts.notifiers.wrong.url: does not begin as a URL of apprise does"
    assert line in result.stderr
    assert SECRET not in result.output


def test_check_says_who_is_told(tmp_path: Path) -> None:
    assert "nobody is told of outages" in spotwatch(deployment(tmp_path), "check").stdout
    folder = with_notifiers(tmp_path, oncall=f"json://user:{SECRET}@127.0.0.1")
    result = spotwatch(folder, "check")
    assert "alerts         oncall (apprise); everybody is told of everything" in result.stdout
    assert SECRET not in result.output
