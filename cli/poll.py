"""`spotwatch poll`: ask one device what it says now."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import typer
from pydantic import SecretStr
from rich.markup import escape
from rich.table import Table

from cli.options import (
    EXIT_FAILED,
    ConfigOption,
    JsonOption,
    bad_input,
    deployment_folder,
    err,
    out,
    print_json,
    refuse,
)
from cli.profiles import open_with_profiles
from collectors.snmp.device import AP_FIELDS, ApPoll, DevicePoll
from collectors.snmp.engine import SnmpEngine, SnmpError, SnmpTimeout, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.jobs import Job, jobs_of
from collectors.snmp.poll import AUTO, UnknownProfileError, poll_device
from collectors.snmp.profiles import Profiles, load_profiles
from collectors.snmp.readings import match_aps, own_row
from config.deployment import AccessPoint, Deployment
from config.problems import did_you_mean
from config.settings import CommunityCredential

_DEFAULT_PORT: Final = 161
_TOGETHER: Final = 32
"""Devices of one site polled at the same time."""
_HEADINGS: Final = {
    "clients_2g": "2.4 GHz",
    "clients_5g": "5 GHz",
    "clients_6g": "6 GHz",
    "rx_bytes": "from clients",
    "tx_bytes": "to clients",
    "uptime_s": "up for (s)",
    "channel_utilisation": "air in use (%)",
}
_WHAT_TO_CHECK: Final = (
    "Check that it is switched on, that its SNMP agent is enabled on that port and speaks this "
    "version, that the community is right (a wrong one gets no answer at all), and that neither "
    "a firewall nor the agent's access list keeps this machine out."
)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A device to poll, and which of the deployment's APs to show of it."""

    target: Target
    profile: str
    job: Job | None = None
    only: tuple[AccessPoint, ...] | None = None
    """None: everything that the device lists."""


def poll(
    where: Annotated[
        str | None,
        typer.Argument(
            metavar="[SITE|AP|SITE/AP|CONTROLLER]",
            help="What to poll, by its id in the deployment.",
            show_default=False,
        ),
    ] = None,
    *,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]",
            help="Poll this device instead, with no deployment; IPv6 as [::1]:161.",
        ),
    ] = None,
    community: Annotated[
        str | None,
        typer.Option(help="Its read community, with --host.", envvar="SPOTWATCH_COMMUNITY"),
    ] = None,
    version: Annotated[Literal["1", "2c"], typer.Option(help="Of SNMP, with --host.")] = "2c",
    profile: Annotated[
        str | None,
        typer.Option(
            help="What to read: the name of a profile, or auto for the one that fits. "
            "Default: as the deployment says, else auto.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.05,
            max=60,
            help="Wait for one answer, in seconds. Default: as the deployment says, else 2.",
            show_default=False,
        ),
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=10,
            help="Asked again so often. Default: as the deployment says, else 2.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Poll a device once and print what it says; what it does not say is left empty.

    An AP behind a controller is shown as its controller says, a site as all of its devices say.
    """
    if (where is None) == (host is None):
        raise refuse("give either the id of a site, an AP or a controller, or --host HOST:PORT")
    if where is None:
        with bad_input():
            profiles = load_profiles(deployment_folder(config) / "profiles")
        asks, is_list, client_tables = [_ask_host(host or "", community, version)], False, True
    else:
        deployment, profiles = open_with_profiles(config)
        asks, is_list = _find(deployment, where)
        client_tables = deployment.settings.snmp.client_tables
    asks = [_adjusted(ask, profile, timeout, retries) for ask in asks]
    try:
        # The JSON says nothing of who is there, so it does not cost what that costs.
        polls = asyncio.run(_poll_all(asks, profiles, client_tables and not as_json))
    except UnknownProfileError as error:
        raise refuse(f"--profile: {error}") from error
    if as_json:
        documents = [answer.as_json() for answer in polls]
        print_json(documents if is_list else documents[0])
    else:
        for ask, answer in zip(asks, polls, strict=True):
            if answer.device_up:
                out.print(_table(ask, answer))
    if not all(answer.device_up for answer in polls):
        raise typer.Exit(EXIT_FAILED)


def _ask_host(host: str, community: str | None, version: Literal["1", "2c"]) -> _Ask:
    if community is None:
        raise refuse("--community: missing; with --host give the device's read community")
    name, port = _split(host)
    credential = CommunityCredential(version=version, community=SecretStr(community))
    target = Target(name=name, host=name, port=port, credential=credential)
    return _Ask(replace(target, name=target.address), AUTO)


def _split(text: str) -> tuple[str, int]:
    """`HOST`, `HOST:PORT`, `[IPV6]:PORT`, or a bare IPv6 address."""
    text = text.strip()
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        is_whole = bool(bracket) and (not port or port.startswith(":"))
        port = port.removeprefix(":") if is_whole else "?"
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0 if port else _DEFAULT_PORT
    if not host or not 1 <= number <= 65535:
        raise refuse(
            f"--host: {text!r}: write HOST, HOST:PORT or [IPV6]:PORT, with a port of 1 to 65535"
        )
    return host, number


def _find(deployment: Deployment, where: str) -> tuple[list[_Ask], bool]:
    """The devices behind an id, and whether they are shown as a list."""
    where = where.strip()
    site, slash, name = where.partition("/")
    name = name.strip() if slash else where
    jobs = jobs_of(deployment)
    ap = deployment.access_points.get(name)
    if ap and (not slash or ap.site == site.strip()):
        if ap.source != "snmp":
            raise refuse(f"{name}: is not polled; its source in access_points.csv is {ap.source}")
        return [_Ask(job.target, job.profile, job, (ap,)) for job in jobs if ap in job.aps], False
    if not slash and name in deployment.controllers:
        target = f"controller {name}"
        return [_Ask(j.target, j.profile, j) for j in jobs if j.target.name == target], False
    if not slash and name in deployment.sites:
        of_site = [(j, tuple(ap for ap in j.aps if ap.site == name)) for j in jobs]
        asks = [_Ask(job.target, job.profile, job, aps) for job, aps in of_site if aps]
        if not asks:
            raise refuse(f"{name}: no AP of this site is polled over SNMP")
        return asks, True
    known = [*deployment.access_points, *deployment.sites, *deployment.controllers]
    raise refuse(
        f"{where}: no AP, site or controller of {deployment.folder} has this id"
        f"{did_you_mean(name, known)}"
    )


def _adjusted(ask: _Ask, profile: str | None, timeout: float | None, retries: int | None) -> _Ask:
    target = ask.target
    if timeout is not None:
        target = replace(target, timeout_s=timeout)
    if retries is not None:
        target = replace(target, retries=retries)
    return replace(ask, target=target, profile=profile or ask.profile)


async def _poll_all(
    asks: Sequence[_Ask], profiles: Profiles, client_tables: bool
) -> list[DevicePoll]:
    engine = GufoEngine()
    gate = asyncio.Semaphore(_TOGETHER)

    async def one(ask: _Ask) -> DevicePoll:
        async with gate:
            return await _poll_one(engine, ask, profiles, client_tables)

    return await asyncio.gather(*map(one, asks))


async def _poll_one(
    engine: SnmpEngine, ask: _Ask, profiles: Profiles, client_tables: bool
) -> DevicePoll:
    try:
        answer = await poll_device(
            engine, ask.target, profiles, ask.profile, client_tables=client_tables
        )
    except SnmpError as error:
        advice = f" {_WHAT_TO_CHECK}" if isinstance(error, SnmpTimeout) else ""
        _complain(f"{error}.{advice}")
        return DevicePoll(profile=None, device="ap", device_up=False)
    for warning in answer.warnings:
        _complain(f"warning: {warning}")
    return _named(ask, answer)


def _named(ask: _Ask, answer: DevicePoll) -> DevicePoll:
    """Give the device's APs their ids, and leave out those that were not asked for."""
    job = ask.job
    if job is None:
        return answer
    if not job.is_controller:
        rows = [replace(own_row(ap, answer), ap=ap.ap) for ap in job.aps]
        return replace(answer, aps=tuple(rows))
    matched = match_aps(job.aps, answer.aps)
    known = [(ap, replace(row, ap=ap.ap)) for ap, row in matched.known]
    if ask.only is None:
        return replace(answer, aps=(*(row for _, row in known), *matched.unknown))
    for ap in matched.unlisted:
        if ap in ask.only:
            _complain(f"{ap.ap}: {ask.target} does not list it, neither by MAC address nor by name")
    return replace(answer, aps=tuple(row for ap, row in known if ap in ask.only))


def _complain(message: str) -> None:
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def _table(ask: _Ask, answer: DevicePoll) -> Table:
    caption = (
        f"profile {answer.profile}; clients in all: {_shown(answer.clients_total)}; "
        f"APs connected: {_shown(answer.ap_count)}"
    )
    if answer.stations is not None:
        caption += f"; devices in its client table: {len(answer.stations)}"
    if answer.elsewhere:
        caption += f", {answer.elsewhere} of them at no AP listed here"
    table = Table(
        title=escape(f"{ask.target}: {answer.sys_descr or 'does not say what it is'}"),
        caption=caption,
        title_justify="left",
        caption_justify="left",
    )
    # A column that no AP says anything in takes room from those that speak.
    fields = [f for f in AP_FIELDS if any(getattr(ap, f) is not None for ap in answer.aps)]
    for field in fields:
        table.add_column(
            _HEADINGS.get(field, field),
            justify="left" if field in {"ap", "name", "mac"} else "right",
            no_wrap=field == "mac",
        )
    for ap in answer.aps:
        table.add_row(*(_cell(ap, field) for field in fields))
    return table


def _cell(ap: ApPoll, field: str) -> str:
    value = getattr(ap, field)
    if isinstance(value, bool):
        return "up" if value else "down"
    return _shown(value)


def _shown(value: object) -> str:
    return "-" if value is None else escape(str(value))
