"""`spotwatch usage`: how much each site, or access point, was used, with the coverage beside it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from cli.options import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    err,
    iso,
    open_deployment,
    out,
    parse_as_of,
    print_json,
    refuse,
)
from cli.stores import open_ledger, opened
from config.deployment import SITE_KINDS, Deployment, local_day_ms
from dashboards.terminal import usage_table
from pipeline.store.base import Store
from pipeline.usage.answers import LENGTHS, Answer, Answers, Question
from pipeline.usage.expiry import computable_since_ms
from pipeline.usage.periods import local_date, window_floor
from pipeline.usage.reader import By

DEFAULT_DAYS: Final = 7
NAMED: Final = 5
"""Sites that a hint names."""

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
ApOption = Annotated[
    list[str] | None,
    typer.Option("--ap", help="Only this access point, wherever it was; may be repeated."),
]
PerApOption = Annotated[bool, typer.Option("--per-ap", help="A row for each access point.")]
DetailOption = Annotated[
    bool | None,
    typer.Option(
        "--detail/--no-detail",
        help="Also user-hours in open hours and outside, the usual number of clients (median, "
        "lowest and highest tenth) and the length of sessions. Every quarter of an hour is read "
        "for it, of access points every hour. Default: where that takes a second or so.",
        show_default=False,
    ),
]


def usage(
    config: ConfigOption = None,
    *,
    start: FromOption = None,
    end: ToOption = None,
    by: ByOption = "total",
    site: SiteOption = None,
    kind: KindOption = None,
    ap: ApOption = None,
    per_ap: PerApOption = False,
    detail: DetailOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show clients, user-hours, sessions, traffic, availability and coverage of every site.

    By default the total of the last 7 whole local days. In --json every figure that is not known is
    null, and `missing` says why.
    """
    deployment = open_deployment(config)
    zone = deployment.settings.zone
    moment = parse_as_of(as_of, zone, datetime.now(UTC))
    since, until = _span(start, end, moment, zone)
    with opened(deployment) as (store, state), closing(open_ledger(deployment)) as ledger:
        question = Question(
            start_ms=window_floor(since),
            end_ms=window_floor(until),
            by=by,
            sites=_sites(deployment, store, site or [], kind or [], ap or []),
            per_ap=per_ap or bool(ap),
            aps=ap or None,
            detail=detail,
        )
        _refuse_expired(deployment, question)
        found = Answers(deployment, store, state.closed_until_ms(), ledger).to(question)
        heard = store.span().keys() | ledger.span().keys()
    if as_json:
        print_json(document(deployment, found, by))
    else:
        out.print(usage_table(deployment, found, question, width=out.width))
    for hint in _hints(question, found, heard):
        err.print(hint, style="yellow", markup=False, highlight=False, soft_wrap=True)


def document(deployment: Deployment, found: Sequence[Answer], by: By) -> list[dict[str, Any]]:
    """The JSON of `usage`."""
    language = deployment.settings.language
    rows = []
    for answer in found:
        told, spread, minutes = answer.figures, answer.distribution, answer.minutes
        lengths = astuple(minutes) if minutes else (None,) * len(LENGTHS)
        rows.append(
            {
                "site": told.site,
                "ap": told.ap,
                "name": deployment.sites[told.site].name(language),
                "kind": deployment.sites[told.site].kind,
                "start": iso(told.start_ms),
                "end": iso(told.end_ms),
                "period": by,
                "clients_mean": told.clients_mean,
                "clients_peak": told.clients_peak,
                "clients_p10": spread and spread.clients_p10,
                "clients_median": spread and spread.clients_median,
                "clients_p90": spread and spread.clients_p90,
                "clients_in_open_hours": spread and spread.in_open_hours,
                "user_hours": told.user_hours,
                "user_hours_open": spread and spread.user_hours_open,
                "user_hours_closed": spread and spread.user_hours_closed,
                "sessions": told.sessions,
                "passers_by": told.passers_by,
                **dict(zip(LENGTHS, lengths, strict=True)),
                "device_days": told.device_days,
                "randomised_share": told.randomised_share,
                "session_coverage": told.session_coverage,
                "rx_bytes": told.rx_bytes,
                "tx_bytes": told.tx_bytes,
                "availability": told.availability,
                "coverage": told.coverage,
                "aps": told.aps,
                "missing": dict(answer.missing),
            }
        )
    return rows


def _hints(question: Question, found: Sequence[Answer], heard: set[str]) -> Iterator[str]:
    """What to do where there is nothing to show."""
    if not heard:
        yield (
            "Nothing was collected yet: `spotwatch run` collects, `spotwatch import FILE` brings "
            "the past of another system in, `spotwatch poll` shows whether a device answers."
        )
        return
    silent = [site for site in question.sites if site not in heard]
    if silent:
        more = f" and {len(silent) - NAMED} more" if len(silent) > NAMED else ""
        yield (
            f"Never heard of: {', '.join(silent[:NAMED])}{more}. `spotwatch check` says whether "
            "access points are listed, `spotwatch doctor` whether they can be reached."
        )
    told = any(one.figures.coverage or one.figures.sessions for one in found)
    if len(silent) < len(question.sites) and not told:
        yield f"Nothing was heard between {iso(question.start_ms)} and {iso(question.end_ms)}."


def _refuse_expired(deployment: Deployment, question: Question) -> None:
    if not question.per_ap or question.by != "15min":
        return
    kept = computable_since_ms(deployment, _ms(datetime.now(UTC)))
    if kept is not None and question.start_ms < kept:
        first = datetime.fromtimestamp(kept / 1000, deployment.settings.zone)
        raise refuse(
            "--by 15min: of access points it is computed from samples, and those of then have "
            f"expired (store.raw_days); allowed: --from {first.isoformat(timespec='minutes')} or "
            "later, or --by hour"
        )


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


def _sites(
    deployment: Deployment,
    store: Store,
    sites: Sequence[str],
    kinds: Sequence[str],
    aps: Sequence[str],
) -> list[str]:
    for asked in sites:
        if asked not in deployment.sites:
            raise refuse(f"--site: {asked!r} is not in sites.csv")
    for asked in kinds:
        if asked not in SITE_KINDS:
            raise refuse(f"--kind: {asked!r} is not a kind; allowed: {', '.join(SITE_KINDS)}")
    moved = store.moved_aps() if aps else {}
    places = set()
    for asked in aps:
        if asked not in deployment.access_points:
            raise refuse(f"--ap: {asked!r} is not in access_points.csv")
        places |= {deployment.access_points[asked].site, *moved.get(asked, ())}
    return [
        site.site
        for site in deployment.sites.values()
        if (not sites or site.site in sites)
        and (not kinds or site.kind in kinds)
        and (not aps or site.site in places)
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
