"""The keys that client addresses are hashed under: random, one for each day, never seen again.

A key-day lasts from 04:00 to 04:00 of a site's time zone, when few devices are in the middle of
their stay. The key of the day before is kept for one session gap longer, so that these stays go on,
and destroyed. The file exists for one reason: a restart within the day must not count everybody
again. Whoever deletes it loses nothing but that.
"""

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import structlog

log = structlog.get_logger(__name__)

CHANGE_AT: Final = time(4)
"""Local time at which a key-day begins."""
KEY_OCTETS: Final = 32
ONE_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Keys(NamedTuple):
    """What a zone's addresses are hashed under at an instant."""

    day: date
    """The local day that the key-day began on."""
    key: bytes
    former: bytes | None
    """Of the day before, for one session gap after the change; then None."""

    def __repr__(self) -> str:
        return f"Keys(day={self.day})"


class DayKeys:
    """The keys of every zone, in memory and in a file that its owner alone may read.

    A file that cannot be written is an error in the log, tried again by `expire`: the day goes on
    with the keys in memory, and only a restart would then count devices twice. Safe to use from
    several threads of one process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys = _read(path)
        self._is_written = True

    def at(self, zone: ZoneInfo, now_ms: int, gap_ms: int) -> Keys:
        """Return the keys of a zone at an instant, UTC milliseconds; made where there are none.

        `gap_ms`: the session gap, for which a key outlives its day.
        """
        with self._lock:
            self._change(zone, now_ms, gap_ms)
            return self._keys[zone.key]

    def expire(self, now_ms: int, gap_ms: int) -> None:
        """Destroy what is over, though nobody asks for a key; call it every minute or so."""
        with self._lock:
            for name in list(self._keys):
                self._change(ZoneInfo(name), now_ms, gap_ms)
            if not self._is_written:
                self._write()

    def _change(self, zone: ZoneInfo, now_ms: int, gap_ms: int) -> None:
        keys = self._keys.get(zone.key)
        day = key_day(now_ms, zone)
        # A clock that was set back a little goes on with the later key.
        if keys and day <= keys.day <= day + ONE_DAY:
            if keys.former is None or now_ms < day_start_ms(keys.day, zone) + gap_ms:
                return
            changed = keys._replace(former=None)
        else:
            is_open = now_ms < day_start_ms(day, zone) + gap_ms
            former = keys.key if keys and keys.day == day - ONE_DAY and is_open else None
            changed = Keys(day, secrets.token_bytes(KEY_OCTETS), former)
        self._keys[zone.key] = changed
        # Before the first hash leaves: a crash must not leave hashes of a key that is lost.
        self._write()

    def _write(self) -> None:
        content = orjson.dumps(
            {
                name: {
                    "day": keys.day.isoformat(),
                    "key": keys.key.hex(),
                    "former": keys.former.hex() if keys.former else None,
                }
                for name, keys in self._keys.items()
            }
        )
        try:
            _replace(self._path, content)
        except OSError as error:
            if self._is_written:
                log.error("day keys not written", reason=str(error))  # noqa: TRY400 - foreseen
            self._is_written = False
        else:
            self._is_written = True


def key_day(at_ms: int, zone: ZoneInfo) -> date:
    """The local day that the key-day of an instant began on."""
    local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
    day = (local.replace(tzinfo=None) - timedelta(hours=CHANGE_AT.hour)).date()
    # Where clocks change around 04:00 the wall's time alone could begin a day twice.
    if at_ms >= day_start_ms(day + ONE_DAY, zone):
        return day + ONE_DAY
    if at_ms < day_start_ms(day, zone):
        return day - ONE_DAY
    return day


@lru_cache(maxsize=256)
def day_start_ms(day: date, zone: ZoneInfo) -> int:
    """When a key-day begins; UTC milliseconds."""
    start = datetime.combine(day, CHANGE_AT, zone)
    return (start.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _read(path: Path) -> dict[str, Keys]:
    """The keys in a file. A damaged one is as good as none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        log.error("day keys not read", reason=str(error))  # noqa: TRY400 - foreseen
        return {}
    try:
        return _parsed(content)
    except (ValueError, LookupError, TypeError, AttributeError, OSError):
        # Not with the error's text, which may quote a key.
        log.error("day keys damaged, new ones made", file=str(path))  # noqa: TRY400
        return {}


def _parsed(content: bytes) -> dict[str, Keys]:
    found = {
        ZoneInfo(name).key: Keys(
            date.fromisoformat(entry["day"]),
            bytes.fromhex(entry["key"]),
            bytes.fromhex(entry["former"]) if entry["former"] else None,
        )
        for name, entry in orjson.loads(content).items()
    }
    if any(len(keys.key) != KEY_OCTETS for keys in found.values()):
        raise ValueError("a key of the wrong length")
    return found


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and overwrite what it held before."""
    fresh = path.with_name(f"{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    with _former_content(path), os.fdopen(_create(fresh), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        fresh.replace(path)
        _sync_folder(path.parent)


def _create(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)


@contextlib.contextmanager
def _former_content(path: Path) -> Iterator[None]:
    """Overwrite a file's octets once another has taken its name: unlinking leaves them on disk.

    As far as the file system overwrites in place; a journal, a snapshot or a flash disk may not.
    """
    try:
        handle = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        yield
        return
    with os.fdopen(handle, "wb") as file:
        size = os.fstat(file.fileno()).st_size
        yield
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
