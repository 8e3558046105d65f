"""Since when access points fail that fail now, and whether it is we who see nothing."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from config.deployment import AccessPoint
from pipeline.outages.topology import NEEDED
from pipeline.store.base import Store
from pipeline.usage.samples import DOWN, UP, Samples, from_frame

LOOKS_MS: Final = (3 * 3_600_000, 86_400_000, 7 * 86_400_000)
"""How far back is looked for the last answer: first a little, then more."""


class Failing(NamedTuple):
    """An AP that fails. UTC milliseconds; None: it has not answered for longer than is looked."""

    answered_ms: int | None
    """Its last answer."""
    since_ms: int | None
    """The first failure after it."""


NEVER: Final = Failing(None, None)


def read_failing(store: Store, as_of_ms: int, aps: Mapping[str, str]) -> Mapping[str, Failing]:
    """Since when APs fail that do at an instant. `aps`: their sites."""
    found: dict[str, Failing] = {}
    for look_ms in LOOKS_MS:
        missing = {site for ap, site in aps.items() if ap not in found}
        if not missing:
            break
        frame = store.read_samples(as_of_ms - look_ms, as_of_ms, sites=sorted(missing))
        found |= _failing(from_frame(frame), aps.keys() - found.keys())
    return {ap: found.get(ap, NEVER) for ap in aps}


def blind_collectors(
    access_points: Iterable[AccessPoint],
    states: Mapping[str, int],
    failing: Mapping[str, Failing],
) -> set[str]:
    """The collectors of which nobody answers, and so many failed together that it is we who are
    blind. `states`: of each AP that is known of; `failing`: of those that are down.
    """
    by_collector: dict[str, list[str]] = {}
    for ap in access_points:
        by_collector.setdefault(ap.source, []).append(ap.ap)
    blind = set()
    for collector, members in by_collector.items():
        down = [ap for ap in members if states.get(ap) == DOWN]
        if len(down) < NEEDED["poller"] or any(states.get(ap) == UP for ap in members):
            continue
        answers = [at for ap in down if (at := failing[ap].answered_ms) is not None]
        last_ms = max(answers, default=None)
        together = [
            ap
            for ap in down
            if last_ms is None or ((since := failing[ap].since_ms) is not None and since > last_ms)
        ]
        if len(together) >= NEEDED["poller"]:
            blind.add(collector)
    return blind


def _failing(samples: Samples, aps: Collection[str]) -> dict[str, Failing]:
    found = {}
    bounds = np.searchsorted(samples.ap, np.arange(len(samples.ap_names) + 1))
    for number, ap in enumerate(samples.ap_names):
        here = slice(bounds[number], bounds[number + 1])
        good = np.flatnonzero(samples.state[here] == UP)
        if ap not in aps or not len(good):
            continue
        last = int(good[-1])
        after = np.flatnonzero(samples.state[here][last:] == DOWN)
        since = int(samples.ts[here][last + after[0]]) if len(after) else None
        found[ap] = Failing(int(samples.ts[here][last]), since)
    return found
