"""What a city's relocations are decided on, read once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.deployment import Deployment
from pipeline.state import Move
from pipeline.underuse.ap_evidence import ApReader
from pipeline.underuse.judgement import Judgement, judge
from pipeline.underuse.replay import Replay
from pipeline.underuse.weeks import usage_span
from pipeline.usage.periods import local_date
from pipeline.usage.reader import UsageReader


@dataclass(frozen=True, slots=True)
class Study:
    """What is thought of every site, as of a moment, and what was moved."""

    judgement: Judgement
    moves: tuple[Move, ...]
    """Those made until then."""
    moved_usage: pd.DataFrame
    """15-minute usage of `weeks.usage_span`, of the sites that moves made."""


def study(
    deployment: Deployment,
    reader: UsageReader,
    read_aps: ApReader,
    moves: Iterable[Move],
    as_of: datetime,
) -> Study:
    """Read the usage of the weeks before a moment, and assess every site."""
    weeks = Replay(deployment, reader.windows, as_of)
    today = local_date(round(as_of.timestamp() * 1000), deployment.settings.zone)
    made = tuple(move for move in moves if move.on <= today)
    sites = sorted({move.new_site for move in made})
    return Study(
        judgement=judge(deployment, weeks, read_aps, as_of),
        moves=made,
        moved_usage=reader.windows(*usage_span(deployment, as_of), sites=sites),
    )
