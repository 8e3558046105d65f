"""YAML with the line of every key, so that a mistake is told where it stands.

Scalars stay text as written: the models know what each should be, so that `country: NO` is Norway
and `version: 3` a version.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from config.problems import Problem, shown
from config.textfile import read_text

Keys = tuple[str | int, ...]
"""The way to a value: keys of mappings, positions in lists."""

NULL: Final = "tag:yaml.org,2002:null"
STANDARD_TAGS: Final = "tag:yaml.org,2002:"
INDENTED_BY_TAB: Final = re.compile(r" *\t\s*\S")

PLAIN_WORDS: Final = {
    "while scanning a quoted scalar": "a quote is never closed",
    "found unknown escape character": (
        "within double quotes a \\ begins an escape; use single quotes"
    ),
    "mapping values are not allowed here": (
        "a ':' where none can stand; check the indentation, and put a text that holds ': ' in "
        "quotes"
    ),
    "could not find expected ':'": "a key without ':' after it; write key: value",
    "expected <block end>": "does not line up with the lines above; check the indentation",
    "found character '@'": "a text that begins with @ must be in quotes",
    "found character '%'": "a text that begins with % must be in quotes",
    "found character '`'": "a text that begins with ` must be in quotes",
    "expected a single document": "a second document begins here; the file must hold one, take "
    "the '---' out",
    "expected ',' or": (
        "a bracket is not closed, or a comma is missing; within { } put ${NAME} in quotes"
    ),
    "found undefined alias": "aliases (*name) are not taken; a text with * must be in quotes",
}
"""What the YAML library says, and what it means to who wrote the file."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A mapping as written, texts all the way down; a key without a value is not in it."""

    data: Mapping[str, Any]
    lines: Mapping[Keys, int]
    """Of every key, also of those without a value."""

    def line(self, keys: Keys) -> int:
        """The line of a key; of one that is not there, that of what should hold it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)


def read_yaml(
    path: Path,
    problems: list[Problem],
    *,
    needs: str = "city: and timezone:",
    such_as: str = "city: Brussels",
) -> YamlFile | None:
    """Read a YAML file; None where it does not parse.

    `needs` and `such_as` tell who left it empty what belongs in it.
    """
    text = read_text(path, problems)
    if text is None:
        return None
    try:
        root = yaml.compose(text, Loader=_Loader)
    except MarkedYAMLError as error:
        problems.extend(_syntax_problems(path, text, error))
        return None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = shown(chr(error.character))
        message = f"holds the character {character}, which YAML does not allow; take it out"
        problems.append(Problem(path, line, "", message))
        return None
    except RecursionError:
        problems.append(Problem(path, 1, "", "is nested too deeply; a setting is 3 levels deep"))
        return None
    if root is None:
        message = f"is empty; it must hold at least {needs}"
        problems.append(Problem(path, 1, "", message))
        return None
    if not isinstance(root, yaml.MappingNode):
        message = f"must hold keys and values, such as {such_as}"
        problems.append(Problem(path, root.start_mark.line + 1, "", message))
        return None
    reader = _Reader(path, problems)
    data = reader.value(root, ())
    return YamlFile(data, reader.lines)


class _Loader(yaml.SafeLoader):
    """Refuses aliases, which can make a small file endless."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise MarkedYAMLError(problem="found undefined alias", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _syntax_problems(path: Path, text: str, error: MarkedYAMLError) -> list[Problem]:
    tabs = [n for n, line in enumerate(text.split("\n"), 1) if INDENTED_BY_TAB.match(line)]
    if "'\\t'" in (error.problem or "") and tabs:
        message = "is indented with a tab; YAML takes spaces only"
        return [Problem(path, line, "", message) for line in tabs]
    said = [text for text in (error.context, error.problem) if text]
    meaning = next(
        (plain for start, plain in PLAIN_WORDS.items() if any(s.startswith(start) for s in said)),
        "is not valid YAML here; write key: value, nested keys indented with spaces",
    )
    mark, opened = error.problem_mark, error.context_mark
    if opened and (mark is None or not text[mark.index :].strip() or "never closed" in meaning):
        mark = opened  # What was opened there goes on to the end.
    return [Problem(path, (mark.line if mark else 0) + 1, "", meaning)]


class _Reader:
    """Turns nodes into values, and notes where each stood."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.lines: dict[Keys, int] = {}
        self._path = path
        self._problems = problems

    def value(self, node: yaml.Node, keys: Keys) -> Any:
        if not node.tag.startswith(STANDARD_TAGS):
            self._refuse(node, keys, "tags (!name) are not taken; take it out")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for position, item in enumerate(node.value):
                self.lines[*keys, position] = item.start_mark.line + 1
                items.append(self.value(item, (*keys, position)))
            return items
        return None if node.tag == NULL else node.value

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, keys, "a key must be a word, such as city")
                continue
            key = key_node.value
            here = (*keys, key)
            if here in self.lines:
                first = self.lines[here]
                self._refuse(key_node, here, f"is already set on line {first}; keep one of them")
                continue
            self.lines[here] = key_node.start_mark.line + 1
            value = self.value(value_node, here)
            if value is not None:
                found[key] = value
        return found

    def _refuse(self, node: yaml.Node, keys: Keys, message: str) -> None:
        line = node.start_mark.line + 1
        self._problems.append(Problem(self._path, line, dotted(keys), message))


def dotted(keys: Keys) -> str:
    """`snmp.credentials.default`, and `list[0]` for a position."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")
