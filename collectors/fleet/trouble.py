"""What is wrong in the demo city, known beforehand: what Spotwatch must find, and what not.

Times count back from the local day on which the demo was started for the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Ago:
    """A stretch of local time in the past of the demo."""

    days: int
    hour: int
    hours: float

    def window_ms(self, today: date, zone: ZoneInfo) -> tuple[int, int]:
        """[start, end) in UTC milliseconds."""
        start = datetime.combine(today - timedelta(days=self.days), time(self.hour), zone)
        start_ms = int(start.astimezone(UTC).timestamp() * 1000)
        return start_ms, start_ms + int(self.hours * 3_600_000)


@dataclass(frozen=True, slots=True)
class Works:
    """Whole days on which a site is announced closed, or hours in which it is worked on."""

    site: str
    reason: str
    when: Ago


IDLE: Final = {
    "bib-overzenne": 0.22,
    "sc-overzenne": 0.15,
    "stade-overzenne": 0.18,
    "cpas-overzenne": 0.15,
    "bh-lindeveld": 0.18,
    "epn-overzenne": 0.18,
    "park-wilgenbeek": 0.10,
}
"""Underused: each site's share of the crowd that others of its size and kind draw."""

FESTIVAL: Final = ("park-wilgenbeek", Ago(days=44, hour=10, hours=14), 45.0)
"""One day's crowd, that many times the site's own: it must not rescue an idle spot."""

PASSERS_BY: Final = "guichet-gare"
"""Underused: busy only while it is closed, from the pavement."""
PASSERS_BY_INSIDE: Final = 0.05
PASSERS_BY_OUTSIDE: Final = 0.9
"""Shares of the usual crowd in open hours, while open and while closed."""

WAVERING: Final = ("mj-overzenne", (0.10, 0.45, 0.98))
"""To watch: shares that take turns week by week; idle on average, but who can be sure."""

BROKEN: Final = "ls-bois-des-dames"
"""Repair first: down about half of the time."""

NEW: Final = ("mq-les-ateliers", 28)
"""Not assessable: in service for so many days."""

SURPLUS: Final = "piscine-grands-pres-4"
"""An idle AP in a busy site."""

OUTAGE: Final = ("hall-haute-rive", Ago(days=38, hour=7, hours=48))
DEAD_CONTROLLER: Final = ("wlc-sports", Ago(days=24, hour=6, hours=24))
"""All its APs fail."""
GAP: Final = Ago(days=17, hour=5, hours=9)
"""The poller itself was off: no rows for the whole city."""
REBOOT: Final = ("parc-grande-ecluse-1", Ago(days=12, hour=15, hours=0.25))
CLOSURE: Final = Works("bib-haute-rive", "travaux de toiture", Ago(days=66, hour=0, hours=35 * 24))
MAINTENANCE: Final = Works("mc-valmont", "remplacement du switch", Ago(days=31, hour=9, hours=5))

SILENT_DEVICE: Final = "cpas-haute-rive-1"
"""Down now, and for the last hours; the only AP of its site."""
DEAD_AP: Final = "bib-grand-place-4"
"""Down now behind a controller that answers."""
DOWN_SINCE_HOURS: Final = 5

VERDICTS: Final = {
    **dict.fromkeys(IDLE, "underused"),
    PASSERS_BY: "underused",
    WAVERING[0]: "watch",
    BROKEN: "repair_first",
    NEW[0]: "not_assessable",
}
"""The truth: what every other site is judged is `ok`."""
