"""How use spreads over time: in open hours and outside, and how many clients are usual."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed, open_hours
from pipeline.usage.periods import HOUR_MS, sites_by_zone
from pipeline.usage.reader import By, edges_of
from pipeline.usage.rollup import SUBJECT, with_known_time

Key = tuple[str, str | None, int]
"""Site, AP or None for the whole site, and start of the period in UTC milliseconds."""
Floats = npt.NDArray[np.float64]

SHARES: Final = (0.1, 0.5, 0.9)
NO_HOURS: Final = "its opening hours are not known"
NEVER_OPEN: Final = "it was never open in this time"
NOT_KNOWN_THEN: Final = "the number of its clients is not known in these hours"


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of one site, or AP, over one period. None: unknown, and `missing` says why."""

    user_hours_open: float | None
    """In open hours; the others are outside."""
    user_hours_closed: float | None
    clients_p10: float | None
    """Nine tenths of the time there were at least so many clients."""
    clients_median: float | None
    clients_p90: float | None
    in_open_hours: bool
    """Whether the three are of open hours, else they are around the clock."""
    missing: Mapping[str, str]


def distributions(
    deployment: Deployment,
    parts: Iterable[pd.DataFrame],
    start_ms: int,
    end_ms: int,
    by: By,
) -> dict[Key, Distribution]:
    """Distributions over the periods of [start, end), both on the window.

    `parts`: usage by 15-minute windows or by hours, of sites or of APs, each with all rows of some
    sites. The clients at a time of a row are its mean, and weigh as much as the time in which they
    are known; a row that is open in part counts in part. Nothing is said of a site without a row,
    nor of one that is in no file.
    """
    hours = open_hours(deployment, start_ms, end_ms)
    found: dict[Key, Distribution] = {}
    for part in parts:
        usage = with_known_time(part[part["site"].isin(list(hours))])
        for zone, sites in sites_by_zone(deployment, usage["site"].unique()).items():
            edges = edges_of(by, start_ms, end_ms, zone)
            here = usage[usage["site"].isin(sites)]
            subjects: Iterable[tuple[Any, pd.DataFrame]]
            subjects = here.groupby([name for name in SUBJECT if name in here], sort=False)
            for subject, rows in subjects:
                site, ap = str(subject[0]), str(subject[1]) if len(subject) > 1 else None
                starts, ends = rows["start_ms"].to_numpy(), rows["end_ms"].to_numpy()
                opened = hours[site].within(starts, ends) / (ends - starts)
                known_hours = not hours_assumed(deployment.sites[site])
                period = np.searchsorted(edges, starts, side="right") - 1
                for nth, one in _by_period(rows, opened, period):
                    start = max(int(edges[nth]), start_ms)
                    found[site, ap, start] = _distribution(*one, known_hours=known_hours)
    return found


def _by_period(
    rows: pd.DataFrame, opened: Floats, period: npt.NDArray[np.int64]
) -> Iterator[tuple[int, tuple[Floats, Floats, Floats]]]:
    """Of each period its user-milliseconds, time with the clients known, and share open, by row."""
    users = rows["user_ms"].to_numpy(np.float64)
    known = rows["known_ms"].to_numpy(np.float64)
    cuts = np.flatnonzero(np.diff(period)) + 1
    for some in np.split(np.arange(len(period)), cuts):
        yield int(period[some[0]]), (users[some], known[some], opened[some])


def _distribution(
    users: Floats, known: Floats, opened: Floats, *, known_hours: bool
) -> Distribution:
    told: dict[str, Any] = dict.fromkeys(("user_hours_open", "user_hours_closed"))
    missing = {}
    if known_hours:
        for name, weight in (("user_hours_open", opened), ("user_hours_closed", 1 - opened)):
            if (weight > 0).any() and not (weight * known).any():
                missing[name] = NOT_KNOWN_THEN
            else:
                told[name] = float((weight * users).sum()) / HOUR_MS
    else:
        missing = dict.fromkeys(told, NO_HOURS)
    weight = known * opened if known_hours else known
    usual = _weighted(np.divide(users, known, out=np.zeros_like(users), where=known > 0), weight)
    names = ("clients_p10", "clients_median", "clients_p90")
    if usual is None:
        closed = known_hours and not (opened > 0).any()
        missing |= dict.fromkeys(names, NEVER_OPEN if closed else NOT_KNOWN_THEN)
    told |= dict(zip(names, usual or (None,) * len(names), strict=True))
    return Distribution(in_open_hours=known_hours, missing=missing, **told)


def _weighted(values: Floats, weights: Floats) -> tuple[float, ...] | None:
    """The least values that so many SHARES of the weight lie at or under."""
    values, weights = values[weights > 0], weights[weights > 0]
    if not len(values):
        return None
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached, np.array(SHARES) * reached[-1])
    return tuple(float(values[order[min(i, len(values) - 1)]]) for i in at)
