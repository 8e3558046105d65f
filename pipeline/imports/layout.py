"""How a file's columns say what a sample is."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from pipeline.imports.batch import SAMPLES, Batch, Header, completed
from pipeline.imports.cells import UP_WORDS


class Layout(Protocol):
    """Turns what was read of a file into the columns of a sample file."""

    @property
    def header(self) -> Header:
        """The columns to read."""

    @property
    def called(self) -> Mapping[str, str]:
        """What the file calls a column of a sample file, where it is another name."""

    @property
    def hints(self) -> Mapping[str, str]:
        """What is allowed in a column, where that is not what a sample file allows."""

    @property
    def up_words(self) -> Mapping[str, int]:
        """How up, 1, and down, 0, are written, in lower case."""

    @property
    def align_ms(self) -> int:
        """Times are rounded to a multiple of it; 0: as they are."""

    @property
    def is_long(self) -> bool:
        """Whether a row is one figure of a sample, and the others in other rows."""

    def arrange(self, batch: Batch) -> Batch:
        """The same rows, or fewer, with all the columns of a sample file."""


class AsWritten:
    """The layout of a sample file itself."""

    header = SAMPLES
    called: Mapping[str, str] = MappingProxyType({})
    hints: Mapping[str, str] = called
    up_words = UP_WORDS
    align_ms = 0
    is_long = False

    def arrange(self, batch: Batch) -> Batch:
        """Complete the columns."""
        return replace(batch, cells=completed(batch.cells))
