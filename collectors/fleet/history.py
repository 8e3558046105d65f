"""The past of the demo city as a file for `spotwatch import`."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv

from collectors.fleet.city import City

POLL_SECONDS: Final = 900
"""How often the poller of the past came by."""

_SCHEMA: Final = pa.schema(
    [
        ("ts", pa.timestamp("s", "UTC")),
        ("ap", pa.string()),
        ("up", pa.int8()),
        *((name, pa.int64()) for name in ("clients", "clients_2g", "clients_5g")),
        *((name, pa.int64()) for name in ("rx_bytes", "tx_bytes", "uptime_s")),
    ]
)


def write_history(
    city: City, path: Path, start_ms: int, end_ms: int, *, uncounted: Collection[str]
) -> int:
    """Write the samples in [start, end) as CSV, one each 15 minutes and AP; return how many.

    uncounted: the APs that do not say how many clients they have.
    """
    rows = 0
    with pyarrow.csv.CSVWriter(path, _SCHEMA) as csv:
        for course in city.history(start_ms, end_ms):
            down = ~course.up
            silent = np.ones_like(down) if course.ap in uncounted else down
            count = len(course.ts_ms)
            columns = [
                pa.array(course.ts_ms // 1000).cast(_SCHEMA.field("ts").type),
                pa.repeat(course.ap, count),
                pa.array(course.up.astype(np.int8)),
                pa.array(course.clients, mask=silent),
                pa.array(course.clients_2g, mask=silent),
                pa.array(course.clients - course.clients_2g, mask=silent),
                pa.array(course.rx_bytes, mask=down),
                pa.array(course.tx_bytes, mask=down),
                pa.array(course.uptime_s, mask=down),
            ]
            csv.write_table(pa.table(columns, schema=_SCHEMA))
            rows += count
    return rows
