"""Closures and maintenance as people announce them: local days and times, turned into instants."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator

from config import csvfile, values
from config.deployment import Id, Row, SitePeriod
from config.problems import Problem, shown
from config.rows import check_row, read_table_of

Moment = Annotated[date, PlainValidator(values.moment)]
"""A day, or a date-time with or without an offset."""


class PeriodRow(Row):
    """A row as the files have it."""

    site: Id
    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    reason: str | None = None


@dataclass(slots=True)
class Periods:
    """The periods of a file, and its rows as written."""

    path: Path
    items: list[SitePeriod] = field(default_factory=list)
    written: list[csvfile.Row] = field(default_factory=list)


def read_periods(
    path: Path, zone_of: Callable[[str], ZoneInfo], problems: list[Problem]
) -> Periods:
    """Read the periods of a file, in the time zone of their sites."""
    periods = Periods(path)
    table = read_table_of(path, PeriodRow, problems)
    if table is None:
        return periods
    for row in table.rows:
        if not row.aligned:
            continue
        periods.written.append(row)
        checked = check_row(table, row, PeriodRow, problems)
        period = _period(path, row.line, checked, zone_of, problems) if checked else None
        if period:
            periods.items.append(period)
    return periods


def span_of(start: str, end: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From and to as people write them outside the files, as instants [start, end) in UTC.

    Local days, both included, or date-times, as in the files. Raises ValueError whose text begins
    with the one that is wrong, `from` or `to`.
    """
    instants = []
    for key, text in (("from", start), ("to", end)):
        try:
            moment: date = values.moment(text)
            instants.append(_instant(moment if key == "from" else _last(moment), zone))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
    if instants[0] >= instants[1]:
        raise ValueError(
            f"from: {shown(start)} is not before to, {shown(end)}; allowed: from first, then to"
        )
    return instants[0], instants[1]


def _period(
    path: Path,
    line: int,
    row: PeriodRow,
    zone_of: Callable[[str], ZoneInfo],
    problems: list[Problem],
) -> SitePeriod | None:
    zone = zone_of(row.site)
    instants = []
    for key, moment in (("from", row.start), ("to", _last(row.end))):
        try:
            instants.append(_instant(moment, zone))
        except ValueError as error:
            problems.append(Problem(path, line, key, str(error)))
    if len(instants) < 2:
        return None
    start, end = instants
    if start >= end:
        message = f"{row.start} is not before to, {row.end}; allowed: from first, then to"
        problems.append(Problem(path, line, "from", message))
        return None
    return SitePeriod(site=row.site, start=start, end=end, reason=row.reason)


def _last(end: date) -> date:
    """The last day is included: it ends where the next one starts."""
    return end if isinstance(end, datetime) else end + timedelta(days=1)


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    """A local day's start, or a date-time, in UTC; ValueError where it is none or two."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), zone).astimezone(UTC)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    first = moment.replace(tzinfo=zone)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    # The clocks change (PEP 495): forward over this time, or back to it.
    what = "comes twice" if first.astimezone(UTC) < second.astimezone(UTC) else "does not exist"
    raise ValueError(
        f"{moment} {what} on that day, when the clocks of {zone.key} change; write the offset "
        f"from UTC too: {first.isoformat(sep=' ')} or {second.isoformat(sep=' ')}"
    )
