"""The past of the demo city as a file for `spotwatch import`."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from collectors.fleet.city import City, Course

POLL_SECONDS: Final = 900
"""How often the poller of the past came by."""

_SCHEMA: Final = pa.schema(
    [
        ("ts", pa.int64()),  # seconds since 1970, which are read faster than text
        ("ap", pa.string()),
        ("up", pa.int8()),
        *((name, pa.int64()) for name in ("clients", "clients_2g", "clients_5g")),
        *((name, pa.int64()) for name in ("rx_bytes", "tx_bytes", "uptime_s")),
    ]
)


def write_history(
    city: City, path: Path, start_ms: int, end_ms: int, *, uncounted: Collection[str]
) -> int:
    """Write the samples in [start, end) as Parquet, one each 15 minutes and AP; return how many.

    uncounted: the APs that do not say how many clients they have.
    """
    parts = [
        _table(course, counted=course.ap not in uncounted)
        for course in city.history(start_ms, end_ms)
    ]
    table = pa.concat_tables(parts) if parts else _SCHEMA.empty_table()
    pyarrow.parquet.write_table(table, path)
    return int(table.num_rows)


def _table(course: Course, *, counted: bool) -> pa.Table:
    down = ~course.up
    silent = down if counted else np.ones_like(down)
    columns = [
        pa.array(course.ts_ms // 1000),
        pa.repeat(course.ap, len(down)),
        pa.array(course.up.astype(np.int8)),
        pa.array(course.clients, mask=silent),
        pa.array(course.clients_2g, mask=silent),
        pa.array(course.clients - course.clients_2g, mask=silent),
        pa.array(course.rx_bytes, mask=down),
        pa.array(course.tx_bytes, mask=down),
        pa.array(course.uptime_s, mask=down),
    ]
    return pa.table(columns, schema=_SCHEMA)
