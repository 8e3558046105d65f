"""A city of any size whose samples are made when they are read: the same ones each time."""

import time
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.arrays import FloatingArray, IntegerArray

from collectors.reading import Reading
from config.deployment import SITE_KINDS, AccessPoint, Deployment, Site
from config.settings import Settings
from pipeline.store.base import ApLevel, Level
from pipeline.store.sqlite import SqliteStore

POLL_S: Final = 300
DAY_MS: Final = 86_400_000
POLLS: Final = DAY_MS // (POLL_S * 1000)
START: Final = 1_767_225_600_000  # 1 January 2026, a Thursday
HOURS: Final = ("Mo-Fr 09:00-18:00; Sa 10:00-13:00", "24/7", "Tu-Su 10:00-17:00", None)

Ints = npt.NDArray[np.int64]


def city(sites: int, aps: int) -> Deployment:
    """Access points spread evenly over sites of all kinds."""
    found = [
        Site(
            site=f"s{i:04}",
            kind=SITE_KINDS[i % len(SITE_KINDS)],
            opening_hours=HOURS[i % len(HOURS)],
        )
        for i in range(sites)
    ]
    points = [
        AccessPoint(ap=f"a{i:05}", site=f"s{i % sites:04}", source="import", poll_seconds=POLL_S)
        for i in range(aps)
    ]
    return Deployment(
        folder=Path(),
        settings=Settings(city="Bench", timezone="Europe/Brussels"),
        sites={site.site: site for site in found},
        access_points={ap.ap: ap for ap in points},
    )


class Day(NamedTuple):
    """The polls of a UTC day, an AP after the other."""

    ap: Ints
    ts_ms: Ints
    failed: npt.NDArray[np.bool_]
    clients: Ints
    octets: Ints


_NOTHING: Final = Day(*(np.empty(0, np.bool_ if x == "failed" else np.int64) for x in Day._fields))


class GeneratedStore(SqliteStore):
    """Samples of the days from START on are generated; usage is written to a file and read back.

    Polled every five minutes; one poll in fifty is lost, one fails. A few devices at a time by day,
    fewer by night, at some sites hardly any; 32-bit counters, which wrap.
    """

    def __init__(self, path: Path, deployment: Deployment, days: int) -> None:
        super().__init__(path)
        self._aps = pd.Series(list(deployment.access_points), dtype="str")
        self._homes = pd.Series([a.site for a in deployment.access_points.values()], dtype="str")
        self._days = days
        self.samples = 0
        """Handed out so far."""
        self.making_s = 0.0
        """CPU seconds that making them took."""
        self.writing_s = 0.0
        """CPU seconds that writing usage took."""
        # Not of the class: it would keep the days of a store that is gone.
        self._day = lru_cache(maxsize=3)(self._made)

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol, but for `sites`: it has all of them."""
        assert sites is None
        began = time.process_time()
        days = self._numbers(start_ms, end_ms)
        parts = [self._within(number, start_ms, end_ms) for number in days]
        frame = self._frame(parts)
        self.samples += len(frame)
        self.making_s += time.process_time() - began
        return frame

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """See the protocol, but for `sites`."""
        assert sites is None
        began = time.process_time()
        frame = self._frame([])
        # Every AP was heard within hours, so that nearly always one day is looked at.
        for number in reversed(self._numbers(since_ms, before_ms)):
            part = self._within(number, since_ms, before_ms)
            if with_counters:
                part = _chosen(part, np.flatnonzero(~part.failed))
            last = np.flatnonzero(np.diff(part.ap, append=-1))
            frame = pd.concat([frame, self._frame([_chosen(part, last)])]).drop_duplicates("ap")
            if len(frame) == len(self._aps):
                break
        self.making_s += time.process_time() - began
        return frame.sort_values("ap", ignore_index=True)

    def span(self) -> Mapping[str, tuple[int, int]]:
        """See the protocol."""
        return dict.fromkeys(self._homes, (START, START + self._days * DAY_MS - 1))

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        """See the protocol."""
        began = time.process_time()
        super().write_usage(level, usage)
        self.writing_s += time.process_time() - began

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        """See the protocol."""
        began = time.process_time()
        super().write_ap_usage(level, usage)
        self.writing_s += time.process_time() - began

    def _numbers(self, start_ms: int, end_ms: int) -> range:
        first, last = (start_ms - START) // DAY_MS, (end_ms - 1 - START) // DAY_MS
        return range(max(first, 0), min(last, self._days - 1) + 1)

    def _within(self, number: int, start_ms: int, end_ms: int) -> Day:
        day = self._day(number)
        return _chosen(day, np.flatnonzero((day.ts_ms >= start_ms) & (day.ts_ms < end_ms)))

    def _made(self, number: int) -> Day:
        random = np.random.default_rng([1, number])
        aps, n = len(self._aps), len(self._aps) * POLLS
        ap = np.repeat(np.arange(aps), POLLS)
        poll = np.tile(np.arange(POLLS), aps)
        by_day = 1 + np.sin((poll / POLLS - 0.25) * 2 * np.pi)
        busy = 0.1 + np.arange(aps) % 7
        per_poll = 5_000_000 + ap * 1000
        so_far = (number * POLLS + poll) * per_poll + random.integers(0, 5_000_000, n)
        made = Day(
            ap=ap,
            ts_ms=START + number * DAY_MS + poll * (POLL_S * 1000) + random.integers(0, 60_000, n),
            failed=random.random(n) < 0.02,
            clients=random.poisson(by_day * busy[ap]),
            octets=so_far % 2**32,
        )
        return _chosen(made, np.flatnonzero(random.random(n) >= 0.02))

    def _frame(self, parts: list[Day]) -> pd.DataFrame:
        day = Day(*map(np.concatenate, zip(_NOTHING, *parts, strict=True)))
        n = len(day.ap)
        absent = IntegerArray(np.zeros(n, np.int64), np.ones(n, np.bool_))

        def known(values: Ints) -> IntegerArray:
            return IntegerArray(values, day.failed.copy())

        columns = {
            "ap": self._aps.take(day.ap).reset_index(drop=True),
            "site": self._homes.take(day.ap).reset_index(drop=True),
            "ts_ms": day.ts_ms,
            "up": IntegerArray(1 - day.failed.astype(np.int64), np.zeros(n, np.bool_)),
            "clients": known(day.clients),
            "rx_bytes": known(day.octets),
            "tx_bytes": known(day.octets // 2),
            "counter_bits": known(np.full(n, 32)),
            "uptime_s": known((day.ts_ms - START) // 1000 + 10**6),
            "channel_utilisation": FloatingArray(np.zeros(n), np.ones(n, np.bool_)),
            "interval_s": np.full(n, POLL_S, np.int64),
        }
        return pd.DataFrame({name: columns.get(name, absent) for name in Reading._fields})


def _chosen(day: Day, rows: Ints) -> Day:
    return Day._make(column[rows] for column in day)
