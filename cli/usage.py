"""`spotwatch usage`: how much each site was used, with the coverage beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.stores import opened
from config.deployment import SITE_KINDS, Deployment, local_day_ms
from dashboards.terminal import usage_table
from pipeline.usage.figures import Figures, figures
from pipeline.usage.periods import local_date
from pipeline.usage.reader import By, UsageReader

DEFAULT_DAYS: Final = 7

FromOption = Annotated[
    str | None, typer.Option("--from", help="A date (that local day's start) or a date-time.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Likewise; up to it. Default: the moment of --as-of.")
]
ByOption = Annotated[By, typer.Option("--by", help="Length of the periods.")]
SiteOption = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site; may be repeated.")
]
KindOption = Annotated[
    list[str] | None, typer.Option("--kind", help="Only sites of this kind; may be repeated.")
]


def usage(
    config: ConfigOption = None,
    *,
    start: FromOption = None,
    end: ToOption = None,
    by: ByOption = "total",
    site: SiteOption = None,
    kind: KindOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show clients, user-hours, traffic, availability and coverage of every site.

    By default the total of the last 7 whole local days.
    """
    deployment = open_deployment(config)
    zone = deployment.settings.zone
    moment = parse_as_of(as_of, zone, datetime.now(UTC))
    span = _span(start, end, moment, zone)
    sites = _sites(deployment, site or [], kind or [])
    with opened(deployment) as (store, state):
        reader = UsageReader(deployment, store, state.closed_until_ms())
        found = figures(reader.periods(*span, by, sites=sites))
    language = deployment.settings.language
    if as_json:
        print_json(document(deployment, found, by))
        return
    out.print(usage_table(deployment, found, language))


def document(deployment: Deployment, found: Sequence[Figures], by: By) -> list[dict[str, Any]]:
    """The JSON of `usage`."""
    language = deployment.settings.language
    return [
        {
            "site": row.site,
            "name": deployment.sites[row.site].name(language),
            "kind": deployment.sites[row.site].kind,
            "start": iso(row.start_ms),
            "end": iso(row.end_ms),
            "period": by,
            "clients_mean": row.clients_mean,
            "clients_peak": row.clients_peak,
            "user_hours": row.user_hours,
            "rx_bytes": row.rx_bytes,
            "tx_bytes": row.tx_bytes,
            "availability": row.availability,
            "coverage": row.coverage,
            "aps": row.aps,
        }
        for row in found
    ]


def _span(start: str | None, end: str | None, as_of: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """What is asked for in UTC milliseconds; nothing after the moment that it is asked at."""
    as_of_ms = _ms(as_of)
    until = as_of_ms if end is None else _ms(parse_as_of(end, zone, as_of, "--to"))
    until = min(until, as_of_ms)
    if start is not None:
        since = _ms(parse_as_of(start, zone, as_of, "--from"))
    else:
        today = local_date(until, zone)
        since = local_day_ms(today - timedelta(days=DEFAULT_DAYS), zone)
        if end is None:
            until = local_day_ms(today, zone)
    if since >= until:
        raise refuse(
            f"--from {start}: it must be before --to and --as-of, here {iso(until)}"
            if start
            else f"--to {end}: nothing is before it"
        )
    return since, until


def _sites(deployment: Deployment, sites: Sequence[str], kinds: Sequence[str]) -> list[str]:
    for asked in sites:
        if asked not in deployment.sites:
            raise refuse(f"--site: {asked!r} is not in sites.csv")
    for asked in kinds:
        if asked not in SITE_KINDS:
            raise refuse(f"--kind: {asked!r} is not a kind; allowed: {', '.join(SITE_KINDS)}")
    return [
        site.site
        for site in deployment.sites.values()
        if (not sites or site.site in sites) and (not kinds or site.kind in kinds)
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
