"""The fleet as a process of its own; started by `collectors.fleet.process`.

Its standard input is one line of JSON, the plan, and then nothing: when it ends, whoever started
the fleet is gone, and so is the fleet. Its standard output is one line of JSON, the ports.
"""

import asyncio
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

from collectors.fleet.broker import BrokerError
from collectors.fleet.fleet import Fleet, Plan
from config.loader import load
from config.problems import ConfigError


async def _serve(order: bytes) -> None:
    said = orjson.loads(order)
    deployment = load(Path(said["folder"]))
    fleet = Fleet(deployment, Plan(**said["plan"]).city(deployment, said["open_hours"]))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    stdin = sys.stdin.fileno()
    # Nothing more is ever said there: readable means the end.
    loop.add_reader(stdin, stop.set)
    try:
        ports = await fleet.start()
        os.write(sys.stdout.fileno(), orjson.dumps(asdict(ports)) + b"\n")
        await fleet.run(stop)
    finally:
        loop.remove_reader(stdin)
        await fleet.stop()


try:
    asyncio.run(_serve(sys.stdin.buffer.readline()))
except (BrokerError, ConfigError, OSError) as error:
    sys.exit(f"simulated devices: {error}")
