"""From the text cells of a session file to numbers: what a row may hold, why one is refused. Pure.

The text of a device ends here: what leaves is a hash under a key that lasts as long as the import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.problems import shown
from pipeline.imports.batch import Batch, Header, Ints, Mask
from pipeline.imports.cells import (
    AHEAD_MS,
    Refusal,
    Rows,
    Rules,
    hints,
    integers,
    is_null,
    matches,
    times,
)

COLUMNS: Final = ("site", "start", "duration_s", "device", "rx_bytes", "tx_bytes")
SESSIONS: Final = Header(COLUMNS, ("site", "start", "duration_s"))
MAX_DURATION_S: Final = 366 * 86_400
MAX_OCTETS: Final = 10**15
"""A petabyte: thousands of them can be added up."""
UNKNOWN: Final = -1

_DURATION: Final = r"^[0-9]{1,9}([.,][0-9]+)?$"
_MAC: Final = (
    r"^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}[:-]){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$"
)
"""With separators: twelve digits alone may be the number of an account."""
_SEPARATORS: Final = r"[:.-]"
_LOCALLY_ADMINISTERED: Final = r"^.[2367abef]"
"""IEEE 802: the second digit of addresses that no manufacturer gave out."""


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The good rows of a batch, in its order; all of the same length."""

    site: Ints
    """Places in the list of sites."""
    start_ms: Ints
    end_ms: Ints
    known: Mask
    """Whether the row names its device."""
    device: Ints
    """Hashes; 0 where it does not."""
    randomised: Ints
    """1 or 0 where the device is given by a MAC address, else UNKNOWN."""
    rx_bytes: Ints
    tx_bytes: Ints


def read(
    batch: Batch, rules: Rules, sites: Mapping[str, int], key: bytes
) -> tuple[SessionRows, list[Refusal]]:
    """Turn a batch into sessions, and the rows refused. `sites`: their places in a list."""
    there = {("ts" if name == "start" else name): batch.cells[name] for name in _names(batch)}
    nothing = pa.chunked_array([pa.nulls(len(batch.lines), pa.string())])
    needed = ("ts", *COLUMNS)
    cells = pa.table({name: there.get(name, nothing) for name in needed if name != "start"})
    rows = Rows(replace(batch, cells=cells), rules, np.zeros(len(batch.lines), dtype=bool))
    site = _sites(rows, sites)
    start_ms = times(rows, rules)
    end_ms = start_ms + _durations_ms(rows)
    rows.refuse(
        end_ms > rules.now_ms + AHEAD_MS,
        "duration_s",
        "future",
        lambda duration: f"after {shown(duration)} seconds it would end in the future",
    )
    octets = [_octets(rows, name) for name in ("rx_bytes", "tx_bytes")]
    device, randomised = _devices(rows.text("device"), key)
    kept = ~rows.bad
    return SessionRows(
        site=site[kept],
        start_ms=start_ms[kept],
        end_ms=end_ms[kept],
        known=~is_null(rows.text("device"))[kept],
        device=device[kept],
        randomised=randomised[kept],
        rx_bytes=octets[0][kept],
        tx_bytes=octets[1][kept],
    ), rows.refusals


def _names(batch: Batch) -> list[str]:
    names: list[str] = batch.cells.column_names
    return names


def _sites(rows: Rows, sites: Mapping[str, int]) -> Ints:
    text = rows.text("site")
    hint = hints(sites)
    places = np.array([sites.get(name, UNKNOWN) for name in text.to_pylist()], dtype=np.int64)
    rows.refuse(
        places == UNKNOWN,
        "site",
        "unknown site",
        lambda site: f"{shown(site)} is not in sites.csv{hint(site)}" if site else "is empty",
    )
    return places


def _durations_ms(rows: Rows) -> Ints:
    text = rows.text("duration_s")
    good = matches(text, _DURATION)
    plain = pc.replace_substring(pc.if_else(pa.array(good), text, "0"), ",", ".")
    seconds = pc.cast(plain, pa.float64()).to_numpy()
    good &= seconds <= MAX_DURATION_S
    rows.refuse(
        ~good,
        "duration_s",
        "no duration",
        lambda cell: f"{shown(cell)} is not a number of seconds from 0 to {MAX_DURATION_S}",
    )
    rounded: Ints = np.rint(np.where(good, seconds, 0) * 1000).astype(np.int64)
    return rounded


def _octets(rows: Rows, column: str) -> Ints:
    found = integers(rows, column, MAX_OCTETS)
    return np.array([UNKNOWN if value is None else value for value in found], dtype=np.int64)


def _devices(text: pa.ChunkedArray, key: bytes) -> tuple[Ints, Ints]:
    """Hashes of the devices, and which of their addresses are made up."""
    count = len(text)
    if text.null_count == count:
        return np.zeros(count, dtype=np.int64), np.full(count, UNKNOWN, dtype=np.int64)
    coded = text.combine_chunks().dictionary_encode()
    words = pa.chunked_array([coded.dictionary])
    lower = pc.utf8_lower(words)
    is_mac = matches(lower, _MAC)
    digits = pc.replace_substring_regex(lower, _SEPARATORS, "")
    spelled = pc.if_else(pa.array(is_mac), digits, words).to_pylist()
    hashed = np.array([_hash(word, key) for word in spelled], dtype=np.int64)
    made_up = np.where(is_mac, matches(digits, _LOCALLY_ADMINISTERED).astype(np.int64), UNKNOWN)
    codes = pc.fill_null(coded.indices, len(words)).to_numpy()
    return np.append(hashed, 0)[codes], np.append(made_up, UNKNOWN)[codes]


def _hash(text: str, key: bytes) -> int:
    digest = blake2b(text.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)
