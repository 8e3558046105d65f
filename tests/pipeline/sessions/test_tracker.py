"""Sightings become sessions, in whatever order they come."""

import itertools
from collections.abc import Iterable, Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from collectors.presence import Device, Presence
from pipeline.sessions.tracker import Session, follow

MINUTE = 60_000
GAP = 15 * MINUTE
A, B, C = (bytes([n]) * 8 for n in (1, 2, 3))


def device(key: bytes, former: bytes | None = None) -> Device:
    return Device(key, former, randomised=True)


def seen(minute: float, *devices: Device, ap: str = "ap-1", minutes: float = 5) -> Presence:
    return Presence(ap, "library", round(minute * MINUTE), round(minutes * 60), devices)


Stay = tuple[str, float, float]


class Book:
    """Sessions as a ledger keeps them: what changes is written, what is absorbed deleted."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self._next = 1

    def note(self, *presences: Presence) -> None:
        found = follow(list(self.sessions.values()), presences, GAP)
        for number in found.absorbed:
            del self.sessions[number]
        for change in found.changes:
            if change.now.id is None:
                change.now.id, self._next = self._next, self._next + 1
            self.sessions[change.now.id] = change.now

    def stays(self) -> list[Stay]:
        return sorted(
            (s.ap, s.start_ms / MINUTE, s.end_ms / MINUTE) for s in self.sessions.values()
        )


def stays(*presences: Presence) -> list[Stay]:
    book = Book()
    for presence in presences:
        book.note(presence)
    return book.stays()


def test_a_device_that_is_seen_again_goes_on_with_its_session() -> None:
    assert stays(*(seen(m, device(A)) for m in (0, 5, 10))) == [("ap-1", 0, 15)]


def test_who_is_back_in_less_than_the_gap_never_left() -> None:
    assert stays(seen(0, device(A)), seen(19.9, device(A))) == [("ap-1", 0, 24.9)]
    assert stays(seen(0, device(A)), seen(20, device(A))) == [("ap-1", 0, 5), ("ap-1", 20, 25)]


def test_roaming_is_no_new_session_and_it_stays_where_it_began() -> None:
    walk = [seen(0, device(A)), seen(5, device(A), ap="ap-2"), seen(10, device(A), ap="ap-3")]
    assert stays(*walk) == [("ap-1", 0, 15)]


def test_two_devices_are_two_sessions() -> None:
    assert stays(seen(0, device(A), device(B)), seen(5, device(B))) == [
        ("ap-1", 0, 5), ("ap-1", 0, 10)
    ]  # fmt: skip


def test_nobody_in_a_table_changes_nothing() -> None:
    assert stays(seen(0, device(A)), seen(5)) == [("ap-1", 0, 5)]


def test_a_late_sighting_that_fills_the_gap_makes_two_sessions_one() -> None:
    assert stays(seen(0, device(A)), seen(30, device(A)), seen(15, device(A))) == [("ap-1", 0, 35)]


def test_a_late_sighting_from_before_tells_where_it_really_began() -> None:
    assert stays(seen(10, device(A)), seen(0, device(A), ap="ap-9")) == [("ap-9", 0, 15)]


def test_a_session_goes_on_over_the_change_of_keys() -> None:
    book = Book()
    book.note(seen(0, device(A)))
    book.note(seen(5, device(B, former=A)))
    book.note(seen(10, device(B)))  # the former key is gone
    (session,) = book.sessions.values()
    assert book.stays() == [("ap-1", 0, 15)]
    assert (session.device, session.last_device) == (A, B)


def test_the_new_hash_is_known_even_where_a_longer_poll_still_holds() -> None:
    book = Book()
    book.note(seen(0, device(A), minutes=30))
    book.note(seen(10, device(B, former=A), ap="ap-2"))
    book.note(seen(30, device(B), ap="ap-2"))
    assert book.stays() == [("ap-1", 0, 35)]


def test_over_two_changes_of_keys_the_first_and_the_last_hash_are_kept() -> None:
    book = Book()
    book.note(seen(0, device(A)), seen(5, device(B, former=A)), seen(10, device(C, former=B)))
    (session,) = book.sessions.values()
    assert (session.device, session.last_device) == (A, C)


def test_who_was_taken_for_two_over_the_change_is_one_once_that_is_known() -> None:
    book = Book()
    book.note(seen(0, device(A)))
    book.note(seen(25, device(B)))
    book.note(seen(15, device(B, former=A)))
    (session,) = book.sessions.values()
    assert (session.start_ms, session.end_ms) == (0, 30 * MINUTE)
    assert (session.device, session.last_device) == (A, B)


def test_over_the_change_of_keys_the_order_does_not_matter() -> None:
    over = [seen(0, device(A)), seen(12, device(B, former=A)), seen(25, device(B))]
    for told in itertools.permutations(over):
        book = Book()
        for presence in told:
            book.note(presence)
        (session,) = book.sessions.values()
        assert book.stays() == [("ap-1", 0, 30)]
        assert (session.device, session.last_device) == (A, B)


def test_what_was_known_is_no_change() -> None:
    book = Book()
    book.note(seen(0, device(A)))
    assert follow(list(book.sessions.values()), [seen(0, device(A))], GAP).changes == []


SIGHTINGS = st.lists(
    st.builds(
        lambda minute, key, ap, minutes: seen(minute, device(key), ap=ap, minutes=minutes),
        st.integers(0, 240),
        st.sampled_from([A, B]),
        st.sampled_from(["ap-1", "ap-2"]),
        st.sampled_from([1, 5, 20]),
    ),
    max_size=25,
)


def by_hand(presences: Iterable[Presence]) -> list[Stay]:
    """The definition: intervals less than the gap apart are one."""
    found: list[Stay] = []
    for key in (A, B):
        mine = sorted(
            (p.ts_ms, p.ap, p.ts_ms + p.interval_s * 1000)
            for p in presences
            if p.devices[0].key == key
        )
        for start, ap, end in mine:
            if found and found[-1][0].startswith(key.hex()) and start - found[-1][2] < GAP:
                found[-1] = (*found[-1][:2], max(found[-1][2], end))
            else:
                found.append((key.hex() + ap, start, end))
    return sorted((ap[16:], start / MINUTE, end / MINUTE) for ap, start, end in found)


def cut(presences: Sequence[Presence], at: Sequence[int]) -> list[Sequence[Presence]]:
    bounds = [0, *sorted(n % (len(presences) + 1) for n in at), len(presences)]
    return [presences[a:b] for a, b in itertools.pairwise(bounds)]


@given(presences=SIGHTINGS, at=st.lists(st.integers(0, 25), max_size=4), order=st.randoms())
def test_whatever_the_order_and_however_often_it_is_the_same_sessions(
    presences: list[Presence], at: list[int], order: Random
) -> None:
    told = [*presences, *presences[::3]]
    order.shuffle(told)
    book = Book()
    for part in cut(told, at):
        book.note(*part)
    assert book.stays() == by_hand(presences)
