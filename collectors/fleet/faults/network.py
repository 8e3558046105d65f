"""An invented network: access points by the hundred, and what they hang on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np

from config.deployment import SITE_KINDS, SiteKind

POLL_SECONDS: Final = 300
AT_NIGHT_OFF: Final[SiteKind] = "school"
"""The kind of the sites that are switched off when they close, which their settings allow."""

SIZES: Final = ((1, 0.25), (2, 0.25), (3, 0.2), (4, 0.14), (6, 0.1), (8, 0.06))
"""Access points of a site, and how often: three on average."""
ASKED: Final = (("lone", 0.45), ("controller", 0.35), ("mqtt", 0.2))
"""How those of a site are asked."""
SITES_OF_UPLINK: Final = 5
SITES_OF_CONTROLLER: Final = 9
WITH_UPLINK: Final = 0.6
"""Share of the sites whose way to us is known, and shared with others."""
SWITCHED: Final = 6
"""A site of so many access points has a switch of its own for half of them."""
OFF_AT_NIGHT: Final = 0.08
SLOW: Final = 0.04
"""Share of the devices whose agents answer too late again and again."""
TOO_LATE: Final = (0.2, 0.4)
"""Of the answers of such a one."""
FORGETFUL: Final = 0.25
"""Share of the controllers that list an access point no more once it is gone."""
OWN_CLOCK: Final = 0.5
"""Share of the access points that publish, with the time in what they publish."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An access point."""

    ap: str
    site: str
    source: Literal["snmp", "mqtt"]
    controller: str | None
    parent: str | None
    slow: float = 0.0
    """The chance that an answer of its agent comes too late."""
    own_clock: bool = False
    """What it publishes says when it was so."""


@dataclass(frozen=True, slots=True)
class Head:
    """A controller."""

    name: str
    parent: str | None
    forgetful: bool
    """An access point that it has lost is in its list no more."""


@dataclass(frozen=True)
class Network:
    """Everything there is, in no particular order."""

    spots: tuple[Spot, ...]
    heads: tuple[Head, ...]
    kinds: Mapping[str, SiteKind]
    """Of every site."""

    @cached_property
    def at_site(self) -> Mapping[str, tuple[int, ...]]:
        """The spots of each site, by their number."""
        return self._by("site")

    @cached_property
    def behind(self) -> Mapping[str, tuple[int, ...]]:
        """Of each controller."""
        return self._by("controller")

    @cached_property
    def on_uplink(self) -> Mapping[str, tuple[int, ...]]:
        """Of each parent, also by way of a controller."""
        found: dict[str, list[int]] = {}
        heads = {head.name: head for head in self.heads}
        for number, spot in enumerate(self.spots):
            head = heads.get(spot.controller or "")
            for parent in {spot.parent, head.parent if head else None} - {None}:
                found.setdefault(str(parent), []).append(number)
        return {name: tuple(numbers) for name, numbers in sorted(found.items())}

    def _by(self, what: Literal["site", "controller"]) -> Mapping[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for number, spot in enumerate(self.spots):
            name = getattr(spot, what)
            if name is not None:
                found.setdefault(name, []).append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}


def draw_network(seed: int, sites: int) -> Network:
    """Draw a network of so many sites, with three times as many access points or so."""
    rng = np.random.default_rng([seed, 10])
    others = [kind for kind in SITE_KINDS if kind != AT_NIGHT_OFF]
    ways = rng.choice([way for way, _ in ASKED], size=sites, p=[p for _, p in ASKED])
    heads = [
        # Every second one is at the end of an uplink that sites share too.
        Head(f"wlc-{n + 1}", f"uplink-{n + 1}" if n % 2 else None, bool(rng.random() < FORGETFUL))
        for n in range(-(-int((ways == "controller").sum()) // SITES_OF_CONTROLLER))
    ]
    uplinks = max(1, round(sites * WITH_UPLINK / SITES_OF_UPLINK))
    spots: list[Spot] = []
    kinds: dict[str, SiteKind] = {}
    for number, way in enumerate(ways):
        site = f"site-{number + 1:03}"
        is_off = rng.random() < OFF_AT_NIGHT
        kinds[site] = AT_NIGHT_OFF if is_off else others[rng.integers(len(others))]
        shared = f"uplink-{rng.integers(uplinks) + 1}" if rng.random() < WITH_UPLINK else None
        head = heads[rng.integers(len(heads))] if way == "controller" else None
        size = int(rng.choice([n for n, _ in SIZES], p=[p for _, p in SIZES]))
        for nth in range(size):
            switched = size >= SWITCHED and nth % 2 == 1
            spots.append(
                Spot(
                    ap=f"{site}-ap{nth + 1}",
                    site=site,
                    source="mqtt" if way == "mqtt" else "snmp",
                    controller=head.name if head else None,
                    parent=f"{site}-switch" if switched else shared,
                    slow=float(rng.uniform(*TOO_LATE)) if rng.random() < SLOW else 0.0,
                    own_clock=bool(rng.random() < OWN_CLOCK),
                )
            )
    used = {spot.controller for spot in spots}
    return Network(tuple(spots), tuple(h for h in heads if h.name in used), kinds)
