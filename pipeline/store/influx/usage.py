"""Usage in InfluxDB, where a rewrite must replace a row and not merge with it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay

from pipeline.spool.destination import RefusedError, UnavailableError
from pipeline.store.base import Level
from pipeline.store.influx import influxql
from pipeline.store.influx.frames import add_usage_rows, usage_columns
from pipeline.store.influx.line_protocol import SiteTags, usage_lines, usage_tags
from pipeline.store.influx.runs import deletions
from pipeline.store.influx.server import InfluxServer
from pipeline.store.schema import UsageSchema

BATCH_LINES: Final = 5000
WINDOW_MS: Final = {measurement: days * 86_400_000 for measurement, days in
                    {"usage_15min": 7, "usage_hour": 31, "usage_day": 731,
                     "usage_ap_hour": 7, "usage_ap_day": 183}.items()}  # fmt: skip
"""Longest stretch of one statement."""
LONG: Final = 8
"""From so many of them on it pays to ask first where there is anything."""
PATIENCE_S: Final = 60.0
"""How long one request waits for a server that is busy or restarts. Usage needs no spool: what
could not be written stays due, and is computed again."""
_ALWAYS: Final = "end_ms"
"""A field that every point of usage has."""

_Series = tuple[str, ...]
"""The values of the schema's tags, those of its subject first; '' where a tag is absent."""
_Points = dict[_Series, set[int]]
"""Times of points, by their series."""

log = structlog.get_logger(__name__)


class UsageTable:
    """The usage of a bucket, of sites or of access points."""

    def __init__(
        self,
        schema: UsageSchema,
        server: InfluxServer,
        bucket: str,
        site_tags: SiteTags,
        *,
        patience_s: float = PATIENCE_S,
    ):
        self._schema = schema
        self._server = server
        self._bucket = bucket
        self._site_tags = site_tags
        self._patience_s = patience_s

    def write(self, level: Level, usage: pd.DataFrame) -> None:
        """Replace the rows of the same key.

        InfluxDB would keep a stored value where the new one is unknown, and a whole second row
        where the site's kind or commune has changed. Both are deleted; should that be cut short,
        the error leaves the windows due, and writing them again ends with the same rows.
        """
        if usage.empty:
            return
        for statement in self._deletions(level, self._forgotten_values(level, usage)):
            self._patiently(self._server.execute, statement)
        lines = list(usage_lines(self._schema, level, usage, self._site_tags))
        for first in range(0, len(lines), BATCH_LINES):
            self._patiently(self._server.write, lines[first : first + BATCH_LINES])
        for statement in self._deletions(level, self._former_rows(level, usage)):
            try:
                self._patiently(self._server.execute, statement)
            except RefusedError as error:
                # InfluxDB 3 deletes nothing. Our own reading knows which row is the present one.
                log.warning(
                    "usage under a former kind or commune stays",
                    statement=statement,
                    reason=str(error),
                )

    def read(
        self, level: Level, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """The periods that start in [start, end), sorted by their key."""
        former, present = usage_columns(self._schema), usage_columns(self._schema)
        for series, values in self._rows(level, self._schema.fields, start_ms, end_ms, sites):
            columns = present if self._is_present(series) else former
            add_usage_rows(columns, self._schema, self._subject(series), values)
        frame = pd.concat([former.frame(), present.frame()])
        key = self._schema.key
        return frame.drop_duplicates(key, keep="last").sort_values(
            key, kind="stable", ignore_index=True
        )

    def _rows(
        self,
        level: Level,
        fields: Sequence[str],
        start_ms: int,
        end_ms: int,
        sites: Collection[str] | None = None,
        *,
        where: Sequence[str] = (),
    ) -> Iterator[tuple[_Series, list[list[Any]]]]:
        measurement = self._schema.measurements[level]
        if end_ms - start_ms > LONG * WINDOW_MS[measurement]:
            start_ms, end_ms = self._server.extent(
                self._bucket, _ALWAYS, measurement, start_ms, end_ms
            )
        for start, end in influxql.spans(start_ms, end_ms, WINDOW_MS[measurement]):
            for group in influxql.groups(sites, influxql.NAMES_A_STATEMENT):
                conditions = [influxql.within(start, end), *where]
                if group is not None:
                    conditions.append(influxql.one_of("site", group))
                statement = influxql.select(fields, measurement, conditions, by=self._schema.tags)
                for rows in self._server.query(self._bucket, statement):
                    yield self._series(rows.tags), rows.values

    def _forgotten_values(self, level: Level, usage: pd.DataFrame) -> _Points:
        """Stored points that hold a value where the new row holds none."""
        stale: _Points = {}
        for names, unknown in _by_what_is_unknown(usage, self._schema.nullable):
            keys = set(self._keys(unknown))
            holds = " OR ".join(f"{influxql.name(name)} >= 0" for name in names)
            extent, sites = _extent(unknown), _few_sites(unknown)
            for series, values in self._rows(level, names, *extent, sites, where=[f"({holds})"]):
                if self._is_present(series):
                    whose = self._subject(series)
                    times = {time for time, *_ in values if (*whose, time) in keys}
                    stale.setdefault(series, set()).update(times)
        return stale

    def _former_rows(self, level: Level, usage: pd.DataFrame) -> _Points:
        """Stored points of the same key under another kind or commune."""
        start_ms, end_ms = _extent(usage)
        window = influxql.within(start_ms, end_ms)
        measurement = self._schema.measurements[level]
        statement = influxql.edge("last", _ALWAYS, measurement, [window], by=self._schema.tags)
        here = set(usage["site"])
        sites = {
            rows.tags["site"]
            for rows in self._server.query(self._bucket, statement)
            if rows.tags["site"] in here and not self._is_present(self._series(rows.tags))
        }
        stale: _Points = {}
        if sites:
            written = set(self._keys(usage))
            for series, values in self._rows(level, (_ALWAYS,), start_ms, end_ms, sites):
                if not self._is_present(series):
                    whose = self._subject(series)
                    times = {time for time, _ in values if (*whose, time) in written}
                    stale.setdefault(series, set()).update(times)
        return stale

    def _deletions(self, level: Level, stale: _Points) -> Iterator[str]:
        chosen = {series: times for series, times in stale.items() if times}
        if not chosen:
            return
        every: dict[_Series, list[int]] = {}
        extent = min(map(min, chosen.values())), max(map(max, chosen.values())) + 1
        sites = {series[0] for series in chosen}
        for series, values in self._rows(level, (_ALWAYS,), *extent, sites):
            every.setdefault(series, []).extend(time for time, _ in values)
        for series, times in chosen.items():
            tags = dict(zip(self._schema.tags, series, strict=True))
            yield from deletions(self._schema.measurements[level], tags, every[series], times)

    def _keys(self, usage: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
        return zip(*(usage[name].tolist() for name in self._schema.key), strict=True)

    def _series(self, tags: Mapping[str, str]) -> _Series:
        return tuple(tags.get(name, "") for name in self._schema.tags)

    def _subject(self, series: _Series) -> tuple[str, ...]:
        return series[: len(self._schema.subject)]

    def _is_present(self, series: _Series) -> bool:
        """Whether a series has the kind and commune that its site has now."""
        tags = usage_tags(self._schema, self._subject(series), self._site_tags)
        return series == self._series(dict(tags))

    def _patiently(self, request: Callable[[str, Any], None], content: Any) -> None:
        Retrying(
            retry=retry_if_exception_type(UnavailableError),
            wait=_wait_s,
            stop=stop_before_delay(self._patience_s),
            reraise=True,
        )(request, self._bucket, content)


def _wait_s(state: RetryCallState) -> float:
    """As long as the server asks for; else 1, 2, 4, 8, at most 16 seconds."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, UnavailableError) else None
    return float(asked if asked is not None else min(16, 2 ** (state.attempt_number - 1)))


def _by_what_is_unknown(
    usage: pd.DataFrame, names: Iterable[str]
) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Columns that are unknown in the same rows, and these rows. There are few such groups."""
    groups: dict[bytes, list[str]] = {}
    for name in names:
        groups.setdefault(usage[name].isna().to_numpy().tobytes(), []).append(name)
    for group in groups.values():
        unknown = usage[usage[group[0]].isna()]
        if not unknown.empty:
            yield group, unknown


def _extent(usage: pd.DataFrame) -> tuple[int, int]:
    return int(usage["start_ms"].min()), int(usage["start_ms"].max()) + 1


def _few_sites(usage: pd.DataFrame) -> frozenset[str] | None:
    """The sites, where naming them spares the server work; None for all."""
    sites = frozenset(usage["site"])
    return sites if len(sites) <= influxql.NAMES_A_STATEMENT else None
