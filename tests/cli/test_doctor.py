"""`spotwatch doctor`, on parts that are well and parts that are not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from cli.app import app
from collectors.fleet.broker import start_broker


@contextmanager
def nobody() -> Iterator[int]:
    """A UDP port that is bound and never answers."""
    with socket(AF_INET, SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def deployment(folder: Path, *, mqtt: int | None = None, snmp: int | None = None) -> Path:
    settings = "city: Valmont\ntimezone: Europe/Brussels\n"
    if mqtt is not None:
        settings += f"mqtt: {{host: 127.0.0.1, port: {mqtt}}}\n"
    if snmp is not None:
        (folder / "community").write_text("public", encoding="utf-8")
        settings += (
            "snmp:\n  timeout_s: 0.1\n  retries: 0\n"
            "  credentials: {default: {community: 'file:community'}}\n"
        )
    (folder / "spotwatch.yaml").write_text(settings, encoding="utf-8")
    (folder / "sites.csv").write_text("site,kind\nbib,library\n", encoding="utf-8")
    aps = "ap,site,source,host,port\n"
    if snmp is not None:
        aps += f"ap1,bib,snmp,127.0.0.1,{snmp}\n"
    if mqtt is not None:
        aps += "ap2,bib,mqtt,,\n"
    (folder / "access_points.csv").write_text(aps, encoding="utf-8")
    return folder


def doctor(folder: Path, expect: int) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(app, ["doctor", "--json", "--config", str(folder)])
    assert result.exit_code == expect, result.output
    return {found["part"]: found for found in orjson.loads(result.stdout)["findings"]}


def test_what_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    with nobody() as silent:
        found = doctor(deployment(tmp_path, mqtt=silent, snmp=silent), expect=1)
    assert found["MQTT broker"]["health"] == "error"
    assert f"127.0.0.1:{silent}" in found["MQTT broker"]["seen"]
    assert "mqtt.port" in found["MQTT broker"]["advice"]
    assert found["SNMP devices"]["health"] == "error"
    assert "ap1" in found["SNMP devices"]["seen"]


def test_a_healthy_broker_and_an_empty_store_are_well(tmp_path: Path) -> None:
    with start_broker() as broker:
        found = doctor(deployment(tmp_path, mqtt=broker.port), expect=0)
    assert found["MQTT broker"]["health"] == "ok"
    assert found["store"]["health"] == "ok"
    assert "never heard: bib" in found["samples"]["seen"]
    assert "1 of 1 sites have none: bib" in found["opening hours"]["seen"]


def test_a_store_that_is_no_database_is_an_error_and_the_rest_is_looked_at(
    tmp_path: Path,
) -> None:
    with nobody() as silent:
        folder = deployment(tmp_path, snmp=silent)
        (folder / "spotwatch.db").write_text("not a database at all\n" * 50, encoding="utf-8")
        found = doctor(folder, expect=1)
    assert found["store"]["health"] == "error"
    assert "spotwatch.db" in found["store"]["seen"]
    assert "SNMP devices" in found


@pytest.mark.parametrize("as_json", [True, False])
def test_a_deployment_with_mistakes_is_not_examined(tmp_path: Path, as_json: bool) -> None:
    (deployment(tmp_path) / "sites.csv").write_text("site,kind\nbib,librry\n", encoding="utf-8")
    arguments = ["doctor", "--config", str(tmp_path), *(["--json"] if as_json else [])]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "sites.csv:2: kind" in result.stderr


def test_a_profile_that_does_not_exist_is_a_mistake_in_the_deployment(tmp_path: Path) -> None:
    aps = "ap,site,source,host,profile\nap1,bib,snmp,127.0.0.1,unify\n"
    (deployment(tmp_path, snmp=1) / "access_points.csv").write_text(aps, encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--config", str(tmp_path)])
    assert result.exit_code == 2
    assert "access_points.csv:2: profile: no profile 'unify'; did you mean" in result.stderr


def test_on_a_terminal_it_is_a_table(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--config", str(deployment(tmp_path))])
    assert result.exit_code == 0
    assert "configuration" in result.stdout
    assert "Fill in opening_hours" in " ".join(result.stdout.split())
