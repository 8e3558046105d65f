"""`spotwatch check`: is a deployment right, and what does it say."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.notifiers import problem_of
from cli.options import (
    EXIT_BAD_INPUT,
    ConfigOption,
    JsonOption,
    deployment_folder,
    place_of,
    print_json,
)
from cli.options import err as stderr
from cli.options import out as stdout
from collectors.snmp.profiles import load_profiles
from config.deployment import Deployment
from config.loader import load
from config.problems import ConfigError, Problem
from config.schema import schema_text
from config.settings import Alerts, CommunityCredential, Credential
from pipeline.holidays import by_commune, kinds_named

MOST_NAMED: Final = 5
"""Of the sites that a note speaks of; a city has hundreds."""

SchemaOption = Annotated[
    bool, typer.Option("--schema", help="Print the JSON schema of spotwatch.yaml, for editors.")
]


def check(
    config: ConfigOption = None, as_json: JsonOption = False, schema: SchemaOption = False
) -> None:
    """Validate a deployment: a summary of what it says, or every mistake at once."""
    if schema:
        sys.stdout.write(schema_text())
        return
    deployment, problems = _read(deployment_folder(config))
    if as_json:
        print_json(_document(deployment, problems))
    elif deployment:
        for line in _summary(deployment):
            stdout.print(line, markup=False, highlight=False, soft_wrap=True)
    else:
        for problem in problems:
            stderr.print(str(problem), markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(EXIT_BAD_INPUT)


def _read(folder: Path) -> tuple[Deployment | None, list[Problem]]:
    """The deployment, and the mistakes in it and in its vendor profiles; not both."""
    problems: list[Problem] = []
    profiles: Collection[str] | None = None
    try:
        profiles = load_profiles(folder / "profiles")
    except ConfigError as error:
        problems.extend(error.problems)
    try:
        deployment = load(folder, profiles=profiles, notifiers=problem_of)
    except ConfigError as error:
        return None, [*error.problems, *problems]
    return (None if problems else deployment), problems


def _document(deployment: Deployment | None, problems: Iterable[Problem]) -> dict[str, Any]:
    return {
        "ok": deployment is not None,
        "problems": [
            {"file": str(p.file), "line": p.line, "key": p.key, "message": p.message}
            for p in problems
        ],
        # Unknown where the files have mistakes: the rows that could be read are not the city.
        "sites": len(deployment.sites) if deployment else None,
        "access_points": len(deployment.access_points) if deployment else None,
        "controllers": len(deployment.controllers) if deployment else None,
    }


def _summary(deployment: Deployment) -> Iterator[str]:
    settings = deployment.settings
    sites, aps = deployment.sites.values(), deployment.access_points.values()
    through = sum(ap.source == "snmp" and ap.host is None for ap in aps)
    yield f"{deployment.folder}: no mistakes"
    yield (
        f"  city           {settings.city}: {settings.timezone}, public holidays of "
        f"{settings.country}, language {settings.language}"
    )
    yield f"  sites          {_counted(site.kind for site in sites)}"
    yield f"  access points  {_counted(ap.source for ap in aps)}" + (
        f"; {through} of them polled through a controller" if through else ""
    )
    yield f"  controllers    {len(deployment.controllers)}"
    yield (
        f"  also           candidate places {len(deployment.candidate_places)}, "
        f"closures {len(deployment.closures)}, maintenance {len(deployment.maintenance)}, "
        f"holidays {len(deployment.holidays)}"
    )
    yield f"  store          {settings.store.kind}, {place_of(deployment)}"
    yield f"  state          {deployment.state_dir}"
    snmp = settings.snmp
    yield (
        f"  snmp           every {snmp.poll_seconds} s; {snmp.retries} retries of "
        f"{snmp.timeout_s:g} s; {snmp.concurrency} devices at once"
    )
    for name, credential in snmp.credentials.items():
        yield f"                 credential {name}: {_credential(credential)}"
    yield f"  mqtt           {_mqtt(deployment)}"
    yield f"  alerts         {_alerts(settings.alerts)}"
    underuse = settings.underuse
    yield (
        f"  underused      below {underuse.ratio:g} of the peers' median over "
        f"{underuse.window_weeks} weeks, coverage at least {underuse.min_coverage:g}"
    )
    for note in _notes(deployment):
        yield f"  note: {note}"


def _mqtt(deployment: Deployment) -> str:
    mqtt = deployment.settings.mqtt
    if mqtt is None:
        return "not listened to"
    user = f", user {mqtt.username}" if mqtt.username else ""
    password = f", password {mqtt.password}" if mqtt.password else ""
    return (
        f"{mqtt.host}:{mqtt.port}{' with TLS' if mqtt.tls else ''}, "
        f"topics {mqtt.base_topic}/...{user}{password}"
    )


def _alerts(alerts: Alerts) -> str:
    """Who is told; URLs are secrets and not shown, nor is what they are of."""
    if not alerts.notifiers:
        return "nobody is told of outages"
    told = ", ".join(f"{name} ({said.kind})" for name, said in alerts.notifiers.items())
    routes = f"{len(alerts.routes)} routes" if alerts.routes else "everybody is told of everything"
    return f"{told}; {routes}"


def _credential(credential: Credential) -> str:
    """How devices are asked; secrets print masked."""
    if isinstance(credential, CommunityCredential):
        return f"SNMP v{credential.version}, community {credential.community}"
    authenticated = f"{credential.auth_protocol} {credential.auth_key}"
    private = f"{credential.priv_protocol} {credential.priv_key}"
    return (
        f"SNMP v3, user {credential.user}, "
        f"{authenticated if credential.auth_key else 'no authentication'}, "
        f"{private if credential.priv_key else 'no privacy'}"
    )


def _notes(deployment: Deployment) -> Iterator[str]:
    """What is allowed, and yet may not be meant."""
    aps = deployment.access_points.values()
    published = sum(ap.source == "mqtt" for ap in aps)
    if published and deployment.settings.mqtt is None:
        yield (
            f"access points that publish over MQTT: {published}; spotwatch.yaml has no mqtt section"
        )
    served = {ap.site for ap in aps}
    without = [site for site in deployment.sites if site not in served]
    if without:
        yield f"no access point in {_named(without)}"
    always = [name for name, site in deployment.sites.items() if site.opening_hours is None]
    if always:
        yield f"no opening hours for {_named(always)}"
    schools = by_commune(deployment.holidays)
    without = [
        name
        for name, site in deployment.sites.items()
        if "SH" in kinds_named(site.opening_hours or "")
        and not schools.get(site.commune, schools[None]).school
    ]
    if without:
        yield (
            f"school holidays (SH) in the opening hours of {_named(without)}, and none for them in "
            "holidays.csv"
        )


def _named(sites: list[str]) -> str:
    more = len(sites) - MOST_NAMED
    return ", ".join(sites[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(words: Iterable[str]) -> str:
    counts = Counter(words)
    each = ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))
    return f"{counts.total()}: {each}" if counts else "0"
