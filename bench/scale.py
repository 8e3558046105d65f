"""Usage and verdicts of a quarter at the size of a region: seconds a million samples, and memory.

`python -m bench.scale [SITES APS DAYS]`; without, a tenth of 1000 4000 91, which are 105 million
samples. Each part runs in a process of its own, whose largest memory it tells. Making the samples
is taken out of all figures. Beside it what a notebook does with a day's samples after the other:
pandas' groupby and resample, which know no holds, gaps, service, peaks over a site nor resets.
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from bench.generated import DAY_MS, START, GeneratedStore, city
from bench.usage import rule
from cli import logs
from cli.judging import judge
from pipeline.state import State
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.periods import WINDOW_MS

MAX_MB: Final = 4096
GRACE_MS: Final = 120_000


class Size(NamedTuple):
    """Of the city, and of its past; a day more is there, whose windows are closed one by one."""

    sites: int
    aps: int
    days: int


DEFAULT: Final = Size(100, 400, 91)
Figures = dict[str, Any]


def usage(folder: Path, size: Size) -> Figures:
    """All of the past at once: as `spotwatch recompute`."""
    with (
        closing(GeneratedStore(folder / "spotwatch.db", city(*size[:2]), size.days + 1)) as store,
        closing(State(folder / "state.db")) as state,
    ):
        last = START + size.days * DAY_MS
        state.set_closed_until_ms(last)
        began = time.process_time()
        rows = Aggregator(city(*size[:2]), store, state).recompute(START, last)
        spent = time.process_time() - began - store.making_s
        return {
            "samples": store.samples,
            "rows": rows,
            "computing_s": spent - store.writing_s,
            "writing_s": store.writing_s,
        }


def windows(folder: Path, size: Size) -> Figures:
    """The day after: closed a window, an hour and a morning at a time, as the daemon does."""
    found: Figures = {}
    with (
        closing(GeneratedStore(folder / "spotwatch.db", city(*size[:2]), size.days + 1)) as store,
        closing(State(folder / "state.db")) as state,
    ):
        aggregator = Aggregator(city(*size[:2]), store, state)
        closed = START + size.days * DAY_MS
        for name, count in (("first", 1), ("second", 1), ("hour", 4), ("morning", 32)):
            closed += count * WINDOW_MS
            made, began = store.making_s, time.process_time()
            aggregator.close_windows(closed + GRACE_MS)
            found[f"{name}_s"] = time.process_time() - began - (store.making_s - made)
    return found


def verdicts(folder: Path, size: Size) -> Figures:
    """Every site's verdict from the usage of the last weeks, as `spotwatch underused`."""
    with closing(GeneratedStore(folder / "spotwatch.db", city(*size[:2]), size.days + 1)) as store:
        closed = START + size.days * DAY_MS
        began = time.process_time()
        found = judge(city(*size[:2]), store, closed, datetime.fromtimestamp(closed / 1000, UTC))
        return {"verdicts": len(found), "judging_s": time.process_time() - began - store.making_s}


def peer(folder: Path, size: Size) -> Figures:
    """A day's samples after the other."""
    deployment = city(*size[:2])
    with closing(GeneratedStore(folder / "peer.db", deployment, size.days + 1)) as store:
        spent = 0.0
        for day in range(size.days):
            frame = store.read_samples(START + day * DAY_MS, START + (day + 1) * DAY_MS)
            began = time.process_time()
            rule(deployment, frame)
            spent += time.process_time() - began
        return {"samples": store.samples, "computing_s": spent}


PARTS: Final = {part.__name__: part for part in (usage, windows, verdicts, peer)}


def measured(part: str, folder: Path, size: Size) -> Figures:
    """Run a part in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.scale", *map(str, size), part, folder],
        check=True,
        stdout=subprocess.PIPE,
    )
    found: Figures = json.loads(done.stdout)
    found["wall_s"] = time.perf_counter() - began
    return found


def report(size: Size, found: dict[str, Figures]) -> None:
    """Print all."""
    use, peer = found["usage"], found["peer"]
    each = use["samples"] / 1e6
    ours, theirs = use["computing_s"] / each, peer["computing_s"] / peer["samples"] * 1e6
    print(f"{size.sites:,} sites, {size.aps:,} access points, {size.days} days of samples "
          f"every 5 minutes: {use['samples']:,}")  # fmt: skip
    print(f"usage of sites and APs   {ours:6.2f} CPU-s per million samples to compute, "
          f"{use['writing_s'] / each:.2f} to write; {use['wall_s']:,.0f} s in all, "
          f"largest memory {use['peak_mb']:,.0f} MB")  # fmt: skip
    print(f"pandas, sites and means  {theirs:6.2f} CPU-s per million samples to compute; "
          f"{peer['wall_s']:,.0f} s in all, largest memory {peer['peak_mb']:,.0f} MB; "
          f"we take {ours / theirs:.2f} times as long")  # fmt: skip
    one = found["windows"]
    print(f"closing windows          {one['second_s']:6.2f} CPU-s for one of 15 minutes "
          f"({one['first_s']:.2f} after a start), {one['hour_s']:.2f} for an hour, "
          f"{one['morning_s']:.2f} for eight")  # fmt: skip
    judged = found["verdicts"]
    print(
        f"verdicts                 {judged['judging_s']:6.1f} CPU-s for {judged['verdicts']:,} "
        f"sites; {judged['wall_s']:,.0f} s in all, largest memory {judged['peak_mb']:,.0f} MB"
    )


def main(arguments: list[str]) -> int:
    """Print what it takes; fail past the memory that must do."""
    size = Size(*map(int, arguments[:3])) if arguments else DEFAULT
    if len(arguments) > 3:
        logs.configure(verbose=False)  # what is printed here are figures alone
        found = PARTS[arguments[3]](Path(arguments[4]), size)
        found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return 0
    with TemporaryDirectory() as name:
        every = {part: measured(part, Path(name), size) for part in PARTS}
    report(size, every)
    return int(max(every["usage"]["peak_mb"], every["verdicts"]["peak_mb"]) > MAX_MB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
