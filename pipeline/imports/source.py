"""Sample files as batches of text cells, each row with its line number."""

import gzip
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from config.csvfile import SEPARATORS
from config.problems import ConfigError, Problem, did_you_mean, listed

COLUMNS: Final = (
    "ts", "ap", "site", "up", "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes",
    "tx_bytes", "uptime_s",
)  # fmt: skip
REQUIRED: Final = ("ts", "ap")
BLOCK_BYTES: Final = 16_000_000
BATCH_ROWS: Final = 250_000

_ZIPPED: Final = frozenset({".gz"})


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file: cells as text, trimmed; null where empty or where there is no column."""

    cells: pa.Table
    lines: npt.NDArray[np.int64]
    """Of each row, counted from 1; in Parquet the row's number."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line with too many or too few cells."""

    line: int
    message: str


@dataclass(slots=True)
class Source:
    """A sample file. `batches` may be iterated once; `malformed` grows with it."""

    path: Path
    rows: int
    """About how many there are, for a progress bar."""
    lines: npt.NDArray[np.int64] | None = None
    """Numbers of the lines that are not empty, of a CSV."""
    malformed: list[Malformed] = field(default_factory=list)

    def batches(self) -> Iterator[Batch]:
        """Read the file, a bounded part at a time. Raises ConfigError."""
        if self.lines is None:
            yield from _parquet(self.path)
        else:
            yield from _csv(self.path, self.lines, self.malformed)


def open_source(path: Path) -> Source:
    """Look at a CSV (also .csv.gz) or Parquet file. Raises ConfigError where it is neither."""
    if not path.is_file():
        raise ConfigError([Problem(path, 1, "", "there is no such file")])
    if path.suffix == ".parquet":
        return Source(path, _opened(path).metadata.num_rows)
    lines = _lines_with_text(path)
    if not len(lines):
        message = f"is empty; its first line must name the columns: {listed(COLUMNS)}"
        raise ConfigError([Problem(path, 1, "", message)])
    return Source(path, len(lines) - 1, lines)


def _opened(path: Path) -> pyarrow.parquet.ParquetFile:
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError([Problem(path, 1, "", f"is no Parquet file: {error}")]) from error


def _parquet(path: Path) -> Iterator[Batch]:
    file = _opened(path)
    _check_header(path, file.schema_arrow.names)
    first = 1
    for batch in file.iter_batches(BATCH_ROWS):
        columns = {name: _as_text(batch[name]) for name in batch.schema.names}
        yield Batch(_complete(columns, len(batch)), np.arange(first, first + len(batch)))
        first += len(batch)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        zone = "Z" if column.type.tz else ""
        utc = column.cast(pa.timestamp("ms", "UTC" if column.type.tz else None), safe=False)
        return pc.strftime(utc, format=f"%Y-%m-%dT%H:%M:%S{zone}")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column.cast(pa.string())


def _csv(path: Path, lines: npt.NDArray[np.int64], malformed: list[Malformed]) -> Iterator[Batch]:
    header, separator = _header(path, int(lines[0]))
    _check_header(path, header, int(lines[0]))
    bad: list[int] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        bad.append(row.number - 1)
        if row.text.strip():
            cells = f"{row.actual_columns} cells, the header {row.expected_columns}"
            malformed.append(Malformed(int(lines[row.number - 1]), f"has {cells}"))
        return "skip"

    options = {
        "read_options": pyarrow.csv.ReadOptions(
            use_threads=False,  # threads would not tell which line is malformed
            block_size=BLOCK_BYTES,
            column_names=header,
            skip_rows=1,
        ),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=separator, invalid_row_handler=refuse),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    }
    at = 1  # the header is the first line with text
    with _open(path) as file, pyarrow.csv.open_csv(file, **options) as reader:
        for batch in reader:
            # As many lines as there are rows, leaving out those that were refused.
            candidates = np.arange(at, at + len(batch) + len(bad))
            ordinals = np.setdiff1d(candidates, bad, assume_unique=True)[: len(batch)]
            columns = {name: pc.utf8_trim_whitespace(batch[name]) for name in batch.schema.names}
            yield Batch(_complete(columns, len(batch)), lines[ordinals])
            at = int(ordinals[-1]) + 1 if len(ordinals) else at


def _complete(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    """Every column there is, in order; empty cells are null."""
    whole = [
        pc.replace_with_mask(
            columns[name], pc.equal(columns[name], ""), pa.scalar(None, pa.string())
        )
        if name in columns
        else pa.nulls(rows, pa.string())
        for name in COLUMNS
    ]
    return pa.table(whole, names=list(COLUMNS))


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix in _ZIPPED else path.open("rb")  # type: ignore[return-value]


def _lines_with_text(path: Path) -> npt.NDArray[np.int64]:
    """Numbers of the lines that are not empty. Raises ConfigError where it is not UTF-8."""
    found = []
    with _open(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.rstrip(b"\r\n"):
                    found.append(number)
                if not line.isascii():
                    line.decode("utf-8")
        except UnicodeDecodeError as error:
            message = "is not UTF-8; save the file as CSV UTF-8"
            raise ConfigError([Problem(path, number, "", message)]) from error
        except OSError as error:
            raise ConfigError([Problem(path, 1, "", f"cannot be read: {error}")]) from error
    return np.array(found, dtype=np.int64)


def _header(path: Path, number: int) -> tuple[list[str], str]:
    with _open(path) as file:
        line = next(itertools.islice(file, number - 1, None)).decode("utf-8-sig")
    separator = max(SEPARATORS, key=line.count)
    return [
        name.strip().strip('"').strip() for name in line.rstrip("\r\n").split(separator)
    ], separator


def _check_header(path: Path, names: Sequence[str], line: int = 1) -> None:
    problems = []
    for position, name in enumerate(names):
        if name in names[:position]:
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
