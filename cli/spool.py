"""`spotwatch spool`: what is on its way to InfluxDB, since when, and what it will not take."""

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from cli.options import ConfigOption, JsonOption, iso, open_deployment, out, print_json, refuse
from config import settings
from config.deployment import Deployment
from pipeline.spool.reader import Rejected, SpoolHealth
from pipeline.spool.spool import Spool

SHOWN: Final = 50
"""Rejected lines printed as a table; `--json` gives `MOST` of them."""
MOST: Final = 10_000


def spool(
    config: ConfigOption = None,
    *,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="List the lines that were refused, and why.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Send the refused lines again, the cause being cured.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how many samples wait for InfluxDB, for how long, and which it refused."""
    deployment = open_deployment(config)
    with closing(_open(deployment)) as found:
        now_ms = time.time_ns() // 1_000_000
        queued = found.retry_rejected(now_ms) if retry else None
        health = found.health()
        refused = found.rejected(MOST if as_json else SHOWN) if rejected else []
    if as_json:
        listed = refused if rejected else None
        print_json(document(health, now_ms, listed=listed, queued=queued))
        return
    if queued is not None:
        out.print(f"{queued} refused lines are queued again.")
    out.print(summary(health, now_ms))
    if rejected:
        out.print(_table(refused, health.rejected))


def document(
    health: SpoolHealth,
    now_ms: int,
    *,
    listed: list[Rejected] | None = None,
    queued: int | None = None,
) -> dict[str, Any]:
    """The JSON of `spool`. `rejected_lines` and `queued_again` only where asked for."""
    said: dict[str, Any] = {
        "lines": health.lines,
        "bytes": health.bytes,
        "oldest": iso(health.oldest_ms),
        "age_s": round(health.age_s(now_ms)),
        "rejected": health.rejected,
        "used_bytes": health.used_bytes,
        "max_bytes": health.max_bytes,
    }
    if queued is not None:
        said["queued_again"] = queued
    if listed is not None:
        said["rejected_lines"] = [
            {
                "ap": line.ap,
                "site": line.site,
                "ts": iso(line.ts_ms),
                "rejected_at": iso(line.at_ms),
                "reason": line.reason,
                "line": line.line,
            }
            for line in listed
        ]
    return said


def summary(health: SpoolHealth, now_ms: int) -> str:
    """One or two sentences: depth, age, room, refused lines."""
    share = health.used_bytes / health.max_bytes
    room = f"The spool takes {health.used_bytes / 1e6:,.1f} MB, {share:.0%} of what it may."
    if health.oldest_ms is None:
        depth = "Nothing waits."
    else:
        since = datetime.fromtimestamp(health.oldest_ms / 1000, UTC)
        minutes = health.age_s(now_ms) / 60
        depth = (
            f"{health.lines:,} lines wait, the oldest for {minutes:,.0f} minutes "
            f"(since {since:%Y-%m-%d %H:%M} UTC)."
        )
    refused = (
        f" {health.rejected:,} lines were refused: `spotwatch spool --rejected` says why."
        if health.rejected
        else ""
    )
    return f"{depth} {room}{refused}"


def _open(deployment: Deployment) -> Spool:
    chosen = deployment.settings.store
    if isinstance(chosen, settings.SqliteStore):
        raise refuse(
            "spotwatch.yaml: store.kind: there is a spool only before influxdb; "
            "the embedded store takes samples at once"
        )
    return Spool(deployment.spool_path, max_bytes=chosen.spool_max_mb * 1_000_000)


def _table(refused: list[Rejected], count: int) -> Table:
    more = f", the last {len(refused)} of {count:,}" if count > len(refused) else ""
    table = Table("Sample of (UTC)", "AP", "Site", "Why", title=f"Refused lines{more}")
    for line in refused:
        table.add_row(iso(line.ts_ms), line.ap, line.site, line.reason)
    return table
