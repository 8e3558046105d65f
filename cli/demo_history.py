"""The past of the demo city: made, imported and aggregated as a user's own history would be."""

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
from rich.progress import Progress

from cli.demo_folder import DemoFolder
from cli.demo_sessions import PastVisitors
from cli.options import err
from cli.stores import open_ledger, opened
from collectors.fleet.city import City
from collectors.fleet.clock import DAY_MS
from collectors.fleet.families import family
from collectors.fleet.fleet import Plan
from collectors.fleet.history import POLL_SECONDS, write_history
from config.deployment import Deployment
from pipeline.imports.importer import Importer
from pipeline.imports.source import open_source
from pipeline.open_hours import open_hours
from pipeline.outages.past import PastOutages
from pipeline.usage.aggregator import Aggregator

log = structlog.get_logger(__name__)

FILE_DAYS: Final = 28
FUTURE_DAYS: Final = 60
"""The city knows its opening hours for so long from now."""

OpenHours = dict[str, list[tuple[int, int]]]
"""By site: [start, end) in UTC milliseconds."""


def planned_hours(deployment: Deployment, plan: Plan, now_ms: int) -> OpenHours:
    """When every place of the city opens and closes, from the beginning of its history on."""
    found = open_hours(
        deployment, plan.began_ms - (plan.days + 1) * DAY_MS, now_ms + FUTURE_DAYS * DAY_MS
    )
    return {
        site: list(zip(hours.starts.tolist(), hours.ends.tolist(), strict=True))
        for site, hours in found.items()
    }


def catch_up(folder: DemoFolder, deployment: Deployment, hours: OpenHours, now_ms: int) -> None:
    """Import what the store lacks of the history, and aggregate it."""
    past = _as_polled_then(deployment)
    with (
        opened(past) as (store, state),
        closing(open_ledger(past)) as ledger,
        TemporaryDirectory(prefix="history-", dir=past.state_dir) as files,
        Progress(console=err, disable=not err.is_terminal) as bar,
        _without_cycle_detection(),
    ):
        importing = bar.add_task("Importing the past", total=1)
        importer = Importer(past, store, state)
        city = folder.plan.city(past, hours)
        written = _write_files(folder, past, city, Path(files), now_ms)
        for file, share in written:
            report = importer.run(open_source(file), now_ms=now_ms, poll_seconds=POLL_SECONDS)
            tell = log.warning if report.refused else log.debug
            tell("history imported", rows=report.imported, refused=report.refused)
            bar.update(importing, completed=share)
        following = bar.add_task("Following its visitors", total=None)
        PastVisitors(folder, past, city, now_ms).catch_up(ledger, state)
        bar.update(following, total=1, completed=1)
        aggregating = bar.add_task("Computing usage", total=None)
        Aggregator(past, store, state, sessions=ledger).close_windows(
            now_ms, lambda done, total: bar.update(aggregating, completed=done, total=total)
        )
        searching = bar.add_task("Looking for outages", total=None)
        began_ms = city.start_ms if folder.filled_until_ms is None else folder.filled_until_ms
        PastOutages(past, store, state).refresh(
            began_ms,
            now_ms,
            interval_s=POLL_SECONDS,
            progress=lambda done, total: bar.update(searching, completed=done, total=total),
        )
    folder.is_filled(now_ms)


def _write_files(
    folder: DemoFolder, past: Deployment, city: City, target: Path, now_ms: int
) -> Iterator[tuple[Path, float]]:
    """Files of four weeks each, and the share of the past that they reach up to; while one is
    imported the next is written.
    """
    aps = past.access_points.values()
    uncounted = {ap.ap for ap in aps if not family(past, ap).counts_clients}
    first_ms = city.start_ms if folder.filled_until_ms is None else folder.filled_until_ms
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing = []
        for start_ms in range(first_ms, now_ms, FILE_DAYS * DAY_MS):
            end_ms = min(start_ms + FILE_DAYS * DAY_MS, now_ms)
            file = target / f"{start_ms}.parquet"
            task = writer.submit(write_history, city, file, start_ms, end_ms, uncounted=uncounted)
            writing.append((file, (end_ms - first_ms) / (now_ms - first_ms), task))
        for file, share, task in writing:
            if task.result():
                yield file, share


@contextmanager
def _without_cycle_detection() -> Iterator[None]:
    """Millions of samples hold no reference cycles; looking for some takes a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _as_polled_then(deployment: Deployment) -> Deployment:
    """The deployment with the calmer poll interval of its past."""
    settings = deployment.settings
    pace = {"poll_seconds": POLL_SECONDS}
    update = {
        "snmp": settings.snmp.model_copy(update=pace),
        "mqtt": settings.mqtt.model_copy(update=pace) if settings.mqtt else None,
    }
    return deployment.model_copy(update={"settings": settings.model_copy(update=update)})
