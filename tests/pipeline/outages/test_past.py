"""Incidents of the past follow the samples, in whatever order and pieces these come in."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.outages.incident import Incident
from pipeline.outages.incidents import Incidents
from pipeline.outages.past import PastOutages
from pipeline.outages.record import Record
from pipeline.state import State
from pipeline.usage.aggregator import Aggregator
from tests.pipeline.memory_store import MemoryStore
from tests.pipeline.outages.cities import MINUTE, T, brief, deployment, rounds
from tests.pipeline.outages.test_archive import AS_FILED, from_everything, pasts, struck

HOUR = 60 * MINUTE


class Kept:
    """A deployment's store and state, into which pieces of history come."""

    def __init__(self, here: Deployment, folder: Path) -> None:
        self.here = here
        self.store = MemoryStore()
        self.state = State(folder / "state.db")
        self.incidents = Incidents(self.state)

    def take(self, readings: Sequence[Reading]) -> None:
        self.store.write_samples(readings)
        first, last = readings[0].ts_ms, readings[-1].ts_ms
        self.state.mark_dirty((site, first, last + 2 * HOUR) for site in self.here.sites)
        Aggregator(self.here, self.store, self.state).close_windows(last + HOUR)
        PastOutages(self.here, self.store, self.state).refresh(first, last + 1)

    def all(self) -> list[Incident]:
        return self.incidents.between(0, 2**60)


@contextmanager
def kept(here: Deployment) -> Iterator[Kept]:
    with TemporaryDirectory() as folder:
        found = Kept(here, Path(folder))
        with closing(found.state):
            yield found


def readings(here: Deployment, patterns: dict[str, str]) -> list[Reading]:
    return [r for batch in rounds(here, patterns) for r in batch]


def test_an_outage_that_goes_on_from_one_import_to_the_next_is_one() -> None:
    here = deployment({"a1": "a", "b1": "b", "c1": "c"})
    patterns = {"a1": "u" * 10 + "d" * 900 + "u" * 90, "b1": "u" * 1000, "c1": "u" * 1000}
    history = readings(here, patterns)
    with kept(here) as known:
        known.take(history[:900])
        assert [brief(i) for i in known.all()] == [("ap", "a1", 50, None)]
        known.take(history[900:1800])
        assert [brief(i) for i in known.all()] == [("ap", "a1", 50, None)]
        known.take(history[1800:])
        assert [brief(i) for i in known.all()] == [("ap", "a1", 50, 910 * 5)]


def test_importing_twice_changes_nothing() -> None:
    here = deployment({"a1": "a", "a2": "a", "c1": "c"})
    history = readings(here, {"a1": "uudddduuddduu" + "u" * 90, "a2": "uudddduu" + "d" * 95})
    with kept(here) as known:
        known.take(history)
        once = known.all()
        known.take(history)
        assert known.all() == once
        assert [i.scope for i in once] == ["site", "ap", "ap"]


def test_what_is_imported_last_may_show_that_there_was_none() -> None:
    here = deployment({"a1": "a", "b1": "b"})
    history = readings(here, {"a1": "u" * 50 + "d" * 12 + "u" * 50, "b1": "u" * 112})
    with kept(here) as known:
        known.take(history)
        assert [brief(i) for i in known.all()] == [("ap", "a1", 250, 310)]
        known.take([r._replace(up=1) for r in history if r.ap == "a1"][48:64])
        assert known.all() == []


def test_when_a_collector_said_it_was_blind_nothing_was_down() -> None:
    here = deployment({"a1": "a @mqtt", "b1": "b @mqtt"})
    history = readings(here, {"a1": "u" * 50 + "d" * 12 + "u" * 50, "b1": "u" * 112})
    with kept(here) as known:
        record = Record(known.state)
        record.went_blind("mqtt", T + 245 * MINUTE)
        record.sees_again("mqtt", T + 315 * MINUTE)
        known.take(history)
        assert [brief(i) for i in known.all()] == [("poller", "mqtt", 245, 315)]


def outlines(incidents: Sequence[Incident]) -> list[object]:
    """But for when our blindness was certain: whoever was not heard since an earlier one counts
    as failing since then, where that is still in view.
    """
    return [
        (i.id, i.parent, i.end_ms, i.flaps, i.cause, [(s.start_ms, s.end_ms) for s in i.spells])
        for i in incidents
    ]


@settings(max_examples=12)
@given(
    pasts,
    struck,
    st.lists(st.integers(min_value=1, max_value=199), min_size=1, max_size=3, unique=True),
)
def test_pieces_in_order_make_the_same_history_as_all_of_it(
    patterns: dict[str, str],
    faults: list[tuple[set[str], int, int]],
    cuts: list[int],
) -> None:
    here = deployment(AS_FILED)
    letters = {ap: list(pattern.ljust(200, "u")) for ap, pattern in patterns.items()}
    for aps, at, length in faults:
        for ap in aps:
            letters[ap][at : at + length] = "d" * length
    words = {ap: "".join(found) for ap, found in letters.items()}
    batches = rounds(here, words)
    with kept(here) as known:
        for start, end in pairwise([0, *sorted(cuts), len(batches)]):
            piece = [r for batch in batches[start:end] for r in batch]
            if piece:
                known.take(piece)
        assert outlines(known.all()) == outlines(from_everything(here, known.store))
