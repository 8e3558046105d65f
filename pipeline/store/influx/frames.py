"""Rows of InfluxQL and lines of the spool, as the frames that every store answers with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.arrays import FloatingArray, IntegerArray

from pipeline.spool.destination import SpooledLine
from pipeline.store.base import StoreError
from pipeline.store.influx.line_protocol import fields_of
from pipeline.store.schema import SAMPLE_COLUMNS, SAMPLE_FIELDS, UsageSchema

_PACK_ROWS: Final = 50_000
"""Rows are packed into arrays in pieces: as Python objects they take ten times the memory."""

SAMPLE_TYPES: Final = {
    name: "str" if name in ("ap", "site")
    else "int64" if name in ("ts_ms", "interval_s")
    else "Float64" if SAMPLE_FIELDS[name] == "float"
    else "Int64"
    for name in SAMPLE_COLUMNS
}  # fmt: skip
"""The type of each column of a frame of samples."""

_ARROW: Final = {
    "str": pa.string(), "int64": pa.int64(), "Int64": pa.int64(), "Float64": pa.float64()
}  # fmt: skip


class Columns:
    """Rows gathered column by column, on the way to a frame."""

    def __init__(self, types: Mapping[str, str]):
        """`types`: pandas' name of each column's type, in the order of the frame."""
        self._types = types
        self._loose: dict[str, list[Any]] = {name: [] for name in types}
        self._packed: dict[str, list[pa.Array]] = {name: [] for name in types}

    def add(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add rows; every column has as many values as there are rows."""
        for name, values in columns.items():
            self._loose[name].extend(values)
        if len(next(iter(self._loose.values()))) >= _PACK_ROWS:
            self._pack()

    def frame(self) -> pd.DataFrame:
        """Everything added, in that order. Integers never pass through floats."""
        self._pack()
        return pd.DataFrame(
            {
                name: pd.Series(_series_values(pa.chunked_array(self._packed[name]), kind))
                for name, kind in self._types.items()
            }
        )

    def _pack(self) -> None:
        for name, values in self._loose.items():
            try:
                packed = pa.array(values, _ARROW[self._types[name]])
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise StoreError(
                    f"InfluxDB holds another type than ours in {name}: {error}"
                ) from error
            self._packed[name].append(packed)
            self._loose[name] = []


def _series_values(array: pa.ChunkedArray, kind: str) -> Any:
    if kind == "str":
        return pd.array(array.to_pylist(), dtype="str")
    missing = array.is_null().to_numpy()
    values = array.fill_null(0).to_numpy()
    if kind == "int64":
        return np.array(values)
    return (FloatingArray if kind == "Float64" else IntegerArray)(np.array(values), missing)


def sample_columns() -> Columns:
    """For samples."""
    return Columns(SAMPLE_TYPES)


def usage_columns(schema: UsageSchema) -> Columns:
    """For usage."""
    return Columns(schema.columns)


def add_sample_rows(columns: Columns, ap: str, site: str, rows: Sequence[Sequence[Any]]) -> None:
    """Add rows of a series of samples: time, then `SAMPLE_FIELDS` in order."""
    if rows:
        times, *fields = zip(*rows, strict=True)
        named = dict(zip(SAMPLE_FIELDS, fields, strict=True))
        columns.add({"ap": [ap] * len(rows), "site": [site] * len(rows), "ts_ms": times, **named})


def add_usage_rows(
    columns: Columns, schema: UsageSchema, subject: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows of a series of usage: time, then the schema's fields in order.

    A field that a point lacks, such as one that came later, is unknown, or 0 where it never is.
    """
    if rows:
        times, *fields = zip(*rows, strict=True)
        whose = {
            name: [value] * len(rows) for name, value in zip(schema.subject, subject, strict=True)
        }
        columns.add({**whose, "start_ms": times, **dict(zip(schema.fields, fields, strict=True))})


def add_spooled(columns: Columns, lines: Iterable[SpooledLine]) -> None:
    """Add samples that still wait."""
    found = [(line, fields_of(line.line)) for line in lines]
    columns.add(
        {
            "ap": [line.ap for line, _ in found],
            "site": [line.site for line, _ in found],
            "ts_ms": [line.ts_ms for line, _ in found],
            **{name: [fields.get(name) for _, fields in found] for name in SAMPLE_FIELDS},
        }
    )


def one_row_per_sample(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the same (`ap`, `ts_ms`) as one: of each column the last that is known.

    Sorted by that key, with a fresh index.
    """
    key = ["ap", "ts_ms"]
    twice = frame.duplicated(key, keep=False)
    if twice.any():
        merged = frame[twice].groupby(key, sort=False, as_index=False).last()
        frame = pd.concat([frame[~twice], merged[list(frame.columns)]])
    return frame.sort_values(key, kind="stable", ignore_index=True)
