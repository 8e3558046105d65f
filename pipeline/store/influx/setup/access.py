"""What a token may do, found by trying."""

from typing import Final

from pydantic import SecretStr

from pipeline.spool.destination import MisconfiguredError, RefusedError
from pipeline.store.influx.server import InfluxServer
from pipeline.store.schema import SAMPLE_MEASUREMENT

PROBE: Final = f'SELECT * FROM "{SAMPLE_MEASUREMENT}" LIMIT 1'  # noqa: S608 - a name of our own


def may(url: str, org: str, token: SecretStr, bucket: str, *, write: bool) -> bool:
    """May this token read a bucket, and write to it where asked? Raises UnavailableError."""
    server = InfluxServer(url=url, org=org, token=token)
    try:
        refused = why_not(server, bucket, write=write)
    finally:
        server.close()
    return refused is None


def why_not(server: InfluxServer, bucket: str, *, write: bool) -> str | None:
    """Why a bucket cannot be read or written, or None. Raises UnavailableError."""
    try:
        # SHOW would answer an empty list where nothing may be seen.
        server.execute(bucket, PROBE)
        if write:
            server.write(bucket, [])
    except MisconfiguredError as error:
        return str(error)
    except RefusedError:
        # Whoever is told that nothing is no line protocol was let in.
        return None
    return None
