"""How every site stands at an instant, from the samples that hold then.

- `maintenance`: inside an announced maintenance window, whatever the APs say;
- `up`: at least one AP is known to be up, none to be down;
- `degraded`: some APs are known to be up, some to be down;
- `down`: every AP in service is known to be down;
- `unknown`: everything else. A site with no AP up and only some known to be down may still be
  serving people where we are blind: it is unknown, not down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from config.deployment import Deployment
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


def read_status(deployment: Deployment, store: Store, as_of_ms: int) -> list[SiteStatus]:
    """The status of every site of the files, in their order, from samples before an instant."""
    latest = store.last_samples(as_of_ms, 0)
    answered = _answers(from_frame(latest))
    silent = [site for site in deployment.sites if site not in answered]
    if silent:
        earlier = store.read_samples(as_of_ms - LOOK_BACK_MS, as_of_ms, sites=silent)
        answered = _answers(from_frame(earlier)) | answered
    return site_status(deployment, latest, as_of_ms, answered)


def site_status(
    deployment: Deployment, latest: pd.DataFrame, as_of_ms: int, answered: Mapping[str, int]
) -> list[SiteStatus]:
    """The status of every site of the files, in their order.

    `latest`: each AP's last sample before the instant. `answered`: when each site last answered.
    """
    samples = from_frame(latest)
    holds = (samples.ts < as_of_ms) & (samples.hold_ends() > as_of_ms)
    announced = maintenance_of(deployment)
    at = np.array([as_of_ms], dtype=np.int64)
    place = {samples.ap_names[ap]: i for i, ap in enumerate(samples.ap.tolist())}
    members: dict[str, list[tuple[int, int]]] = {site: [] for site in deployment.sites}
    for ap in deployment.access_points.values():
        since, until = deployment.service_ms(ap)
        if not (since or as_of_ms) <= as_of_ms < (until or as_of_ms + 1):
            continue
        i = place.get(ap.ap)
        heard = i is not None and bool(holds[i])
        # An AP that answers from another site than the files say, stands there.
        here = samples.site_names[samples.site[i]] if i is not None and heard else ap.site
        known = (
            (int(samples.state[i]), int(samples.clients[i])) if i is not None and heard else None
        )
        members.setdefault(here, []).append(known or (UNKNOWN, UNKNOWN))
    found = []
    for site in deployment.sites:
        states = [state for state, _ in members[site]]
        clients = [count for _, count in members[site] if count != UNKNOWN]
        under_way = site in announced and bool(announced[site].within(at, at + 1)[0])
        found.append(
            SiteStatus(
                site=site,
                state="maintenance" if under_way else _state(states),
                clients=sum(clients) if clients else None,
                aps_up=states.count(UP),
                aps_total=len(states),
                last_seen_ms=answered.get(site),
            )
        )
    return found


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
