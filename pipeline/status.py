"""How every site stands at an instant, from the samples that hold then.

- `maintenance`: inside an announced maintenance window, whatever the APs say;
- `up`: at least one AP is known to be up, none to be down;
- `degraded`: some APs are known to be up, some to be down;
- `down`: every AP in service is known to be down;
- `unknown`: everything else. A site with no AP up and only some known to be down may still be
  serving people where we are blind: it is unknown, not down. So is every AP of a collector that is
  blind: all that it asks failed together, or it said so itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from config.deployment import Deployment
from pipeline.failing import blind_collectors, read_failing
from pipeline.store.base import Store
from pipeline.usage.samples import DOWN, UNKNOWN, UP, Samples, from_frame
from pipeline.usage.service import maintenance_of

State = Literal["up", "degraded", "down", "unknown", "maintenance"]

LOOK_BACK_MS: Final = 7 * 86_400_000
"""How far back a site that does not answer is looked up for its last answer."""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """A site at an instant."""

    site: str
    state: State
    clients: int | None
    """Sum over the APs whose count is known; None: no AP's is."""
    aps_up: int
    aps_total: int
    """APs in service."""
    last_seen_ms: int | None
    """The last sample in which an AP of the site answered; of the last week, if none is later."""
    since_ms: int | None = None
    """Of a site that is down: since when none of its APs answers; of one that is degraded: since
    when one does not. None: neither, or for more than a week.
    """


def read_status(
    deployment: Deployment, store: Store, as_of_ms: int, blind: Collection[str] = ()
) -> list[SiteStatus]:
    """The status of every site of the files, in their order, from samples before an instant.

    `blind`: the collectors that said themselves that they saw nothing then.
    """
    latest = store.last_samples(as_of_ms, 0)
    answered = _answers(from_frame(latest))
    silent = [site for site in deployment.sites if site not in answered]
    if silent:
        earlier = store.read_samples(as_of_ms - LOOK_BACK_MS, as_of_ms, sites=silent)
        answered = _answers(from_frame(earlier)) | answered
    known = _known(deployment, from_frame(latest), as_of_ms)
    down = {ap: one.site for ap, one in known.items() if one.state == DOWN}
    failing = read_failing(store, as_of_ms, down)
    states = {ap: one.state for ap, one in known.items()}
    aps = deployment.access_points
    unseen = blind_collectors(aps.values(), states, failing) | set(blind)
    known = {
        ap: one._replace(state=UNKNOWN, clients=UNKNOWN) if aps[ap].source in unseen else one
        for ap, one in known.items()
    }
    since = {ap: failing[ap].since_ms for ap in down}
    return _of_sites(deployment, known, as_of_ms, answered, since)


class _Ap(NamedTuple):
    site: str
    """Where it stands."""
    state: int
    clients: int


def _known(deployment: Deployment, samples: Samples, as_of_ms: int) -> dict[str, _Ap]:
    """Every AP in service, as its last sample has it while that holds."""
    holds = (samples.ts < as_of_ms) & (samples.hold_ends() > as_of_ms)
    place = {samples.ap_names[ap]: i for i, ap in enumerate(samples.ap.tolist())}
    found = {}
    for ap in deployment.access_points.values():
        since, until = deployment.service_ms(ap)
        if not (since or as_of_ms) <= as_of_ms < (until or as_of_ms + 1):
            continue
        i = place.get(ap.ap)
        if i is None or not holds[i]:
            found[ap.ap] = _Ap(ap.site, UNKNOWN, UNKNOWN)
            continue
        # An AP that answers from another site than the files say, stands there.
        here = samples.site_names[samples.site[i]]
        found[ap.ap] = _Ap(here, int(samples.state[i]), int(samples.clients[i]))
    return found


def _of_sites(
    deployment: Deployment,
    known: Mapping[str, _Ap],
    as_of_ms: int,
    answered: Mapping[str, int],
    since: Mapping[str, int | None],
) -> list[SiteStatus]:
    announced = maintenance_of(deployment)
    at = np.array([as_of_ms], dtype=np.int64)
    members: dict[str, dict[str, _Ap]] = {site: {} for site in deployment.sites}
    for ap, one in known.items():
        members.setdefault(one.site, {})[ap] = one
    found = []
    for site in deployment.sites:
        states = [one.state for one in members[site].values()]
        clients = [one.clients for one in members[site].values() if one.clients != UNKNOWN]
        under_way = site in announced and bool(announced[site].within(at, at + 1)[0])
        state = "maintenance" if under_way else _state(states)
        failed = [since[ap] for ap, one in members[site].items() if one.state == DOWN]
        found.append(
            SiteStatus(
                site=site,
                state=state,
                clients=sum(clients) if clients else None,
                aps_up=states.count(UP),
                aps_total=len(states),
                last_seen_ms=answered.get(site),
                since_ms=_since(state, failed),
            )
        )
    return found


def _since(state: State, failed: Sequence[int | None]) -> int | None:
    """From when on each AP that is down has failed, to when the site is what it is."""
    known = [at for at in failed if at is not None]
    if state == "down":
        # The last one made it so; of the others it does not matter how long before.
        return max(known, default=None)
    return min(known) if state == "degraded" and len(known) == len(failed) else None


def _answers(samples: Samples) -> dict[str, int]:
    answered: dict[str, int] = {}
    spoke = samples.state == UP
    for site, ts in zip(samples.site[spoke].tolist(), samples.ts[spoke].tolist(), strict=True):
        name = samples.site_names[site]
        answered[name] = max(ts, answered.get(name, ts))
    return answered


def _state(states: list[int]) -> State:
    if UP in states:
        return "degraded" if DOWN in states else "up"
    return "down" if states and all(state == DOWN for state in states) else "unknown"
