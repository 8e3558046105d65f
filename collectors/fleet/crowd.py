"""How many clients every AP of the demo city has, quarter of an hour by quarter of an hour."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from math import cos, pi
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from collectors.fleet import trouble
from collectors.fleet.clock import DAY_MS, QUARTER_MS, QUARTERS
from collectors.fleet.habits import HABITS
from config.deployment import Deployment

SHARE_2G: Final = 0.22
"""Of the clients, on 2.4 GHz."""
MIDSUMMER: Final = 202
"""Day of the year."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
OpenHours = Mapping[str, Sequence[tuple[int, int]]]
"""By site, in order and apart: [start, end) in UTC milliseconds."""


class Crowd:
    """Draws a UTC day at a time; any day can be asked for by itself and is always the same.

    `open_hours` must reach as far as is asked: beyond them every place counts as closed. `today` is
    the local day from which known trouble counts back.
    """

    def __init__(
        self, deployment: Deployment, open_hours: OpenHours, *, today: date, seed: int
    ) -> None:
        self._seed = seed
        self._today = today
        self._zone = deployment.settings.zone
        self._sites = list(deployment.sites)
        self._open_edges = {
            site: np.array(open_hours.get(site, ()), np.int64).reshape(-1) for site in self._sites
        }
        habits = [HABITS[site.kind] for site in deployment.sites.values()]
        self._curve = np.array([habit.curve for habit in habits])
        self._weekend = np.array([habit.weekend for habit in habits])
        self._summer = np.array([habit.summer for habit in habits])
        self._closed = np.array([habit.closed for habit in habits])
        row = {site: i for i, site in enumerate(self._sites)}
        self._site_of = np.array([row[ap.site] for ap in deployment.access_points.values()])
        rng = np.random.default_rng([seed, 0])
        self._crowd = np.array([h.clients for h in habits]) * self._popularity(deployment, rng)
        self._share = self._shares(deployment, rng)

    def day(self, start_ms: int) -> tuple[Ints, Ints]:
        """Clients, and those on 2.4 GHz, of a UTC day: [AP, quarter], APs as in the deployment."""
        moments = [
            datetime.fromtimestamp((start_ms + q * QUARTER_MS) / 1000, UTC).astimezone(self._zone)
            for q in range(QUARTERS)
        ]
        hours = np.array([m.hour + m.minute / 60 for m in moments])
        weekend = np.array([m.weekday() >= 5 for m in moments])
        rng = np.random.default_rng([self._seed, start_ms // DAY_MS])
        is_open = self._is_open(start_ms)
        season = (1 - cos(2 * pi * (moments[0].timetuple().tm_yday - MIDSUMMER) / 365 + pi)) / 2
        expected = (
            self._crowd[:, None]
            * _at_hours(self._curve, hours)
            * np.where(weekend, self._weekend[:, None], 1.0)
            * (1 + season * (self._summer - 1))[:, None]
            * (is_open + (1 - is_open) * self._closed[:, None])
            * self._mood(rng)
        )
        self._trouble(expected, is_open, start_ms, moments[0].date())
        clients = rng.poisson(expected[self._site_of] * self._share[:, None])
        return clients, rng.binomial(clients, SHARE_2G)

    def _popularity(self, deployment: Deployment, rng: np.random.Generator) -> Floats:
        """A site with more APs than others of its kind draws more people, each one less."""
        aps = dict.fromkeys(self._sites, 0)
        for ap in deployment.access_points.values():
            aps[ap.site] += 1
        usual = {
            kind: median(aps[s.site] or 1 for s in deployment.sites.values() if s.kind == kind)
            for kind in HABITS
            if any(s.kind == kind for s in deployment.sites.values())
        }
        luck = np.clip(rng.lognormal(0, 0.12, len(self._sites)), 0.8, 1.3)
        # Known trouble is that of a site of average luck, so that its verdict is no accident.
        known = [site in trouble.VERDICTS for site in self._sites]
        size = [0.8 + 0.2 * aps[s.site] / usual[s.kind] for s in deployment.sites.values()]
        return np.array(size) * np.where(known, 1.0, luck)

    def _shares(self, deployment: Deployment, rng: np.random.Generator) -> Floats:
        """Which part of its site's crowd each AP serves."""
        weights = rng.gamma(12.0, size=len(self._site_of))
        for row, ap in enumerate(deployment.access_points):
            if ap == trouble.SURPLUS:
                weights[row] *= 0.04
        total = np.bincount(self._site_of, weights, minlength=len(self._sites))
        return np.asarray(weights / total[self._site_of])

    def _is_open(self, start_ms: int) -> Floats:
        """[site, quarter]: 1 open, 0 closed; people come and go around the edges."""
        quarters = start_ms + QUARTER_MS * np.arange(-1, QUARTERS + 1)
        inside = np.array(
            [
                np.searchsorted(self._open_edges[site], quarters, side="right") % 2
                for site in self._sites
            ],
            np.float64,
        ).reshape(len(self._sites), -1)
        return (inside[:, :-2] + 2 * inside[:, 1:-1] + inside[:, 2:]) / 4

    def _mood(self, rng: np.random.Generator) -> Floats:
        """[site, quarter]: good and bad days, and ups and downs that last an hour or two."""
        day = rng.lognormal(0, 0.12, (len(self._sites), 1))
        noise = rng.normal(0, 0.08, (len(self._sites), QUARTERS))
        for quarter in range(1, QUARTERS):
            noise[:, quarter] += 0.85 * noise[:, quarter - 1]
        return np.asarray(day * np.exp(noise))

    def _trouble(self, expected: Floats, is_open: Floats, start_ms: int, day: date) -> None:
        """Bend the expected crowd, in place, to what is known to be odd."""
        row = {site: i for i, site in enumerate(self._sites)}
        for site, share in trouble.IDLE.items():
            if site in row:
                expected[row[site]] *= share
        quarters = start_ms + QUARTER_MS * np.arange(QUARTERS)
        site, ago, times = trouble.FESTIVAL
        start, end = ago.window_ms(self._today, self._zone)
        if site in row:
            expected[row[site], (quarters >= start) & (quarters < end)] *= times
        if (i := row.get(trouble.PASSERS_BY)) is not None:
            inside = expected[i] * trouble.PASSERS_BY_INSIDE
            outside = expected[i] / self._closed[i] * trouble.PASSERS_BY_OUTSIDE
            expected[i] = np.where(is_open[i] > 0, inside, outside)
        site, shares = trouble.WAVERING
        if site in row:
            expected[row[site]] *= shares[(day.toordinal() - 1) // 7 % len(shares)]


def _at_hours(curves: Floats, hours: Floats) -> Floats:
    """[site, quarter]: curves of 24 hourly values, in straight lines between the hours."""
    before = hours.astype(int)
    part = hours - before
    return np.asarray(curves[:, before] * (1 - part) + curves[:, (before + 1) % 24] * part)
