"""Loads the vendor profiles: one YAML file each, mixins, inheritance, and which one fits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from collectors.snmp.oids import is_below
from collectors.snmp.profile import NAME_KEY, Match, Profile
from config.problems import ConfigError, Problem
from config.yamlfile import Keys, YamlFile, dotted, read_yaml

BUILT_IN: Final = Path(__file__).parents[1] / "profiles"
FALLBACK: Final = "generic"
"""Fits every device that no other profile fits."""

_MIXIN_DEFAULTS: Final = {"title": "mixin", "device": "ap"}

Profiles = Mapping[str, Profile]


@dataclass(frozen=True)
class _Document:
    file: Path
    yaml: YamlFile

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def is_mixin(self) -> bool:
        return self.file.name.startswith("_")


def load_profiles(own: Path | None = None) -> Profiles:
    """Load the built-in profiles and those of a deployment's folder, by name.

    A file of the deployment stands in for the built-in one of the same name, and may extend it.
    Raises ConfigError with every mistake of every file.
    """
    problems: list[Problem] = []
    built_in = {d.name: d for d in _documents(BUILT_IN, problems)}
    of_own = {d.name: d for d in _documents(own, problems)} if own else {}
    profiles: dict[str, Profile] = {}
    for name, document in {**built_in, **of_own}.items():
        chain = _chain(document, built_in, of_own, problems, ())
        profile = _validated(document, chain, problems)
        if profile and not document.is_mixin:
            profiles[name] = profile
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return profiles


def candidates(
    profiles: Profiles, sys_object_id: str | None, sys_descr: str | None
) -> Iterator[tuple[Profile, Match]]:
    """Yield the profiles that fit an identity, the most specific first.

    Specific is, in this order: the longer sysObjectID, one with a sysDescr, one with a probe.
    """
    fitting = [
        (profile, match)
        for profile in profiles.values()
        for match in profile.match
        if sys_object_id is not None
        and is_below(sys_object_id, match.sys_object_id)
        and (match.sys_descr is None or _fits(match.sys_descr, sys_descr))
    ]
    yield from sorted(fitting, key=lambda pair: _specificity(pair[1]), reverse=True)


def _fits(regex: str, sys_descr: str | None) -> bool:
    return sys_descr is not None and re.search(regex, sys_descr, re.IGNORECASE) is not None


def _specificity(match: Match) -> tuple[int, bool, bool]:
    return match.sys_object_id.count("."), match.sys_descr is not None, match.has is not None


def _documents(folder: Path, problems: list[Problem]) -> Iterator[_Document]:
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        content = read_yaml(
            file, problems, needs="title: and device:", such_as="title: Aruba Instant"
        )
        if content:
            yield _Document(file, content)


def _chain(
    document: _Document,
    built_in: Mapping[str, _Document],
    of_own: Mapping[str, _Document],
    problems: list[Problem],
    seen: tuple[_Document, ...],
) -> list[_Document]:
    """The documents to merge, from the most distant ancestor to the document itself."""
    extends = document.yaml.data.get("extends", [])
    line = document.yaml.line(("extends",))
    if not isinstance(extends, list) or not all(isinstance(name, str) for name in extends):
        problems.append(Problem(document.file, line, "extends", "must be a list of profile names"))
        extends = []
    chain: list[_Document] = []
    for name in extends:
        # A profile of one's own may extend the built-in one that it stands in for.
        parent = built_in.get(name) if name == document.name else of_own.get(name)
        parent = parent or built_in.get(name)
        if parent is None:
            allowed = ", ".join(sorted({*built_in, *of_own} - {document.name}))
            message = f"{name!r} is no profile; allowed: {allowed}"
            problems.append(Problem(document.file, line, "extends", message))
        elif parent in (*seen, document):
            problems.append(Problem(document.file, line, "extends", f"{name!r} extends itself"))
        else:
            chain += _chain(parent, built_in, of_own, problems, (*seen, document))
    return [*chain, document]


def _validated(
    document: _Document, chain: list[_Document], problems: list[Problem]
) -> Profile | None:
    merged: dict[str, Any] = dict(_MIXIN_DEFAULTS) if document.is_mixin else {}
    for part in chain:
        # What identifies and proves a profile is its own, never its parent's.
        inherited = ("extends", "match", "verified_by") if part is not document else ("extends",)
        merged = _merge(merged, {k: v for k, v in part.yaml.data.items() if k not in inherited})
    merged[NAME_KEY] = document.name
    try:
        return Profile.model_validate(merged)
    except ValidationError as error:
        problems.extend(_problem(chain, mistake) for mistake in error.errors())
    return None


def _problem(chain: list[_Document], mistake: Mapping[str, Any]) -> Problem:
    """Say where in which file a mistake stands: the last one of the chain that has the key."""
    path: Keys = mistake["loc"]
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        message = "unknown key"
    # A check across fields names its own key in front.
    named = re.match(r"((?:scalars|tables)[\w.]*): ", message)
    if named:
        path = tuple(named[1].split("."))
        message = message[named.end() :]
    # A single alternative may be written without a list, so the file has no index there.
    shapes = (path, tuple(part for part in path if not isinstance(part, int)))
    for shape in shapes:
        for document in reversed(chain):
            if shape in document.yaml.lines:
                return Problem(document.file, document.yaml.lines[shape], dotted(shape), message)
    own = chain[-1]
    return Problem(own.file, own.yaml.line(path), dotted(path), message)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged
