"""Samples a second into and out of the embedded store, beside what one would write first.

The peers promise less: the plain loop is as durable, but a rewrite through it loses what the former
row carried; `pandas.DataFrame.to_sql` appends, without a key to find or rewrite a sample by.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pandas as pd

from collectors.reading import Reading
from pipeline.store.sqlite import SqliteStore

APS, STEP_MS, START = 1_000, 300_000, 1_767_225_600_000
BULK = 1_400_000
"""14 weeks of 150 APs, polled every 15 minutes."""
FEW, SOME, NAIVE = 20_000, 200_000, 300
EVER = (0, 2**50)


def readings(count: int) -> list[Reading]:
    """As polls bring them: every AP at one time, then every AP at the next."""
    return [
        Reading(
            ap=f"ap-{i % APS:04}",
            site=f"site-{i % APS // 5:03}",
            ts_ms=START + i // APS * STEP_MS,
            up=1,
            clients=i % 37,
            clients_2g=i % 11,
            clients_5g=i % 26,
            rx_bytes=i * 1_000_003,
            tx_bytes=i * 3_000_017,
            counter_bits=64,
            uptime_s=i,
        )
        for i in range(count)
    ]


def in_batches(path: Path, samples: Sequence[Reading], size: int) -> None:
    """Each batch durable before the next is begun."""
    with closing(SqliteStore(path)) as store:
        for start in range(0, len(samples), size):
            store.write_samples(samples[start : start + size])


def row_by_row(path: Path, samples: Sequence[Reading]) -> None:
    """A statement a sample, each committed, the journal as SQLite has it by default."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        columns = ", ".join(Reading._fields)
        db.execute(f"CREATE TABLE samples ({columns}, PRIMARY KEY (ap, ts_ms))")
        marks = ", ".join("?" * len(Reading._fields))
        for sample in samples:
            db.execute(f"INSERT OR REPLACE INTO samples VALUES ({marks})", sample)


def to_sql(path: Path, samples: Sequence[Reading], size: int) -> None:
    """pandas' own way, a frame a batch."""
    with closing(sqlite3.connect(path)) as db:
        for start in range(0, len(samples), size):
            frame = pd.DataFrame(samples[start : start + size], columns=list(Reading._fields))
            frame.to_sql("samples", db, if_exists="append", index=False)
            db.commit()


def read_back(path: Path) -> int:
    """All samples as the frame that usage is computed from."""
    with closing(SqliteStore(path)) as store:
        return len(store.read_samples(*EVER))


def read_sql(path: Path) -> int:
    """pandas' own way; sorted, but without nullable integers: large counters turn into floats."""
    with closing(sqlite3.connect(path)) as db:
        return len(pd.read_sql("SELECT * FROM samples ORDER BY ap, ts_ms", db))


def rate(what: str, samples: int, work: Callable[[], object]) -> float:
    """Samples a second; prints them."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(f"{what:<48} {samples:>9,} in {seconds:5.2f} s {samples / seconds:>9,.0f}/s", flush=True)
    return samples / seconds


def main() -> int:
    """Print all; fail where ours is slower than what makes the same promise, or reads the same."""
    every = readings(BULK)
    few, some = every[:FEW], every[:SOME]
    with tempfile.TemporaryDirectory() as name:
        few_db, some_db, bulk_db = (Path(name) / n for n in ("few.db", "some.db", "bulk.db"))
        plain_db, naive_db = Path(name) / "plain.db", Path(name) / "naive.db"

        live = rate("spotwatch, 100 a transaction", FEW, lambda: in_batches(few_db, few, 100))
        naive = rate("a row, a commit", NAIVE, lambda: row_by_row(naive_db, few[:NAIVE]))
        rate("spotwatch, 5000 a transaction", SOME, lambda: in_batches(some_db, some, 5000))
        rate("pandas to_sql, 5000 a frame", SOME, lambda: to_sql(plain_db, some, 5000))
        rate("spotwatch, the same samples again", SOME, lambda: in_batches(some_db, some, 5000))
        # By AP and time, as the history of a system is handed over.
        every.sort(key=lambda r: (r.ap, r.ts_ms))
        rate("spotwatch, 250,000 a transaction", BULK, lambda: in_batches(bulk_db, every, 250_000))
        back = rate("spotwatch, read as a frame", SOME, lambda: read_back(some_db))
        sql = rate("pandas read_sql", SOME, lambda: read_sql(plain_db))
        rate("spotwatch, read as a frame", BULK, lambda: read_back(bulk_db))
    return int(live < naive or back < sql / 2)


if __name__ == "__main__":
    sys.exit(main())
