"""Reads a deployment's folder: every file, every mistake at once."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from config import values
from config.deployment import (
    AccessPoint,
    CandidatePlace,
    Controller,
    Deployment,
    Row,
    Site,
)
from config.holidays import Holidays, check_communes, read_holidays
from config.periods import Periods, read_periods
from config.problems import ConfigError, Problem, listed
from config.recipients import NotifierCheck, check_alerts
from config.references import check_polling, check_profiles, check_sites, check_switched_off
from config.rows import Rows, read_rows
from config.secrets import Vault
from config.settings import Settings
from config.translate import mistakes
from config.yamlfile import YamlFile, dotted, read_yaml

R = TypeVar("R", bound=Row)

SETTINGS_FILE: Final = "spotwatch.yaml"
REQUIRED_FILES: Final = (SETTINGS_FILE, "sites.csv", "access_points.csv")
OPTIONAL_FILES: Final = (
    "controllers.csv", "candidate_places.csv", "closures.csv", "maintenance.csv",
    "holidays.csv",
)  # fmt: skip
FILES: Final = REQUIRED_FILES + OPTIONAL_FILES
FALLBACK_TIMEZONE: Final = "UTC"
"""To check what else is wrong when the city's is; nothing is loaded with it."""
MISSPELT: Final = 0.9
"""How alike a file's name must be to one that is missing, to be taken for it."""


def load(
    folder: Path,
    *,
    profiles: Collection[str] | None = None,
    notifiers: NotifierCheck | None = None,
    secrets_pending: bool = False,
) -> Deployment:
    """Read a deployment. ConfigError carries every mistake of every file, in the files' order.

    Secrets come from the environment of the process, or from files; `secrets_pending`: those that
    are nowhere yet read as empty. `profiles` are the names of the vendor profiles there are;
    without them the columns `profile` are not checked. `notifiers` says what is wrong with one;
    without it the URLs of notifiers are not checked.
    """
    problems = _folder_problems(folder)
    if problems and not folder.is_dir():
        raise ConfigError(problems)
    said = _read_settings(Vault(folder, os.environ, secrets_pending), problems)

    sites = _read(folder, "sites.csv", Site, "site", problems)
    access_points = _read(folder, "access_points.csv", AccessPoint, "ap", problems)
    controllers = _read(folder, "controllers.csv", Controller, "controller", problems)
    places = _read(folder, "candidate_places.csv", CandidatePlace, "place", problems)

    def zone_of(site: str) -> ZoneInfo:
        known = sites.items.get(site)
        return ZoneInfo((known and known.timezone) or said.timezone)

    closures, maintenance = (
        read_periods(path, zone_of, problems) if path.exists() else Periods(path)
        for path in (folder / "closures.csv", folder / "maintenance.csv")
    )
    path = folder / "holidays.csv"
    holidays = read_holidays(path, problems) if path.exists() else Holidays(path)
    check_communes(holidays, sites, problems)
    check_sites(sites, (access_points, controllers, closures, maintenance), problems)
    check_polling(access_points, controllers, said.credentials, problems)
    if said.settings and said.file:
        written = folder / SETTINGS_FILE, said.file
        check_alerts(said.settings.alerts, written, sites, notifiers, problems)
        check_switched_off(said.settings.outages.off_when_closed, written, sites, problems)
    if profiles is not None:
        check_profiles((access_points, controllers), profiles, problems)
    if problems or said.settings is None:
        raise ConfigError(sorted(problems, key=_reading_order))
    return Deployment(
        folder=folder,
        settings=said.settings,
        sites=sites.items,
        access_points=access_points.items,
        controllers=controllers.items,
        candidate_places=places.items,
        closures=tuple(closures.items),
        maintenance=tuple(maintenance.items),
        holidays=tuple(holidays.items),
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """The settings, and what the other files need of them even where they have mistakes."""

    settings: Settings | None
    timezone: str
    credentials: Collection[str] | None
    file: YamlFile | None = None


def _read_settings(vault: Vault, problems: list[Problem]) -> _Said:
    folder = vault.folder
    path = folder / SETTINGS_FILE
    file = read_yaml(path, problems) if path.exists() else None
    if file is None:
        return _Said(None, FALLBACK_TIMEZONE, None)
    settings = None
    try:
        settings = Settings.model_validate(file.data, context=vault)
    except ValidationError as error:
        for mistake in mistakes(error, Settings):
            line = file.line(mistake.keys)
            problems.append(Problem(path, line, dotted(mistake.keys), mistake.message))
    if settings:
        _check_certificates(folder, settings, file, problems)
        return _Said(settings, settings.timezone, settings.snmp.credentials, file)
    return _Said(None, _zone_name(file.data), _credential_names(file.data))


def _check_certificates(
    folder: Path, settings: Settings, file: YamlFile, problems: list[Problem]
) -> None:
    if settings.mqtt and settings.mqtt.ca_file and not (folder / settings.mqtt.ca_file).is_file():
        message = (
            f"there is no file {folder / settings.mqtt.ca_file}; the path is relative to the "
            "deployment's folder"
        )
        line = file.line(("mqtt", "ca_file"))
        problems.append(Problem(folder / SETTINGS_FILE, line, "mqtt.ca_file", message))


def _zone_name(data: Mapping[str, Any]) -> str:
    name = data.get("timezone")
    try:
        return values.time_zone(name) if isinstance(name, str) else FALLBACK_TIMEZONE
    except ValueError:
        return FALLBACK_TIMEZONE


def _credential_names(data: Mapping[str, Any]) -> Collection[str] | None:
    """The names as written; None where what should hold them is something else."""
    names: Any = data
    for key in ("snmp", "credentials"):
        names = names.get(key, {})
        if not isinstance(names, Mapping):
            return None
    return tuple(names)


def _read(folder: Path, name: str, model: type[R], key: str, problems: list[Problem]) -> Rows[R]:
    path = folder / name
    if path.exists():
        return read_rows(path, model, key, problems)
    # A required file that is missing has been told; of an optional one it says: none.
    return Rows(path, readable=name in OPTIONAL_FILES)


def _reading_order(problem: Problem) -> tuple[int, int]:
    name = problem.file.name
    return (FILES.index(name) if name in FILES else len(FILES), problem.line)


def _folder_problems(folder: Path) -> list[Problem]:
    """Files that are missing, and files that look like a misspelt optional one."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such folder"
        message = f"{what}; allowed: a deployment's folder, which holds {listed(REQUIRED_FILES)}"
        return [Problem(folder, 1, "", message)]
    try:
        present = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        return [Problem(folder, 1, "", f"cannot be read: {error.strerror}; make it readable")]
    problems = []
    for name in FILES:
        if name in present:
            continue
        others = {other.lower().replace(".yml", ".yaml"): other for other in present}
        close = get_close_matches(name, others, n=1, cutoff=MISSPELT)
        hint = f"; rename {others[close[0]]} to {name}" if close else ""
        if name in REQUIRED_FILES:
            message = f"the file is missing{hint}; required: {listed(REQUIRED_FILES)}"
            problems.append(Problem(folder / name, 1, "", message))
        elif close and others[close[0]] not in FILES:
            message = f"is not read{hint}, or give it a name that is not so close"
            problems.append(Problem(folder / others[close[0]], 1, "", message))
    return problems
