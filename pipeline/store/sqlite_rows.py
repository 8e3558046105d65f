"""Rows of the embedded store on their way to frames and back: numbers for names, NA for NULL."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.arrays import FloatingArray, IntegerArray

UNKNOWN: Final = -1
"""Stands for NULL on the way to a frame: every stored quantity is at least 0."""

Rows = npt.NDArray[np.void]
Ids = dict[str, int]
"""Names and the numbers that stand for them."""


def name_ids(db: sqlite3.Connection, table: str) -> list[tuple[str, int]]:
    """Names and numbers of `aps` or `sites`, in the order of the names."""
    return db.execute(f"SELECT name, id FROM {table} ORDER BY name").fetchall()  # noqa: S608 - ours


def is_chosen(name: str, chosen: Collection[str] | None) -> bool:
    """Whether a name is among some; None stands for all."""
    return chosen is None or name in chosen


def repeated(values: Sequence[str], parts: Sequence[Rows]) -> "pd.Series[str]":
    """Each value as often as its part has rows."""
    return pd.Series(values, dtype="str").repeat([len(p) for p in parts]).reset_index(drop=True)


def masked(values: npt.NDArray[Any]) -> IntegerArray | FloatingArray:
    """Values with NA for UNKNOWN; never through floats, which are not exact past 2^53."""
    array = FloatingArray if values.dtype.kind == "f" else IntegerArray
    return array(values.copy(), values == UNKNOWN)


def nullable(column: "pd.Series[int]") -> list[int | None]:
    """Integers with None for NA, as SQLite takes them."""
    whole = column.astype("Int64")
    listed: list[int | None] = whole.to_numpy(object, na_value=None).tolist()  # type: ignore[call-overload]  # None is left out of its stub
    return listed
