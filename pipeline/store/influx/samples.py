"""Samples in InfluxDB: sent from the spool, read together with what still waits in it.

A window is the server's samples overlaid with the spool's. So a window is right while a backlog
drains, newest batches among it; and while the server is away a read fails, because half a window
would be taken for a whole one: whoever aggregates waits, and catches up.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import structlog

from pipeline.spool.destination import MisconfiguredError, RefusedError, SpooledLine
from pipeline.spool.spool import Spool
from pipeline.store.influx import influxql
from pipeline.store.influx.frames import (
    add_sample_rows,
    add_spooled,
    one_row_per_sample,
    sample_columns,
)
from pipeline.store.influx.line_protocol import fields_of, merge_lines, sample_line_of
from pipeline.store.influx.runs import deletions
from pipeline.store.influx.server import InfluxServer
from pipeline.store.schema import SAMPLE_FIELDS, SAMPLE_MEASUREMENT, SAMPLE_TAGS

WINDOW_MS: Final = 86_400_000
"""Longest stretch of one statement; what is read at once stays near what one day holds."""
LONG_MS: Final = 32 * WINDOW_MS
"""From here on it pays to ask first where there is anything."""
_COUNTERS: Final = '("rx_bytes" >= 0 OR "tx_bytes" >= 0)'

log = structlog.get_logger(__name__)


class Samples:
    """The samples of a bucket and of the spool before it. A `Destination` of the spool."""

    def __init__(self, server: InfluxServer, bucket: str, spool: Spool):
        self._server = server
        self._bucket = bucket
        self._spool = spool

    def send(self, lines: Sequence[SpooledLine]) -> None:
        """Write samples; see `Destination`.

        The site is a tag: a sample that is stored under another site is another point to
        InfluxDB. What it carries moves into the new point, and the old point is deleted.
        """
        try:
            older, deletions = self._elsewhere(lines)
        except RefusedError as error:
            raise MisconfiguredError(str(error)) from error  # a question's fault, not a line's
        self._server.write(
            self._bucket,
            [
                merge_lines(older[x.ap, x.ts_ms], x.line) if (x.ap, x.ts_ms) in older else x.line
                for x in lines
            ],
        )
        self._delete(deletions)

    def window(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        """The samples of [start, end)."""
        if end_ms - start_ms > LONG_MS:
            start_ms, end_ms = self._extent(start_ms, end_ms)
        pieces = [
            self._piece(start, end, sites)
            for start, end in influxql.spans(start_ms, end_ms, WINDOW_MS)
        ]
        # Also sorts: the pieces are in the order of time, a frame is in that of the APs.
        return one_row_per_sample(pd.concat(pieces or [sample_columns().frame()]))

    def last(
        self,
        before_ms: int,
        since_ms: int,
        sites: Collection[str] | None = None,
        *,
        with_counters: bool = False,
    ) -> pd.DataFrame:
        """Each AP's last sample in [since, before), with_counters: the last that has one."""
        among = self._with_former(sites)  # an AP's last sample may be at another site
        frame = self._last_stored_or_waiting(before_ms, since_ms, among, with_counters)
        if with_counters:
            frame = frame[frame["rx_bytes"].notna() | frame["tx_bytes"].notna()]
        return _of_sites(frame.drop_duplicates("ap", keep="last", ignore_index=True), sites)

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        """Time of the AP's first sample with a counter in (after, until), or None."""
        waiting = [
            line.ts_ms
            for line in self._spool.window(after_ms + 1, until_ms, ap=ap)
            if _has_counter(line)
        ]
        statement = influxql.select(
            ("rx_bytes", "tx_bytes"),
            SAMPLE_MEASUREMENT,
            [influxql.within(after_ms + 1, until_ms), influxql.one_of("ap", [ap]), _COUNTERS],
            by=SAMPLE_TAGS,
            tail=" LIMIT 1",
        )
        stored = [rows.values[0][0] for rows in self._server.query(self._bucket, statement)]
        return min(waiting + stored, default=None)

    def span(self) -> Mapping[str, tuple[int, int]]:
        """First and last sample time of each site; one that waits to move counts at both."""
        times: dict[str, list[int]] = {}
        for site, first_ms, last_ms in self._spool.spans():
            times.setdefault(site, []).extend((first_ms, last_ms))
        for which in influxql.EDGES:
            statement = influxql.edge(which, "interval_s", SAMPLE_MEASUREMENT, [], by=["site"])
            for rows in self._server.query(self._bucket, statement):
                times.setdefault(rows.tags["site"], []).append(rows.values[0][0])
        return {site: (min(found), max(found)) for site, found in sorted(times.items())}

    def _last_stored_or_waiting(
        self, before_ms: int, since_ms: int, sites: Collection[str] | None, with_counters: bool
    ) -> pd.DataFrame:
        """At least the last sample of each AP, whole."""
        newest = self._spool.latest(since_ms, before_ms, sites=sites, with_counters=with_counters)
        columns = sample_columns()
        conditions = [influxql.within(since_ms, before_ms)]
        if with_counters:
            conditions.append(_COUNTERS)
        for group in influxql.groups(sites, influxql.NAMES_A_STATEMENT):
            self._add(columns, conditions, group, tail=" ORDER BY time DESC LIMIT 1")
        parts = [columns.frame().sort_values("ts_ms", kind="stable")]
        if with_counters:
            parts += self._rest_of(newest, parts[0], sites)
        waiting = sample_columns()
        add_spooled(waiting, newest)
        return one_row_per_sample(pd.concat([*parts, waiting.frame()]))

    def _rest_of(
        self, newest: Sequence[SpooledLine], stored: pd.DataFrame, sites: Collection[str] | None
    ) -> Iterator[pd.DataFrame]:
        """The fields without counters of the last samples, where one part waits, one is stored."""
        last = dict(zip(stored["ap"], stored["ts_ms"].tolist(), strict=True))
        waiting = sample_columns()
        add_spooled(waiting, self._spool.at([(ts_ms, ap) for ap, ts_ms in last.items()]))
        yield waiting.frame()
        late = {(x.ap, x.ts_ms) for x in newest if x.ts_ms > last.get(x.ap, x.ts_ms - 1)}
        if late:
            times = [ts_ms for _, ts_ms in late]
            known = self.window(min(times), max(times) + 1, sites)
            yield known[[key in late for key in zip(known["ap"], known["ts_ms"], strict=True)]]

    def _extent(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        waiting = [(first, last + 1) for _, first, last in self._spool.spans()]
        stored = self._server.extent(
            self._bucket, "interval_s", SAMPLE_MEASUREMENT, start_ms, end_ms
        )
        parts = [part for part in (*waiting, stored) if part[0] < part[1]]
        if not parts:
            return start_ms, start_ms
        first, last = min(p[0] for p in parts), max(p[1] for p in parts)
        return max(start_ms, first), min(end_ms, last)

    def _piece(self, start_ms: int, end_ms: int, sites: Collection[str] | None) -> pd.DataFrame:
        # The spool first: a line that is sent in between is then seen twice rather than never.
        waiting = self._waiting(start_ms, end_ms, sites)
        columns = sample_columns()
        for group in influxql.groups(self._with_former(sites), influxql.NAMES_A_STATEMENT):
            self._add(columns, [influxql.within(start_ms, end_ms)], group)
        add_spooled(columns, waiting)
        return _of_sites(one_row_per_sample(columns.frame()), sites)

    def _add(
        self, columns: Any, conditions: list[str], sites: Collection[str] | None, tail: str = ""
    ) -> None:
        if sites is not None:
            conditions = [*conditions, influxql.one_of("site", sites)]
        statement = influxql.select(
            SAMPLE_FIELDS, SAMPLE_MEASUREMENT, conditions, by=SAMPLE_TAGS, tail=tail
        )
        for rows in self._server.query(self._bucket, statement):
            add_sample_rows(columns, rows.tags["ap"], rows.tags["site"], rows.values)

    def _waiting(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None
    ) -> list[SpooledLine]:
        """What waits of a window, of these sites and of APs that were at one of them."""
        lines = self._spool.window(start_ms, end_ms)
        if sites is None or not lines:
            return lines
        among = self._with_former(sites) or ()
        return [line for line in lines if line.site in among]

    def _with_former(self, sites: Collection[str] | None) -> Collection[str] | None:
        """Sites, and the other sites of the APs that were at one of them and moved."""
        if sites is None:
            return None
        wanted = set(sites)
        return wanted.union(
            *(had for had in self.moved_aps().values() if not wanted.isdisjoint(had))
        )

    def moved_aps(self) -> Mapping[str, set[str]]:
        """The APs that had more than one site, and their sites."""
        if not self._spool.knows_places():
            statement = influxql.edge("last", "interval_s", SAMPLE_MEASUREMENT, [], by=SAMPLE_TAGS)
            answer = self._server.query(self._bucket, statement)
            self._spool.learn_places({(rows.tags["ap"], rows.tags["site"]) for rows in answer})
        return self._spool.moved_aps()

    def _elsewhere(
        self, lines: Sequence[SpooledLine]
    ) -> tuple[dict[tuple[str, int], bytes], list[str]]:
        """The points of these samples under another site, and what deletes them."""
        moved = self.moved_aps()
        sites = {(x.ap, x.ts_ms): x.site for x in lines if x.ap in moved}
        if not sites:
            return {}, []
        times = [ts_ms for _, ts_ms in sites]
        older: dict[tuple[str, int], bytes] = {}
        stored: dict[tuple[str, str], list[int]] = {}
        for group in influxql.groups({ap for ap, _ in sites}, influxql.NAMES_A_STATEMENT):
            statement = influxql.select(
                SAMPLE_FIELDS,
                SAMPLE_MEASUREMENT,
                [
                    influxql.within(min(times), max(times) + 1),
                    influxql.one_of("ap", group or ()),
                ],
                by=SAMPLE_TAGS,
            )
            for rows in self._server.query(self._bucket, statement):
                ap, site = rows.tags["ap"], rows.tags["site"]
                stored.setdefault((ap, site), []).extend(row[0] for row in rows.values)
                for ts_ms, *values in rows.values:
                    if sites.get((ap, ts_ms), site) != site:
                        fields = dict(zip(SAMPLE_FIELDS, values, strict=True))
                        older[ap, ts_ms] = sample_line_of(site, ap, ts_ms, fields)
        statements = [
            statement
            for (ap, site), every in stored.items()
            for statement in deletions(
                SAMPLE_MEASUREMENT,
                {"ap": ap, "site": site},
                every,
                {ts_ms for ts_ms in every if sites.get((ap, ts_ms), site) != site},
            )
        ]
        return older, statements

    def _delete(self, statements: Sequence[str]) -> None:
        for statement in statements:
            try:
                self._server.execute(self._bucket, statement)
            except RefusedError as error:
                # InfluxDB 3 deletes nothing. The samples are stored; say what is left over.
                log.warning(
                    "samples under a former site stay",
                    statement=statement,
                    reason=str(error),
                )


def _has_counter(line: SpooledLine) -> bool:
    return not {"rx_bytes", "tx_bytes"}.isdisjoint(fields_of(line.line))


def _of_sites(frame: pd.DataFrame, sites: Collection[str] | None) -> pd.DataFrame:
    if sites is None:
        return frame
    return frame[frame["site"].isin(list(sites))].reset_index(drop=True)
