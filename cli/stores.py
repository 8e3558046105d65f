"""Opening what a deployment keeps: its store, by its kind, and its state."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from config import settings
from config.deployment import Deployment
from pipeline.sessions.ledger import Rules, SessionLedger
from pipeline.spool.spool import Spool
from pipeline.state import State
from pipeline.store.base import Store, StoreError
from pipeline.store.influx.server import InfluxServer
from pipeline.store.influx.store import InfluxStore
from pipeline.store.sqlite import SqliteStore


def open_store(deployment: Deployment) -> SqliteStore | InfluxStore:
    """Open the store that the deployment names, also beside a daemon that writes.

    Raises StoreError where its files cannot be opened. A server that is away is no error here: it
    shows when something is read.
    """
    chosen = deployment.settings.store
    if isinstance(chosen, settings.SqliteStore):
        return SqliteStore(deployment.folder / chosen.path)
    return open_influx(deployment, chosen)


def open_ledger(deployment: Deployment) -> SessionLedger:
    """Open the ledger of sessions, also beside a daemon that writes; made where there is none.

    Whoever computes usage needs it, or new sessions are not counted. Raises StoreError.
    """
    return SessionLedger(deployment.sessions_path, Rules.of(deployment))


def open_influx(deployment: Deployment, chosen: settings.InfluxdbStore) -> InfluxStore:
    """Open InfluxDB with the deployment's spool before it."""
    spool = Spool(deployment.spool_path, max_bytes=chosen.spool_max_mb * 1_000_000)
    return InfluxStore(
        influx_server(chosen),
        spool,
        raw_bucket=chosen.raw_bucket,
        usage_bucket=chosen.usage_bucket,
        site_tags={s.site: (s.kind, s.commune) for s in deployment.sites.values()},
    )


def influx_server(chosen: settings.InfluxdbStore) -> InfluxServer:
    """The server that the settings name; it is not spoken to yet."""
    return InfluxServer(
        url=chosen.url, org=chosen.org, token=chosen.token, timeout_s=chosen.timeout_s
    )


def settle(store: Store) -> None:
    """Return once what was written is where others read it.

    Raises StoreError where InfluxDB is away; what was written then waits in the spool, and
    `spotwatch run` sends it.
    """
    if isinstance(store, InfluxStore):
        try:
            store.forwarder.drain()
        except StoreError as error:
            lines = store.spool.health().lines
            raise StoreError(
                f"{error}. {lines} samples are kept on this machine; `spotwatch run` sends them"
            ) from error


@contextmanager
def opened(deployment: Deployment) -> Iterator[tuple[Store, State]]:
    """Open both, also beside a daemon that writes; made empty where nothing was collected yet.

    Raises StoreError where they cannot be opened.
    """
    with closing(open_store(deployment)) as store, closing(State(deployment.state_path)) as state:
        yield store, state
