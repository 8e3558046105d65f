"""One of all threads and processes at a time, and none that ended without giving the lock back."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.base import StoreError
from pipeline.store.lock import alone

HOLDER = (
    "import sys; from pathlib import Path; from pipeline.store.lock import alone\n"
    "with alone(Path(sys.argv[1]), wait=True): print('held', flush=True); input()"
)


def test_who_comes_second_is_told_so_or_waits(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with alone(path, wait=False) as first, alone(path, wait=False) as second:
        assert (first, second) == (True, False)
    with alone(path, wait=True) as again:
        assert again


def test_a_process_that_is_killed_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with alone(path, wait=False) as held:
            assert not held
        holder.send_signal(signal.SIGKILL)
    with alone(path, wait=False) as held:
        assert held


def test_a_lock_that_cannot_be_made_is_told_by_its_file(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="missing/lock"),
        alone(tmp_path / "missing/lock", wait=True),
    ):
        pass
