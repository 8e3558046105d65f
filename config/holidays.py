"""`holidays.csv`: holidays of the whole city, or of a commune, beside those of the country."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.csvfile import Row as Written
from config.deployment import Holiday, Site
from config.problems import Problem, did_you_mean, shown
from config.rows import Rows, check_row, read_table_of

LONGEST_DAYS: Final = 366
"""Of a holiday; what is longer is a mistyped year."""


@dataclass(slots=True)
class Holidays:
    """The holidays of a file, and its rows as written."""

    path: Path
    items: list[Holiday] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)


def read_holidays(path: Path, problems: list[Problem]) -> Holidays:
    """Read the holidays of a file."""
    holidays = Holidays(path)
    table = read_table_of(path, Holiday, problems)
    if table is None:
        return holidays
    for row in table.rows:
        if not row.aligned:
            continue
        holidays.written.append(row)
        checked = check_row(table, row, Holiday, problems)
        wrong = _wrong_length(checked) if checked else None
        if wrong:
            problems.append(Problem(path, row.line, "to", wrong))
        elif checked:
            holidays.items.append(checked)
    return holidays


def check_communes(holidays: Holidays, sites: Rows[Site], problems: list[Problem]) -> None:
    """Every commune that has holidays is one of `sites.csv`; a misspelt one would have none."""
    if not sites.readable:
        return
    known = _communes(sites.written)
    for row in holidays.written:
        commune = row.cells.get("commune")
        if commune is not None and commune not in known:
            hint = did_you_mean(commune, known) or "; name one that is, or none for the whole city"
            message = f"{shown(commune)} is the commune of no site in {sites.path.name}{hint}"
            problems.append(Problem(holidays.path, row.line, "commune", message))


def _communes(rows: Iterable[Written]) -> set[str]:
    return {row.cells["commune"] for row in rows if "commune" in row.cells}


def _wrong_length(holiday: Holiday) -> str | None:
    days = (holiday.end - holiday.start).days + 1
    if days < 1:
        return f"{holiday.end} is before from, {holiday.start}; allowed: that day or later"
    if days > LONGEST_DAYS:
        return (
            f"{holiday.end} is {days} days from {holiday.start}; allowed: at most {LONGEST_DAYS} "
            "days, both included"
        )
    return None
