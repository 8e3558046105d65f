"""InfluxDB 2.x: buckets, DBRP mappings and authorizations (its word for tokens)."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr

from pipeline.spool.destination import MisconfiguredError
from pipeline.store.influx.setup.access import may
from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import DAY_S, Bucket, Step, TokenFile, Wanted

RETENTION_POLICY: Final = "autogen"
"""What InfluxQL is told of a bucket that has one policy only."""


def set_up(api: AdminApi, wanted: Wanted) -> Iterator[Step]:
    """Bring a server to what is wanted; tells each thing as it is done."""
    if api.get("/api/v2/setup")["allowed"]:
        raise MisconfiguredError(
            f"InfluxDB at {api.url} is new, without a user or an organisation: run `influx setup` "
            "first and keep the operator token that it gives"
        )
    found = api.get("/api/v2/orgs", {"org": wanted.org})["orgs"]
    org_id = found[0]["id"]
    ids = {}
    for bucket in wanted.buckets:
        ids[bucket.name], step = _bucket(api, org_id, bucket)
        yield step
    for bucket in wanted.buckets:
        yield _mapping(api, org_id, bucket.name, ids[bucket.name])
    for token in wanted.tokens:
        yield _token(api, wanted, org_id, token, ids)


def _bucket(api: AdminApi, org_id: str, bucket: Bucket) -> tuple[str, Step]:
    what = f"bucket {bucket.name}"
    rule = {
        "type": "expire",
        "everySeconds": bucket.days * DAY_S,
        "shardGroupDurationSeconds": bucket.shard_days * DAY_S,
    }
    found = api.find("/api/v2/buckets", {"orgID": org_id, "name": bucket.name})
    if found is None or not found["buckets"]:
        made = api.send(
            "POST",
            "/api/v2/buckets",
            {"orgID": org_id, "name": bucket.name, "retentionRules": [rule]},
        )
        return made["id"], Step(what, "made", f"keeps points {bucket.days} days")
    (there,) = found["buckets"]
    seconds = max((r["everySeconds"] for r in there["retentionRules"]), default=0)
    if seconds == rule["everySeconds"]:
        return there["id"], Step(what, "kept", f"keeps points {bucket.days} days")
    if seconds == 0 or seconds > bucket.days * DAY_S:
        command = f"`influx bucket update --id {there['id']} --retention {bucket.days}d`"
        return there["id"], Step(what, "left", f"{bucket.shorter_than(seconds)}; {command} does it")
    api.send("PATCH", f"/api/v2/buckets/{there['id']}", {"retentionRules": [rule]})
    note = f"keeps points {bucket.days} days, before {seconds // DAY_S}"
    return there["id"], Step(what, "changed", note)


def _mapping(api: AdminApi, org_id: str, name: str, bucket_id: str) -> Step:
    what = f"DBRP mapping {name}"
    content = api.get("/api/v2/dbrps", {"orgID": org_id, "db": name})["content"] or []
    # A virtual one is the server's own guess, and goes when a bucket is renamed.
    mappings = [m for m in content if not m.get("virtual")]
    if any(m["bucketID"] == bucket_id and m["default"] for m in mappings):
        return Step(what, "kept")
    if others := [m for m in mappings if m["default"]]:
        note = (
            f"leads to another bucket ({others[0]['bucketID']}): remove it with "
            f"`influx v1 dbrp delete --id {others[0]['id']}` and run this again"
        )
        return Step(what, "left", note)
    api.send(
        "POST",
        "/api/v2/dbrps",
        {
            "orgID": org_id,
            "bucketID": bucket_id,
            "database": name,
            "retention_policy": RETENTION_POLICY,
            "default": True,
        },
    )
    return Step(what, "made", "for InfluxQL")


def _token(
    api: AdminApi, wanted: Wanted, org_id: str, token: TokenFile, ids: dict[str, str]
) -> Step:
    what = f"token {token.name}"
    kept = token.read()
    if kept and all(may(api.url, wanted.org, kept, name, write=token.writes) for name in ids):
        return Step(what, "kept", f"in {token.path}")
    listed = api.get("/api/v2/authorizations", {"orgID": org_id})["authorizations"]
    former = [a["id"] for a in listed if a["description"] == token.name and a["status"] == "active"]
    actions = ("read", "write") if token.writes else ("read",)
    permissions = [
        {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org_id}}
        for bucket in ids.values()
        for action in actions
    ]
    made: Any = api.send(
        "POST",
        "/api/v2/authorizations",
        {"orgID": org_id, "description": token.name, "permissions": permissions},
    )
    token.write(SecretStr(made["token"]))
    note = f"in {token.path}"
    if former:
        # It may still be in use on another machine.
        note += (
            "; one of the same name stays valid: when nothing uses it, revoke it with "
            + " and ".join(f"`influx auth delete --id {i}`" for i in former)
        )
    return Step(what, "made", note)
