"""Verdicts beside the right ones: what was found, missed and wrongly accused. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FLAGGED: Final = "underused"
"""The verdict that moves a spot."""
NEAR_LIMIT: Final = (0.40, 0.60)
"""True ratios so close to the usual limit that the luck of the weeks seen decides."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on a site beside the right one."""

    seed: int
    site: str
    circumstance: str
    """What befell the site."""
    truth: str
    verdict: str
    true_ratio: float
    ratio: float | None
    low: float | None
    high: float | None

    @property
    def right(self) -> bool:
        """Whether they are the same."""
        return self.truth == self.verdict


@dataclass(frozen=True, slots=True)
class Hits:
    """How well a rule finds what is underused. Shares are None where there is nothing to divide."""

    found: int
    """Flagged, and underused."""
    wrong: int
    """Flagged, and not underused."""
    missed: int
    """Underused, and not flagged."""

    @property
    def precision(self) -> float | None:
        """Of those flagged, the share that is underused."""
        return _share(self.found, self.found + self.wrong)

    @property
    def recall(self) -> float | None:
        """Of those underused, the share that is flagged."""
        return _share(self.found, self.found + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both."""
        return _share(2 * self.found, 2 * self.found + self.wrong + self.missed)

    def __add__(self, other: "Hits") -> "Hits":
        return Hits(self.found + other.found, self.wrong + other.wrong, self.missed + other.missed)


NONE: Final = Hits(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Report:
    """Verdicts on whole cities, and how well rules find what is underused in the same ones."""

    answers: Sequence[Answer]
    rules: Mapping[str, Hits]


def joined(reports: Iterable[Report]) -> Report:
    """Several cities as one."""
    answers: list[Answer] = []
    rules: dict[str, Hits] = {}
    for report in reports:
        answers += report.answers
        for rule, found in report.rules.items():
            rules[rule] = rules.get(rule, NONE) + found
    return Report(answers, rules)


def hits(flagged: Collection[str], underused: Collection[str]) -> Hits:
    """Compare the sites that a rule flags with those that are underused."""
    found = len(set(flagged) & set(underused))
    return Hits(found, len(set(flagged)) - found, len(set(underused)) - found)


def confusion(answers: Iterable[Answer]) -> Counter[tuple[str, str]]:
    """How often each pair of right verdict and verdict occurs."""
    return Counter((a.truth, a.verdict) for a in answers)


def hits_of(answers: Iterable[Answer]) -> Hits:
    """How well verdicts find what is underused."""
    pairs = Counter((a.verdict == FLAGGED, a.truth == FLAGGED) for a in answers)
    return Hits(pairs[True, True], pairs[True, False], pairs[False, True])


def away_from_limit(answers: Iterable[Answer]) -> list[Answer]:
    """Those whose right verdict luck does not blur: by evidence or repair, or by a clear ratio."""
    low, high = NEAR_LIMIT
    by_other = ("not_assessable", "repair_first")
    return [a for a in answers if a.truth in by_other or not low <= a.true_ratio <= high]


def share_right(answers: Sequence[Answer]) -> float | None:
    """Of all verdicts."""
    return _share(sum(a.right for a in answers), len(answers))


def by_circumstance(answers: Iterable[Answer]) -> dict[str, tuple[int, int]]:
    """How many sites, and how many right verdicts, by what befell them; in order of the name."""
    sites: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for answer in answers:
        sites[answer.circumstance] += 1
        right[answer.circumstance] += answer.right
    return {name: (sites[name], right[name]) for name in sorted(sites)}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
