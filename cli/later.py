"""Commands whose modules are imported when they are called: help and errors come at once."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


class Later(TyperCommand):
    """Stands for a command, or a group of them, in the list of all; takes its place when called."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        """`target`: `module:name` of a function or a Typer; `summary`: what it does, in short."""
        super().__init__(name, help=summary)
        self._target = target

    def loaded(self) -> Any:
        """The command itself."""
        module, name = self._target.split(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            group = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            group.command(self.name)(found)
            found = group
        return typer.main.get_command(found)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the arguments of the command itself, which the context then is of."""
        return self.loaded().make_context(info_name, args, parent, **extra)
