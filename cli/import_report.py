"""What `spotwatch import` says of any kind of file, and where refused rows are written."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.options import refuse

Write = Callable[[Iterable[Sequence[object]]], None]


def say(console: Console, text: str) -> None:
    """Print a text as it is: what a file holds is neither markup nor cut into lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def many(count: int, word: str) -> str:
    """A count of things, such as `1 row` and `2 rows`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@contextmanager
def rejected_file(path: Path | None, columns: Sequence[str]) -> Iterator[Write]:
    """What takes refused rows: a CSV with these columns, where `--rejected` asks for one."""
    if path is None:
        yield lambda _: None
        return
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise refuse(f"--rejected: {path} cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield writer.writerows
