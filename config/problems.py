"""Mistakes in a deployment's files, in the operator's words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

LONGEST_SHOWN: Final = 60
"""Of a wrong value; a whole paragraph would bury what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what is wrong and what is allowed."""

    file: Path
    line: int
    """Counted from 1, as editors and spreadsheets do; 1 for a file as a whole."""
    key: str
    """A column, or the path of a setting such as `snmp.poll_seconds`; empty for a whole line."""
    message: str

    def __str__(self) -> str:
        # A column can be named anything, line breaks too; a problem is one line.
        key = self.key if self.key.isprintable() else repr(self.key)
        key = f"{key}: " if key else ""
        return f"{self.file}:{self.line}: {key}{self.message}"


class ConfigError(Exception):
    """Every mistake of every file at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'library'?` where one of the allowed words is close, else nothing."""
    by_lower = {name.lower(): name for name in allowed}
    close = get_close_matches(word.strip().lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them."""
    return ", ".join(words)


def shown(value: object) -> str:
    """A wrong value as a message quotes it. Never called with a secret."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
