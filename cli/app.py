"""The `spotwatch` command: every subcommand by name."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer

from cli import (
    check,
    db,
    demo,
    doctor,
    import_,
    logs,
    poll,
    recompute,
    relocations,
    run,
    score,
    simulate,
    spool,
    status,
    store,
    underused,
    usage,
)
from cli.options import fail
from pipeline.store.base import StoreError

app = typer.Typer(
    name="spotwatch",
    help="Which of a city's public Wi-Fi spots are used, which stand idle, which are down.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "demo": demo.demo,
    "run": run.run,
    "check": check.check,
    "poll": poll.poll,
    "import": import_.import_samples,
    "status": status.status,
    "usage": usage.usage,
    "underused": underused.underused,
    "relocations": relocations.relocations,
    "recompute": recompute.recompute,
    "simulate": simulate.simulate,
    "score": score.score,
    "doctor": doctor.doctor,
    "spool": spool.spool,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(db.app)
app.add_typer(store.app)


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
        raise SystemExit(fail(str(error)).exit_code) from error
