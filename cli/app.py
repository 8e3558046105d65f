"""The `spotwatch` command: every subcommand by name."""

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from cli import logs
from cli.later import Later
from pipeline.store.base import StoreError

COMMANDS: Final = {
    "demo": ("cli.demo:demo", "Watch over a simulated city, history included."),
    "run": ("cli.run:run", "Collect, aggregate and judge until stopped."),
    "check": ("cli.check:check", "Validate a deployment, and tell what it says."),
    "poll": ("cli.poll:poll", "Poll a device once and print what it says."),
    "import": ("cli.import_:import_samples", "Import samples from a file."),
    "status": ("cli.status:status", "Show which sites are up, and their clients."),
    "usage": ("cli.usage:usage", "Show what each site is used, and its coverage."),
    "availability": ("cli.availability:availability", "Show how much of the time it was up."),
    "outages": ("cli.outages:app", "Show what was down, since when and why."),
    "underused": ("cli.underused:underused", "Judge every site by its use, worst first."),
    "maintenance": ("cli.maintenance:app", "Announce maintenance, list it, end it."),
    "alerts": ("cli.alerts:app", "Try the notifiers, list what was told to whom."),
    "relocations": ("cli.relocations:relocations", "Propose where spots would serve better."),
    "recompute": ("cli.recompute:recompute", "Compute usage again from samples."),
    "simulate": ("cli.simulate:simulate", "Make up a city whose right verdicts are known."),
    "score": ("cli.score:score", "Count how many verdicts on made-up cities are right."),
    "doctor": ("cli.doctor:doctor", "Look at every part of the installation."),
    "spool": ("cli.spool:spool", "Show how many samples wait for InfluxDB."),
    "db": ("cli.db:app", "Prepare InfluxDB for a deployment."),
    "store": ("cli.store:app", "Copy everything of one store into another."),
}
"""Where each command is, and what it is said to do in the list of them."""


class _Commands(TyperGroup):
    """The commands of COMMANDS, each loaded when it is called."""

    def __init__(self, **settings: Any) -> None:
        listed = {name: Later(name, *command) for name, command in COMMANDS.items()}
        super().__init__(**{**settings, "commands": listed})


app = typer.Typer(
    cls=_Commands,
    name="spotwatch",
    help="Which of a city's public Wi-Fi spots are used, which stand idle, which are down.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _before_every_command(
    *, verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False
) -> None:
    logs.configure(verbose=verbose)


def main() -> None:
    """Run the command line; a store that fails is one message and exit code 1."""
    try:
        app()
    except StoreError as error:
        raise SystemExit(str(error)) from error
