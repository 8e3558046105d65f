"""Starts the fleet as a child process that never outlives its parent."""

import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import orjson

from collectors.fleet.fleet import Plan, Ports

START_S: Final = 60.0
STOP_S: Final = 15.0


class FleetError(Exception):
    """The simulated devices did not start; what went wrong is on standard error."""


class FleetProcess:
    """The fleet of a deployment's folder, while the `with` block lasts.

    The child sees the end of its standard input when this process ends, however it ends, SIGKILL
    included. It is in a session of its own, so that Ctrl-C reaches it through us, in order.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        open_hours: Mapping[str, Sequence[tuple[int, int]]],
    ) -> None:
        self._order = orjson.dumps(
            {"folder": str(folder.resolve()), "plan": asdict(plan), "open_hours": open_hours}
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start; `ports` waits until every device is there."""
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collectors.fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        # The order is larger than a pipe, and the child takes a second to come and read it.
        threading.Thread(target=self._say, args=[self._process.stdin], daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _say(self, stdin: IO[bytes]) -> None:
        try:
            stdin.write(self._order + b"\n")
            stdin.flush()
        except (BrokenPipeError, ValueError):
            return  # it ended, or we closed it: `ports` tells

    @property
    def pid(self) -> int | None:
        """Of the child, while it lives."""
        return self._process.pid if self._process else None

    def ports(self) -> Ports:
        """Wait until the fleet is up, once; raises FleetError if it is not."""
        pipe = self._process.stdout if self._process else None
        if pipe is None or not select.select([pipe], [], [], START_S)[0]:
            raise FleetError(f"the simulated devices did not start within {START_S:.0f} s")
        line = pipe.readline()
        if not line:
            raise FleetError("the simulated devices ended at once; see the messages above")
        return Ports(**orjson.loads(line))
