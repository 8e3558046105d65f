"""Imports a file of samples: checked, counted, written, and its windows marked for aggregation."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.imports.samples import Refusal, Rules, read
from pipeline.imports.source import Source
from pipeline.state import State
from pipeline.store.base import Store
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.periods import WINDOW_MS

EXAMPLES: Final = 20

Progress = Callable[[int, int], None]
"""Told the rows read and about how many there are."""


@dataclass(slots=True)
class Report:
    """What came of an import."""

    rows: int = 0
    imported: int = 0
    """Rows written, duplicates included."""
    refused: int = 0
    duplicates: int = 0
    """Rows of an AP and time that an earlier row had; they complete or correct it."""
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Refusal] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    longest_hold_ms: int = 0
    spacing_s: float | None = None
    """Median time between two samples of an AP, of the first batch that tells."""
    interval_s: int | None = None
    """How often they were taken to come: the longest poll interval."""
    sites: set[str] = field(default_factory=set)
    aps: set[str] = field(default_factory=set)


class Importer:
    """Writes a file's samples to the store."""

    def __init__(self, deployment: Deployment, store: Store, state: State) -> None:
        self._deployment = deployment
        self._store = store
        self._state = state

    def run(
        self,
        source: Source,
        *,
        now_ms: int,
        poll_seconds: int | None = None,
        zone: ZoneInfo | None = None,
        on_refused: Callable[[Sequence[Refusal]], None] = lambda _: None,
        progress: Progress = lambda _done, _total: None,
    ) -> Report:
        """Import. Raises ConfigError for a file that cannot be read, StoreError.

        Args:
            source: the file.
            now_ms: now, in UTC milliseconds; what is later than a day from it is refused.
            poll_seconds: how often the samples were taken; None: as each AP is polled now.
            zone: of times without an offset; None refuses them.
            on_refused: told every refused row.
            progress: told how far it is.
        """
        aps = self._deployment.access_points.values()
        rules = Rules(
            home={
                ap.ap: (ap.site, poll_seconds or self._deployment.poll_seconds(ap)) for ap in aps
            },
            sites=self._deployment.sites.keys(),
            zone=zone,
            now_ms=now_ms,
        )
        report = Report()
        seen = _Seen()
        told = 0
        for batch in source.batches():
            readings, refusals = read(batch, rules)
            refusals += [
                Refusal(bad.line, "", "not as many cells as columns", bad.message)
                for bad in source.malformed[told:]
            ]
            told = len(source.malformed)
            self._count(report, batch.lines.size, readings, refusals)
            on_refused(refusals)
            report.duplicates += seen.add(readings)
            if readings:
                self._state.mark_dirty(self._touched(readings))
                self._store.write_samples(readings)
            progress(report.rows, source.rows)
        return report

    def aggregate(self, report: Report, *, now_ms: int, progress: Progress | None = None) -> None:
        """Bring the usage of what was imported up to date.

        Windows are closed as far as the last sample may hold, not up to now: years may lie between.
        """
        if report.last_ms is None:
            return
        grace_ms = self._deployment.settings.usage.grace_seconds * 1000
        until = report.last_ms + report.longest_hold_ms + WINDOW_MS + grace_ms
        aggregator = Aggregator(self._deployment, self._store, self._state)
        aggregator.close_windows(min(now_ms, until), progress)

    def _touched(self, readings: Sequence[Reading]) -> Iterator[tuple[str, int, int]]:
        """Spans whose usage these samples change, a site at a time.

        They reach past the last sample for as long as it may hold, or a counter be compared.
        """
        gap_ms = round(self._deployment.settings.usage.max_counter_gap_hours * 3_600_000)
        frame = pd.DataFrame(
            {
                "site": [r.site for r in readings],
                "ts": [r.ts_ms for r in readings],
                "hold": [r.interval_s * 1500 for r in readings],
            }
        )
        for site, group in frame.groupby("site"):
            reach = max(gap_ms, int(group["hold"].max()))
            yield str(site), int(group["ts"].min()), int(group["ts"].max()) + reach + 1

    def _count(
        self, report: Report, rows: int, readings: list[Reading], refusals: list[Refusal]
    ) -> None:
        malformed = sum(refusal.column == "" for refusal in refusals)
        report.rows += rows + malformed
        report.imported += len(readings)
        report.refused += len(refusals)
        report.reasons.update(refusal.reason for refusal in refusals)
        report.examples += refusals[: EXAMPLES - len(report.examples)]
        if readings:
            times = [reading.ts_ms for reading in readings]
            report.first_ms = min([*times, report.first_ms or times[0]])
            report.last_ms = max([*times, report.last_ms or 0])
            longest_s = max(reading.interval_s for reading in readings)
            report.longest_hold_ms = max(report.longest_hold_ms, longest_s * 1500)
            report.interval_s = max(report.interval_s or 0, longest_s)
            if report.spacing_s is None:
                report.spacing_s = _spacing_s(readings)
            report.sites.update({reading.site for reading in readings})
            report.aps.update({reading.ap for reading in readings})


def _spacing_s(readings: Sequence[Reading]) -> float | None:
    """Median time from one sample of an AP to its next; they are sorted by AP and time."""
    gaps = [b.ts_ms - a.ts_ms for a, b in pairwise(readings) if a.ap == b.ap and a.ts_ms < b.ts_ms]
    return median(gaps) / 1000 if gaps else None


class _Seen:
    """Counts keys that came before, 8 bytes a key."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._keys = np.empty(0, dtype=np.int64)

    def add(self, readings: Sequence[Reading]) -> int:
        """Remember the keys of these readings; return how many were there, or come twice."""
        numbers = self._numbers
        keys = np.fromiter(
            (
                # A time takes 42 bits until the year 2109, which leaves 4 million APs.
                numbers.setdefault(r.ap, len(numbers)) << 42 | r.ts_ms
                for r in readings
            ),
            dtype=np.int64,
            count=len(readings),
        )
        before = len(self._keys)
        self._keys = np.union1d(self._keys, keys)
        return len(readings) - (len(self._keys) - before)
