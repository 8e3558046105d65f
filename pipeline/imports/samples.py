"""From text cells to readings: what each column may hold, and why a row is refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.reading import MAX_COUNTER, Reading
from config.problems import shown
from pipeline.imports.batch import Batch, Ints, Mask
from pipeline.imports.cells import (
    Refusal,
    Rows,
    Rules,
    coded,
    hints,
    integers,
    is_null,
    times,
)

MAX_CLIENTS: Final = 100_000
UNKNOWN_AP: Final = "unknown access point"
MAX_UPTIME_S: Final = 10_000_000_000

_LIMITS: Final[Mapping[str, int]] = {
    "clients": MAX_CLIENTS,
    "clients_2g": MAX_CLIENTS,
    "clients_5g": MAX_CLIENTS,
    "clients_6g": MAX_CLIENTS,
    "rx_bytes": MAX_COUNTER,
    "tx_bytes": MAX_COUNTER,
    "uptime_s": MAX_UPTIME_S,
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """The good rows of a batch, sorted by AP and time; all of the same length."""

    readings: list[Reading]
    ap: Ints
    """Codes, ascending; the same code is the same AP in this batch only."""
    place: Ints
    """Codes, likewise, of AP and site together."""
    ts_ms: Ints
    figures: Mapping[str, Mask]
    """Of each figure that any of them has, which have it."""


def read(batch: Batch, rules: Rules) -> tuple[Parsed, list[Refusal]]:
    """Turn a batch into readings, and the rows refused.

    Of rows with the same AP and time the later one in the file comes later.
    """
    count = len(batch.lines)
    rows = Rows(batch, rules, np.zeros(count, dtype=bool))
    aps, sites, intervals = _places(rows, rules)
    ts_ms = times(rows, rules)
    columns: dict[str, list[Any]] = {"up": _ups(rows)}
    columns |= {name: integers(rows, name, limit) for name, limit in _LIMITS.items()}
    says_nothing = np.logical_and.reduce([is_null(rows.text(name)) for name in columns])
    rows.refuse(
        says_nothing, "ap", "says nothing", lambda _: "neither up nor any figure in the row"
    )

    kept = np.flatnonzero(~rows.bad)
    ap = coded(rows.text("ap"))
    site = rows.text("site")
    place = ap if site.null_count == count else coded(_joined(rows.text("ap"), site))
    kept = kept[np.lexsort((ts_ms[kept], ap[kept]))]
    nothing: list[Any] = [None] * count
    of_sample = {**columns, "counter_bits": nothing, "channel_utilisation": nothing}
    figures = [of_sample[name] for name in Reading._fields[3:-1]]
    cells: list[list[Any]] = [aps, sites, ts_ms.tolist(), *figures, intervals]
    whole = list(zip(*cells, strict=True))
    readings = [Reading._make(whole[at]) for at in kept]
    there = {name: ~is_null(rows.text(name))[kept] for name in columns}
    said = {name: mask for name, mask in there.items() if mask.any()}
    return Parsed(readings, ap[kept], place[kept], ts_ms[kept], said), rows.refusals


def _places(rows: Rows, rules: Rules) -> tuple[list[Any], list[Any], list[Any]]:
    """AP, site and poll interval of each row."""
    names = rows.text("ap").to_pylist()
    hint = hints(rules.home)
    rows.refuse(
        np.array([name not in rules.home for name in names], dtype=bool),
        "ap",
        UNKNOWN_AP,
        lambda ap: f"{shown(ap)} is not in access_points.csv{hint(ap)}" if ap else "is empty",
    )
    homes = [rules.home.get(name, ("", 0)) for name in names]
    told = rows.text("site")
    if told.null_count == len(told):
        sites = [site for site, _ in homes]
    else:
        given = told.to_pylist()
        sites = [site or home for site, (home, _) in zip(given, homes, strict=True)]
        hint = hints(rules.sites)
        rows.refuse(
            np.array([bool(site) and site not in rules.sites for site in given], dtype=bool),
            "site",
            "unknown site",
            lambda site: f"{shown(site)} is not in sites.csv{hint(site)}",
        )
    return names, sites, [interval for _, interval in homes]


def _ups(rows: Rows) -> list[int | None]:
    text = rows.text("up")
    if text.null_count == len(text):
        return [None] * len(text)
    cells = [cell.lower() if cell else None for cell in text.to_pylist()]
    words = rows.rules.up_words
    wrong = np.array([cell is not None and cell not in words for cell in cells], dtype=bool)
    hint = rows.rules.hints.get("up", "write 0 or 1")
    rows.refuse(wrong, "up", "not 0 or 1", lambda up: f"{shown(up)} is not allowed; {hint}")
    return [None if cell is None else words.get(cell) for cell in cells]


def _joined(ap: pa.ChunkedArray, site: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(ap, pc.fill_null(site, ""), "/")
