"""The forwarder sends what it can, keeps what it cannot, and never gives up."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spool.delivery import deliver
from pipeline.spool.destination import (
    MisconfiguredError,
    RefusedError,
    SpooledLine,
    UnavailableError,
)
from pipeline.spool.forwarder import (
    BESIDE_WAIT_S,
    IDLE_WAIT_S,
    LONGEST_WAIT_S,
    MISCONFIGURED_WAIT_S,
    Forwarder,
)
from pipeline.spool.spool import Spool, Waiting
from pipeline.store.base import StoreError


class Remote:
    """A store that takes lines, except those it is told to refuse."""

    def __init__(self, refused: frozenset[int] = frozenset()) -> None:
        self.refused = refused
        self.error: StoreError | None = None
        self.has: set[int] = set()
        self.batches: list[list[int]] = []

    def send(self, lines: Sequence[SpooledLine]) -> None:
        times = [line.ts_ms for line in lines]
        self.batches.append(times)
        if self.error is not None:
            raise self.error
        if not self.refused.isdisjoint(times):
            raise RefusedError(f"wrong: {sorted(self.refused.intersection(times))}")
        self.has.update(times)


def line(ts_ms: int) -> SpooledLine:
    return SpooledLine(ts_ms, "a", "s", ts_ms, b"sample,ap=a,site=s interval_s=300i %d" % ts_ms)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool.db")) as spool:
        yield spool


def fill(spool: Spool, times: Sequence[int]) -> None:
    spool.append([Waiting("a", "s", ts_ms, line(ts_ms).line) for ts_ms in times], 0)


@given(st.integers(1, 200), st.frozensets(st.integers(0, 199), max_size=5))
def test_exactly_the_wrong_lines_are_found(count: int, wrong: frozenset[int]) -> None:
    remote = Remote(wrong)
    delivery = deliver([line(i) for i in range(count)], remote)
    bad = {i for i in wrong if i < count}
    assert {x.ts_ms for x, _ in delivery.rejected} == bad
    assert all(reason == f"wrong: [{x.ts_ms}]" for x, reason in delivery.rejected)
    assert {x.ts_ms for x in delivery.stored} == remote.has == set(range(count)) - bad
    assert delivery.error is None
    # Each wrong line costs at most two requests a halving.
    assert len(remote.batches) <= 1 + len(bad) * 2 * math.ceil(math.log2(max(count, 2)))


def test_a_delivery_stops_where_it_is_nobody_s_fault_and_says_how_far_it_came() -> None:
    class GoesAway(Remote):
        def send(self, lines: Sequence[SpooledLine]) -> None:
            if len(self.batches) == 2:
                self.error = UnavailableError("gone")
            super().send(lines)

    delivery = deliver([line(i) for i in range(8)], GoesAway(frozenset({6})))
    assert [x.ts_ms for x in delivery.stored] == [0, 1, 2, 3]
    assert delivery.rejected == []
    assert str(delivery.error) == "gone"


def test_the_oldest_and_the_newest_take_turns_while_there_is_a_backlog(spool: Spool) -> None:
    fill(spool, range(10))
    remote = Remote()
    forwarder = Forwarder(spool, remote, batch_lines=2)
    while forwarder.step() == 0:
        pass
    assert [sorted(b) for b in remote.batches] == [[0, 1], [8, 9], [2, 3], [6, 7], [4, 5]]

    fill(spool, range(10, 20))
    remote.batches.clear()
    forwarder.drain()
    assert [sorted(b) for b in remote.batches] == [
        [10, 11], [18, 19], [12, 13], [16, 17], [14, 15],
    ]  # fmt: skip


def test_what_is_corrected_while_batches_are_on_their_way_arrives_as_corrected(
    spool: Spool,
) -> None:
    """Of the batch that is on its way, of the next one and of one far behind."""

    arrived: dict[int, bytes] = {}

    class Corrects(Remote):
        def send(self, lines: Sequence[SpooledLine]) -> None:
            super().send(lines)
            arrived.update({line.ts_ms: line.line for line in lines})
            if len(self.batches) == 2:
                spool.append([Waiting("a", "s", t, corrected(t)) for t in (0, 1, 3, 9, 10, 19)], 0)

    def corrected(ts_ms: int) -> bytes:
        return line(ts_ms).line.replace(b"300i", b"60i")

    fill(spool, range(20))
    remote = Corrects()
    Forwarder(spool, remote, batch_lines=3).drain()
    assert {t for t, sent in arrived.items() if sent == corrected(t)} == {0, 1, 3, 9, 10, 19}
    assert remote.has == set(range(20))
    assert spool.health()[:2] == (0, 0)


def test_the_end_of_a_backlog_is_not_awaited_when_told_to_stop(spool: Spool) -> None:
    class Stopped(Remote):
        def send(self, lines: Sequence[SpooledLine]) -> None:
            super().send(lines)
            pool.submit(forwarder.stop)
            assert forwarder._stop.wait(20)

    fill(spool, range(9))
    remote = Stopped()
    forwarder = Forwarder(spool, remote, batch_lines=2)
    with ThreadPoolExecutor() as pool:
        forwarder.start()
        assert forwarder._thread is not None
        forwarder._thread.join(20)
    assert remote.batches == [[0, 1]]
    assert spool.health().lines == 7


def test_waits_grow_to_a_bound_and_start_small_after_a_success(spool: Spool) -> None:
    fill(spool, [1])
    remote = Remote()
    forwarder = Forwarder(spool, remote, random=Random(1))
    remote.error = UnavailableError("gone")
    waits = [forwarder.step() for _ in range(20)]
    assert 0.5 <= waits[0] <= 1
    assert waits[:6] == sorted(waits[:6])
    assert max(waits) <= LONGEST_WAIT_S
    assert min(waits[8:]) >= LONGEST_WAIT_S / 2
    remote.error = None
    assert forwarder.step() == 0
    assert forwarder.step() == IDLE_WAIT_S
    fill(spool, [2])
    remote.error = UnavailableError("gone again")
    assert forwarder.step() <= 1


def test_a_store_that_asks_for_time_gets_it(spool: Spool) -> None:
    fill(spool, [1])
    remote = Remote()
    remote.error = UnavailableError("busy", retry_after_s=600)
    assert Forwarder(spool, remote).step() == 600


def test_a_wrong_setting_is_said_once_and_drops_nothing(
    spool: Spool, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(spool, [1, 2])
    remote = Remote()
    remote.error = MisconfiguredError("check store.token")
    forwarder = Forwarder(spool, remote)
    assert [forwarder.step() for _ in range(5)] == [MISCONFIGURED_WAIT_S] * 5
    assert "".join(capsys.readouterr()).count("check store.token") == 1
    assert spool.health().lines == 2
    remote.error = None
    assert forwarder.step() == 0
    assert remote.has == {1, 2}


def test_a_disk_so_full_that_nothing_can_be_struck_off_stops_nothing_for_good(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(spool, [1])
    remote = Remote()
    forwarder = Forwarder(spool, remote)

    def full(lines: Sequence[SpooledLine]) -> None:
        raise StoreError("disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(spool, "forget", full)
        assert forwarder.step() > 0
        assert forwarder.trouble == "disk is full"
    assert forwarder.step() == 0
    assert remote.batches == [[1], [1]]  # sent twice, which changes nothing
    assert forwarder.trouble is None


def test_the_thread_sends_what_comes_and_ends_when_told(spool: Spool) -> None:
    class Waited(Remote):
        complete = Event()

        def send(self, lines: Sequence[SpooledLine]) -> None:
            super().send(lines)
            if len(self.has) == 5:
                self.complete.set()

    remote = Waited()
    forwarder = Forwarder(spool, remote)
    forwarder.start()
    for ts_ms in range(5):
        fill(spool, [ts_ms])
        forwarder.wake()
    assert remote.complete.wait(20)
    forwarder.stop()
    assert spool.health().lines == 0
    assert forwarder._thread is not None
    assert not forwarder._thread.is_alive()


def test_draining_ends_at_the_first_trouble_and_says_it(spool: Spool) -> None:
    fill(spool, range(5))
    remote = Remote()
    forwarder = Forwarder(spool, remote, batch_lines=2)
    forwarder.drain()
    assert remote.has == set(range(5))
    fill(spool, [7])
    remote.error = UnavailableError("gone")
    with pytest.raises(StoreError, match="gone"):
        forwarder.drain()
    assert spool.health().lines == 1


def test_trouble_in_the_middle_of_a_backlog_loses_nothing_and_strikes_off_what_was_sent(
    spool: Spool,
) -> None:
    class GoesAway(Remote):
        def send(self, lines: Sequence[SpooledLine]) -> None:
            self.error = UnavailableError("gone") if len(self.batches) == 2 else None
            super().send(lines)

    fill(spool, range(10))
    remote = GoesAway(frozenset({8}))
    forwarder = Forwarder(spool, remote, batch_lines=3)
    with pytest.raises(StoreError, match="gone"):
        forwarder.drain()
    # It went away while the refused 8 was looked for in the second batch.
    assert remote.has == {0, 1, 2}
    assert {x.ts_ms for x in spool.oldest(99)} == set(range(3, 10))
    forwarder.drain()
    assert remote.has == set(range(10)) - {8}
    assert [x.ts_ms for x in spool.rejected(9)] == [8]
    assert spool.health().lines == 0


class Slow:
    """A store that keeps a line of each time; the first request stays on its way for a while."""

    def __init__(self) -> None:
        self.asked, self.answers = Event(), Event()
        self.has: dict[int, bytes] = {}

    def send(self, lines: Sequence[SpooledLine]) -> None:
        first = not self.asked.is_set()
        self.asked.set()
        if first:
            assert self.answers.wait(20)
        self.has |= {line.ts_ms: line.line for line in lines}


def test_a_line_on_its_way_from_one_process_arrives_before_its_correction_from_another(
    tmp_path: Path,
) -> None:
    remote = Slow()
    with (
        closing(Spool(tmp_path / "spool.db")) as daemons,
        closing(Spool(tmp_path / "spool.db")) as imports,
        ThreadPoolExecutor() as pool,
    ):
        daemon, importer = Forwarder(daemons, remote), Forwarder(imports, remote)
        daemons.append([Waiting("a", "s", 1, b"sample,ap=a,site=s clients=1i 1")], 0)
        sending = pool.submit(daemon.step)
        try:
            assert remote.asked.wait(20)
            imports.append([Waiting("a", "s", 1, b"sample,ap=a,site=s clients=2i 1")], 0)
            assert importer.step() == BESIDE_WAIT_S
            assert remote.has == {}
            draining = pool.submit(importer.drain)
        finally:
            remote.answers.set()
        sending.result(20)
        draining.result(20)
        assert remote.has == {1: b"sample,ap=a,site=s clients=2i 1"}
        assert daemons.health().lines == 0
        assert daemon.step() == IDLE_WAIT_S
