"""Mistakes in a deployment's files, in the operator's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what is wrong and what is allowed."""

    file: Path
    line: int
    """Counted from 1, as editors and spreadsheets do."""
    key: str
    message: str

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.message}"


class ConfigError(Exception):
    """Every mistake of every file at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
