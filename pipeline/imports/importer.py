"""Imports a file of samples: checked, counted, written, and its windows marked for aggregation."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.imports.batch import Ints
from pipeline.imports.cells import Refusal, Rules
from pipeline.imports.layout import AsWritten, Layout
from pipeline.imports.samples import UNKNOWN_AP, Parsed, read
from pipeline.imports.source import Source
from pipeline.outages.past import PastOutages
from pipeline.state import State
from pipeline.store.base import Store
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.expiry import samples_kept_since_ms
from pipeline.usage.periods import WINDOW_MS, Span
from pipeline.usage.sessions import SessionSource

EXAMPLES: Final = 5
"""Of each reason to refuse a row, so many are kept; of an unknown access point one."""
AS_WRITTEN: Final = AsWritten()

Progress = Callable[[int, int], None]
"""Told how much of the file was read and how much there is, in the unit of its size."""


@dataclass(slots=True)
class Report:
    """What came of an import."""

    rows: int = 0
    imported: int = 0
    """Rows written, duplicates included."""
    refused: int = 0
    duplicates: int = 0
    """Rows of an AP and time that an earlier row had; they complete or correct it.

    Of a long file: figures that an earlier row gave of the same AP and time.
    """
    samples: int = 0
    """Of different APs or times."""
    scattered: bool = False
    """Whether hardly any sample of a long file has more than one figure, its times as written."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that the mapping passes over, by the reason."""
    reasons: Counter[str] = field(default_factory=Counter)
    unknown_aps: Counter[str] = field(default_factory=Counter)
    """Rows of each AP that is not in the files; they are among those refused."""
    examples: list[Refusal] = field(default_factory=list)
    _exemplified: Counter[str] = field(default_factory=Counter, repr=False)
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
        for refusal in refusals:
            unknown = refusal.value if refusal.reason == UNKNOWN_AP else ""
            if unknown not in self.unknown_aps and self._exemplified[refusal.reason] < EXAMPLES:
                self.examples.append(refusal)
                self._exemplified[refusal.reason] += 1
            self.reasons[refusal.reason] += 1
            if unknown:
                self.unknown_aps[unknown] += 1

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
        layout: Layout = AS_WRITTEN,
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
            layout: what its columns mean.
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
            kept_since_ms=samples_kept_since_ms(self._deployment, now_ms) or 0,
            align_ms=layout.align_ms,
            called=layout.called,
            hints=layout.hints,
            up_words=layout.up_words,
        )
        report = Report()
        keys = _Keys(apart=layout.is_long)
        touched: list[Span] = []
        for read_batch in source.batches(layout.header):
            batch = layout.arrange(read_batch)
            parsed, refusals = read(batch, rules)
            refusals += [
                Refusal(bad.line, "", "malformed line", bad.message) for bad in batch.malformed
            ]
            refusals.sort(key=lambda refusal: refusal.line)
            on_refused(refusals)
            report.rows += len(read_batch.lines) + len(batch.malformed)
            report.left_out.update(batch.left_out)
            report.count_refused(refusals)
            if parsed.readings:
                places = list(_places(parsed))
                report.count_imported(parsed, places)
                keys.add(parsed)
                self._state.mark_dirty(self._touched(places, {}))
                self._store.write_samples(parsed.readings)
                touched = _merged([*touched, *self._touched(places, self._store.moved_aps())])
            progress(batch.done, source.size)
        # Once more, because a daemon may have aggregated them half written and cleared the marks,
        # and because a sample may have been taken away from another site.
        self._state.mark_dirty(touched)
        report.samples, figures, report.duplicates = keys.count()
        report.scattered = not layout.align_ms and keys.kinds > 1 and report.samples > 0.9 * figures
        return report

    def aggregate(
        self,
        report: Report,
        *,
        now_ms: int,
        sessions: SessionSource | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Bring the usage and the outages of what was imported up to date; nobody is told.

        Windows are closed as far as the last sample may hold, not up to now: years may lie between.
        `sessions`: who counts them; without, what is stored of them stays.
        """
        if report.last_ms is None:
            return
        grace_ms = self._deployment.settings.usage.grace_seconds * 1000
        until = report.last_ms + (report.interval_s or 0) * 1500 + WINDOW_MS + grace_ms
        aggregator = Aggregator(self._deployment, self._store, self._state, sessions=sessions)
        aggregator.close_windows(min(now_ms, until), progress)
        if report.first_ms is not None:
            past = PastOutages(self._deployment, self._store, self._state)
            past.refresh(report.first_ms, report.last_ms + 1, interval_s=report.interval_s or 0)

    def _touched(
        self, places: Sequence["_Place"], moved: Mapping[str, Collection[str]]
    ) -> list[Span]:
        """Spans whose usage these samples change, a site at a time.

        They reach past the last sample for as long as it may hold, or a counter be compared.
        """
        gap_ms = round(self._deployment.settings.usage.max_counter_gap_hours * 3_600_000)
        return _merged(
            (
                site,
                place.first_ms,
                place.last_ms + max(gap_ms, place.sample.interval_s * 1500) + 1,
            )
            for place in places
            for site in {place.sample.site, *moved.get(place.sample.ap, ())}
        )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """One span a site, from the earliest start to the latest end."""
    found: dict[str, tuple[int, int]] = {}
    for site, start_ms, end_ms in spans:
        start, end = found.get(site, (start_ms, end_ms))
        found[site] = min(start, start_ms), max(end, end_ms)
    return [(site, start, end) for site, (start, end) in found.items()]


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
    """The keys of all samples, AP and time, 8 bytes each; of each figure, where kept apart."""

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self._numbers: dict[str, int] = {}
        self._batches: dict[str, list[Ints]] = {}

    def add(self, parsed: Parsed) -> None:
        """Remember the keys of a batch."""
        codes, at = np.unique(parsed.ap, return_index=True)
        numbers = np.zeros(codes[-1] + 1, dtype=np.int64)
        for code, index in zip(codes, at, strict=True):
            name = parsed.readings[index].ap
            numbers[code] = self._numbers.setdefault(name, len(self._numbers))
        # A time takes 42 bits until the year 2109, which leaves 2 million APs.
        keys = numbers[parsed.ap] << 42 | parsed.ts_ms
        if not self._apart:
            self._batches.setdefault("", []).append(keys)
            return
        for name, there in parsed.figures.items():
            self._batches.setdefault(name, []).append(keys[there])

    @property
    def kinds(self) -> int:
        """How many figures are kept apart."""
        return len(self._batches)

    def count(self) -> tuple[int, int, int]:
        """How many samples there are, keys, and keys that had come before."""
        total = 0
        different = []
        for batches in self._batches.values():
            total += sum(map(len, batches))
            different.append(_different(batches))
        if not different:
            return 0, 0, 0
        samples = len(_different(different))
        keys = sum(map(len, different))
        return samples, keys, total - keys


def _different(keys: Sequence[Ints]) -> Ints:
    """Every key once, in order. By sorting: in a hash table keys so alike collide all the time."""
    ordered = np.sort(np.concatenate(keys), kind="stable")
    found: Ints = ordered[np.diff(ordered, prepend=-1) != 0]
    return found
