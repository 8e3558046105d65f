"""Parquet as batches of text cells, so that one set of rules judges every file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from config.problems import ConfigError, Problem
from pipeline.imports.batch import Batch, Header, text_table

BATCH_ROWS: Final = 250_000
_EXACT: Final = float(2**53)
"""Whole numbers from here on are not exact in floating point."""


def batches(path: Path, header: Header) -> Iterator[Batch]:
    """Read a Parquet file. Raises ConfigError where it cannot be read, also midway."""
    row = 1
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header.check(path, file.schema_arrow.names)
            names = [name for name in header.allowed if name in file.schema_arrow.names]
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                columns = {name: _as_text(path, name, batch[name]) for name in names}
                lines = np.arange(row, row + len(batch), dtype=np.int64)
                row += len(batch)
                yield Batch(text_table(columns), lines, (), row - 1)
    except (pa.ArrowException, OSError) as error:
        message = f"cannot be read as Parquet: {error}"
        raise ConfigError([Problem(path, row, "", message)]) from error


def row_count(path: Path) -> int:
    """How many rows there are. Raises ConfigError."""
    try:
        return int(pyarrow.parquet.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        message = f"cannot be read as Parquet: {error}"
        raise ConfigError([Problem(path, 1, "", message)]) from error


def _as_text(path: Path, name: str, column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        zone = "Z" if column.type.tz else ""
        utc = column.cast(pa.timestamp("ms", "UTC" if zone else None), safe=False)
        return pc.strftime(utc, format=f"%Y-%m-%dT%H:%M:%S{zone}")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        return _floats_as_text(column.cast(pa.float64()))
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        message = f"a column of {column.type} is not allowed; write text, numbers or timestamps"
        raise ConfigError([Problem(path, 1, name, message)]) from error


def _floats_as_text(column: pa.Array) -> pa.Array:
    """pandas makes 12 and an empty cell 12.0 and NaN."""
    nothing = pa.scalar(None, pa.float64())
    column = pc.if_else(pc.is_nan(column), nothing, column)
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT))
    as_whole = pc.if_else(whole, column, nothing).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, as_whole, column.cast(pa.string()))
