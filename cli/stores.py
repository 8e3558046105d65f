"""Opening what a deployment keeps: its store and its state."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from config.deployment import Deployment
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore


@contextmanager
def opened(deployment: Deployment) -> Iterator[tuple[SqliteStore, State]]:
    """Open both, also beside a daemon that writes; made empty where nothing was collected yet.

    Raises StoreError where they cannot be opened.
    """
    with (
        closing(SqliteStore(deployment.store_path)) as store,
        closing(State(deployment.state_path)) as state,
    ):
        yield store, state
