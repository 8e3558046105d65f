"""What the poller of a trial city wrote down: its samples, with what it missed and what failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from collectors.fleet.clock import QUARTER_MS
from collectors.fleet.trial.draw import TrialCity
from collectors.fleet.trial.people import present
from collectors.fleet.trial.place import Place
from collectors.fleet.trial.season import Bools, Ints, Season

POLL_SECONDS: Final = QUARTER_MS // 1000
LOST_ROWS: Final = 0.01
"""Polls that nobody knows the outcome of."""
AP_UP, AP_DOWN = 2000.0, 8.0
"""Quarters that one access point is up, then down, on average: for two hours in three weeks."""
CYCLE: Final = 72.0
"""Likewise, from breakdown to breakdown of a place that breaks down again and again: 18 hours."""


@dataclass(frozen=True, slots=True)
class Polls:
    """The samples of one access point, in order of time."""

    site: str
    ap: str
    ts_ms: Ints
    up: Bools
    clients: Ints
    """Of no meaning where it was down."""


def polls(city: TrialCity) -> Iterator[Polls]:
    """The samples of every access point, site by site."""
    season = city.season
    counts = present(city)
    rng = np.random.default_rng([city.seed, 3])
    for place, users in zip(city.places, counts, strict=True):
        watched = place.watched(season)
        share = place.availability
        works = _works(rng, CYCLE * share, CYCLE * (1 - share), season)
        for number, clients in enumerate(_split(rng, users, place.aps), start=1):
            heard = watched & (rng.random(season.quarters) >= LOST_ROWS)
            up = works & _works(rng, AP_UP, AP_DOWN, season)
            # The poller comes by at the same second of its round, give or take a few.
            late_s = rng.integers(0, 120) + rng.integers(0, 5, season.quarters)
            yield Polls(
                site=place.site,
                ap=ap_name(place, number),
                ts_ms=(season.ts_ms + 1000 * late_s)[heard],
                up=up[heard],
                clients=clients[heard],
            )


def ap_name(place: Place, number: int) -> str:
    """The first is number 1."""
    return f"{place.site}-ap{number}"


def _works(rng: np.random.Generator, up: float, down: float, season: Season) -> Bools:
    """Spells up and down in turns, exponentially long, with these means in quarters."""
    if not down:
        return np.ones(season.quarters, dtype=np.bool_)
    pairs = 4 * int(season.quarters / (up + down) + 8)
    edges = np.cumsum(rng.exponential(np.tile([up, down], pairs)))
    # Nobody knows in which spell the season begins.
    edges -= rng.uniform(0, edges[-1] / 4)
    return np.asarray(np.searchsorted(edges, np.arange(season.quarters), side="right") % 2 == 0)


def _split(rng: np.random.Generator, users: Ints, aps: int) -> Iterator[Ints]:
    """Deal the users of a place to its access points, each with its own share of them."""
    shares = rng.gamma(8.0, size=aps)
    left = users.copy()
    for number in range(aps):
        part = shares[number] / shares[number:].sum()
        mine = rng.binomial(left, min(part, 1.0))
        left -= mine
        yield mine
