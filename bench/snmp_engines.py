"""Polls per CPU-second: gufo_snmp, which the poller uses, beside pysnmp, on the same device.

The device is the project's simulated agent in a process of its own, so that only the reader's CPU
time counts. Two jobs: one GET of twelve objects in an open session, and a whole poll of a UniFi AP
(session, identity, scalars, tables, meaning).
"""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from collectors.fleet.agent import Agent
from collectors.fleet.snmprec import load
from collectors.snmp.engine import SnmpEngine, Target, open_session
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import Identity, poll_device
from collectors.snmp.profiles import load_profiles
from collectors.snmp.pysnmp_engine import PysnmpEngine
from config.settings import CommunityCredential

RECORDING: Final = Path(__file__).parents[1] / "tests" / "recordings" / "unifi.snmprec"
SECONDS: Final = 3.0
"""Wall time of each measurement; there are four."""
TOGETHER: Final = 16
VAP: Final = "1.3.6.1.4.1.41112.1.6.1.2.1"
TWELVE: Final = [f"{VAP}.{column}.{row}" for column in (6, 8, 9) for row in (1, 2, 3, 4)]
ENGINES: Final[dict[str, Callable[[], SnmpEngine]]] = {
    "pysnmp": PysnmpEngine,
    "gufo_snmp": GufoEngine,
}


def serve(pipe: Connection) -> None:
    """Answer until the parent is done."""

    async def answer() -> None:
        async with Agent({"public": load(RECORDING)}) as agent:
            pipe.send(agent.port)
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(answer())


async def get_rate(engine: SnmpEngine, target: Target) -> float:
    """GETs of twelve objects per CPU-second; sessions are opened before the clock starts."""
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(open_session(engine, target)) for _ in range(TOGETHER)
        ]

        async def get(worker: int) -> None:
            found = await sessions[worker].get(TWELVE)
            if len(found) != len(TWELVE):
                raise SystemExit(f"the agent answered {len(found)} of {len(TWELVE)} objects")

        return await per_cpu_second(get)


async def poll_rate(engine: SnmpEngine, target: Target) -> float:
    """Whole polls of a UniFi AP per CPU-second, the profile known from the poll before."""
    profiles = load_profiles()
    identities: dict[str, Identity] = {}

    async def poll(_worker: int) -> None:
        answer = await poll_device(engine, target, profiles, identities=identities)
        if answer.clients_total is None or answer.warnings:
            raise SystemExit(f"the poll went wrong: {answer}")

    return await per_cpu_second(poll)


async def per_cpu_second(job: Callable[[int], Awaitable[object]]) -> float:
    """Repeat a job, several at a time, and count how often it fits a second of CPU."""
    done = 0
    until = time.monotonic() + SECONDS

    async def work(worker: int) -> None:
        nonlocal done
        while time.monotonic() < until:
            await job(worker)
            done += 1

    started = time.process_time()
    await asyncio.gather(*map(work, range(TOGETHER)))
    return done / (time.process_time() - started)


def main() -> None:
    """Print the table."""
    mine, theirs = multiprocessing.get_context("spawn").Pipe()
    device = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    device.start()
    target = Target(
        name="bench",
        host="127.0.0.1",
        port=mine.recv(),
        credential=CommunityCredential(community=SecretStr("public")),
        timeout_s=10,
    )
    jobs = {"GET of 12 objects": get_rate, "poll of a UniFi AP": poll_rate}
    table = Table(title="Per CPU-second of the reader")
    table.add_column("")
    rates: dict[str, list[float]] = {job: [] for job in jobs}
    try:
        for name, engine in ENGINES.items():
            table.add_column(name, justify="right")
            for job, rate in jobs.items():
                rates[job].append(asyncio.run(rate(engine(), target)))
    finally:
        mine.send("done")
        device.join()
    table.add_column("ratio", justify="right")
    for job, (slow, fast) in rates.items():
        table.add_row(job, f"{slow:,.0f}", f"{fast:,.0f}", f"{fast / slow:,.0f} x")
    Console().print(table)


if __name__ == "__main__":
    main()
