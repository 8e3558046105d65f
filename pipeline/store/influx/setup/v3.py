"""InfluxDB 3.x: databases with a retention period; tokens are the operator's to make."""

from collections.abc import Iterator
from typing import Final

from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import Step, Wanted

DATABASES: Final = "/api/v3/configure/database"


def set_up(api: AdminApi, wanted: Wanted) -> Iterator[Step]:
    """Bring a server to what is wanted; tells each thing as it is done."""
    yield Step(
        f"InfluxDB {api.version()}",
        "kept",
        "the organisation is not used, a database is a bucket that needs no mapping, InfluxQL "
        "deletes nothing (a sample that changes its site stays under the former one too), and Core "
        "answers for a few days at once only: usage of quarters wants Enterprise or 2.x",
    )
    listed = api.get(DATABASES, {"format": "json", "show_deleted": "false"})
    there = {row["iox::database"] for row in listed}
    for bucket in wanted.buckets:
        what = f"database {bucket.name}"
        if bucket.name in there:
            command = f"influxdb3 update database --database {bucket.name}"
            note = f"its retention is not shown: `{command} --retention-period {bucket.days}d`"
            yield Step(what, "kept", note)
            continue
        document = {"db": bucket.name, "retention_period": f"{bucket.days}d"}
        api.send("POST", DATABASES, document)
        yield Step(what, "made", f"keeps points {bucket.days} days")
    names = ",".join(bucket.name for bucket in wanted.buckets)
    for token in wanted.tokens:
        if token.read():
            yield Step(f"token {token.name}", "kept", f"in {token.path}")
            continue
        actions = "read,write" if token.writes else "read"
        note = (
            "Core has admin tokens only; on Enterprise make one with `influxdb3 create token "
            f"--permission db:{names}:{actions}`. Put it in {token.path}, mode 0600"
        )
        yield Step(f"token {token.name}", "left", note)
