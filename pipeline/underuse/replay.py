"""The verdicts that stand, replayed week by week from usage.

Assessments are weekly. The first of a site stands at once; after that its verdict changes when two
weeks in a row agree. `not_assessable` is the want of a verdict: what is said first after it stands
at once, too.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import pandas as pd

from config.deployment import Deployment
from pipeline.underuse.assess import Assessment, Verdict, assess, worst_first
from pipeline.underuse.evidence import Evidence, evidence
from pipeline.underuse.reasons import Reason
from pipeline.underuse.tally import Tally, tally
from pipeline.underuse.weeks import city_week_span

Reader = Callable[[int, int], pd.DataFrame]
"""15-minute usage of all sites in [start, end), UTC milliseconds."""

AT_ONCE: Final = frozenset({"not_in_service", "no_access_points", "out_of_service"})
"""What the files say of a site needs no second week."""


KEPT: Final = 2
"""Weeks' tallies that are kept beyond those of a window: neighbouring windows are asked for."""


class Replay:
    """The weekly assessments before a moment, each computed when it is asked for.

    Usage is read week by week, and once: of the window and the week before it, and further back as
    long as the weeks of some site disagree. Weeks are counted back: 0 is the last that was over.
    """

    def __init__(self, deployment: Deployment, read: Reader, as_of: datetime) -> None:
        self._deployment = deployment
        self._read = read
        self._as_of = as_of
        self._tallies: OrderedDict[int, dict[str, Tally]] = OrderedDict()
        self._evidence: dict[int, dict[str, Evidence]] = {}
        self._assessed: dict[int, dict[str, Assessment]] = {}
        self._heard: dict[int, frozenset[str]] = {}

    def evidence(self, back: int = 0) -> Mapping[str, Evidence]:
        """What the assessments of a week rest on."""
        if back not in self._evidence:
            window = range(back, back + self._deployment.settings.underuse.window_weeks)
            tallies = [self._tally(week) for week in window]
            found = evidence(self._deployment, tallies, self._as_of, back)
            self._heard[back] = frozenset(site for site in found if found[site].heard)
            # The latest and the one at hand are all that is asked for again.
            self._evidence = {w: self._evidence[w] for w in self._evidence if w == 0}
            self._evidence[back] = found
        return self._evidence[back]

    def alone(self, back: int = 0, only: Collection[str] | None = None) -> Mapping[str, Assessment]:
        """What the figures of a week alone say of these sites, or of all."""
        known = self._assessed.setdefault(back, {})
        wanted = set(self._deployment.sites if only is None else only)
        if missing := wanted - known.keys():
            basis = self.evidence(back)
            known |= assess(self._deployment, basis, self._as_of, back, only=missing)
        return {site: found for site, found in known.items() if site in wanted}

    def history(self, back: int = 0) -> dict[str, tuple[Verdict, ...]]:
        """Of every site the verdicts that decide what stands in a week, from that week backwards.

        The last of them stood in its week: the week before says the same, or it is the site's
        first. `verdict_after` tells which stands now.
        """
        latest = self.alone(back)
        seen = {site: [found.verdict] for site, found in latest.items()}
        asked = {site for site, found in latest.items() if not _is_settled(found)}
        # Before a site was heard of there was nothing to assess.
        asked &= self._heard_in(back)
        at = back
        while asked:
            at += 1
            earlier = self.alone(at, asked)
            asked &= self._heard_in(at)
            for site in asked:
                seen[site].append(earlier[site].verdict)
            asked = {site for site in asked if seen[site][-1] != seen[site][-2]}
        return {site: tuple(verdicts) for site, verdicts in seen.items()}

    def standing(self, back: int = 0) -> list[Assessment]:
        """The verdict that stands on each site in a week, with that week's figures, worst first.

        Where it is not what these figures alone say, a reason tells.
        """
        history, latest = self.history(back), self.alone(back)
        return worst_first(_standing(latest[site], verdict_after(history[site])) for site in latest)

    def _heard_in(self, back: int) -> frozenset[str]:
        """The sites with usage in the window of a week."""
        if back not in self._heard:
            self.evidence(back)
        return self._heard[back]

    def _tally(self, back: int) -> dict[str, Tally]:
        if back not in self._tallies:
            usage = self._read(*city_week_span(self._deployment, self._as_of, back))
            self._tallies[back] = tally(self._deployment, usage, self._as_of, back)
            if len(self._tallies) > self._deployment.settings.underuse.window_weeks + KEPT:
                self._tallies.popitem(last=False)
        self._tallies.move_to_end(back)
        return self._tallies[back]


def verdict_after(history: Sequence[Verdict]) -> Verdict:
    """The verdict that stands after weeks of which the earliest stood; latest first."""
    *later, standing = history
    before = standing
    for verdict in reversed(later):
        if verdict == before or standing == "not_assessable":
            standing = verdict
        before = verdict
    return standing


def _is_settled(found: Assessment) -> bool:
    return any(reason.code in AT_ONCE for reason in found.reasons)


def _standing(found: Assessment, verdict: Verdict) -> Assessment:
    if verdict == found.verdict:
        return found
    alone = Reason(f"alone_{found.verdict}", {})
    return replace(found, verdict=verdict, reasons=(*found.reasons, alone))
