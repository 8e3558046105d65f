"""From the rows of a table to checked rows of a model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from config.csvfile import Row, Table, read_table
from config.problems import Problem, shown
from config.translate import allowed_names, mistakes, required_names

R = TypeVar("R", bound=BaseModel)


@dataclass(slots=True)
class Rows(Generic[R]):
    """The rows of a file."""

    path: Path
    items: dict[str, R] = field(default_factory=dict)
    """By id: the rows without a mistake."""
    lines: dict[str, int] = field(default_factory=dict)
    """The line of every id, also of rows with a mistake: what refers to them is right."""
    written: list[Row] = field(default_factory=list)
    """The cells of every row that is aligned, also with a mistake: what it refers to is checked."""
    readable: bool = True
    """False where the ids could not be read at all: nothing can be said of references to them."""


def read_rows(path: Path, model: type[R], key: str, problems: list[Problem]) -> Rows[R]:
    """Read a file whose rows have an id in the column `key`; ids are unique in it."""
    rows = Rows[R](path)
    table = read_table_of(path, model, problems)
    if table is None or key not in table.columns:
        rows.readable = False
        return rows
    for row in table.rows:
        name = row.cells.get(key)
        if name in rows.lines:
            message = f"{shown(name)} is already on line {rows.lines[name]}; ids must be unique"
            problems.append(Problem(path, row.line, key, message))
        elif name:
            rows.lines[name] = row.line
        if not row.aligned:
            continue
        rows.written.append(row)
        checked = check_row(table, row, model, problems)
        if checked is not None and name and rows.lines[name] == row.line:
            rows.items[name] = checked
    return rows


def read_table_of(path: Path, model: type[BaseModel], problems: list[Problem]) -> Table | None:
    """Read a file that has the columns of a model."""
    return read_table(path, allowed_names(model), required_names(model), problems)


def check_row(table: Table, row: Row, model: type[R], problems: list[Problem]) -> R | None:
    """The cells of an aligned row as a model, or None and the mistakes in them."""
    try:
        return model.model_validate(row.cells)
    except ValidationError as error:
        for mistake in mistakes(error, model, called="column"):
            key = str(mistake.keys[-1])
            if not mistake.missing:
                problems.append(Problem(table.path, row.line, key, mistake.message))
            elif key in table.columns:  # Else the whole column is missing, which is told once.
                problems.append(Problem(table.path, row.line, key, "is empty; a value is required"))
        return None
