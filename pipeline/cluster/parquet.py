"""Samples as Parquet files that workers of a cluster read: one a day, sorted by AP and time."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from config.deployment import Deployment
from pipeline.store.base import StoreError
from pipeline.usage.compute import SampleSource
from pipeline.usage.expiry import look_back_ms
from pipeline.usage.periods import bounds

_COUNTERS: Final = ("rx_bytes", "tx_bytes")


@dataclass(frozen=True, slots=True)
class ParquetFolder:
    """A folder of partitions, as a worker opens it. A `job.Source` and a `SampleSource`."""

    folder: Path
    """The same path on every machine."""
    bounds: tuple[int, ...]
    """n + 1 instants in UTC milliseconds for n partitions."""

    def opened(self) -> AbstractContextManager["ParquetFolder"]:
        """There is nothing to hold open."""
        return nullcontext(self)

    def path(self, start_ms: int) -> Path:
        """The file of the partition that starts then."""
        return self.folder / f"{start_ms}.parquet"

    def read_samples(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        """Read the samples of a window, sorted by (`ap`, `ts_ms`) within each partition."""
        return _joined(self._tables(start_ms, end_ms, ()))

    def last_samples(
        self, before_ms: int, since_ms: int, *, with_counters: bool = False
    ) -> pd.DataFrame:
        """Read each AP's last sample in [since, before), with_counters: the last that has one."""
        wanted = _COUNTERS if with_counters else ()
        lasts = [_last_of_each(table) for table in self._tables(since_ms, before_ms, wanted)]
        return _joined(lasts).drop_duplicates("ap", keep="last", ignore_index=True)

    def _tables(self, start_ms: int, end_ms: int, one_of: Sequence[str]) -> list[pa.Table]:
        """The rows of a window, a table a partition, with a value in at least `one_of` columns."""
        if start_ms < self.bounds[0] or end_ms > self.bounds[-1]:
            raise StoreError(f"{self.folder}: [{start_ms}, {end_ms}) is not in its partitions")
        rows = (pc.field("ts_ms") >= start_ms) & (pc.field("ts_ms") < end_ms)
        if one_of:
            present = [pc.field(name).is_valid() for name in one_of]
            rows &= present[0] | present[1]
        starts = [a for a, b in pairwise(self.bounds) if a < end_ms and b > start_ms]
        try:
            return [
                pyarrow.parquet.read_table(self.path(start), filters=rows, partitioning=None)
                for start in starts or self.bounds[:1]
            ]
        except (pa.ArrowException, OSError) as error:
            raise StoreError(
                f"a worker cannot read {self.folder}: {error}; every worker must reach the folder "
                "of --partitions under that path"
            ) from error


class ParquetPartitions:
    """Writes the partitions of a store as they are needed. A `job.Partitions`.

    Those of a day are read from the store when the first task that needs them is about to be
    handed out, as a computer on this machine would read them.
    """

    def __init__(self, deployment: Deployment, store: SampleSource, folder: Path) -> None:
        self._zone = deployment.settings.zone
        self._look_back_ms = look_back_ms(deployment)
        self._store = store
        self._folder = folder

    def ready(self, start_ms: int, end_ms: int) -> ParquetFolder:
        """See the protocol. Raises StoreError where the folder cannot be written."""
        days = bounds("day", start_ms - self._look_back_ms, end_ms, self._zone).tolist()
        source = ParquetFolder(self._folder, tuple(days))
        for start, end in pairwise(days):
            self._write(source.path(start), start, end)
        return source

    def _write(self, path: Path, start_ms: int, end_ms: int) -> None:
        if path.exists():
            return
        table = pa.Table.from_pandas(
            self._store.read_samples(start_ms, end_ms), preserve_index=False
        )
        # Under another name first: a retried task may look while it is written.
        unfinished = path.with_suffix(".unfinished")
        try:
            pyarrow.parquet.write_table(table, unfinished, compression="zstd")
            unfinished.rename(path)
        except OSError as error:
            raise StoreError(f"{path}: {error}; free some room or name another folder") from error


@contextmanager
def partition_folder(parent: Path) -> Iterator[Path]:
    """A new folder, gone at the end with all that is in it. Raises StoreError."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        made = TemporaryDirectory(prefix="recompute-", dir=parent.resolve())
    except OSError as error:
        raise StoreError(f"{parent}: {error}; name a folder that can be written to") from error
    with made as name:
        yield Path(name)


def _last_of_each(table: pa.Table) -> pa.Table:
    """Of rows sorted by AP and time the last one of each AP."""
    aps = table["ap"].combine_chunks().dictionary_encode()
    codes = np.asarray(aps.indices)
    return table.take(np.flatnonzero(np.append(codes[1:] != codes[:-1], [True] * bool(len(codes)))))


def _joined(tables: Sequence[pa.Table]) -> pd.DataFrame:
    """As the frame that was written: the types of its columns are in each file."""
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame
