"""How a file's columns say what a sample is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from pipeline.imports.batch import SAMPLES, Batch, Header, completed


class Layout(Protocol):
    """Turns what was read of a file into the columns of a sample file."""

    @property
    def header(self) -> Header:
        """The columns to read."""

    @property
    def called(self) -> Mapping[str, str]:
        """What the file calls a column of a sample file, where it is another name."""

    def arrange(self, batch: Batch) -> Batch:
        """The same rows, or fewer, with all the columns of a sample file."""


class AsWritten:
    """The layout of a sample file itself."""

    header = SAMPLES
    called: Mapping[str, str] = {}

    def arrange(self, batch: Batch) -> Batch:
        """Complete the columns."""
        return replace(batch, cells=completed(batch.cells))
