"""Keeps the stored usage up to date with the stored samples."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import structlog

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.ap_hours import ApHours
from pipeline.usage.compute import Chunk, Chunks, Computer, service_of
from pipeline.usage.expiry import samples_kept_since_ms
from pipeline.usage.periods import WINDOW_MS, Span, bounds, sites_by_zone, window_ceil, window_floor
from pipeline.usage.rollup import emptied, roll_up
from pipeline.usage.service import Service
from pipeline.usage.sessions import SessionSource, with_sessions
from pipeline.usage.unfilled import unfilled

log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]
"""Told the milliseconds of usage done and to do."""


class Dirty(Protocol):
    """A span of a site whose usage no longer follows from its samples."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def site(self) -> str: ...  # noqa: D102
    @property
    def start_ms(self) -> int: ...  # noqa: D102
    @property
    def end_ms(self) -> int: ...  # noqa: D102


class Progressed(Protocol):
    """What the aggregator remembers between runs: see `pipeline.state.State`."""

    def mark_dirty(self, spans: Iterable[Span]) -> None:
        """Remember that the usage of these spans has to be computed again."""

    def dirty(self) -> Sequence[Dirty]:
        """Every span marked and not cleared."""

    def clear_dirty(self, ids: Iterable[int]) -> None:
        """Forget spans whose usage is right again."""

    def closed_until_ms(self) -> int | None:
        """End of the last window that was closed."""

    def set_closed_until_ms(self, ms: int) -> None:
        """Move it."""

    def aggregating(self, *, wait: bool) -> AbstractContextManager[bool]:
        """Be the one that writes usage; False where another is and `wait` is not wanted."""


class Aggregator:
    """Writes usage at 15 minutes, hours and days: closes windows, mends what late samples touch.

    What is computed is widened to whole local hours, of which the usage of access points is kept.

    One at a time, of all processes: who read the samples first could write its usage last, over
    that of one who had seen more of them and cleared the marks.
    """

    def __init__(
        self,
        deployment: Deployment,
        store: Store,
        state: Progressed,
        computer: Chunks | None = None,
        sessions: SessionSource | None = None,
    ) -> None:
        """`computer`: what computes; by default this process, from the store. `sessions`: who
        counts them; without, what is stored of them stays.
        """
        self._deployment = deployment
        self._store = store
        self._state = state
        self._computer = computer or Computer(deployment, store)
        self._sessions = sessions
        self._filled: dict[str, int] = {}
        """Sites whose usage is known to be there from this start on."""

    def close_windows(
        self, now_ms: int, progress: Progress | None = None, *, wait: bool = True
    ) -> None:
        """Aggregate every whole window up to now less the grace, and every dirty span.

        `wait`: for another process that aggregates now; else leave it all to the next run.
        Windows are first marked dirty, then declared closed, then computed. So a crash at any
        point leaves them marked, and a sample that arrives meanwhile finds its window closed and
        marks it again.
        """
        with self._state.aggregating(wait=wait) as alone:
            if alone:
                self._close_windows(now_ms, progress)
            else:
                log.info("another process aggregates")

    def recompute(
        self,
        start_ms: int,
        end_ms: int,
        sites: Collection[str] | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Compute the closed windows that meet [start, end) again, of all sites or some.

        Rows of time that the files now say is out of service become empty. Returns the number of
        15-minute rows written.
        """
        with self._state.aggregating(wait=True):
            return self._recompute(start_ms, end_ms, sites, progress)

    def _service(self) -> Service:
        watched = self._sessions.span() if self._sessions else None
        return service_of(self._deployment, self._store, watched)

    def _close_windows(self, now_ms: int, progress: Progress | None) -> None:
        service = self._service()
        started = service.rows_since < now_ms
        if not started.any():
            return
        until = window_floor(now_ms - self._deployment.settings.usage.grace_seconds * 1000)
        closed = self._state.closed_until_ms()
        if closed is None:
            closed = int(service.rows_since.min())
        if until > closed:
            sites = [site for site, here in zip(service.sites, started, strict=True) if here]
            self._state.mark_dirty((site, closed, until) for site in sites)
            self._state.set_closed_until_ms(until)
        kept = samples_kept_since_ms(self._deployment, now_ms)
        self._mend(service, window_ceil(kept or 0), max(until, closed), progress)

    def _recompute(
        self,
        start_ms: int,
        end_ms: int,
        sites: Collection[str] | None,
        progress: Progress | None,
    ) -> int:
        closed = self._state.closed_until_ms()
        if closed is None:
            return 0
        service = self._service()
        seen = [*self._store.span().values()]
        lowest = 0
        if samples_kept_since_ms(self._deployment, closed) is not None:
            # Usage of before the first sample that is left would be lost.
            lowest = window_floor(min((first for first, _ in seen), default=closed))
        elif self._sessions:
            seen += self._sessions.span().values()
        first = min((first for first, _ in seen), default=closed)
        start, end = window_floor(max(start_ms, first)), min(window_ceil(end_ms), closed)
        chosen = set(service.sites if sites is None else sites)
        spans = self._widened([(site, start, end) for site in chosen], lowest, closed)
        return self._run(list(_segments(spans)), service, closed, progress)

    def _mend(self, service: Service, kept: int, closed: int, progress: Progress | None) -> None:
        """Compute what is dirty again; before `kept` usage stays, since its samples are gone."""
        # Marked too: a crash must not leave a part of them to nobody.
        self._state.mark_dirty(unfilled(self._store, service, self._filled, kept, closed))
        dirty = self._state.dirty()
        starts = dict(zip(service.sites, service.rows_since.tolist(), strict=True))
        wanted = [(d.site, window_floor(d.start_ms), window_ceil(d.end_ms)) for d in dirty]
        spans = self._widened(wanted, kept, closed)
        # The first sample of a site, or of the store, decides when in its window service begins.
        for start, end, _ in list(_segments(spans)):
            begun = [(s, at, at + WINDOW_MS) for s, at in starts.items() if start <= at < end]
            spans += self._widened(begun, kept, closed)
        self._run(list(_segments(spans)), service, closed, progress)
        self._filled = starts
        self._state.clear_dirty([d.id for d in dirty])
        if dirty:
            log.debug("usage aggregated", spans=len(dirty), closed_until_ms=closed)

    def _widened(self, spans: Iterable[Span], kept: int, closed: int) -> list[Span]:
        """Spans of whole hours, of any zone's clock, as far as there are samples and time is over.

        The usage of access points is kept by the hour, and computed from the samples of all of it.
        """
        zones = sites_by_zone(self._deployment, self._deployment.sites)
        found = []
        for site, start, end in spans:
            first = [int(bounds("hour", start, start + 1, zone)[0]) for zone in zones]
            last = [int(bounds("hour", end - 1, end, zone)[-1]) for zone in zones]
            found.append((site, max(min(first), kept), min(max(last), closed)))
        return found

    def _run(
        self,
        segments: Sequence[tuple[int, int, set[str]]],
        service: Service,
        closed: int,
        progress: Progress | None,
    ) -> int:
        total = sum(end - start for start, end, _ in segments if start < end)
        done = rows = 0
        for start, end, sites in segments:
            aps = ApHours(self._deployment, self._store, start_ms=start, closed_ms=closed)
            for sampled in self._computer.chunks(start, end, service):
                chunk = with_sessions(sampled, self._sessions, self._deployment, self._store)
                affected = self._affected(sites, chunk)
                rows += self._write(chunk, affected, service)
                aps.add(chunk, affected)
                done += chunk.end_ms - chunk.start_ms
                if progress:
                    progress(done, total)
        return rows

    def _affected(self, sites: set[str], chunk: Chunk) -> set[str]:
        """The sites, and those that share an AP with them: its time belongs to one of them only."""
        home = {ap.ap: ap.site for ap in self._deployment.access_points.values()}
        heard = chunk.heard
        here = heard["site"].isin(sites) | heard["ap"].map(home).isin(sites)
        aps = set(heard["ap"][here])
        shared = set(heard["site"][heard["ap"].isin(aps)])
        return sites | shared | {home[ap] for ap in aps if ap in home}

    def _write(self, chunk: Chunk, sites: set[str], service: Service) -> int:
        usage = chunk.usage[chunk.usage["site"].isin(sites)]
        usage = pd.concat([usage, *self._emptied(chunk, sites, service)], ignore_index=True)
        if usage.empty:
            return 0
        usage = usage.sort_values(["site", "start_ms"], ignore_index=True)
        self._store.write_usage("15min", usage)
        for zone, members in sites_by_zone(self._deployment, usage["site"].unique()).items():
            here = usage[usage["site"].isin(members)]
            self._write_longer(here, chunk.start_ms, chunk.end_ms, zone, members)
        return len(usage)

    def _emptied(self, chunk: Chunk, sites: set[str], service: Service) -> Iterator[pd.DataFrame]:
        """Rows stored for time before a site's service as the files have it now, made empty."""
        for site, since in zip(service.sites, service.rows_since.tolist(), strict=True):
            until = min(since, chunk.end_ms)
            if site not in sites or chunk.start_ms >= until:
                continue
            stale = self._store.read_usage("15min", chunk.start_ms, until, sites=[site])
            if not stale.empty:
                yield emptied(stale)

    def _write_longer(
        self, usage: pd.DataFrame, start_ms: int, end_ms: int, zone: ZoneInfo, sites: list[str]
    ) -> None:
        days = bounds("day", start_ms, end_ms, zone)
        first, last = int(days[0]), int(days[-1])
        around = [
            self._store.read_usage("15min", a, b, sites=sites)
            for a, b in ((first, start_ms), (end_ms, last))
            if a < b
        ]
        whole = pd.concat([f for f in [usage, *around] if not f.empty], ignore_index=True)
        whole = whole.sort_values(["site", "start_ms"], ignore_index=True)
        self._store.write_usage("hour", roll_up(whole, bounds("hour", first, last, zone)))
        self._store.write_usage("day", roll_up(whole, days))


def _segments(spans: Iterable[Span]) -> Iterator[tuple[int, int, set[str]]]:
    """Merge spans that overlap or touch, with the sites of all of them."""
    ordered = sorted((start, end, site) for site, start, end in spans if start < end)
    if not ordered:
        return
    starts = np.array([start for start, _, _ in ordered])
    reach = np.maximum.accumulate(np.array([end for _, end, _ in ordered]))
    heads = np.flatnonzero(np.concatenate(([True], starts[1:] > reach[:-1])))
    for head, after in zip(heads, [*heads[1:], len(ordered)], strict=True):
        yield int(starts[head]), int(reach[after - 1]), {site for _, _, site in ordered[head:after]}
