"""What a city's relocations are decided on, read once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.deployment import Deployment
from pipeline.state import Move
from pipeline.underuse.assess import Assessment, assess
from pipeline.underuse.evidence import Evidence, gather, usage_span
from pipeline.usage.periods import local_date
from pipeline.usage.reader import UsageReader


@dataclass(frozen=True, slots=True)
class Study:
    """Assessments with what they rest on, as of a moment."""

    usage: pd.DataFrame
    """15-minute usage of `evidence.usage_span`."""
    assessments: tuple[Assessment, ...]
    evidence: Mapping[str, Evidence]
    moves: tuple[Move, ...]
    """Those made until then."""


def study(
    deployment: Deployment, reader: UsageReader, moves: Iterable[Move], as_of: datetime
) -> Study:
    """Read the usage of the weeks before a moment, and assess every site."""
    usage = reader.windows(*usage_span(deployment, as_of))
    today = local_date(round(as_of.timestamp() * 1000), deployment.settings.zone)
    return Study(
        usage=usage,
        assessments=tuple(assess(deployment, usage, as_of)),
        evidence=gather(deployment, usage, as_of),
        moves=tuple(move for move in moves if move.on <= today),
    )
