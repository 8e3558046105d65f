"""A part of a file as text cells, each row with its line number, and which columns a file has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigError, Problem, did_you_mean, listed

COLUMNS: Final = (
    "ts", "ap", "site", "up", "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes",
    "tx_bytes", "uptime_s",
)  # fmt: skip
"""Of a sample file."""

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Header:
    """Which columns a file may have, and which it must."""

    allowed: Sequence[str]
    required: Sequence[str]
    others: bool = False
    """Whether there may be others too; they are not read."""
    advice: str = ""
    """What to do where the columns are others, after a semicolon."""

    def check(self, path: Path, names: Sequence[str], line: int = 1) -> None:
        """Refuse a file whose columns are not these: raises ConfigError with each of them."""
        problems = [*self._wrong(path, names, line), *self._missing(path, names, line)]
        if problems:
            raise ConfigError(problems)

    def _wrong(self, path: Path, names: Sequence[str], line: int) -> Iterator[Problem]:
        for position, name in enumerate(names):
            if not name and not self.others:
                message = f"column {position + 1} has no name; allowed: {listed(self.allowed)}"
                yield Problem(path, line, "", message)
            elif name in names[:position] and (name in self.allowed or not self.others):
                yield Problem(path, line, name, "the column is there twice; keep one")
            elif name not in self.allowed and not self.others:
                hint = did_you_mean(name, self.allowed)
                message = f"unknown column{hint}; allowed: {listed(self.allowed)}{self.advice}"
                yield Problem(path, line, name, message)

    def _missing(self, path: Path, names: Sequence[str], line: int) -> Iterator[Problem]:
        for name in self.required:
            if name in names:
                continue
            message = f"the column is missing; required: {listed(self.required)}"
            if self.others:
                hint = did_you_mean(name, names)
                message = (
                    f"the column is missing{hint}; the file has: {listed(filter(None, names))}"
                )
            yield Problem(path, line, name, message)


SAMPLES: Final = Header(
    COLUMNS, ("ts", "ap"), advice="; a file with columns of its own is read with --mapping"
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that has no cells to speak of: too many, too few, unclosed, not UTF-8."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, in its order."""

    cells: pa.Table
    """Text, trimmed; null where empty. As read: the columns that the file has of those allowed."""
    lines: Ints
    """Of each row, counted from 1; in Parquet the row's number."""
    malformed: Sequence[Malformed]
    done: int
    """How much of the file was read so far, in the unit of its size."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that a mapping passes over, by the reason; they are in no other count."""


def text_table(columns: Mapping[str, pa.Array]) -> pa.Table:
    """Text columns trimmed, empty cells null."""
    trimmed = {name: pc.utf8_trim_whitespace(cells) for name, cells in columns.items()}
    nothing = pa.scalar(None, pa.string())
    return pa.table({n: pc.if_else(pc.equal(c, ""), nothing, c) for n, c in trimmed.items()})


def completed(cells: pa.Table) -> pa.Table:
    """The columns of a sample file, those that are not there null."""
    there = set(cells.column_names)
    nothing = pa.nulls(len(cells), pa.string())
    return pa.table({name: cells[name] if name in there else nothing for name in COLUMNS})
