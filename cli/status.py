"""`spotwatch status`: how every site stands, now or at a moment of the past."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
)
from cli.stores import opened
from dashboards.terminal import status_table
from pipeline.outages.record import Record
from pipeline.outages.stuck_record import StuckRecord
from pipeline.state import CollectorHealth
from pipeline.status import SiteStatus, read_status


def status(
    config: ConfigOption = None, as_of: AsOfOption = None, *, as_json: JsonOption = False
) -> None:
    """Show which sites are up, degraded, down, in maintenance or unknown, and their clients."""
    deployment = open_deployment(config)
    moment = parse_as_of(as_of, deployment.settings.zone, datetime.now(UTC))
    as_of_ms = round(moment.timestamp() * 1000)
    with opened(deployment) as (store, state):
        blind = Record(state).blindness(as_of_ms, as_of_ms + 1)
        sites = read_status(deployment, store, as_of_ms, blind)
        collectors = state.collectors()
        unused = StuckRecord(state).as_of(as_of_ms)
    if as_json:
        print_json(document(sites, collectors, as_of_ms))
        return
    out.print(status_table(deployment, sites, moment, deployment.settings.language))
    for found in unused:
        since = datetime.fromtimestamp(found.start_ms / 1000, deployment.zone(found.site))
        out.print(
            f"{found.site}: up, but nobody since {since:%Y-%m-%d %H:%M}; at these hours it had "
            f"{found.users:.1f} users at a time on average in the last {found.weeks} weeks, and "
            f"was never empty for more than {found.longest_minutes} minutes."
        )


def document(
    sites: Sequence[SiteStatus], collectors: Sequence[CollectorHealth], as_of_ms: int
) -> dict[str, Any]:
    """The JSON of `status`. Of collectors only the present is kept: of the past there are none."""
    return {
        "as_of": iso(as_of_ms),
        "sites": [
            {
                "site": found.site,
                "state": found.state,
                "clients": found.clients,
                "aps_up": found.aps_up,
                "aps_total": found.aps_total,
                "last_seen": iso(found.last_seen_ms),
            }
            for found in sites
        ],
        "collectors": [
            {
                "collector": health.collector,
                "kind": health.kind,
                "last_seen": iso(health.last_seen_ms),
                "ok": health.ok,
                "targets": health.targets,
                "failed": health.failed,
                "detail": health.detail,
            }
            for health in collectors
            if health.last_seen_ms is None or health.last_seen_ms <= as_of_ms
        ],
    }
