"""`spotwatch demo` as its users start it: in a process of its own, over real SNMP and MQTT."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from cli.app import app
from collectors.fleet import trouble

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from cli.app import main; main()", "demo"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

HANGS_S = 300
"""Far more than it takes on a busy machine."""
pytestmark = pytest.mark.timeout(HANGS_S + 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "city"


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "--once", "--json", "--dir", str(folder)],
        capture_output=True,
        env=ENVIRONMENT,
        timeout=HANGS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, Any] = orjson.loads(done.stdout)
    return document


@pytest.mark.slow
def test_one_pass_prints_status_and_verdicts_and_nothing_else(said: dict[str, Any]) -> None:
    assert said.keys() == {"status", "underused"}
    assert said["status"].keys() == {"as_of", "sites", "collectors"}
    assert len(said["status"]["sites"]) == len(said["underused"]) >= 64


@pytest.mark.slow
def test_everything_was_heard_but_for_what_is_down(said: dict[str, Any]) -> None:
    sites = {site["site"]: site for site in said["status"]["sites"]}
    states = {name: site["state"] for name, site in sites.items()}
    broken = states.pop(trouble.BROKEN)
    assert broken in {"up", "down"}
    expected = dict.fromkeys(states, "up")
    expected[trouble.SILENT_DEVICE.rpartition("-")[0]] = "down"
    expected[trouble.DEAD_AP.rpartition("-")[0]] = "degraded"
    assert states == expected
    assert sum(site["aps_total"] for site in sites.values()) >= 160
    collectors = {c["kind"]: c for c in said["status"]["collectors"]}
    assert collectors["snmp"]["targets"] > 60
    assert collectors["snmp"]["failed"] == 1
    assert collectors["mqtt"]["targets"] == 45
    assert all(c["ok"] for c in collectors.values())


@pytest.mark.slow
def test_the_known_trouble_is_found_and_nothing_else_is(said: dict[str, Any]) -> None:
    verdicts = {found["site"]: found["verdict"] for found in said["underused"]}
    assert verdicts == dict.fromkeys(verdicts, "ok") | trouble.VERDICTS
    assert all(found["reasons"] for found in said["underused"])


@pytest.mark.slow
@pytest.mark.usefixtures("said")
def test_the_idle_access_point_of_a_busy_site_is_found_and_no_other(folder: Path) -> None:
    found = ask("underused", "--surplus", folder=folder)
    assert [surplus["ap"] for surplus in found] == [trouble.SURPLUS]
    assert found[0]["ratio_high"] < 0.2


@pytest.mark.slow
@pytest.mark.usefixtures("said")
def test_the_past_has_sessions_wherever_clients_are_listed_and_says_where_not(folder: Path) -> None:
    aps = ask("usage", "--per-ap", folder=folder)
    listing = [ap for ap in aps if ap["sessions"] is not None]
    assert 90 < len(listing) < len(aps)
    for ap in listing:
        assert ap["session_coverage"] > 0.99
        assert ap["sessions"] >= ap["device_days"] > 0
        assert ap["missing"].keys() >= {"passers_by"}
    devices = sum(ap["device_days"] for ap in listing)
    made_up = sum(ap["device_days"] * ap["randomised_share"] for ap in listing)
    assert 0.63 < made_up / devices < 0.70
    assert all("sessions" in ap["missing"] for ap in aps if ap["sessions"] is None)


def ask(*command: str, folder: Path) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, [*command, "--json", "--config", str(folder)])
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = orjson.loads(result.stdout)
    return found


@pytest.mark.slow
def test_it_goes_on_until_it_is_told_to_stop(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    with subprocess.Popen(
        [*COMMAND, "--days", "2", "--dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        text=True,
    ) as running:
        assert running.stdout
        lines: list[str] = []
        deadline = time.monotonic() + 90
        for line in running.stdout:
            if " clients at " in line:
                lines.append(line)
            if len({text.split()[1] for text in lines}) > 2 or time.monotonic() > deadline:
                break
        running.send_signal(signal.SIGTERM)
        rest = running.stdout.read()
        assert running.wait(30) == 0
    assert len({text.split()[1] for text in lines}) > 2, "client counts change"
    assert "spotwatch status --config" in rest
