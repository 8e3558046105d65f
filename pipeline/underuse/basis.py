"""Which samples a verdict rests on, access point by access point."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.deployment import Deployment
from pipeline.underuse.ap_evidence import ApReader, gather_aps
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.weeks import week_span

SampleReader = Callable[[int, int, Collection[str]], pd.DataFrame]
"""The samples of some sites in [start, end), UTC milliseconds."""


@dataclass(slots=True)
class Basis:
    """The samples of an access point at a site, over the weeks of a window."""

    ap: str
    poll_seconds: int | None
    """How often it is heard; None: it is in no file any more."""
    samples: int = 0
    failed: int = 0
    """Of them, polls that failed."""
    without_clients: int = 0
    """Of them, with the access point up and the number of its clients not told."""
    first_ms: int | None = None
    last_ms: int | None = None
    coverage: float | None = None
    """Of the site's open hours; None: its hours were not kept."""


def basis(
    deployment: Deployment,
    site: str,
    evidence: Evidence,
    as_of: datetime,
    *,
    read_samples: SampleReader,
    read_aps: ApReader,
) -> list[Basis]:
    """Count the samples of each access point that a site has or had, a week at a time."""
    listed = [ap for ap in deployment.access_points.values() if ap.site == site]
    found = {ap.ap: Basis(ap.ap, deployment.poll_seconds(ap)) for ap in listed}
    for back in reversed(range(deployment.settings.underuse.window_weeks)):
        samples = read_samples(*week_span(deployment, site, as_of, back), [site])
        for name, rows in samples.groupby("ap"):
            one = found.setdefault(str(name), Basis(str(name), None))
            _add(one, rows)
    seen = gather_aps(deployment, {site: sorted(found)}, {site: evidence}, read_aps, as_of)
    for ap, watched in seen.items():
        if watched.served_ms:
            found[ap].coverage = watched.coverage
    return [found[ap] for ap in sorted(found)]


def _add(one: Basis, rows: pd.DataFrame) -> None:
    down = rows["up"].eq(0).fillna(value=False)
    one.samples += len(rows)
    one.failed += int(down.sum())
    one.without_clients += int((rows["clients"].isna() & ~down).sum())
    first, last = int(rows["ts_ms"].min()), int(rows["ts_ms"].max())
    one.first_ms = first if one.first_ms is None else min(one.first_ms, first)
    one.last_ms = last if one.last_ms is None else max(one.last_ms, last)
