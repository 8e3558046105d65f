"""`spotwatch demo`: a whole simulated city, over real SNMP and real MQTT on loopback."""

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
from rich.live import Live

from cli import demo_screen, judging, logs, status, underused
from cli.demo_folder import DEFAULT_DAYS, DEFAULT_SEED, LOG, open_folder
from cli.demo_history import catch_up, planned_hours
from cli.options import JsonOption, bad_input, fail, out, print_json, refuse
from cli.service import Service
from collectors.fleet.process import FleetError, FleetProcess
from config.deployment import Deployment
from config.loader import load
from pipeline.outages.record import Record
from pipeline.state import CollectorHealth
from pipeline.status import SiteStatus, read_status
from pipeline.underuse.assess import Assessment

log = structlog.get_logger(__name__)

REFRESH_S: Final = 2.0
FIRST_WORDS_S: Final = 15.0
"""Every MQTT access point is waited for until then; they publish every few seconds."""

DaysOption = Annotated[
    int | None,
    typer.Option(min=1, max=730, help=f"Days of history. Default: {DEFAULT_DAYS}."),
]
DirOption = Annotated[Path, typer.Option("--dir", help="Where the city's deployment is kept.")]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help=f"Another seed, another city. Default: {DEFAULT_SEED}.")
]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the city stands at an instant."""

    at_ms: int
    sites: Sequence[SiteStatus]
    collectors: Sequence[CollectorHealth]


def demo(
    days: DaysOption = None,
    folder: DirOption = Path("demo-city"),
    seed: SeedOption = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="One full pass, then exit.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the city that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch over a simulated city: history, real SNMP and MQTT on loopback, verdicts.

    Needs no deployment: it makes one, in --dir, and goes on with it the next time.
    """
    if as_json and not once:
        raise refuse("--json prints one document, and the demo goes on for ever: add --once")
    # In the middle of the preparations SIGTERM ends them as Ctrl-C does, the fleet included.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with bad_input():
        city = open_folder(folder, days=days, seed=seed, fresh=fresh, now=datetime.now(UTC))
        city.write_files({}, None)
        deployment = load(folder)
    hours = planned_hours(deployment, city.plan, _now_ms())
    try:
        with FleetProcess(folder, city.plan, hours) as fleet:
            catch_up(city, deployment, hours, _now_ms())
            ports = fleet.ports()
            city.write_files(ports.snmp, ports.mqtt)
            _watch(load(folder), folder, once=once, as_json=as_json)
            city.is_filled(_now_ms())
    except FleetError as error:
        raise fail(str(error)) from error


def _watch(deployment: Deployment, folder: Path, *, once: bool, as_json: bool) -> None:
    """Judge from the history, and collect."""
    service = Service(deployment)
    if not once:
        out.print(demo_screen.verdicts(deployment, _judge(service)))
        with _logs_beside_the_screen(folder / LOG):
            asyncio.run(_go_on(service))
        out.print(f"Stopped. The city stays: spotwatch status --config {folder}")
        return
    now, found = asyncio.run(_one_pass(service))
    if as_json:
        language = deployment.settings.language
        print_json(
            {
                "status": status.document(now.sites, now.collectors, now.at_ms),
                "underused": underused.document(deployment, found, language),
            }
        )
        return
    out.print(demo_screen.sites(deployment, now.sites))
    out.print(demo_screen.line(deployment, now.sites, now.at_ms))
    out.print(demo_screen.verdicts(deployment, found))


def _judge(service: Service) -> list[Assessment]:
    now = datetime.now(UTC)
    closed_ms = service.state.closed_until_ms()
    return judging.judge(service.deployment, service.store, closed_ms, now)


async def _one_pass(service: Service) -> tuple[Standing, list[Assessment]]:
    """Hear every MQTT access point once, judge meanwhile, and poll everything once."""
    began_ms = _now_ms()
    await service.listen()
    try:
        found = await asyncio.to_thread(_judge, service)
        await service.poll()
        await _wait_for_words(service, began_ms)
        await service.note_mqtt()
        return await asyncio.to_thread(_standing, service), found
    finally:
        await service.stop()


async def _wait_for_words(service: Service, since_ms: int) -> None:
    aps = service.deployment.access_points.values()
    silent = {ap.ap for ap in aps if ap.source == "mqtt"}
    deadline = time.monotonic() + FIRST_WORDS_S
    while silent and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        heard = await asyncio.to_thread(service.store.last_samples, _now_ms() + 1, since_ms)
        silent -= set(heard["ap"])
    if silent:
        log.warning("not heard over MQTT", aps=sorted(silent), waited_s=FIRST_WORDS_S)


async def _go_on(service: Service) -> None:
    """Collect, and show how the city stands, until Ctrl-C or SIGTERM."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    await service.start()
    try:
        with Live(console=out, auto_refresh=False, redirect_stderr=False) as screen:
            while not stopping.is_set():
                now = await asyncio.to_thread(_standing, service)
                city, outages = service.deployment, service.watch.under_way()
                if out.is_terminal:
                    shown = demo_screen.live(city, now.sites, now.at_ms, out.height, outages)
                    screen.update(shown, refresh=True)
                else:
                    out.print(demo_screen.line(city, now.sites, now.at_ms, outages))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), REFRESH_S)
    finally:
        await service.stop()


def _standing(service: Service) -> Standing:
    at_ms = _now_ms()
    blind = Record(service.state).blindness(at_ms, at_ms + 1)
    sites = read_status(service.deployment, service.store, at_ms, blind)
    return Standing(at_ms, sites, service.state.collectors())


@contextmanager
def _logs_beside_the_screen(path: Path) -> Iterator[None]:
    """On a terminal, keep log lines out of the live table."""
    if not out.is_terminal:
        yield
        return
    with path.open("a", encoding="utf-8") as file, redirect_stderr(file):
        logs.configure()
        yield
    logs.configure()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
