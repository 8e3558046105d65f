"""Where the watch over outages leaves off, and goes on after the next start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from config.deployment import Deployment
from pipeline.outages.calendar import Calendar
from pipeline.outages.engine import Engine
from pipeline.outages.record import Kept, Record
from pipeline.outages.telling import IncidentEvent
from pipeline.outages.topology import Topology
from pipeline.store.base import Store
from pipeline.store.frames import readings_of

log = structlog.get_logger(__name__)

OVERLAP_MS: Final = 600_000
"""What was stored so long before the memory was kept may not have been judged by then."""
LOOK_BACK_MS: Final = 2 * 86_400_000
"""How far back samples are looked at where nothing was kept."""
READ_MS: Final = 3_600_000
"""Samples of so long are read at once."""
STEP_MS: Final = 60_000
"""And handed over in such steps: what failed together is seen while it lasts."""


@dataclass(frozen=True, slots=True)
class Restored:
    """An engine that knows what was stored until now."""

    engine: Engine
    lost: Mapping[str, int]
    """The collectors that had said that they were blind, and since when."""
    events: Sequence[IncidentEvent]
    """What it said on the way; some of it may have been said before."""


def document_of(engine: Engine, lost: Mapping[str, int]) -> dict[str, Any]:
    """What to keep."""
    return {"engine": engine.snapshot(), "lost": dict(lost)}


def restored(
    deployment: Deployment, store: Store, record: Record, calendar: Calendar, now_ms: int
) -> Restored:
    """Go on where an engine before left off, and learn what was stored since.

    Raises StoreError.
    """
    kept = record.kept()
    topology, rules = Topology.of(deployment), deployment.settings.outages
    engine, lost = Engine(topology, rules, calendar), {}
    if kept is not None:
        try:
            engine = Engine(topology, rules, calendar, kept.document["engine"])
            lost = kept.document["lost"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Another version kept it.
            log.warning("memory of outages of no use", reason=repr(error))
            kept = None
    events, samples = _replay(engine, store, _since(kept, now_ms), now_ms)
    known = len(engine.incidents())
    log.info("outages restored", kept=kept is not None, samples=samples, incidents=known)
    return Restored(engine, lost, events)


def _since(kept: Kept | None, now_ms: int) -> int:
    earliest_ms = now_ms - LOOK_BACK_MS
    return earliest_ms if kept is None else max(earliest_ms, kept.at_ms - OVERLAP_MS)


def _replay(
    engine: Engine, store: Store, since_ms: int, now_ms: int
) -> tuple[list[IncidentEvent], int]:
    """Observe what is stored; what devices noted on the way is no news any more."""
    events: list[IncidentEvent] = []
    count = 0
    for start_ms in range(since_ms, now_ms + 1, READ_MS):
        samples = store.read_samples(start_ms, min(start_ms + READ_MS, now_ms + 1))
        count += len(samples)
        for step, some in samples.groupby(samples["ts_ms"] // STEP_MS):
            step_ms = min((int(step) + 1) * STEP_MS, now_ms)
            events += engine.observe(readings_of(some), step_ms)
    engine.take_notes()
    return events, count
