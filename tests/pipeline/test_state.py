import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipeline.state import (
    _DDL,
    _LATER,
    MAX_CONTENT,
    MAX_DEAD_LETTERS,
    CollectorHealth,
    DeadLetter,
    Move,
    State,
)
from pipeline.store.base import StoreError
from pipeline.store.sqlite_file import open_file


def left_by(path: Path, version: int) -> sqlite3.Connection:
    """A file as an earlier version left it."""
    return open_file(path, version, _DDL, {v: ddl for v, ddl in _LATER.items() if v <= version})


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "state" / "state.db")) as opened:
        yield opened


def test_it_is_readable_by_its_owner_alone_with_all_that_sqlite_puts_beside_it(
    state: State, tmp_path: Path
) -> None:
    state.set_closed_until_ms(900_000)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "state").iterdir()}
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm"), 0o600)


def test_marks_and_the_closed_window_outlive_the_process(tmp_path: Path) -> None:
    with closing(State(tmp_path / "state.db")) as state:
        assert state.closed_until_ms() is None
        assert state.dirty() == []
        state.mark_dirty([("library", 0, 900), ("parc", 900, 1_800)])
        state.set_closed_until_ms(900)
        state.set_closed_until_ms(1_800)
    with closing(State(tmp_path / "state.db")) as state:
        assert [(d.site, d.start_ms, d.end_ms) for d in state.dirty()] == [
            ("library", 0, 900),
            ("parc", 900, 1_800),
        ]
        assert state.closed_until_ms() == 1_800


def test_a_span_marked_again_while_it_is_computed_stays_marked(state: State) -> None:
    state.mark_dirty([("library", 0, 900)])
    computed = state.dirty()
    state.mark_dirty([("library", 0, 900)])  # a late sample arrives meanwhile

    state.clear_dirty([span.id for span in computed])

    (left,) = state.dirty()
    assert (left.site, left.start_ms, left.end_ms) == ("library", 0, 900)
    state.clear_dirty([left.id])
    state.mark_dirty([("library", 0, 900)])
    # A number that comes back would let whoever computed before clear what it has not seen.
    assert state.dirty()[0].id not in {left.id, computed[0].id}


def letter(
    content: str = "", subject: str = "hotspots/a/b/telemetry", at_ms: int = 1
) -> DeadLetter:
    return DeadLetter(at_ms, "mqtt", subject, "clients: must be a whole number", content)


def test_no_mac_address_of_a_refused_message_reaches_the_disk(state: State, tmp_path: Path) -> None:
    state.add_dead_letters(
        [
            letter('{"stations": ["02:00:5e:10:00:FF", "02005e100001"], "clients": "two"}'),
            letter("0200.5e10.0002", subject="hotspots/library/02-00-5e-10-00-03/telemetry"),
            letter("x" * (MAX_CONTENT - 9) + "02:00:5e:10:00:04"),
        ]
    )
    kept = state.dead_letters()

    assert '"clients": "two"' in kept[2].content
    assert max(len(found.content) for found in kept) == MAX_CONTENT
    on_disk = b"".join(p.read_bytes() for p in (tmp_path / "state").iterdir()).lower()
    for part in (b"5e:10:00", b"5e-10-00", b"5e100001", b"5e10.0002", b"02:00:5e"):
        assert part not in on_disk


def test_dead_letters_are_listed_newest_first_bounded_and_all_counted(state: State) -> None:
    assert state.count_dead_letters() == 0
    state.add_dead_letters(letter(at_ms=i) for i in range(MAX_DEAD_LETTERS))
    state.add_dead_letters([letter(at_ms=-1), letter(at_ms=-2)])

    assert [found.at_ms for found in state.dead_letters(limit=3)] == [-2, -1, MAX_DEAD_LETTERS - 1]
    assert len(state.dead_letters(limit=2 * MAX_DEAD_LETTERS)) == MAX_DEAD_LETTERS
    assert state.count_dead_letters() == MAX_DEAD_LETTERS + 2


def test_the_latest_health_of_each_collector_is_kept(state: State) -> None:
    ill = CollectorHealth("snmp", "snmp", None, False, 4, 4, "10.0.0.7 does not answer")
    well = CollectorHealth("snmp", "snmp", 1_000, True, 4, 0, "4 of 4 answered")
    mqtt = CollectorHealth("mqtt", "mqtt", 2_000, True, 2, 0, "")
    for health in (ill, mqtt, well):
        state.set_collector(health)
    assert state.collectors() == [mqtt, well]


def test_a_collector_that_falls_silent_keeps_when_it_was_last_seen(state: State) -> None:
    state.set_collector(CollectorHealth("snmp", "snmp", 1_000, True, 4, 0, "4 of 4 answered"))
    state.set_collector(CollectorHealth("snmp", "snmp", None, False, 4, 4, "0 of 4 answered"))
    silent = CollectorHealth("snmp", "snmp", 1_000, False, 4, 4, "0 of 4 answered")
    assert state.collectors() == [silent]


MOVE = Move("gare", "clos", "clos", date(2026, 9, 1), 3.5, 40.25, 12.0, 71.0)


def test_moves_outlive_the_process_and_can_be_corrected_and_taken_back(tmp_path: Path) -> None:
    unknown = Move("parc", "tour", "tour-1", date(2026, 8, 1), None, None, None, None)
    with closing(State(tmp_path / "state.db")) as state:
        state.record_move(replace(MOVE, place="tour"))
        state.record_move(MOVE)
        state.record_move(unknown)
    with closing(State(tmp_path / "state.db")) as state:
        assert state.moves() == [unknown, MOVE]
        state.forget_move("parc")
        assert state.moves() == [MOVE]


def test_a_spot_and_its_access_points_move_each_on_its_own(state: State) -> None:
    hall, yard = (replace(MOVE, ap=ap, place=ap, new_site=ap) for ap in ("hall", "yard"))
    for move in (MOVE, hall, yard, replace(hall, before=4.5)):
        state.record_move(move)
    assert state.moves() == [MOVE, replace(hall, before=4.5), yard]
    state.forget_move("gare", "hall")
    assert state.moves() == [MOVE, yard]
    state.forget_move("gare")
    assert state.moves() == [yard]


def test_moves_recorded_before_access_points_could_move_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(left_by(path, 2)) as db:
        row = ("gare", "clos", "clos", "2026-09-01", 3.5, 40.25, 12.0, 71.0)
        db.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    for _ in range(2):
        with closing(State(path)) as state:
            assert state.moves() == [MOVE]


@pytest.mark.parametrize(("place", "new_site"), [("clos", "tour"), ("tour", "clos")])
def test_two_spots_are_not_moved_to_one_place(state: State, place: str, new_site: str) -> None:
    state.record_move(MOVE)
    with pytest.raises(StoreError, match="moves"):
        state.record_move(replace(MOVE, site="parc", place=place, new_site=new_site))
    assert state.moves() == [MOVE]


def test_a_file_of_the_first_version_keeps_what_it_has_and_learns_of_moves(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(left_by(path, 1)) as db:
        db.execute("INSERT INTO marks VALUES ('closed_until_ms', 900)")
    for _ in range(2):
        with closing(State(path)) as state:
            state.record_move(MOVE)
            assert state.moves() == [MOVE]
            assert state.closed_until_ms() == 900


def test_two_processes_share_it(state: State, tmp_path: Path) -> None:
    with closing(State(tmp_path / "state" / "state.db")) as other:
        other.mark_dirty([("library", 0, 900)])
        state.mark_dirty([("parc", 0, 900)])
        assert [d.site for d in other.dirty()] == [d.site for d in state.dirty()]


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreError, match=r"state\.db: .*newer Spotwatch"):
        State(path)
    path.write_text("no database" * 1000)
    with pytest.raises(StoreError, match=r"state\.db: .*not a database"):
        State(path)


def test_one_aggregates_at_a_time_and_the_next_when_it_is_through(
    state: State, tmp_path: Path
) -> None:
    with closing(State(tmp_path / "state" / "state.db")) as other:
        with state.aggregating(wait=True) as first, other.aggregating(wait=False) as second:
            assert (first, second) == (True, False)
        with other.aggregating(wait=False) as second:
            assert second


def test_who_was_killed_while_it_aggregated_stands_in_nobodys_way(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.state import State\n"
        "with State(Path(sys.argv[1])).aggregating(wait=True): print('on', flush=True); input()"
    )
    path = tmp_path / "state.db"
    command = [sys.executable, "-c", code, str(path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
        closing(State(path)) as state,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        with state.aggregating(wait=False) as alone:
            assert not alone
        process.kill()
        with state.aggregating(wait=True) as alone:
            assert alone
