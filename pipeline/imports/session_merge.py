"""Rows of a session file as sessions: stays of a device less than a gap apart are one. Pure."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pipeline.imports.batch import Ints
from pipeline.imports.session_rows import UNKNOWN, SessionRows
from pipeline.sessions.counts import Table
from pipeline.sessions.rows import IMPORTED_ROW

CHANGE_AT: Final = pd.Timedelta(hours=4)
"""Local time at which the day of a key begins, as with what is followed live."""

KeyOf = Callable[[ZoneInfo, int], bytes]
"""The key of a day of a zone, by the day's number; the same for the same day."""


def merged(rows: SessionRows, gap_ms: int) -> Table:
    """Sessions (IMPORTED_ROW) of rows in any order, by site and start.

    `device` and `last_device` are the rows' hashes. A row without a device is a session of its own.
    """
    order = np.lexsort((rows.end_ms, rows.start_ms, rows.device, rows.known, rows.site))
    site, start, end = rows.site[order], rows.start_ms[order], rows.end_ms[order]
    device, known = rows.device[order], rows.known[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (site[1:] != site[:-1]) | (device[1:] != device[:-1]) | ~(known[1:] & known[:-1])
    # The latest end so far, since a long stay may contain later ones.
    reach = pd.Series(end).groupby(np.cumsum(first)).cummax().to_numpy()
    first[1:] |= start[1:] - reach[:-1] >= gap_ms
    at = np.flatnonzero(first)
    found = np.zeros(len(at), IMPORTED_ROW)
    found["site"], found["known"], found["start_ms"] = site[at], known[at], start[at]
    found["device"] = found["last_device"] = device[at]
    found["randomised"] = rows.randomised[order][at]
    if len(at):
        found["end_ms"] = np.maximum.reduceat(end, at)
        for name in ("rx_bytes", "tx_bytes"):
            found[name] = _sums(getattr(rows, name)[order], at)
    return found[np.lexsort((found["end_ms"], found["start_ms"], found["site"]))]


def hashed_by_day(sessions: Table, zones: Sequence[ZoneInfo], key_of: KeyOf) -> Table:
    """Sessions with their devices' hashes hashed again, under the keys of their first and last day.

    So that no device can be found on another day. `zones`: of each site in the list of sites.
    """
    found = sessions.copy()
    known = np.flatnonzero(sessions["known"] == 1)
    last_ms = np.maximum(sessions["end_ms"] - 1, sessions["start_ms"])
    for zone in set(zones):
        among = np.array([z == zone for z in zones], dtype=bool)
        here = known[among[sessions["site"][known]]]
        hashes = sessions["device"][here]
        first, last = (_days(at[here], zone) for at in (sessions["start_ms"], last_ms))
        devices = _under_keys(hashes, first, zone, key_of)
        found["device"][here] = found["last_device"][here] = devices
        over = first != last
        last_devices = _under_keys(hashes[over], last[over], zone, key_of)
        found["last_device"][here[over]] = last_devices
    return found


def _days(at_ms: Ints, zone: ZoneInfo) -> Ints:
    """The days of keys that instants lie in, by number."""
    local = pd.to_datetime(at_ms, unit="ms", utc=True).tz_convert(zone).tz_localize(None)
    days: Ints = (local - CHANGE_AT).to_numpy("datetime64[D]").astype(np.int64)
    return days


def _under_keys(hashes: Ints, days: Ints, zone: ZoneInfo, key_of: KeyOf) -> Ints:
    pairs = pd.DataFrame({"hash": hashes, "day": days})
    group = pairs.groupby(["hash", "day"], sort=False).ngroup().to_numpy()
    once = pairs.drop_duplicates()
    keys = {day: key_of(zone, day) for day in once["day"].unique().tolist()}
    again = [
        _hash(value, keys[day])
        for value, day in zip(once["hash"].tolist(), once["day"].tolist(), strict=True)
    ]
    return np.array(again, dtype=np.int64)[group]


def _hash(value: int, key: bytes) -> int:
    octets = value.to_bytes(8, "big", signed=True)
    return int.from_bytes(blake2b(octets, digest_size=8, key=key).digest(), "big", signed=True)


def _sums(octets: Ints, at: Ints) -> Ints:
    """Sums of what is known; UNKNOWN where nothing is."""
    known = octets != UNKNOWN
    sums = np.add.reduceat(np.where(known, octets, 0), at)
    return np.where(np.logical_or.reduceat(known, at), sums, UNKNOWN)
