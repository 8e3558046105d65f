"""From readings to durable samples, with the real store and state."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from collectors.reading import Reading
from collectors.sink import NotDurableError
from pipeline.ingest import MAX_BATCH, AsyncIngest, Ingest
from pipeline.state import State
from pipeline.store.base import StoreError
from pipeline.store.sqlite import SqliteStore

MINUTE = 60_000
WINDOW = 15 * MINUTE
HOUR = 60 * MINUTE
GAP = 24 * HOUR


class Valve(SqliteStore):
    """The embedded store, with writes held back or failing as a test wants it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.fails = False
        self.blind = False
        self.transactions: list[int] = []

    def write_samples(self, readings: Sequence[Reading]) -> None:
        self.transactions.append(len(readings))
        self.entered.set()
        assert self.open.wait(20)
        if self.fails:
            raise StoreError("the disk is full")
        super().write_samples(readings)

    def next_counter_ms(self, ap: str, after_ms: int, until_ms: int) -> int | None:
        if self.blind:
            raise StoreError("the server is away")
        return super().next_counter_ms(ap, after_ms, until_ms)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Valve]:
    with closing(Valve(tmp_path / "spotwatch.db")) as opened:
        yield opened


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "state.db")) as opened:
        yield opened


def marked(state: State, site: str) -> set[int]:
    """Starts of the windows of a site that are to be computed again, in minutes."""
    return {
        start // MINUTE
        for d in state.dirty()
        if d.site == site
        for start in range(d.start_ms - d.start_ms % WINDOW, d.end_ms, WINDOW)
    }


def at(minute: float, site: str = "library", clients: int | None = None) -> Reading:
    return Reading("ap-1", site, int(minute * MINUTE), up=1, clients=clients)


def test_a_sample_of_an_open_window_marks_nothing(store: Valve, state: State) -> None:
    state.set_closed_until_ms(60 * MINUTE)
    Ingest(store, state, GAP).write([at(60), at(75)])
    assert state.dirty() == []
    assert len(store.read_samples(0, HOUR * 2)) == 2


def test_before_any_window_was_closed_nothing_is_late(store: Valve, state: State) -> None:
    Ingest(store, state, GAP).write([at(1)])
    assert state.dirty() == []


def test_a_late_sample_marks_its_window_and_the_next_at_its_site(
    store: Valve, state: State
) -> None:
    state.set_closed_until_ms(120 * MINUTE)
    Ingest(store, state, GAP).write([at(50), at(125), at(65, site="parc")])
    assert marked(state, "library") >= {45, 60}
    assert marked(state, "parc") >= {60, 75}
    assert not marked(state, "library") & {30, 90, 120}


def test_a_late_sample_marks_all_of_its_hold(store: Valve, state: State) -> None:
    state.set_closed_until_ms(300 * MINUTE)
    hourly = at(50)._replace(interval_s=3600)
    Ingest(store, state, GAP).write([hourly])
    # It holds for 90 minutes, to minute 140.
    assert marked(state, "library") >= {45, 60, 75, 90, 105, 120, 135}


def test_a_late_counter_marks_the_window_of_the_next_one_it_is_compared_with(
    store: Valve, state: State
) -> None:
    ingest = Ingest(store, state, GAP)
    ingest.write([at(600)._replace(rx_bytes=9), at(300, clients=3)])
    state.set_closed_until_ms(1_000 * MINUTE)
    ingest.write([at(30)._replace(tx_bytes=1)])
    assert 600 in marked(state, "library")
    assert 300 not in marked(state, "library")


def test_a_counter_too_far_away_to_be_compared_with_marks_nothing(
    store: Valve, state: State
) -> None:
    ingest = Ingest(store, state, HOUR)
    ingest.write([at(600)._replace(rx_bytes=9)])
    state.set_closed_until_ms(1_000 * MINUTE)
    ingest.write([at(30)._replace(rx_bytes=1)])
    assert 600 not in marked(state, "library")


def test_of_many_late_counters_each_is_compared_with_the_next(store: Valve, state: State) -> None:
    ingest = Ingest(store, state, GAP)
    ingest.write([at(600)._replace(rx_bytes=9), at(900)._replace(rx_bytes=12)])
    state.set_closed_until_ms(1_000 * MINUTE)
    late = [at(30)._replace(rx_bytes=1), at(40), at(700)._replace(rx_bytes=10)]
    ingest.write(late)
    assert {600, 900} <= marked(state, "library")


def test_a_late_counter_is_kept_when_nobody_can_look_up_the_next(
    store: Valve, state: State
) -> None:
    ingest = Ingest(store, state, 10 * HOUR)
    ingest.write([at(600)._replace(rx_bytes=9)])
    state.set_closed_until_ms(1_000 * MINUTE)
    store.blind = True
    ingest.write([at(30)._replace(rx_bytes=1)])
    assert 600 in marked(state, "library")
    assert len(store.read_samples(0, HOUR)) == 1


def test_a_window_closed_while_its_sample_is_written_is_marked(store: Valve, state: State) -> None:
    state.set_closed_until_ms(45 * MINUTE)
    store.open.clear()
    writing = threading.Thread(target=Ingest(store, state, GAP).write, args=([at(50)],))
    writing.start()
    assert store.entered.wait(20)
    state.set_closed_until_ms(60 * MINUTE)
    store.open.set()
    writing.join()
    assert 45 in marked(state, "library")


def test_marks_are_there_before_the_samples(store: Valve, state: State) -> None:
    state.set_closed_until_ms(120 * MINUTE)
    store.fails = True  # as if the process ended there
    with pytest.raises(StoreError):
        Ingest(store, state, GAP).write([at(50)])
    assert 45 in marked(state, "library")


async def test_what_many_write_at_once_becomes_one_transaction(store: Valve, state: State) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    await asyncio.gather(*(sink.write([Reading(f"ap-{i}", "parc", 1)]) for i in range(500)))
    assert len(store.read_samples(0, 2)) == 500
    assert len(store.transactions) < 5
    await sink.close()


async def test_nothing_written_is_nothing_to_wait_for(store: Valve, state: State) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    await sink.write([])
    await sink.close()
    assert store.transactions == []


async def test_no_transaction_grows_without_bound(store: Valve, state: State) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    parts = [
        [Reading(f"ap-{part}", "parc", i) for i in range(MAX_BATCH // 4)] for part in range(10)
    ]
    await asyncio.gather(*map(sink.write, parts))
    assert sum(store.transactions) == 10 * (MAX_BATCH // 4)
    assert max(store.transactions) <= MAX_BATCH
    await sink.close()


async def test_a_write_that_fails_is_told_to_each_who_waits_and_the_next_one_succeeds(
    store: Valve, state: State
) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    store.fails = True
    told = await asyncio.gather(*(sink.write([at(i)]) for i in range(3)), return_exceptions=True)
    assert [type(error) for error in told] == [NotDurableError] * 3
    assert "the disk is full" in str(told[0])
    store.fails = False
    await sink.write([at(9)])
    assert list(store.read_samples(0, HOUR)["ts_ms"]) == [9 * MINUTE]
    await sink.close()


async def test_who_gives_up_waiting_harms_nobody(store: Valve, state: State) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    store.open.clear()
    impatient = asyncio.create_task(sink.write([at(1)]))
    assert await asyncio.to_thread(store.entered.wait, 20)
    waiting = asyncio.create_task(sink.write([at(2)]))
    gone = asyncio.create_task(sink.write([at(3)]))
    await asyncio.sleep(0)
    impatient.cancel()
    gone.cancel()
    store.open.set()
    await waiting
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await sink.close()
    assert {1 * MINUTE, 2 * MINUTE} <= set(store.read_samples(0, HOUR)["ts_ms"])


async def test_closing_writes_what_waits_and_takes_nothing_more(store: Valve, state: State) -> None:
    sink = AsyncIngest(Ingest(store, state, GAP))
    store.open.clear()
    writes = [asyncio.create_task(sink.write([at(i)])) for i in range(3)]
    assert await asyncio.to_thread(store.entered.wait, 20)
    closing_down = asyncio.create_task(sink.close())
    await asyncio.sleep(0)
    with pytest.raises(NotDurableError):
        await sink.write([at(9)])
    store.open.set()
    await closing_down
    await asyncio.gather(*writes)
    assert len(store.read_samples(0, HOUR)) == 3
    assert len(asyncio.all_tasks()) == 1  # this test


WRITER = """
import asyncio, sys
from pathlib import Path
from collectors.reading import Reading
from pipeline.ingest import AsyncIngest, Ingest
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore

async def publish(sink, number):
    at = 0
    while True:
        at += 1
        await sink.write([Reading(f"ap-{number}", "parc", at, clients=at, rx_bytes=2**63 - at)])
        sys.stdout.write(f"{number} {at}\\n")
        sys.stdout.flush()

async def main(folder):
    ingest = Ingest(SqliteStore(folder / "spotwatch.db"), State(folder / "state.db"), 86_400_000)
    sink = AsyncIngest(ingest)
    await asyncio.gather(*(publish(sink, number) for number in range(20)))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("acknowledgements", [1, 137, 1_000])
def test_what_was_acknowledged_outlives_the_writer_being_killed(
    tmp_path: Path, acknowledgements: int
) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(acknowledgements)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.readlines()
        assert writer.wait(20) == -signal.SIGKILL
    # A line that the kill cut short is no acknowledgement.
    pairs = [line.split() for line in acknowledged if line.endswith("\n")]
    with closing(SqliteStore(tmp_path / "spotwatch.db")) as store:
        found = store.read_samples(0, 2**50)
    kept = set(zip(found["ap"], found["ts_ms"], strict=True))
    assert len(pairs) >= acknowledgements
    assert {(f"ap-{number}", int(at)) for number, at in pairs} <= kept
    assert found["rx_bytes"].tolist() == [2**63 - at for at in found["ts_ms"].tolist()]
