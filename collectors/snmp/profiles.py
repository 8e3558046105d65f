"""Loads the vendor profiles: one YAML file each, mixins, inheritance, and which one fits."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from collectors.snmp.oids import is_below
from collectors.snmp.profile import NAME_KEY, Match, Profile
from config.problems import ConfigError, Problem

BUILT_IN: Final = Path(__file__).parents[1] / "profiles"
FALLBACK: Final = "generic"
"""Fits every device that no other profile fits."""

_MIXIN_DEFAULTS: Final = {"title": "mixin", "device": "ap"}

Profiles = Mapping[str, Profile]
_Path = tuple[str | int, ...]


class _Document:
    """A YAML file, with the line of each key."""

    def __init__(self, file: Path, data: dict[str, Any], lines: dict[_Path, int]) -> None:
        self.file = file
        self.name = file.stem
        self.data = data
        self.lines = lines
        self.is_mixin = file.name.startswith("_")

    def line(self, path: _Path) -> int | None:
        """The line of a key, else of the nearest one around it that the file holds."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines[path] if path else None


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
        try:
            node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or "not YAML"
            problems.append(Problem(file, mark.line + 1 if mark else 1, "", str(reason)))
            continue
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(file, 1, "", f"cannot be read: {error}"))
            continue
        if not isinstance(node, yaml.MappingNode):
            problems.append(Problem(file, 1, "", "empty; a profile is a mapping of keys"))
            continue
        lines: dict[_Path, int] = {}
        _locate(node, (), lines, file, problems)
        loader = yaml.SafeLoader("")
        try:
            data = loader.construct_document(node)
        except yaml.constructor.ConstructorError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problems.append(Problem(file, line, "", str(error.problem)))
            continue
        yield _Document(file, data, lines)


def _locate(
    node: yaml.Node,
    path: _Path,
    lines: dict[_Path, int],
    file: Path,
    problems: list[Problem],
) -> None:
    """Note the line of each key and refuse keys that are given twice."""
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = (*path, str(key_node.value))
            line = key_node.start_mark.line + 1
            if key in lines:
                problems.append(Problem(file, line, _dotted(key), "given twice"))
            lines[key] = line
            _locate(value_node, key, lines, file, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _locate(item, (*path, index), lines, file, problems)


def _chain(
    document: _Document,
    built_in: Mapping[str, _Document],
    of_own: Mapping[str, _Document],
    problems: list[Problem],
    seen: tuple[_Document, ...],
) -> list[_Document]:
    """The documents to merge, from the most distant ancestor to the document itself."""
    extends = document.data.get("extends", [])
    line = document.line(("extends",)) or 1
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
        merged = _merge(merged, {k: v for k, v in part.data.items() if k not in inherited})
    merged[NAME_KEY] = document.name
    try:
        return Profile.model_validate(merged)
    except ValidationError as error:
        problems.extend(_problem(chain, mistake) for mistake in error.errors())
    return None


def _problem(chain: list[_Document], mistake: Mapping[str, Any]) -> Problem:
    """Say where in which file a mistake stands: the last one of the chain that has the key."""
    path: _Path = mistake["loc"]
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
            if shape in document.lines:
                return Problem(document.file, document.lines[shape], _dotted(shape), message)
    own = chain[-1]
    return Problem(own.file, own.line(shapes[-1]) or 1, _dotted(path), message)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, everything else is replaced; null takes a key away."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _dotted(path: _Path) -> str:
    return ".".join(map(str, path))
