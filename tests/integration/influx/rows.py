"""Rows of usage, most of them zero."""

from collections.abc import Mapping

import pandas as pd

from pipeline.store.schema import AP_USAGE, AP_USAGE_COLUMNS, SITE_USAGE, USAGE_COLUMNS

Row = dict[str, object]


def usage_row(site: str, start_ms: int, **values: int | None) -> Row:
    row: Row = dict.fromkeys(USAGE_COLUMNS, 0)
    row |= {"site": site, "start_ms": start_ms, "end_ms": start_ms + 900_000}
    return row | dict.fromkeys(SITE_USAGE.nullable) | values


def ap_usage_row(site: str, ap: str, start_ms: int, **values: int | None) -> Row:
    row: Row = dict.fromkeys(AP_USAGE_COLUMNS, 0)
    row |= {"site": site, "ap": ap, "start_ms": start_ms, "end_ms": start_ms + 3_600_000}
    return row | dict.fromkeys(AP_USAGE.nullable) | values


def usage(*rows: Row) -> pd.DataFrame:
    return _frame(rows, USAGE_COLUMNS)


def ap_usage(*rows: Row) -> pd.DataFrame:
    return _frame(rows, AP_USAGE_COLUMNS)


def _frame(rows: tuple[Row, ...], columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([r[name] for r in rows], dtype=t) for name, t in columns.items()}
    )
