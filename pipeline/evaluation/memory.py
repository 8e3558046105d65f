"""A store in memory: the same questions, the same answers, no disk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.store.base import ApLevel, Level, StoreError
from pipeline.store.schema import USAGE_COLUMNS
from pipeline.usage.compute import Computer, service_of
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import window_ceil, window_floor

_NEVER: Final = ("clients_2g", "clients_5g", "clients_6g", "rx_bytes", "tx_bytes", "counter_bits",
                 "uptime_s")  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """Samples of a city by column, sorted by AP and time."""

    aps: Sequence[str]
    """Sorted names."""
    sites: Sequence[str]
    """The site of each AP."""
    ap: Ints
    """Index into `aps`."""
    ts_ms: Ints
    up: npt.NDArray[np.bool_]
    clients: Ints
    """Of no meaning where down."""
    interval_s: int


@dataclass(frozen=True, slots=True)
class ApSamples:
    """Samples of one AP, in order of time."""

    ap: str
    site: str
    ts_ms: Ints
    up: npt.NDArray[np.bool_]
    clients: Ints


def by_column(aps: Iterable[ApSamples], interval_s: int) -> SampleColumns:
    """Put the samples of APs, each named once, together."""
    ordered = sorted(aps, key=lambda one: one.ap)
    return SampleColumns(
        aps=[one.ap for one in ordered],
        sites=[one.site for one in ordered],
        ap=np.repeat(np.arange(len(ordered)), [len(one.ts_ms) for one in ordered]),
        ts_ms=np.concatenate([one.ts_ms for one in ordered]),
        up=np.concatenate([one.up for one in ordered]),
        clients=np.concatenate([one.clients for one in ordered]),
        interval_s=interval_s,
    )


class MemoryStore:
    """Samples that nothing is added to, and their 15-minute usage. See `pipeline.store.base.Store`.

    What it cannot do raises StoreError.
    """

    def __init__(self, samples: SampleColumns) -> None:
        self._samples = samples
        self._usage = _no_usage()

    def aggregate(self, deployment: Deployment) -> int:
        """Compute the usage of all time, as the aggregator does; return the end of its last window.

        In UTC milliseconds.
        """
        computer = Computer(deployment, self)
        service = service_of(deployment, self)
        end_ms = window_ceil(int(self._samples.ts_ms.max()))
        start_ms = window_floor(int(service.rows_since.min()))
        chunks = [chunk.usage for chunk in computer.chunks(start_ms, end_ms, service)]
        usage = pd.concat(chunks, ignore_index=True)
        self._usage = usage.sort_values(["site", "start_ms"], ignore_index=True)
        return end_ms

    def write_samples(self, readings: Sequence[Reading]) -> None:
        """Refused."""
        raise StoreError(f"{len(readings)} readings: a store in memory takes none")

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        found = self._samples
        return self._frame((found.ts_ms >= start_ms) & (found.ts_ms < end_ms), sites)

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """See the protocol."""
        found = self._samples
        within = (found.ts_ms >= since_ms) & (found.ts_ms < before_ms)
        if with_counters:
            within[:] = False
        rows = np.flatnonzero(within)
        last = np.zeros(len(within), dtype=np.bool_)
        if len(rows):
            last[rows[np.append(np.diff(found.ap[rows]) != 0, True)]] = True
        return self._frame(last, sites)

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        """See the protocol: no sample has a counter."""

    def moved_aps(self) -> Mapping[str, Collection[str]]:
        """See the protocol: none."""
        return {}

    def span(self) -> Mapping[str, tuple[int, int]]:
        """See the protocol."""
        found = self._samples
        spans: dict[str, tuple[int, int]] = {}
        for code, site in enumerate(found.sites):
            first, end = np.searchsorted(found.ap, (code, code + 1))
            if first < end:
                here = int(found.ts_ms[first]), int(found.ts_ms[end - 1])
                known = spans.get(site, here)
                spans[site] = min(here[0], known[0]), max(here[1], known[1])
        return spans

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        """Refused."""
        raise StoreError(f"{len(usage)} rows of {level}: a store in memory takes none")

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """See the protocol."""
        if level != "15min":
            raise StoreError(f"usage by {level}: a store in memory keeps that of 15 minutes only")
        usage = self._usage
        chosen = (usage["start_ms"] >= start_ms) & (usage["start_ms"] < end_ms)
        if sites is not None:
            chosen &= usage["site"].isin(sites)
        return usage[chosen].reset_index(drop=True)

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        """Refused."""
        self.write_usage(level, usage)

    def read_ap_usage(
        self,
        level: ApLevel,
        start_ms: int,  # noqa: ARG002 - the protocol's
        end_ms: int,  # noqa: ARG002
        *,
        sites: Collection[str] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Refused."""
        raise StoreError(f"usage of access points by {level}: a store in memory keeps none")

    def close(self) -> None:
        """Nothing to release."""

    def _frame(self, mask: npt.NDArray[np.bool_], sites: Collection[str] | None) -> pd.DataFrame:
        found = self._samples
        if sites is not None:
            mask = mask & np.isin(found.ap, [i for i, s in enumerate(found.sites) if s in sites])
        ap, down = found.ap[mask], ~found.up[mask]
        nothing = pd.arrays.IntegerArray(np.zeros(len(ap), np.int64), np.ones(len(ap), np.bool_))
        columns: dict[str, object] = {
            "ap": pd.Series(list(found.aps), dtype="str").take(ap).reset_index(drop=True),
            "site": pd.Series(list(found.sites), dtype="str").take(ap).reset_index(drop=True),
            "ts_ms": found.ts_ms[mask],
            "up": pd.array((~down).astype(np.int64), dtype="Int64"),
            "clients": pd.arrays.IntegerArray(found.clients[mask], down),
            "channel_utilisation": pd.array([pd.NA] * len(ap), dtype="Float64"),
            "interval_s": np.full(len(ap), found.interval_s, dtype=np.int64),
        }
        columns |= dict.fromkeys(_NEVER, nothing)
        return pd.DataFrame({name: columns[name] for name in Reading._fields})


def _no_usage() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in USAGE_COLUMNS.items()})
