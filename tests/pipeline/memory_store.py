"""A store and a state in memory, as slow and plain as the rules that they stand for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site, SitePeriod
from config.settings import Settings
from pipeline.store.base import ApLevel, Level
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS


def frame(readings: Iterable[Reading]) -> pd.DataFrame:
    """Readings in the order given, typed as a store types them."""
    plain = {"ap": "str", "site": "str", "ts_ms": "int64", "interval_s": "int64"}
    types = dict.fromkeys(Reading._fields, "Int64") | plain | {"channel_utilisation": "Float64"}
    rows = list(readings)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(Reading._fields)
    return pd.DataFrame(
        {
            name: pd.Series(list(column), dtype=types[name])
            for name, column in zip(Reading._fields, columns, strict=True)
        }
    )


def usage_frame(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str] = USAGE_COLUMNS
) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([r[name] for r in rows], dtype=t) for name, t in columns.items()}
    )


class MemoryStore:
    def __init__(self) -> None:
        self.samples: dict[tuple[str, int], Reading] = {}
        self.usage: dict[Level, dict[tuple[str, int], dict[str, Any]]] = {
            "15min": {},
            "hour": {},
            "day": {},
        }
        self.ap_usage: dict[ApLevel, dict[tuple[str, str, int], dict[str, Any]]] = {
            "hour": {},
            "day": {},
        }

    def write_samples(self, readings: Sequence[Reading]) -> None:
        self.samples |= {(r.ap, r.ts_ms): r for r in readings}

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        return frame(
            r
            for _, r in sorted(self.samples.items())
            if start_ms <= r.ts_ms < end_ms and (sites is None or r.site in sites)
        )

    def last_samples(
        self,
        before_ms: int,
        since_ms: int,
        *,
        sites: Collection[str] | None = None,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        last = {
            r.ap: r
            for _, r in sorted(self.samples.items())
            if since_ms <= r.ts_ms < before_ms
            and (sites is None or r.site in sites)
            and not (with_counters and r.rx_bytes is None and r.tx_bytes is None)
        }
        return frame(last.values())

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        later = [
            r.ts_ms
            for r in self.samples.values()
            if r.ap == ap
            and after_ms < r.ts_ms < until_ms
            and (r.rx_bytes is not None or r.tx_bytes is not None)
        ]
        return min(later, default=None)

    def moved_aps(self) -> Mapping[str, Collection[str]]:
        sites: dict[str, set[str]] = {}
        for r in self.samples.values():
            sites.setdefault(r.ap, set()).add(r.site)
        return {ap: found for ap, found in sites.items() if len(found) > 1}

    def span(self) -> Mapping[str, tuple[int, int]]:
        spans: dict[str, tuple[int, int]] = {}
        for r in self.samples.values():
            first, last = spans.get(r.site, (r.ts_ms, r.ts_ms))
            spans[r.site] = min(first, r.ts_ms), max(last, r.ts_ms)
        return spans

    def write_usage(self, level: Level, usage: pd.DataFrame) -> None:
        assert list(usage.columns) == list(USAGE_COLUMNS)
        for row in usage.to_dict("records"):
            self.usage[level][row["site"], row["start_ms"]] = {str(k): v for k, v in row.items()}

    def read_usage(
        self, level: Level, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        return usage_frame(
            [
                row
                for (site, start), row in sorted(self.usage[level].items())
                if start_ms <= start < end_ms and (sites is None or site in sites)
            ]
        )

    def write_ap_usage(self, level: ApLevel, usage: pd.DataFrame) -> None:
        assert list(usage.columns) == list(AP_USAGE_COLUMNS)
        for row in usage.to_dict("records"):
            key = row["site"], row["ap"], row["start_ms"]
            self.ap_usage[level][key] = {str(k): v for k, v in row.items()}

    def read_ap_usage(
        self, level: ApLevel, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        return usage_frame(
            [
                row
                for (site, _, start), row in sorted(self.ap_usage[level].items())
                if start_ms <= start < end_ms and (sites is None or site in sites)
            ],
            AP_USAGE_COLUMNS,
        )

    def close(self) -> None: ...


class Span(NamedTuple):
    id: int
    site: str
    start_ms: int
    end_ms: int


class MemoryState:
    def __init__(self) -> None:
        self.spans: dict[int, Span] = {}
        self.closed: int | None = None
        self._marked = 0

    def mark_dirty(self, spans: Iterable[tuple[str, int, int]]) -> None:
        for span in spans:
            self._marked += 1
            self.spans[self._marked] = Span(self._marked, *span)

    def dirty(self) -> list[Span]:
        return list(self.spans.values())

    def clear_dirty(self, ids: Iterable[int]) -> None:
        for i in ids:
            del self.spans[i]

    def closed_until_ms(self) -> int | None:
        return self.closed

    def set_closed_until_ms(self, ms: int) -> None:
        self.closed = ms

    def aggregating(self, *, wait: bool) -> AbstractContextManager[bool]:
        return nullcontext(enter_result=True)


def city(
    sites: Iterable[Site],
    aps: Iterable[AccessPoint],
    *,
    timezone: str = "Europe/Brussels",
    maintenance: Sequence[SitePeriod] = (),
    closures: Sequence[SitePeriod] = (),
    **settings: Any,
) -> Deployment:
    return Deployment(
        folder=Path(),
        settings=Settings(city="Testville", timezone=timezone, **settings),
        sites={site.site: site for site in sites},
        access_points={ap.ap: ap for ap in aps},
        maintenance=tuple(maintenance),
        closures=tuple(closures),
    )
