"""Files of rows, whatever their format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config.problems import ConfigError, Problem
from pipeline.imports import csv_file, parquet_file
from pipeline.imports.batch import Batch, Header


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows."""

    path: Path
    size: int
    """Bytes of a CSV file, rows of a Parquet file."""
    read: Callable[[Path, Header], Iterator[Batch]]

    def batches(self, header: Header) -> Iterator[Batch]:
        """Read the file, a bounded part at a time. Raises ConfigError, also midway."""
        return self.read(self.path, header)


def open_source(path: Path) -> Source:
    """Look at a CSV (also .csv.gz) or Parquet file. Raises ConfigError where there is none."""
    if not path.is_file():
        message = "is a folder" if path.is_dir() else "there is no such file"
        raise ConfigError([Problem(path, 1, "", message)])
    if path.suffix == ".parquet":
        return Source(path, parquet_file.row_count(path), parquet_file.batches)
    return Source(path, path.stat().st_size, csv_file.batches)
