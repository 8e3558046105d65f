"""CSV as batches. Every line is a row, so that one bad line cannot swallow those after it."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.csvfile import EXCEL_SEPARATOR, SEPARATORS
from config.problems import ConfigError, Problem, listed
from config.textfile import SAVE_AS_UTF8, WORKBOOK
from pipeline.imports.batch import Batch, Header, Malformed, text_table

BLOCK_CHARACTERS: Final = 16_000_000
"""Read at a time: some 300,000 rows."""
NOT_UTF8: Final = "\ufffd"
"""What stands for bytes that are not UTF-8."""


@dataclass(frozen=True, slots=True)
class _FirstLine:
    line: int
    names: list[str]
    separator: str


def batches(path: Path, header: Header) -> Iterator[Batch]:
    """Read a CSV file, also .csv.gz. Raises ConfigError where it cannot be read, also midway."""
    line = 1
    try:
        with path.open("rb") as raw, _unzipped(path, raw) as text:
            first = _first_line(path, text, header)
            header.check(path, first.names, first.line)
            line = first.line + 1
            while block := text.readlines(BLOCK_CHARACTERS):
                yield _batch(block, line, first, header, raw.tell())
                line += len(block)
    except (OSError, EOFError, zlib.error) as error:
        message = f"cannot be read from here on: {error}; check the file and import it again"
        raise ConfigError([Problem(path, line, "", message)]) from error


def _unzipped(path: Path, raw: BinaryIO) -> TextIO:
    data = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
    return io.TextIOWrapper(data, encoding="utf-8-sig", errors="replace")


def _first_line(path: Path, text: TextIO, header: Header) -> _FirstLine:
    separators: tuple[str, ...] = SEPARATORS
    for number, line in enumerate(text, 1):
        if line.encode().startswith(WORKBOOK):
            message = f"is a workbook, not a text file; {SAVE_AS_UTF8}"
            raise ConfigError([Problem(path, number, "", message)])
        if NOT_UTF8 in line or "\0" in line:
            raise ConfigError([Problem(path, number, "", f"is not UTF-8; {SAVE_AS_UTF8}")])
        told = EXCEL_SEPARATOR.fullmatch(line.strip())
        if told and separators == SEPARATORS:
            separators = (told["separator"],)
        elif line.strip():
            known = {s: len(set(_names(line, s)) & set(header.allowed)) for s in separators}
            separator = max(separators, key=known.__getitem__)
            return _FirstLine(number, _names(line, separator), separator)
    message = f"is empty; its first line must name the columns: {listed(header.allowed)}"
    raise ConfigError([Problem(path, 1, "", message)])


def _names(line: str, separator: str) -> list[str]:
    names = [name.strip().strip('"').strip() for name in line.split(separator)]
    while names and not names[-1]:
        names.pop()
    return names


def _batch(
    block: list[str], first: int, first_line: _FirstLine, header: Header, done: int
) -> Batch:
    names, separator = first_line.names, first_line.separator
    text = pa.array(block, pa.string())
    blank = pc.equal(pc.utf8_trim(text, f'{separator}" \t\n'), "")
    plain = pc.and_not(
        pc.equal(pc.count_substring(text, separator), len(names) - 1),
        pc.or_(pc.match_substring(text, '"'), pc.match_substring(text, NOT_UTF8)),
    )
    rows, malformed = [], []
    odd = np.flatnonzero(pc.invert(pc.or_(plain, blank)).to_numpy(zero_copy_only=False))
    for at in odd.tolist():
        try:
            rows.append((first + at, _cells(block[at], separator, len(names))))
        except ValueError as error:
            malformed.append(Malformed(first + at, str(error)))

    kept = pc.and_not(plain, blank)
    cells = pc.split_pattern(text.filter(kept), separator).flatten()
    lines = first + np.flatnonzero(kept.to_numpy(zero_copy_only=False))
    lines = np.concatenate([lines, np.array([line for line, _ in rows], dtype=np.int64)])
    columns = {}
    for position, name in enumerate(names):
        if name not in header.allowed:
            continue
        column = cells.take(pa.array(np.arange(position, len(cells), len(names))))
        others = pa.array([row[position] for _, row in rows], pa.string())
        columns[name] = pa.concat_arrays([column, others])
    whole = text_table(columns)
    if rows:
        order = np.argsort(lines)
        whole, lines = whole.take(pa.array(order)), lines[order]
    return Batch(whole, lines, malformed, done)


def _cells(line: str, separator: str, width: int) -> list[str]:
    """The cells of a line that needs a closer look. Raises ValueError."""
    if NOT_UTF8 in line:
        raise ValueError("is not UTF-8; save the file as CSV UTF-8")
    try:
        (cells,) = csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise ValueError(
            f"its quotes do not match ({error}); a quoted cell ends on its line, and a quote "
            "within it is written twice"
        ) from error
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        raise ValueError(
            f"has {len(cells)} {'cell' if len(cells) == 1 else 'cells'}, the header {width}"
        )
    return cells
