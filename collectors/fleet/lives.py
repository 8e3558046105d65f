"""When the APs of the demo city are in service, down, and rebooted."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from collectors.fleet import trouble
from collectors.fleet.clock import DAY_MS, HOUR_MS
from config.deployment import Deployment

FUTURE_DAYS: Final = 400
"""Breakdowns and reboots are drawn for so long after the start."""
DAYS_BETWEEN_REBOOTS: Final = 45
BROKEN_HOURS: Final = 9.0
"""The broken site works, and then does not, for so long on average."""

Ints = npt.NDArray[np.int64]


class Lives:
    """Per AP, in the deployment's order: `in_service_ms`, `down` spells and `boots`.

    Times are UTC milliseconds. `began_ms` is when the demo was started for the first time, `today`
    its local day.
    """

    def __init__(
        self, deployment: Deployment, *, start_ms: int, began_ms: int, today: date, seed: int
    ) -> None:
        aps = deployment.access_points
        zone = deployment.settings.zone
        rng = np.random.default_rng([seed, 1])
        end_ms = began_ms + FUTURE_DAYS * DAY_MS

        site, days = trouble.NEW
        new_ms = trouble.Ago(days, 0, 0).window_ms(today, zone)[0]
        self.in_service_ms = np.array(
            [max(new_ms, start_ms) if ap.site == site else start_ms for ap in aps.values()]
        )
        self.down: list[list[tuple[int, int]]] = [[] for _ in aps]
        """Spells [start, end) in which an AP does not answer, or its controller says it is down."""
        boots = [_reboots(rng, start_ms - 60 * DAY_MS, end_ms) for _ in aps]
        broken = list(_breakdowns(rng, start_ms, end_ms))
        down_ms = began_ms - trouble.DOWN_SINCE_HOURS * HOUR_MS
        outage_site, outage = trouble.OUTAGE
        controller, dead = trouble.DEAD_CONTROLLER
        for row, ap in enumerate(aps.values()):
            spells: list[tuple[int, int]] = []
            if ap.site == trouble.BROKEN:
                spells += broken
            if ap.site == outage_site:
                spells.append(outage.window_ms(today, zone))
            if ap.site == trouble.MAINTENANCE.site:
                spells.append(trouble.MAINTENANCE.when.window_ms(today, zone))
            if ap.ap == trouble.REBOOT[0]:
                spells.append(trouble.REBOOT[1].window_ms(today, zone))
            if ap.ap in {trouble.SILENT_DEVICE, trouble.DEAD_AP}:
                spells.append((down_ms, end_ms))
            # Whoever was without power starts anew; APs outlive their controller.
            ends = np.array([end for _, end in spells], np.int64)
            boots[row] = np.sort(np.append(boots[row], ends))
            if ap.controller == controller:
                spells.append(dead.window_ms(today, zone))
            self.down[row] = sorted(spells)
        self.boots: list[Ints] = boots
        """Sorted; the first is before the history."""
        self.gap = trouble.GAP.window_ms(today, zone)
        """The whole city was not polled."""

    def is_down(self, row: int, ts_ms: int) -> bool:
        """Whether an AP is down at an instant."""
        return any(start <= ts_ms < end for start, end in self.down[row])


def _reboots(rng: np.random.Generator, start_ms: int, end_ms: int) -> Ints:
    """Upgrades and power cuts, at random."""
    mean_ms = DAYS_BETWEEN_REBOOTS * DAY_MS
    count = 4 * ((end_ms - start_ms) // mean_ms + 1)
    boots = start_ms + np.cumsum(rng.exponential(mean_ms, count)).astype(np.int64)
    return np.append(np.int64(start_ms), boots[boots < end_ms])


def _breakdowns(rng: np.random.Generator, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Down about half of the time."""
    now_ms = start_ms
    while now_ms < end_ms:
        works, fails = (HOUR_MS * (1 + (BROKEN_HOURS - 1) * rng.exponential(size=2))).astype(int)
        yield now_ms + int(works), now_ms + int(works + fails)
        now_ms += int(works + fails)
