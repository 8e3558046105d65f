"""Set up a server, whatever its version."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pipeline.spool.destination import MisconfiguredError
from pipeline.store.influx.setup import v1, v2, v3
from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import Step, Wanted

BY_MAJOR: Final[Mapping[str, Callable[[AdminApi, Wanted], Iterator[Step]]]] = {
    "1": v1.set_up,
    "2": v2.set_up,
    "3": v3.set_up,
}


def set_up(api: AdminApi, wanted: Wanted) -> Iterator[Step]:
    """Bring a server to what is wanted; done twice it changes nothing.

    Tells each thing as it is done. Raises StoreError where it cannot go on: what was told is done.
    """
    version = api.version()
    steps = BY_MAJOR.get(version.partition(".")[0])
    if steps is None:
        raise MisconfiguredError(
            f"{api.url} says that it is InfluxDB {version}; Spotwatch knows 1.8, 2.x and 3.x"
        )
    yield from steps(api, wanted)
