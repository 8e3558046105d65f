"""The folder of the demo city: made once, gone on with afterwards."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from cli.options import refuse
from collectors.fleet import trouble
from collectors.fleet.fleet import Plan
from config import demo
from config.loader import load
from config.settings import SqliteStore

RECORD: Final = "demo.json"
"""Marks a folder as ours, and says from which the same city can be made again."""
LOG: Final = "demo.log"
"""Where log lines go while the screen shows the city."""
DEFAULT_DAYS: Final = 98
"""14 weeks: the 13 that are judged, and the one that is not over."""
DEFAULT_SEED: Final = 1


class DemoFolder:
    """A deployment's folder with the record of the city in it."""

    def __init__(self, path: Path, plan: Plan, filled_until_ms: int | None) -> None:
        self.path = path
        self.plan = plan
        self.filled_until_ms = filled_until_ms
        """The store has the past up to here; None: it may have parts of it."""

    def write_files(self, snmp: Mapping[str, int], mqtt: int | None) -> None:
        """Write what a deployment consists of; the ports are new at every start."""
        zone = load(demo.FOLDER).settings.zone
        today = datetime.fromtimestamp(self.plan.began_ms / 1000, zone).date()
        closure, works = trouble.CLOSURE, trouble.MAINTENANCE
        first = today - timedelta(days=closure.when.days)
        last = first + timedelta(hours=closure.when.hours) - timedelta(days=1)
        start, end = (
            datetime.fromtimestamp(ms / 1000, zone).isoformat(timespec="minutes")
            for ms in works.when.window_ms(today, zone)
        )
        periods = {
            "closures.csv": [(closure.site, str(first), str(last), closure.reason)],
            "maintenance.csv": [(works.site, start, end, works.reason)],
        }
        demo.write(self.path, periods, snmp, mqtt)

    def is_filled(self, until_ms: int) -> None:
        """Remember how far the past is in the store."""
        self.filled_until_ms = until_ms
        record = {**asdict(self.plan), "filled_until_ms": until_ms}
        _write_record(self.path, record)


def open_folder(
    path: Path, *, days: int | None, seed: int | None, fresh: bool, now: datetime
) -> DemoFolder:
    """Make the folder, or go on with the one that is there.

    Leaves with exit code 2 where the folder holds something else, or another city.
    """
    record = path / RECORD
    if record.is_file() and not fresh:
        return _existing(path, days, seed)
    if path.exists() and not record.is_file() and (not path.is_dir() or any(path.iterdir())):
        raise refuse(f"{path} holds something else; choose an empty folder or a new one with --dir")
    if fresh:
        _clear(path)
    path.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        began_ms=int(now.astimezone(UTC).timestamp() * 1000),
        days=days or DEFAULT_DAYS,
        seed=DEFAULT_SEED if seed is None else seed,
    )
    _write_record(path, {**asdict(plan), "filled_until_ms": None})
    return DemoFolder(path, plan, None)


def _existing(path: Path, days: int | None, seed: int | None) -> DemoFolder:
    try:
        said = orjson.loads((path / RECORD).read_bytes())
        until_ms = said.pop("filled_until_ms")
        plan = Plan(**said)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise refuse(f"{path / RECORD} is damaged; start anew with --fresh") from error
    for option, asked, there in (("days", days, plan.days), ("seed", seed, plan.seed)):
        if asked not in {None, there}:
            raise refuse(
                f"--{option} {asked}: the city in {path} was made with {there}; leave the option "
                "out to go on with it, or start anew with --fresh"
            )
    return DemoFolder(path, plan, until_ms)


def _write_record(path: Path, record: Mapping[str, int | None]) -> None:
    """Whole or not at all, whenever we are stopped."""
    new = path / f"{RECORD}.new"
    new.write_bytes(orjson.dumps(record))
    new.replace(path / RECORD)


def _clear(path: Path) -> None:
    """Remove what a demo leaves behind, and nothing else."""
    static = load(demo.FOLDER)
    store = SqliteStore().path  # the city's settings name no other
    files = (*demo.FILES, LOG, *(f"{store}{end}" for end in ("", "-wal", "-shm")))
    for name in files:
        (path / name).unlink(missing_ok=True)
    state = path / static.settings.state_dir
    if state.is_dir():
        shutil.rmtree(state)
    # Last, because what bears it may be cleared: an interrupted start can be repeated.
    (path / RECORD).unlink(missing_ok=True)
