"""The fleet in its own process: it comes up, and goes with whoever started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.fleet.fleet import Plan
from collectors.fleet.process import FleetError, FleetProcess
from config import demo

ROOT = Path(__file__).parents[3]
PLAN = Plan(began_ms=1_795_000_000_000, days=1, seed=1)

PARENT = """
import sys, time
from pathlib import Path
from collectors.fleet.fleet import Plan
from collectors.fleet.process import FleetProcess
with FleetProcess(Path(sys.argv[1]), Plan(began_ms=1_795_000_000_000, days=1, seed=1), {}) as fleet:
    ports = fleet.ports()
    print(fleet.pid, ports.mqtt, flush=True)
    time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 15
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    demo.write(tmp_path, {}, {}, None)
    return tmp_path


def test_it_dies_with_a_parent_that_is_killed(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout
    pid, _ = map(int, parent.stdout.readline().split())
    try:
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert wait_until_gone(pid)
    finally:
        parent.kill()
        parent.stdout.close()


def test_a_fleet_that_cannot_start_says_so(folder: Path) -> None:
    (folder / "sites.csv").unlink()
    with FleetProcess(folder, PLAN, {}) as fleet, pytest.raises(FleetError, match="ended at once"):
        fleet.ports()
