"""Imports a file of samples: checked, counted, written, and its windows marked for aggregation."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.imports.samples import Ints, Parsed, Refusal, Rules, read
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
    spacing_s: float | None = None
    """Median time between two samples of an AP, of the first batch that tells."""
    interval_s: int | None = None
    """How often they were taken to come: the longest poll interval."""
    sites: set[str] = field(default_factory=set)
    aps: set[str] = field(default_factory=set)

    def count_refused(self, refusals: Sequence[Refusal]) -> None:
        """Add the rows refused of a batch."""
        self.refused += len(refusals)
        self.reasons.update(refusal.reason for refusal in refusals)
        self.examples += refusals[: EXAMPLES - len(self.examples)]

    def count_imported(self, parsed: Parsed, places: Sequence["_Place"]) -> None:
        """Add the rows of a batch that are good, at least one."""
        self.imported += len(parsed.readings)
        firsts = [place.first_ms for place in places]
        lasts = [place.last_ms for place in places]
        self.first_ms = min([*firsts, self.first_ms or firsts[0]])
        self.last_ms = max([*lasts, self.last_ms or 0])
        longest_s = max(place.sample.interval_s for place in places)
        self.interval_s = max(self.interval_s or 0, longest_s)
        if self.spacing_s is None:
            self.spacing_s = _spacing_s(parsed)
        self.sites.update(place.sample.site for place in places)
        self.aps.update(place.sample.ap for place in places)


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
        keys = _Keys()
        told = 0
        for batch in source.batches():
            parsed, refusals = read(batch, rules)
            malformed = source.malformed[told:]
            told += len(malformed)
            refusals += [
                Refusal(bad.line, "", "not as many cells as columns", bad.message)
                for bad in malformed
            ]
            on_refused(refusals)
            report.rows += batch.lines.size + len(malformed)
            report.count_refused(refusals)
            if parsed.readings:
                places = list(_places(parsed))
                report.count_imported(parsed, places)
                keys.add(parsed)
                self._state.mark_dirty(self._touched(places))
                self._store.write_samples(parsed.readings)
            progress(report.rows, source.rows)
        report.duplicates = keys.repeated()
        return report

    def aggregate(self, report: Report, *, now_ms: int, progress: Progress | None = None) -> None:
        """Bring the usage of what was imported up to date.

        Windows are closed as far as the last sample may hold, not up to now: years may lie between.
        """
        if report.last_ms is None:
            return
        grace_ms = self._deployment.settings.usage.grace_seconds * 1000
        until = report.last_ms + (report.interval_s or 0) * 1500 + WINDOW_MS + grace_ms
        aggregator = Aggregator(self._deployment, self._store, self._state)
        aggregator.close_windows(min(now_ms, until), progress)

    def _touched(self, places: Sequence["_Place"]) -> Iterator[tuple[str, int, int]]:
        """Spans whose usage these samples change, a site at a time.

        They reach past the last sample for as long as it may hold, or a counter be compared.
        """
        gap_ms = round(self._deployment.settings.usage.max_counter_gap_hours * 3_600_000)
        spans: dict[str, tuple[int, int]] = {}
        for place in places:
            end_ms = place.last_ms + max(gap_ms, place.sample.interval_s * 1500) + 1
            first, last = spans.get(place.sample.site, (place.first_ms, end_ms))
            spans[place.sample.site] = min(first, place.first_ms), max(last, end_ms)
        for site, (start_ms, end_ms) in spans.items():
            yield site, start_ms, end_ms


class _Place(NamedTuple):
    """An AP at a site, in one batch."""

    sample: Reading
    """One of its samples."""
    first_ms: int
    last_ms: int


def _places(parsed: Parsed) -> Iterator[_Place]:
    times = pd.Series(parsed.ts_ms).groupby(parsed.place).agg(["min", "max"])
    _, at = np.unique(parsed.place, return_index=True)
    for index, first_ms, last_ms in zip(at, times["min"], times["max"], strict=True):
        yield _Place(parsed.readings[index], int(first_ms), int(last_ms))


def _spacing_s(parsed: Parsed) -> float | None:
    """Median time from one sample of an AP to its next."""
    gaps = np.diff(parsed.ts_ms)[np.diff(parsed.ap) == 0]
    gaps = gaps[gaps > 0]
    return float(np.median(gaps)) / 1000 if len(gaps) else None


class _Keys:
    """The keys of all samples, AP and time, 8 bytes each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._batches: list[Ints] = []

    def add(self, parsed: Parsed) -> None:
        """Remember the keys of a batch."""
        codes, at = np.unique(parsed.ap, return_index=True)
        numbers = np.zeros(codes[-1] + 1, dtype=np.int64)
        for code, index in zip(codes, at, strict=True):
            name = parsed.readings[index].ap
            numbers[code] = self._numbers.setdefault(name, len(self._numbers))
        # A time takes 42 bits until the year 2109, which leaves 2 million APs.
        self._batches.append(numbers[parsed.ap] << 42 | parsed.ts_ms)

    def repeated(self) -> int:
        """How many keys had come before."""
        keys = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *self._batches]))
        return int((keys[1:] == keys[:-1]).sum())
