"""What hangs on what: the groups of access points that one fault takes down together."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from collectors.reading import HOLD
from config.deployment import AccessPoint, Deployment
from pipeline.outages.incident import Cause, Scope

NEEDED: Final[Mapping[Scope, int]] = {"poller": 3, "controller": 2, "uplink": 2, "site": 2}
"""How many APs of a group must fail together, and none of it answer, to be explained by it."""


class Group(NamedTuple):
    """APs that have one fault in common, at least as many as NEEDED."""

    scope: Scope
    subject: str
    """The site, the controller, what they hang on, or the collector that asks them."""
    members: tuple[str, ...]
    """Sorted."""
    interval_s: int
    """The usual poll interval of them."""
    longest_s: int
    """The longest one."""

    @property
    def needed(self) -> int:
        """How many must fail together."""
        return NEEDED[self.scope]

    @property
    def spread_ms(self) -> int:
        """How far apart the first failed polls of one fault lie at most."""
        return 2 * self.longest_s * 1000

    @property
    def patience_ms(self) -> int:
        """For how long an answer counts. Of an AP that is asked once a day: no longer than of the
        others, or we would be called blind a day late.
        """
        return round(self.interval_s * HOLD * 1000)


class Place(NamedTuple):
    """An AP as the files have it."""

    site: str
    controller: str | None
    collector: str
    interval_s: int
    cause: Cause
    """Why it is thought to be down, where nothing else explains it: is it asked itself, or does
    somebody else say so?
    """
    service_ms: tuple[int | None, int | None]
    """In service [since, until), as far as the files say."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The APs of a deployment and what they have in common."""

    aps: Mapping[str, Place]
    groups: tuple[Group, ...]
    groups_of: Mapping[str, tuple[Group, ...]]
    """Of each AP, in no order of importance."""

    @classmethod
    def of(cls, deployment: Deployment) -> "Topology":
        """Read it from the files. The order of their rows does not matter."""
        rows = deployment.access_points
        heads = {ap.parent for ap in rows.values()}
        members: dict[tuple[Scope, str], set[str]] = {}
        for ap in rows.values():
            for group in _groups(deployment, ap, heads):
                members.setdefault(group, set()).add(ap.ap)
        places = {
            ap.ap: Place(
                site=ap.site,
                controller=ap.controller,
                collector=ap.source,
                interval_s=deployment.poll_seconds(ap),
                cause=_cause(deployment, ap),
                service_ms=deployment.service_ms(ap),
            )
            for ap in rows.values()
        }
        named = [
            (scope, subject, tuple(sorted(found)))
            for (scope, subject), found in sorted(members.items())
            if len(found) >= NEEDED[scope]
        ]
        return cls._with_groups(places, named)

    def polled_every(self, intervals: Mapping[str, int]) -> "Topology":
        """The same, of a time in which APs were polled otherwise; `intervals` in seconds."""
        places = {
            ap: place._replace(interval_s=intervals.get(ap, place.interval_s))
            for ap, place in self.aps.items()
        }
        return self._with_groups(places, [group[:3] for group in self.groups])

    @classmethod
    def _with_groups(
        cls, places: Mapping[str, Place], named: Iterable[tuple[Scope, str, tuple[str, ...]]]
    ) -> "Topology":
        groups = []
        groups_of: dict[str, tuple[Group, ...]] = dict.fromkeys(places, ())
        for scope, subject, members in named:
            intervals = [places[ap].interval_s for ap in members]
            group = Group(scope, subject, members, round(median(intervals)), max(intervals))
            groups.append(group)
            for ap in members:
                groups_of[ap] += (group,)
        return cls(places, tuple(groups), groups_of)


def _groups(
    deployment: Deployment, ap: AccessPoint, heads: Set[str | None]
) -> Iterator[tuple[Scope, str]]:
    yield "poller", ap.source
    yield "site", ap.site
    if ap.controller:
        yield "controller", ap.controller
    for node in _ancestors(deployment, ap):
        yield "uplink", node
    if ap.ap in heads:
        # Others hang on it (a mesh): it fails with them.
        yield "uplink", ap.ap


def _ancestors(deployment: Deployment, ap: AccessPoint) -> set[str]:
    """Everything that an AP hangs on, also by way of its controller or of another AP."""
    found: set[str] = set()
    controller = deployment.controllers.get(ap.controller or "")
    ahead = [ap.parent, controller.parent if controller else None]
    while ahead:
        node = ahead.pop()
        # What hangs on itself, over however many corners, is a mistake in the files.
        if node is None or node in found or node == ap.ap:
            continue
        found.add(node)
        for rows in (deployment.access_points, deployment.controllers):
            row = rows.get(node)
            ahead.append(row.parent if row else None)
    return found


def _cause(deployment: Deployment, ap: AccessPoint) -> Cause:
    through_controller = ap.host is None and ap.controller in deployment.controllers
    return "said_down" if ap.source == "mqtt" or through_controller else "no_answer"
