"""How the invented people of the demo city use its Wi-Fi, by kind of place."""

from dataclasses import dataclass
from typing import Final

from config.deployment import SiteKind

Curve = tuple[float, ...]
"""24 numbers: the share of the usual crowd at each hour of the local day."""


def _curve(*hours: tuple[int, float]) -> Curve:
    """A curve through (hour, share) points, in straight lines, round the clock."""
    points = [(hours[-1][0] - 24, hours[-1][1]), *hours, (hours[0][0] + 24, hours[0][1])]
    curve = []
    for hour in range(24):
        before = max(p for p in points if p[0] <= hour)
        after = min(p for p in points if p[0] > hour)
        share = (hour - before[0]) / (after[0] - before[0])
        curve.append(before[1] + share * (after[1] - before[1]))
    return tuple(curve)


OFFICE: Final = _curve((6, 0.5), (9, 0.9), (11, 1.1), (12, 0.9), (14, 1.1), (16, 0.9), (20, 0.6))
AFTERNOON: Final = _curve(
    (7, 0.4), (10, 0.8), (13, 0.9), (15, 1.2), (17, 1.1), (19, 0.8), (22, 0.5)
)
EVENING: Final = _curve((7, 0.4), (10, 0.6), (15, 0.8), (18, 1.3), (20, 1.2), (22, 0.7))
OUTDOORS: Final = _curve((1, 0.1), (5, 0.05), (9, 0.4), (13, 1.0), (17, 1.3), (20, 0.7))
HOME: Final = _curve((1, 0.35), (4, 0.15), (8, 0.6), (13, 0.7), (18, 1.1), (21, 1.4), (23, 0.8))


@dataclass(frozen=True, slots=True)
class Habit:
    """The usual use of a kind of place."""

    clients: float
    """The usual crowd of a site of the usual size, in open hours."""
    curve: Curve
    weekend: float = 1.0
    closed: float = 0.02
    """Share of the crowd that is seen while the place is closed: staff, machines, passers-by."""
    summer: float = 1.0
    """Midsummer's share of midwinter's crowd, more than 1 outdoors."""


HABITS: Final[dict[SiteKind, Habit]] = {
    "library": Habit(24, AFTERNOON, weekend=1.2, summer=0.7),
    "senior_centre": Habit(7, AFTERNOON, weekend=0.8, closed=0.05),
    "sports_centre": Habit(17, EVENING, weekend=1.3, summer=0.8),
    "social_antenna": Habit(8, OFFICE),
    "town_hall": Habit(10, OFFICE, closed=0.04),
    "epn": Habit(10, OFFICE, summer=0.8),
    "youth_centre": Habit(14, EVENING, weekend=1.2),
    "neighbourhood_house": Habit(11, AFTERNOON),
    "social_housing": Habit(16, HOME, weekend=1.15),
    "school": Habit(30, OFFICE, weekend=0.1, summer=0.2),
    "museum": Habit(15, AFTERNOON, weekend=1.5, closed=0.05),
    "park": Habit(14, OUTDOORS, weekend=1.4, summer=1.8),
    "street": Habit(18, OUTDOORS, weekend=1.3, summer=1.3),
    "other": Habit(8, AFTERNOON),
}
