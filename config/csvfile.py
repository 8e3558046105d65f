"""CSV as spreadsheets write it: comma, semicolon or tab, quoted cells, empty columns and lines."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from config.problems import Problem, did_you_mean, listed
from config.textfile import read_text

SEPARATORS: Final = (",", ";", "\t")
EXCEL_SEPARATOR: Final = re.compile(r'"?sep=(?P<separator>[,;\t])"?[,;\t ]*')
"""A first line that tells Excel the separator; it is not data."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the cells that hold something, trimmed, by column."""

    line: int
    """Where it begins; a quoted cell may span lines."""
    cells: Mapping[str, str]
    aligned: bool
    """False where it has too many or too few cells: their columns cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, and the columns among the allowed ones that it has."""

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Row]


class Line(NamedTuple):
    """A row as the file has it, its cells trimmed."""

    number: int
    cells: list[str]


def read_table(
    path: Path, allowed: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> Table | None:
    """Read a table; None where it has no header to read it by."""
    text = read_text(path, problems)
    if text is None:
        return None
    lines = _lines(path, text, allowed, problems)
    if not lines:
        message = f"is empty; its first line must name the columns: {listed(allowed)}"
        problems.append(Problem(path, 1, "", message))
        return None
    header = lines[0]
    names = _without_trailing_empty(header.cells)
    if not set(names) & set(allowed):
        message = f"names no known column; the first line must: {listed(allowed)}"
        problems.append(Problem(path, header.number, "", message))
        return None
    problems.extend(_header_problems(path, header, names, allowed, required))
    rows = [_row(path, line, names, allowed, problems) for line in lines[1:]]
    return Table(path, tuple(name for name in allowed if name in names), rows)


def _lines(path: Path, text: str, allowed: Sequence[str], problems: list[Problem]) -> list[Line]:
    """Split into rows that hold something; what cannot be split is a problem."""
    skipped, text, separator = _separator(text, allowed)
    # newline="" keeps line ends as they are, so that they are counted as the file has them.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
    )
    lines: list[Line] = []
    while True:
        number = skipped + reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return lines
        except csv.Error as error:
            if "expected after" in str(error):
                message = (
                    "text follows a closing quote; within a quoted cell write a quote twice: "
                    '"the ""old"" library"'
                )
                problems.append(Problem(path, number, "", message))
                continue
            # At the end of the file, or after more text than any cell holds.
            message = "a quoted cell that begins here is never closed; add the closing quote"
            problems.append(Problem(path, number, "", message))
            return lines
        if any(cells):
            lines.append(Line(number, cells))


def _separator(text: str, allowed: Sequence[str]) -> tuple[int, str, str]:
    """How many lines to skip, the rest, and the separator that its header is written with."""
    first, end, rest = re.split(r"(\r\n|\r|\n|\Z)", text, maxsplit=1)
    told = EXCEL_SEPARATOR.fullmatch(first.strip())
    if told and end:
        return 1, rest, told["separator"]
    stripped = text.lstrip()
    header = re.split(r"[\r\n]", stripped, maxsplit=1)[0]

    def fits(separator: str) -> tuple[int, int]:
        names = [name.strip().strip('"') for name in header.split(separator)]
        return len(set(names) & set(allowed)), len(names)

    return 0, text, max(SEPARATORS, key=fits)


def _without_trailing_empty(cells: Sequence[str]) -> list[str]:
    kept = list(cells)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _header_problems(
    path: Path,
    header: Line,
    names: Sequence[str],
    allowed: Sequence[str],
    required: Sequence[str],
) -> Iterator[Problem]:
    for position, name in enumerate(names):
        if not name:
            message = f"column {position + 1} has no name; allowed: {listed(allowed)}"
            yield Problem(path, header.number, "", message)
        elif name in names[:position]:
            yield Problem(path, header.number, name, "the column is there twice; keep one")
        elif name not in allowed:
            message = f"unknown column{did_you_mean(name, allowed)}; allowed: {listed(allowed)}"
            yield Problem(path, header.number, name, message)
    for name in required:
        if name not in names:
            message = f"the column is missing; required: {listed(required)}"
            yield Problem(path, header.number, name, message)


def _row(
    path: Path, line: Line, names: Sequence[str], allowed: Sequence[str], problems: list[Problem]
) -> Row:
    cells = line.cells
    extra = _without_trailing_empty(cells[len(names) :])
    if extra or len(cells) < len(names):
        count = len(names) + len(extra) if extra else len(cells)
        message = (
            f"has {count} {'cell' if count == 1 else 'cells'}, the header {len(names)}; "
            "a cell that holds the separator must be in double quotes"
        )
        problems.append(Problem(path, line.number, "", message))
    known = {
        name: cell for name, cell in zip(names, cells, strict=False) if cell and name in allowed
    }
    return Row(line.number, known, aligned=not extra and len(cells) >= len(names))
