"""APs at sites. An AP that moves has a placement at either site, and its time is told apart."""

from dataclasses import dataclass

import numpy as np

from pipeline.usage.intervals import Ints
from pipeline.usage.samples import UNKNOWN, Samples
from pipeline.usage.service import NEVER, Service


@dataclass(frozen=True, slots=True)
class Placements:
    """Each AP at each site that the files give it or that its samples name; sorted by site.

    Times in service are [since, until) in UTC ms: the AP's own where the files place it there,
    else those of the site.
    """

    ap: Ints
    """Index into the APs of the samples."""
    site: Ints
    """Index into their sites."""
    since: Ints
    until: Ints
    home: Ints
    """Placement of each AP by the files; UNKNOWN: they do not have it."""
    of_sample: Ints
    """Placement of each sample."""

    @classmethod
    def of(cls, service: Service, samples: Samples) -> "Placements":
        """Place the APs of the files and of the samples, which number those of `service` alike."""
        aps = max(len(samples.ap_names), 1)
        new_aps = len(samples.ap_names) - len(service.aps)
        new_sites = len(samples.site_names) - len(service.sites)
        home_site = np.pad(service.ap_site, (0, new_aps), constant_values=UNKNOWN)
        placed = np.flatnonzero(home_site != UNKNOWN)
        heads, runs = _runs(samples)
        heard = samples.site[heads] * aps + samples.ap[heads]
        keys = np.unique(np.concatenate((home_site[placed] * aps + placed, heard)))
        ap, site = keys % aps, keys // aps

        home = np.full(len(home_site), UNKNOWN, dtype=np.int64)
        home[placed] = np.searchsorted(keys, home_site[placed] * aps + placed)
        at_home = home_site[ap] == site
        ap_since = np.pad(service.ap_since, (0, new_aps), constant_values=NEVER)[ap]
        ap_until = np.pad(service.ap_until, (0, new_aps), constant_values=NEVER)[ap]
        site_since = np.pad(service.site_since, (0, new_sites), constant_values=-NEVER)[site]
        site_until = np.pad(service.site_until, (0, new_sites), constant_values=NEVER)[site]
        return cls(
            ap=ap,
            site=site,
            since=np.where(at_home, ap_since, site_since),
            until=np.where(at_home, ap_until, site_until),
            home=home,
            of_sample=np.repeat(np.searchsorted(keys, heard), runs),
        )

    def __len__(self) -> int:
        return len(self.ap)


def _runs(samples: Samples) -> tuple[Ints, Ints]:
    """Where runs of samples of one AP at one site begin, and how long they are."""
    ap, site = samples.ap, samples.site
    new = np.ones(len(ap), dtype=bool)
    new[1:] = (ap[1:] != ap[:-1]) | (site[1:] != site[:-1])
    heads = np.flatnonzero(new)
    return heads, np.diff(np.append(heads, len(ap)))
