"""What a sample file may hold, and a part of it as text cells, each row with its line number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
REQUIRED: Final = ("ts", "ap")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that has no cells to speak of: too many, too few, unclosed, not UTF-8."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, in its order."""

    cells: pa.Table
    """COLUMNS as text, trimmed; null where empty or where there is no such column."""
    lines: npt.NDArray[np.int64]
    """Of each row, counted from 1; in Parquet the row's number."""
    malformed: Sequence[Malformed]
    done: int
    """How much of the file was read so far, in the unit of its size."""


def table(columns: Mapping[str, pa.Array], rows: int) -> pa.Table:
    """Text columns made complete: trimmed, every one there, empty cells null."""
    whole = []
    for name in COLUMNS:
        cells = pa.nulls(rows, pa.string())
        if name in columns:
            trimmed = pc.utf8_trim_whitespace(columns[name])
            cells = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
        whole.append(cells)
    return pa.table(whole, names=list(COLUMNS))


def check_header(path: Path, names: Sequence[str], line: int = 1) -> None:
    """Refuse a file with unknown or missing columns: raises ConfigError with each of them."""
    problems = []
    for position, name in enumerate(names):
        if not name:
            message = f"column {position + 1} has no name; allowed: {listed(COLUMNS)}"
            problems.append(Problem(path, line, "", message))
        elif name in names[:position]:
            problems.append(Problem(path, line, name, "the column is there twice; keep one"))
        elif name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS)
            message = f"unknown column{hint}; allowed: {listed(COLUMNS)}"
            problems.append(Problem(path, line, name, message))
    for name in REQUIRED:
        if name not in names:
            message = f"the column is missing; required: {listed(REQUIRED)}"
            problems.append(Problem(path, line, name, message))
    if problems:
        raise ConfigError(problems)
