"""What is thought of every site, from what a store holds: for every command that asks."""

from collections.abc import Collection
from datetime import datetime

import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.underuse.ap_evidence import ApReader
from pipeline.underuse.assess import Assessment
from pipeline.underuse.judgement import Judgement
from pipeline.underuse.judgement import judge as judge_on
from pipeline.underuse.replay import Replay
from pipeline.usage.reader import UsageReader


def replay(
    deployment: Deployment, store: Store, closed_until_ms: int | None, as_of: datetime
) -> Replay:
    """The weekly assessments before a moment."""
    return Replay(deployment, UsageReader(deployment, store, closed_until_ms).windows, as_of)


def judged(
    deployment: Deployment, store: Store, closed_until_ms: int | None, as_of: datetime
) -> Judgement:
    """What is thought of every site and access point."""
    weeks = replay(deployment, store, closed_until_ms, as_of)
    return judge_on(deployment, weeks, ap_hours(store), as_of)


def judge(
    deployment: Deployment, store: Store, closed_until_ms: int | None, as_of: datetime
) -> list[Assessment]:
    """The verdict that stands on every site, worst first."""
    return list(judged(deployment, store, closed_until_ms, as_of).assessments)


def ap_hours(store: Store) -> ApReader:
    """Reads the hourly usage of access points."""

    def read(start_ms: int, end_ms: int, sites: Collection[str]) -> pd.DataFrame:
        return store.read_ap_usage("hour", start_ms, end_ms, sites=sites)

    return read
