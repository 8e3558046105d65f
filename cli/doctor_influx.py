"""What `spotwatch doctor` looks at where the store is InfluxDB."""

from collections.abc import Iterator
from contextlib import closing

from cli.spool import summary
from cli.spool_status import well
from cli.stores import influx_server
from config.deployment import Deployment
from config.settings import InfluxdbStore
from pipeline.diagnosis import Finding
from pipeline.spool.spool import Spool
from pipeline.store.base import StoreError
from pipeline.store.influx.setup.access import why_not
from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.schema import series_count


def examine_influx(deployment: Deployment, chosen: InfluxdbStore, now_ms: int) -> Iterator[Finding]:
    """The server, the token on both buckets, the spool, and how many series there will be."""
    yield _server(chosen)
    yield _buckets(chosen)
    yield _spool(deployment, chosen, now_ms)
    yield _series(deployment)


def _server(chosen: InfluxdbStore) -> Finding:
    try:
        with closing(
            AdminApi(url=chosen.url, token=chosen.token, timeout_s=chosen.timeout_s)
        ) as api:
            return Finding("InfluxDB", "ok", f"{api.version()} answers at {chosen.url}")
    except StoreError as error:
        advice = "Start it, or correct store.url in spotwatch.yaml. What is collected waits."
        return Finding("InfluxDB", "error", str(error), advice)


def _buckets(chosen: InfluxdbStore) -> Finding:
    names = (chosen.raw_bucket, chosen.usage_bucket)
    try:
        with closing(influx_server(chosen)) as server:
            refused = {name: why_not(server, name, write=True) for name in names}
    except StoreError as error:
        return Finding("InfluxDB buckets", "error", str(error), "First make it reachable.")
    wrong = [f"{name}: {why}" for name, why in refused.items() if why]
    if wrong:
        advice = "Run `spotwatch db setup`, and name the token that it makes in store.token."
        return Finding("InfluxDB buckets", "error", "; ".join(wrong), advice)
    return Finding("InfluxDB buckets", "ok", f"{' and '.join(names)} can be read and written")


def _spool(deployment: Deployment, chosen: InfluxdbStore, now_ms: int) -> Finding:
    try:
        with closing(
            Spool(deployment.spool_path, max_bytes=chosen.spool_max_mb * 1_000_000)
        ) as spool:
            health = spool.health()
    except StoreError as error:
        advice = "Check that the folder exists, belongs to this user and has room."
        return Finding("spool", "error", str(error), advice)
    seen = summary(health, now_ms)
    if not well(health, now_ms):
        advice = "Is `spotwatch run` running, and InfluxDB well? When it is full nothing is taken."
        return Finding("spool", "warning", seen, advice)
    if health.rejected:
        return Finding("spool", "warning", seen, "Cure the cause, then `spotwatch spool --retry`.")
    return Finding("spool", "ok", seen)


def _series(deployment: Deployment) -> Finding:
    aps, sites = len(deployment.access_points), len(deployment.sites)
    seen = f"{series_count(aps, sites)} for {aps} access points and {sites} sites, visitors or not"
    return Finding("InfluxDB series", "ok", seen)
