"""What is read of the store is enough: the same incidents as from every sample there is."""

from collections.abc import Collection, Iterable

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from config.deployment import Deployment
from pipeline.outages.archive import Archive
from pipeline.outages.calendar import Calendar
from pipeline.outages.history import incidents_of
from pipeline.outages.incident import Incident
from pipeline.outages.polls import polls_of
from pipeline.outages.topology import Topology
from pipeline.usage.aggregator import Aggregator
from tests.pipeline.memory_store import MemoryState, MemoryStore, frame
from tests.pipeline.outages.cities import MINUTE, T, brief, deployment, rounds

HOUR = 60 * MINUTE


class Watched(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def read_samples(
        self, start_ms: int, end_ms: int, *, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        found = super().read_samples(start_ms, end_ms, sites=sites)
        self.read += len(found)
        return found


def stored(here: Deployment, readings: Iterable[Reading]) -> Watched:
    store = Watched()
    store.write_samples(list(readings))
    last = max(r.ts_ms for r in store.samples.values())
    Aggregator(here, store, MemoryState()).close_windows(last + 2 * HOUR)
    store.read = 0
    return store


def from_everything(here: Deployment, store: MemoryStore) -> list[Incident]:
    topology = Topology.of(here)
    polls = polls_of(frame(store.samples.values()), tuple(topology.aps))
    return incidents_of(polls, topology, here.settings.outages, Calendar())


def from_archive(here: Deployment, store: MemoryStore) -> list[Incident]:
    last = max(r.ts_ms for r in store.samples.values())
    return Archive(here, store).incidents(T - T % HOUR, last + HOUR, Calendar())


def test_only_what_failed_is_read() -> None:
    aps = {f"{site}{n}": site for site in "abcdefghij" for n in (1, 2)}
    here = deployment(aps)
    patterns = dict.fromkeys(aps, "u" * 600) | {"a1": "u" * 300 + "d" * 12 + "u" * 288}
    store = stored(here, (r for batch in rounds(here, patterns) for r in batch))
    assert [brief(i) for i in from_archive(here, store)] == [("ap", "a1", 1500, 1560)]
    assert store.read < len(store.samples) / 50


def test_an_end_that_no_usage_tells_of_is_found() -> None:
    """It fell silent while down, and answers again while its neighbour never failed."""
    here = deployment({"a1": "a", "a2": "a", "b1": "b"})
    silent = "u" * 20 + "d" * 6 + " " * 500 + "u" * 200 + "d" * 6 + "u" * 20
    patterns = {"a1": silent, "a2": "u" * len(silent), "b1": "u" * len(silent)}
    store = stored(here, (r for batch in rounds(here, patterns) for r in batch))
    assert [brief(i) for i in from_archive(here, store)] == [
        ("ap", "a1", 100, 526 * 5), ("ap", "a1", 726 * 5, 732 * 5),
    ]  # fmt: skip


AS_FILED = {"a1": "a wlc", "a2": "a", "b1": "b wlc sw", "c1": "c wlc sw", "d1": "d"}
parts = st.sampled_from(
    ["u" * 30, "u" * 7, "ud", "uddu", "dddu", "d" * 9, "d" * 20, " " * 5, " " * 40]
)
pasts = st.fixed_dictionaries(
    {ap: st.lists(parts, min_size=4, max_size=12).map("".join) for ap in AS_FILED}
)
struck = st.lists(
    st.tuples(
        st.sets(st.sampled_from(sorted(AS_FILED)), min_size=2),
        st.integers(min_value=0, max_value=150),
        st.integers(min_value=2, max_value=30),
    ),
    max_size=3,
)


@settings(max_examples=25)
@given(pasts, struck, st.sampled_from([0, 20]))
def test_as_from_every_sample(
    patterns: dict[str, str], faults: list[tuple[set[str], int, int]], stagger_s: int
) -> None:
    here = deployment(AS_FILED)
    letters = {ap: list(pattern.ljust(200, "u")) for ap, pattern in patterns.items()}
    for aps, at, length in faults:
        for ap in aps:
            letters[ap][at : at + length] = "d" * length
    words = {ap: "".join(found) for ap, found in letters.items()}
    batches = rounds(here, words, stagger_s=stagger_s)
    store = stored(here, (r for batch in batches for r in batch))
    assert from_archive(here, store) == from_everything(here, store)
