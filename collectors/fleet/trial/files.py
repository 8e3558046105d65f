"""A trial city as the files that people have: a deployment, its samples, and the answers."""

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from collectors.fleet.trial.draw import TrialCity
from collectors.fleet.trial.polls import POLL_SECONDS, Polls, ap_name
from collectors.fleet.trial.season import ZONE
from collectors.fleet.trial.truth import Truth

Format = Literal["parquet", "csv"]

_SCHEMA: Final = pa.schema(
    [
        ("ts", pa.timestamp("s", "UTC")),
        ("ap", pa.string()),
        ("up", pa.int8()),
        ("clients", pa.int32()),
    ]
)


def write_deployment(city: TrialCity, folder: Path) -> None:
    """Write what `spotwatch check` reads; nothing in it tells the answers."""
    settings = (
        f"city: Trial {city.seed}\ntimezone: {ZONE.key}\ncountry: BE\nlanguage: en\n"
        f"snmp:\n  poll_seconds: {POLL_SECONDS}\n"
    )
    (folder / "spotwatch.yaml").write_text(settings, encoding="utf-8")
    day = city.season.day_at
    _write(
        folder / "sites.csv",
        ("site", "kind", "opening_hours", "in_service_since"),
        (
            (
                place.site,
                place.kind,
                place.timetable.text if place.hours_written else None,
                day(place.since) if place.since is not None and place.since_written else None,
            )
            for place in city.places
        ),
    )
    _write(
        folder / "access_points.csv",
        ("ap", "site", "source"),
        (
            (ap_name(place, number), place.site, "import")
            for place in city.places
            for number in range(1, place.aps + 1)
        ),
    )
    _write(
        folder / "closures.csv",
        ("site", "from", "to", "reason"),
        (
            (place.site, day(place.closed[0]), day(place.closed[1]) - timedelta(days=1), "works")
            for place in city.places
            if place.closed
        ),
    )


def write_samples(polled: Iterable[Polls], path: Path, kind: Format) -> int:
    """Write what `spotwatch import` reads; return the number of rows."""
    rows = 0
    writer = (
        pyarrow.parquet.ParquetWriter(path, _SCHEMA)
        if kind == "parquet"
        else pyarrow.csv.CSVWriter(path, _SCHEMA)
    )
    with writer:
        for one in polled:
            table = _table(one)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def write_truth(answers: Sequence[Truth], path: Path) -> None:
    """Write the right verdicts, with the parameters that they follow from."""
    _write(
        path,
        ("site", "kind", "circumstance", "verdict", "ratio", "ratio_low", "ratio_high",
         "intensity", "peer_median"),
        (
            (a.site, a.kind, a.circumstance, a.verdict, f"{a.ratio:.4f}", f"{a.low:.4f}",
             f"{a.high:.4f}", f"{a.level:.4f}", f"{a.reference:.4f}")
            for a in answers
        ),
    )  # fmt: skip


def _table(one: Polls) -> pa.Table:
    seconds = pa.array(one.ts_ms // 1000).cast(_SCHEMA.field("ts").type)
    clients = pa.array(one.clients.astype(np.int32), mask=~one.up)
    columns = [seconds, pa.repeat(one.ap, len(seconds)), pa.array(one.up.astype(np.int8)), clients]
    return pa.table(columns, schema=_SCHEMA)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
