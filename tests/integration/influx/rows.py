"""Rows of usage, most of them zero."""

import pandas as pd

from pipeline.store.schema import USAGE_COLUMNS


def usage_row(site: str, start_ms: int, **values: int | None) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(USAGE_COLUMNS, 0)
    row |= {"site": site, "start_ms": start_ms, "end_ms": start_ms + 900_000}
    return row | {"peak_clients": None, "rx_bytes": None, "tx_bytes": None} | values


def usage(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([r[name] for r in rows], dtype=t) for name, t in USAGE_COLUMNS.items()}
    )
