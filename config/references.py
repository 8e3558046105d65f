"""What one file says about what stands in another."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from config.csvfile import Row
from config.deployment import SITE_KINDS, AccessPoint, Controller, Site
from config.problems import Problem, did_you_mean, listed, shown
from config.rows import Rows
from config.yamlfile import Keys, YamlFile, dotted

SUGGESTIONS: Final = 50
"""Looking for what was meant among ten thousand sites takes long; the first mistakes show it."""


class FileOfRows(Protocol):
    """A file that was read, whatever its rows are."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def written(self) -> Sequence[Row]:
        """Its rows as written."""


def check_sites(sites: Rows[Site], others: Iterable[FileOfRows], problems: list[Problem]) -> None:
    """Every site that another file names has a row in `sites.csv`."""
    if not sites.readable:
        return
    suggestions: dict[str, str] = {}
    for other in others:
        for row in other.written:
            site = row.cells.get("site")
            if site is None or site in sites.lines:
                continue
            if site not in suggestions:
                few = len(suggestions) < SUGGESTIONS
                suggestions[site] = did_you_mean(site, sites.lines) if few else ""
            hint = suggestions[site] or "; add it there, or name one that is"
            message = f"no site {shown(site)} in {sites.path.name}{hint}"
            problems.append(Problem(other.path, row.line, "site", message))


def check_switched_off(
    names: Sequence[str],
    written: tuple[Path, YamlFile],
    sites: Rows[Site],
    problems: list[Problem],
) -> None:
    """Whatever `outages.off_when_closed` names is a site, or a kind of site.

    A name that is mistyped would have somebody called every evening.
    """
    if not sites.readable:
        return
    known = (*sites.lines, *SITE_KINDS)
    path, file = written
    for place, name in enumerate(names):
        if name in known:
            continue
        keys: Keys = ("outages", "off_when_closed", place)
        message = (
            f"{shown(name)} is neither a site of {sites.path.name} nor a kind of site"
            f"{did_you_mean(name, known)}"
        )
        problems.append(Problem(path, file.line(keys), dotted(keys), message))


def check_polling(
    access_points: Rows[AccessPoint],
    controllers: Rows[Controller],
    credentials: Collection[str] | None,
    problems: list[Problem],
) -> None:
    """Everything that is polled over SNMP has an address and a credential.

    `credentials` None: the settings could not be read, so nothing is said of credentials.
    """
    for row in access_points.written:
        polled = row.cells.get("source") == "snmp"
        if polled and "host" not in row.cells:
            _check_controller(access_points.path, row, controllers, problems)
        needed = polled and "host" in row.cells
        _check_credential(access_points.path, row, needed, credentials, problems)
    for row in controllers.written:
        _check_credential(controllers.path, row, True, credentials, problems)


def check_profiles(
    files: Iterable[FileOfRows], profiles: Collection[str], problems: list[Problem]
) -> None:
    """Every vendor profile that is named exists."""
    allowed = ("auto", *sorted(profiles))
    for file in files:
        for row in file.written:
            profile = row.cells.get("profile", "auto")
            if profile not in allowed:
                message = (
                    f"no profile {shown(profile)}{did_you_mean(profile, allowed)}; allowed: "
                    f"{listed(allowed)}"
                )
                problems.append(Problem(file.path, row.line, "profile", message))


def _check_controller(
    path: Path, row: Row, controllers: Rows[Controller], problems: list[Problem]
) -> None:
    controller = row.cells.get("controller")
    if controller is None:
        message = (
            "is empty, and so is controller; an AP with source snmp is polled at its host, or "
            f"through a controller that has a row in {controllers.path.name}"
        )
        problems.append(Problem(path, row.line, "host", message))
    elif controllers.readable and controller not in controllers.lines:
        hint = did_you_mean(controller, controllers.lines)
        message = (
            f"{shown(controller)} has no row in {controllers.path.name}{hint}; give it a row "
            "there, or the AP a host"
        )
        problems.append(Problem(path, row.line, "controller", message))


def _check_credential(
    path: Path,
    row: Row,
    needed: bool,
    credentials: Collection[str] | None,
    problems: list[Problem],
) -> None:
    given = row.cells.get("credential")
    name = given or "default"
    if credentials is None or name in credentials or not (needed or given):
        return
    message = (
        f"no credential {shown(name)} under snmp: credentials: in spotwatch.yaml"
        f"{did_you_mean(name, credentials)}; there: {listed(credentials) or 'none yet'}"
    )
    problems.append(Problem(path, row.line, "credential", message))
