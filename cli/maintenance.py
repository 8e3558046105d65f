"""`spotwatch maintenance`: announce it, list it, end it before its time."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.announced import with_announced
from cli.options import (
    ConfigOption,
    JsonOption,
    bad_input,
    deployment_folder,
    iso,
    out,
    print_json,
    refuse,
)
from cli.stores import open_ledger, opened
from collectors.sink import Announcement
from config.deployment import Deployment, SitePeriod
from config.loader import load
from config.periods import span_of
from config.problems import did_you_mean, listed
from dashboards.terminal import NOTHING
from pipeline.maintenance import LONGEST_DAYS, Announced, Maintenance, changed, maintenance_id
from pipeline.state import State
from pipeline.store.base import Store
from pipeline.usage.aggregator import Aggregator

SOURCE = "command line"
FILE = "maintenance.csv"

app = typer.Typer(
    name="maintenance",
    help="Announce maintenance: what is down then is no outage.",
    no_args_is_help=True,
    add_completion=False,
)

SiteArgument = Annotated[str, typer.Argument(metavar="SITE", help="A site of sites.csv.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="A local day, or a date-time such as 2026-03-05T10:00. Default: now.",
        show_default=False,
    ),
]
ToOption = Annotated[str, typer.Option("--to", help="Likewise; a day is included.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="What is done.")]
AllOption = Annotated[bool, typer.Option("--all", help="Also what is over or was taken back.")]


@app.command()
def add(
    site: SiteArgument,
    end: ToOption,
    start: FromOption = None,
    reason: ReasonOption = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Announce maintenance of a site. It may have begun, or be over: usage is computed again."""
    deployment = _deployment(config)
    now_ms = _now_ms()
    start_ms, end_ms = _checked(deployment, site, start, end)
    announcement = Announcement(site, start_ms, end_ms, reason, SOURCE, now_ms)
    with opened(deployment) as (store, state):
        announced = Announced(state)
        before = announced.all()
        announced.add([announcement], anew=True)
        _compute_again(deployment, store, state, before, now_ms)
        id_ = maintenance_id(site, start_ms, end_ms)
        made = next(one for one in announced.all() if one.id == id_)
    if as_json:
        print_json({"announced": document(made)})
        return
    out.print(
        f"Announced as {made.id}: {site}, {_span(deployment, site, made.start_ms, made.end_ms)}.",
        markup=False,
    )


@app.command()
def end(id_: IdArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """End it now; what has not begun is taken back. What is still down from then on is told."""
    deployment = _deployment(config)
    now_ms = _now_ms()
    with opened(deployment) as (store, state):
        announced = Announced(state)
        before = announced.all()
        known = {one.id: one for one in before}
        if id_ not in known:
            ids = listed(one.id for one in before if one.end_ms > now_ms) or "none"
            raise refuse(
                f"no maintenance {id_!r} was announced{did_you_mean(id_, known)}; under way or to "
                f"come: {ids}. What {FILE} says is ended there"
            )
        if known[id_].end_ms <= now_ms or known[id_].is_void:
            raise refuse(f"{id_} is over since {iso(known[id_].end_ms)}")
        announced.end(id_, now_ms)
        _compute_again(deployment, store, state, before, now_ms)
        ended = next(one for one in announced.all() if one.id == id_)
    if as_json:
        print_json({"ended": document(ended)})
        return
    word = "Taken back" if ended.is_void else "Ended"
    out.print(f"{word}: {ended.id}, {ended.site}.", markup=False)


@app.command(name="list")
def list_(
    config: ConfigOption = None,
    *,
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """List what is under way and to come, of the files too."""
    deployment = _deployment(config)
    now_ms = _now_ms()
    with opened(deployment) as (_, state):
        found = [
            document(one) for one in Announced(state).all() if everything or _lasts(one, now_ms)
        ]
    of_files = [p for p in deployment.maintenance if everything or _ms(p.end) > now_ms]
    rows = sorted([*found, *map(_of_file, of_files)], key=lambda row: (row["from"], row["site"]))
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("Nothing is announced." if everything else "Nothing is under way or to come.")
        return
    out.print(_table(deployment, rows))


def document(one: Maintenance) -> dict[str, Any]:
    """One that was announced, in JSON."""
    return {
        "id": one.id,
        "site": one.site,
        "from": iso(one.start_ms),
        "to": iso(one.end_ms),
        "reason": one.reason,
        "source": one.source,
        "announced": iso(one.announced_ms),
        "ended": iso(one.ended_ms),
    }


def _of_file(period: SitePeriod) -> dict[str, Any]:
    return {
        "id": None,
        "site": period.site,
        "from": iso(_ms(period.start)),
        "to": iso(_ms(period.end)),
        "reason": period.reason,
        "source": FILE,
        "announced": None,
        "ended": None,
    }


def _deployment(config: Any) -> Deployment:
    """As the files have it: what was announced is looked up in the state."""
    with bad_input():
        return load(deployment_folder(config))


def _checked(deployment: Deployment, site: str, start: str | None, end: str) -> tuple[int, int]:
    """[start, end) in UTC milliseconds; refuses what cannot be meant."""
    if site not in deployment.sites:
        raise refuse(f"no site {site!r} in sites.csv{did_you_mean(site, deployment.sites)}")
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    try:
        since, until = span_of(now if start is None else start, end, deployment.zone(site))
    except ValueError as error:
        raise refuse(f"--{error}") from error
    if until - since > timedelta(days=LONGEST_DAYS):
        raise refuse(
            f"--to: {end} is over {LONGEST_DAYS} days later; announce it year by year, or write "
            f"it into {FILE}"
        )
    return _ms(since), _ms(until)


def _compute_again(
    deployment: Deployment, store: Store, state: State, before: Sequence[Maintenance], now_ms: int
) -> None:
    """Usage of what is over already. Marked first, so that the daemon does it if we are stopped."""
    spans = changed(before, Announced(state).all(), now_ms)
    if not spans:
        return
    state.mark_dirty(spans)
    with closing(open_ledger(deployment)) as ledger:
        aggregator = Aggregator(with_announced(deployment), store, state, sessions=ledger)
        for site, start_ms, end_ms in spans:
            aggregator.recompute(start_ms, end_ms, [site])


def _lasts(one: Maintenance, now_ms: int) -> bool:
    return one.end_ms > now_ms and not one.is_void


def _table(deployment: Deployment, rows: Iterable[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("id", "site", "when", "reason", "announced by"):
        table.add_column(column)
    for row in rows:
        start, end = (_read(row[key]) for key in ("from", "to"))
        when = "taken back" if end <= start else _span(deployment, row["site"], start, end)
        shown = (row["id"], row["site"], when, row["reason"], row["source"])
        table.add_row(*(escape(text) if text else NOTHING for text in shown))
    return table


def _span(deployment: Deployment, site: str, start_ms: int, end_ms: int) -> str:
    zone = deployment.zone(site)
    start, end = (datetime.fromtimestamp(ms / 1000, zone) for ms in (start_ms, end_ms))
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {until}"


def _read(text: str) -> int:
    return _ms(datetime.fromisoformat(text))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _now_ms() -> int:
    return _ms(datetime.now(UTC))
