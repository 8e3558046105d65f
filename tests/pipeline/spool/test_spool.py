"""What was taken in is kept, in the face of rewrites, full disks and sudden ends."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.spool.destination import SpooledLine
from pipeline.spool.spool import Spool, SpoolFullError, Waiting
from pipeline.store.base import StoreError
from pipeline.store.influx.line_protocol import fields_of

NOW = 1_800_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    with closing(Spool(path)) as spool:
        yield spool


def sample(ap: str, ts_ms: int, site: str = "s", **fields: int) -> Waiting:
    written = ",".join(f"{name}={value}i" for name, value in fields.items()) or "interval_s=300i"
    return Waiting(ap, site, ts_ms, f"sample,ap={ap},site={site} {written} {ts_ms}".encode())


def keys(lines: list[SpooledLine]) -> list[tuple[str, int]]:
    return [(line.ap, line.ts_ms) for line in lines]


def test_lines_leave_in_the_order_they_came_from_either_end(spool: Spool) -> None:
    for ts_ms in (30, 10, 20):
        spool.append([sample("a", ts_ms)], NOW)
    assert keys(spool.oldest(2)) == [("a", 30), ("a", 10)]
    assert keys(spool.newest(2)) == [("a", 20), ("a", 10)]
    assert keys(spool.window(10, 30)) == [("a", 10), ("a", 20)]


def test_a_rewrite_of_a_waiting_sample_is_one_line(spool: Spool) -> None:
    spool.append([sample("a", 1, clients=1, up=1)], NOW)
    spool.append([sample("a", 1, clients=2), sample("a", 1, site="t", rx_bytes=3)], NOW)
    (line,) = spool.oldest(9)
    assert fields_of(line.line) == {"clients": 2, "up": 1, "rx_bytes": 3}
    assert line.site == "t"
    assert line.line.startswith(b"sample,ap=a,site=t ")
    health = spool.health()
    assert (health.lines, health.bytes) == (1, len(line.line))


def test_a_sample_rewritten_while_it_is_sent_is_sent_again(spool: Spool) -> None:
    spool.append([sample("a", 1, clients=1), sample("b", 1)], NOW)
    under_way = spool.oldest(9)
    spool.append([sample("a", 1, clients=2), sample("b", 1)], NOW)
    spool.forget(under_way)
    (line,) = spool.oldest(9)
    assert (line.ap, fields_of(line.line)) == ("a", {"clients": 2})


def test_health_counts_what_waits_and_since_when(spool: Spool) -> None:
    assert spool.health()[:3] == (0, 0, None)
    spool.append([sample("a", 1)], NOW - 90_000)
    spool.append([sample("a", 2)], NOW)
    first = spool.oldest(1)
    size = len(first[0].line)
    assert spool.health()[:4] == (2, 2 * size, NOW - 90_000, 0)
    assert spool.health().age_s(NOW) == 90
    spool.forget(first)
    spool.reject([(line, "why") for line in spool.oldest(9)], NOW)
    assert spool.health()[:4] == (0, 0, None, 1)
    assert spool.health().age_s(NOW) == 0


def test_rejected_lines_say_why_and_can_be_tried_again_under_what_came_since(spool: Spool) -> None:
    spool.append([sample("a", 1, clients=1, up=1), sample("b", 1)], NOW)
    spool.reject([(line, f"no {line.ap}") for line in spool.oldest(9)], NOW)
    assert [(r.ap, r.reason, r.at_ms) for r in spool.rejected(9)] == [
        ("b", "no b", NOW),
        ("a", "no a", NOW),
    ]
    assert spool.rejected(1)[0].line == "sample,ap=b,site=s interval_s=300i 1"
    spool.append([sample("a", 1, clients=2)], NOW)
    assert spool.retry_rejected(NOW) == 2
    assert spool.rejected(9) == []
    fields = {line.ap: fields_of(line.line) for line in spool.oldest(9)}
    assert fields == {"a": {"clients": 2, "up": 1}, "b": {"interval_s": 300}}


def test_a_full_spool_refuses_all_of_a_write_and_goes_on_when_there_is_room(path: Path) -> None:
    with closing(Spool(path, max_bytes=200_000)) as spool:
        taken = 0

        def fill_up() -> None:
            nonlocal taken
            while True:
                spool.append([sample("a", taken * 100 + i) for i in range(100)], NOW)
                taken += 1

        with pytest.raises(SpoolFullError, match="200,000 are allowed"):
            fill_up()
        assert taken > 0
        health = spool.health()
        assert health.lines == taken * 100
        assert health.used_bytes <= 200_000
        spool.forget(spool.oldest(500))
        spool.append([sample("b", i) for i in range(100)], NOW)
        assert spool.health().lines == taken * 100 - 400


FILL = """
import sys
from contextlib import closing
from pathlib import Path
from pipeline.spool.spool import Spool, Waiting
from pipeline.store.base import StoreError

def batch(n):
    return [Waiting("a", "s", n * 100 + i, b"x" * 200 + b" clients=1i 1") for i in range(100)]

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(300_000))
with closing(Spool(folder / "spool.db")) as spool:
    taken = 0
    try:
        while taken < 10000:
            spool.append(batch(taken), 0)
            taken += 1
        sys.exit("the disk never filled up")
    except StoreError as error:
        print(error)
    assert spool.health().lines == taken * 100, "half a write was kept"
    spool.forget(spool.oldest(100))  # what was sent makes room, also where there is none
    spool.append(batch(taken), 0)
    ballast.unlink()
    spool.append(batch(taken + 1), 0)
    assert spool.health().lines == (taken + 1) * 100
"""


def test_a_full_disk_is_said_and_overcome_once_there_is_room(tmp_path: Path) -> None:
    """A real file system of twelve megabytes, in a namespace where a user may mount it."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not on the PATH")
    mount = f"mount -t tmpfs -o size=12m none '{tmp_path}'"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False).returncode:
        pytest.skip("this kernel lets no ordinary user mount a file system")
    command = f"{mount} && exec '{sys.executable}' -c \"$0\" '{tmp_path}'"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, FILL],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "full" in done.stdout


def test_a_disk_that_takes_no_more_fails_the_write_whole(spool: Spool) -> None:
    spool.append([sample("a", 1)], NOW)
    (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
    spool._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        spool.append([sample("a", i) for i in range(2, 2000)], NOW)
    assert keys(spool.oldest(9)) == [("a", 1)]
    spool._db.execute("PRAGMA max_page_count = 100000")
    spool.append([sample("a", 2)], NOW)
    assert keys(spool.oldest(9)) == [("a", 1), ("a", 2)]


def test_what_waits_is_there_when_opened_again(path: Path) -> None:
    with closing(Spool(path)) as spool:
        spool.append([sample("a", 1), sample("a", 2, site="t")], NOW)
        before = spool.oldest(9), spool.health()
    with closing(Spool(path)) as spool:
        assert (spool.oldest(9), spool.health()) == before
        assert spool.moved_aps() == {"a": {"s", "t"}}
        spool.append([sample("a", 3)], NOW)
        assert [line.seq for line in spool.oldest(9)] == [1, 2, 3]


def test_a_number_is_never_used_again(path: Path) -> None:
    """Else the end of a line that was sent could end another one."""
    for ts_ms in (1, 2):
        with closing(Spool(path)) as spool:
            spool.append([sample("a", ts_ms)], NOW)
            (line,) = spool.oldest(9)
            assert line.seq == ts_ms
            spool.forget([line])


def test_two_who_send_the_same_line_do_not_count_it_twice(path: Path) -> None:
    with closing(Spool(path)) as one, closing(Spool(path)) as other:
        one.append([sample("a", 1), sample("a", 2)], NOW)
        lines = one.oldest(9)
        one.forget(lines[:1])
        other.forget(lines[:1])
        one.reject([(lines[1], "why")], NOW)
        other.reject([(lines[1], "why")], NOW)
        assert other.health()[:4] == (0, 0, None, 1)


def test_many_threads_write_and_one_takes_away(spool: Spool) -> None:
    def write(ap: str) -> None:
        for ts_ms in range(20):
            spool.append([sample(ap, ts_ms)], NOW)

    writers = [threading.Thread(target=write, args=(ap,)) for ap in "abcd"]
    for writer in writers:
        writer.start()
    taken: list[tuple[str, int]] = []
    while any(w.is_alive() for w in writers) or spool.health().lines:
        lines = spool.oldest(7)
        spool.forget(lines)
        taken += keys(lines)
    assert sorted(taken) == sorted((ap, ts_ms) for ap in "abcd" for ts_ms in range(20))


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    with closing(Spool(path)):
        pass
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer Spotwatch"):
        Spool(path)


def test_a_spool_that_cannot_be_opened_whole_leaves_no_file_open(path: Path) -> None:
    Spool(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE places")
    with pytest.raises(StoreError, match=r"spool\.db: no such table: places"):
        Spool(path)
    links = Path("/proc/self/fd").iterdir()
    held = [str(link.readlink()) for link in links if link.is_symlink()]
    assert not [name for name in held if name.startswith(str(path))]
