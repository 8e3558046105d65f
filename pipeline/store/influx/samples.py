"""Samples in InfluxDB: sent from the spool, read together with what still waits in it.

A window is the server's samples overlaid with the spool's. So a window is right while a backlog
drains, newest batches among it; and while the server is away a read fails, because half a window
would be taken for a whole one: whoever aggregates waits, and catches up.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from pipeline.store.schema import SAMPLE_FIELDS, SAMPLE_MEASUREMENT

WINDOW_MS: Final = 86_400_000
"""Longest stretch of one statement; what is read at once stays near what one day holds."""
SITES_A_STATEMENT: Final = 200
_COUNTERS: Final = '("rx_bytes" >= 0 OR "tx_bytes" >= 0)'
_PLACE: Final = ("ap", "site")

_log = structlog.get_logger(__name__)


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
        waiting = self._waiting(since_ms, before_ms, sites)
        columns = sample_columns()
        conditions = [influxql.within(since_ms, before_ms)]
        if with_counters:
            conditions.append(_COUNTERS)
        for group in influxql.groups(self._with_former(sites), SITES_A_STATEMENT):
            self._add(columns, conditions, group, tail=" ORDER BY time DESC LIMIT 1")
        stored = columns.frame().sort_values("ts_ms", kind="stable")
        last = dict(zip(stored["ap"], stored["ts_ms"], strict=True))
        newer = _newest(waiting, with_counters=with_counters)
        late = {ap: line for ap, line in newer.items() if line.ts_ms > last.get(ap, since_ms - 1)}
        if late and with_counters:
            # What waits may carry but some of the fields of a stored sample without counters.
            times = [line.ts_ms for line in late.values()]
            keys = {(ap, line.ts_ms) for ap, line in late.items()}
            known = self.window(min(times), max(times) + 1, sites)
            chosen = [key in keys for key in zip(known["ap"], known["ts_ms"], strict=True)]
            stored = pd.concat([stored, known[chosen]])
        overlay = sample_columns()
        add_spooled(overlay, [x for x in waiting if x.ts_ms == last.get(x.ap)])
        add_spooled(overlay, late.values())
        frame = one_row_per_sample(pd.concat([stored, overlay.frame()]))
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
            by=_PLACE,
            tail=" LIMIT 1",
        )
        stored = [rows.values[0][0] for rows in self._server.query(self._bucket, statement)]
        return min(waiting + stored, default=None)

    def span(self) -> Mapping[str, tuple[int, int]]:
        """First and last sample time of each site."""
        times: dict[str, list[int]] = {}
        for site, first_ms, last_ms in self._spool.spans():
            times.setdefault(site, []).extend((first_ms, last_ms))
        for edge in ("first", "last"):
            statement = f'SELECT {edge}("interval_s") FROM "{SAMPLE_MEASUREMENT}" GROUP BY "site"'  # noqa: S608
            for rows in self._server.query(self._bucket, statement):
                times.setdefault(rows.tags["site"], []).append(rows.values[0][0])
        return {site: (min(found), max(found)) for site, found in sorted(times.items())}

    def _piece(self, start_ms: int, end_ms: int, sites: Collection[str] | None) -> pd.DataFrame:
        # The spool first: a line that is sent in between is then seen twice rather than never.
        waiting = self._waiting(start_ms, end_ms, sites)
        columns = sample_columns()
        for group in influxql.groups(self._with_former(sites), SITES_A_STATEMENT):
            self._add(columns, [influxql.within(start_ms, end_ms)], group)
        add_spooled(columns, waiting)
        return _of_sites(one_row_per_sample(columns.frame()), sites)

    def _add(
        self, columns: Any, conditions: list[str], sites: Collection[str] | None, tail: str = ""
    ) -> None:
        if sites is not None:
            conditions = [*conditions, influxql.one_of("site", sites)]
        statement = influxql.select(
            SAMPLE_FIELDS, SAMPLE_MEASUREMENT, conditions, by=_PLACE, tail=tail
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
        return wanted.union(*(had for had in self._moved().values() if not wanted.isdisjoint(had)))

    def _moved(self) -> Mapping[str, set[str]]:
        """The APs that had more than one site, and their sites."""
        if not self._spool.knows_places():
            statement = (
                f'SELECT last("interval_s") FROM "{SAMPLE_MEASUREMENT}" GROUP BY "ap", "site"'  # noqa: S608
            )
            answer = self._server.query(self._bucket, statement)
            self._spool.learn_places({(rows.tags["ap"], rows.tags["site"]) for rows in answer})
        return self._spool.moved_aps()

    def _elsewhere(
        self, lines: Sequence[SpooledLine]
    ) -> tuple[dict[tuple[str, int], bytes], list[str]]:
        """The points of these samples under another site, and what deletes them."""
        moved = self._moved()
        sites = {(x.ap, x.ts_ms): x.site for x in lines if x.ap in moved}
        if not sites:
            return {}, []
        times = [ts_ms for _, ts_ms in sites]
        older: dict[tuple[str, int], bytes] = {}
        stored: dict[tuple[str, str], list[int]] = {}
        for group in influxql.groups({ap for ap, _ in sites}, SITES_A_STATEMENT):
            statement = influxql.select(
                SAMPLE_FIELDS,
                SAMPLE_MEASUREMENT,
                [
                    influxql.within(min(times), max(times) + 1),
                    influxql.one_of("ap", group or ()),
                ],
                by=_PLACE,
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
                _log.error(
                    "samples that changed their site stay under the former one too",
                    statement=statement,
                    reason=str(error),
                )


def _has_counter(line: SpooledLine) -> bool:
    return not {"rx_bytes", "tx_bytes"}.isdisjoint(fields_of(line.line))


def _newest(waiting: Iterable[SpooledLine], *, with_counters: bool) -> dict[str, SpooledLine]:
    """Each AP's newest line, with_counters: of those that carry one. `waiting`: in time order."""
    return {line.ap: line for line in waiting if not with_counters or _has_counter(line)}


def _of_sites(frame: pd.DataFrame, sites: Collection[str] | None) -> pd.DataFrame:
    if sites is None:
        return frame
    return frame[frame["site"].isin(list(sites))].reset_index(drop=True)
