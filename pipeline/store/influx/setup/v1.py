"""InfluxDB 1.8: databases with a retention policy, and users in the place of tokens."""

import secrets
from collections.abc import Iterator
from typing import Final

from pydantic import SecretStr

from pipeline.store.influx.influxql import name, text
from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.durations import seconds_of
from pipeline.store.influx.setup.plan import DAY_S, Bucket, Step, TokenFile, Wanted

FIRST_WITH_V2_WRITES: Final = (1, 8)
PASSWORD_BYTES: Final = 32


def set_up(api: AdminApi, wanted: Wanted) -> Iterator[Step]:
    """Bring a server to what is wanted; tells each thing as it is done."""
    version = api.version()
    yield Step(
        f"InfluxDB {version}",
        "kept",
        "the organisation is not used, a token is user:password, and a database is a bucket that "
        "needs no mapping",
    )
    if tuple(int(part) for part in version.split(".")[:2]) < FIRST_WITH_V2_WRITES:
        note = "has no /api/v2/write: nothing can be written to it; update it to 1.8 or later"
        yield Step("version", "left", note)
    databases = {row[0] for row in api.influxql("SHOW DATABASES", about="listing databases")}
    for bucket in wanted.buckets:
        yield _database(api, bucket, there=bucket.name in databases)
    users = {row[0] for row in api.influxql("SHOW USERS", about="listing users")}
    for token in wanted.tokens:
        yield _user(api, wanted, token, there=token.name in users)


def _database(api: AdminApi, bucket: Bucket, *, there: bool) -> Step:
    what = f"database {bucket.name}"
    days = f"DURATION {bucket.days}d"
    about = f"setting up {bucket.name}"
    if not there:
        shards = f"SHARD DURATION {bucket.shard_days}d"
        statement = f'CREATE DATABASE {name(bucket.name)} WITH {days} {shards} NAME "autogen"'
        api.influxql(statement, about=about)
        return Step(what, "made", f"keeps points {bucket.days} days")
    policies = api.influxql(f"SHOW RETENTION POLICIES ON {name(bucket.name)}", about=about)
    policy, duration = next((row[0], row[1]) for row in policies if row[-1] is True)
    seconds = seconds_of(duration)
    change = f"ALTER RETENTION POLICY {name(policy)} ON {name(bucket.name)} {days}"
    if seconds == bucket.days * DAY_S:
        return Step(what, "kept", f"keeps points {bucket.days} days")
    if seconds == 0 or seconds > bucket.days * DAY_S:
        return Step(what, "left", f"{bucket.shorter_than(seconds)}; `{change}` does it")
    api.influxql(change, about=about)
    return Step(what, "changed", f"keeps points {bucket.days} days, before {seconds // DAY_S}")


def _user(api: AdminApi, wanted: Wanted, token: TokenFile, *, there: bool) -> Step:
    what = f"user {token.name}"
    kept = token.read()
    about = f"setting up the user {token.name}"
    privilege = "ALL" if token.writes else "READ"
    wishes = {(bucket.name, f"{privilege} PRIVILEGES" if token.writes else privilege)
              for bucket in wanted.buckets}  # fmt: skip
    if there and kept:
        grants = api.influxql(f"SHOW GRANTS FOR {name(token.name)}", about=about)
        if wishes <= {(row[0], row[1]) for row in grants}:
            return Step(what, "kept", f"in {token.path}")
    else:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        quoted = f"{name(token.name)} WITH PASSWORD {text(password)}"
        if there:
            # Nobody can ask for the former one, so that there is nothing to keep.
            quoted = f"FOR {name(token.name)} = {text(password)}"
        api.influxql(f"{'SET PASSWORD' if there else 'CREATE USER'} {quoted}", about=about)
        token.write(SecretStr(f"{token.name}:{password}"))
    for bucket in wanted.buckets:
        grant = f"GRANT {privilege} ON {name(bucket.name)} TO {name(token.name)}"
        api.influxql(grant, about=about)
    if there and kept:
        return Step(what, "changed", "may do now what it needs")
    if there:
        return Step(what, "changed", f"in {token.path}; a former password no longer works")
    return Step(what, "made", f"in {token.path}")
