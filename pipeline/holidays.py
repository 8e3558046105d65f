"""Opening hours on days that are holidays here and not in the whole country.

OpenStreetMap's syntax says `PH` (public holidays) and `SH` (school holidays) among the weekdays of
a rule: `PH off`, `Mo-Fr,PH 10:00-12:00`, `SH Mo-Fr 09:00-12:00`. The library that reads it knows
the public holidays that a whole country shares, and takes no others: none of a region or commune,
hardly a school holiday. But what is open on a day follows from the rules that hold on that day and,
past midnight, on the day before. For a span of two days a weekday is a date: so the rules of one
day are had by writing, for the days of a rule that name holidays, the weekdays of the two on which
they hold.

Source: https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification#weekday_selector
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from config.deployment import Holiday

DAY: Final = timedelta(days=1)
WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

Says = Callable[[str, date], bool]

_NAME: Final = "(?i:Mo|Tu|We|Th|Fr|Sa|Su)"
_SHIFT: Final = r"(?: [+-][0-9]+ days?)?"
_WEEKDAY: Final = rf"{_NAME}(?:-{_NAME}|\[[-0-9,]+\]{_SHIFT})?"
_WEEKDAYS: Final = rf"{_WEEKDAY}(?:,{_WEEKDAY})*"
_HOLIDAY: Final = rf"(?:PH{_SHIFT}|SH)"
_HOLIDAYS: Final = rf"{_HOLIDAY}(?:,{_HOLIDAY})*"
_DAYS: Final = re.compile(
    rf"(?<![A-Za-z])(?:(?P<before>{_WEEKDAYS})(?P<glue_before>[, ]))?(?P<holidays>{_HOLIDAYS})"
    rf"(?:(?P<glue_after>[, ])(?P<after>{_WEEKDAYS})(?![A-Za-z]))?"
)
"""The days of a rule, where holidays are among them: with a comma also, with a space only those."""
_ONE_HOLIDAY: Final = re.compile(r"(?P<kind>PH|SH)(?: (?P<shift>[+-][0-9]+) days?)?")
_COMMENT: Final = re.compile(r'("[^"]*")')


@dataclass(frozen=True, slots=True)
class Holidays:
    """Local days that are holidays, beside the country's."""

    public: frozenset[date] = frozenset()
    school: frozenset[date] = frozenset()

    def of(self, kind: str) -> frozenset[date]:
        """The days of `PH` or `SH`."""
        return self.public if kind == "PH" else self.school


NONE: Final = Holidays()


def by_commune(rows: Iterable[Holiday]) -> Mapping[str | None, Holidays]:
    """The holidays of each commune that has its own; of None: of every other."""
    days: dict[tuple[str | None, str], set[date]] = {}
    communes: set[str | None] = {None}
    for row in rows:
        communes.add(row.commune)
        length = (row.end - row.start).days + 1
        found = days.setdefault((row.commune, row.kind), set())
        found.update(row.start + n * DAY for n in range(length))

    def known(commune: str | None, kind: str) -> frozenset[date]:
        city = days.get((None, kind), set())
        return frozenset(city | days.get((commune, kind), set()))

    return {c: Holidays(known(c, "public"), known(c, "school")) for c in communes}


def kinds_named(expression: str) -> frozenset[str]:
    """`PH` and `SH`, as far as an expression names them."""
    days = [match["holidays"] for match in _selectors(expression)]
    return frozenset(match["kind"] for text in days for match in _ONE_HOLIDAY.finditer(text))


def affected(expression: str, holidays: Holidays, first: date, last: date) -> Iterator[date]:
    """The days from first to last, both included, that the expression must be rewritten for."""
    found: set[date] = set()
    for match in _selectors(expression):
        if _both(match):  # The library takes `SH Mo-Fr` for `SH,Mo-Fr`, on every day.
            found.update(first + n * DAY for n in range((last - first).days + 1))
            break
        for holiday in _ONE_HOLIDAY.finditer(match["holidays"]):
            shift = int(holiday["shift"] or 0) * DAY
            found.update(day + shift for day in holidays.of(holiday["kind"]))
    yield from sorted(day for day in found | {day + DAY for day in found} if first <= day <= last)


def on(expression: str, day: date, holidays: Holidays, says: Says) -> str:
    """An expression that says of this one day what the given one says, holidays included.

    `says` knows of the days of a rule (`Mo-Fr`, `PH`), without our holidays, if they hold on a day.
    """
    parts = _COMMENT.split(expression)
    for at in range(0, len(parts), 2):
        parts[at] = _DAYS.sub(lambda match: _on(match, day, holidays, says), parts[at])
    return "".join(parts)


def _on(match: re.Match[str], day: date, holidays: Holidays, says: Says) -> str:
    """The weekdays of the day and of the day before, as far as a rule's days hold on them."""
    weekdays = match["before"] or match["after"]

    def holds(one: date) -> bool:
        holiday = any(
            one - int(each["shift"] or 0) * DAY in holidays.of(each["kind"]) or says(each[0], one)
            for each in _ONE_HOLIDAY.finditer(match["holidays"])
        )
        if weekdays is None:
            return holiday
        weekday = says(weekdays, one)
        return holiday and weekday if _both(match) else holiday or weekday

    two = [day - DAY, day]
    names = [WEEKDAYS[one.weekday()] for one in two if holds(one)]
    # A rule that holds on neither is one of another weekday: rules are counted by those after it.
    return ",".join(names) or WEEKDAYS[(day + DAY).weekday()]


def _both(match: re.Match[str]) -> bool:
    return " " in {match["glue_before"], match["glue_after"]}


def _selectors(expression: str) -> Iterator[re.Match[str]]:
    for part in _COMMENT.split(expression)[::2]:
        yield from _DAYS.finditer(part)
