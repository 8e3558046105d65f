"""How much is computed at a time."""

import pytest

from collectors.reading import Reading
from config.deployment import AccessPoint, Site
from pipeline.usage import compute
from pipeline.usage.compute import Chunk, Computer, service_of
from pipeline.usage.periods import WINDOW_MS
from tests.pipeline.memory_store import MemoryStore, city

T = 1_792_875_600_000
WINDOWS = 96


def chunks(monkeypatch: pytest.MonkeyPatch, samples_a_window: int) -> list[Chunk]:
    """Of a day of samples, at most 60 at a time, of an AP that is now polled each minute."""
    store = MemoryStore()
    step_ms = WINDOW_MS // samples_a_window
    store.write_samples(
        [Reading("a1", "s1", T + i * step_ms, up=1) for i in range(WINDOWS * samples_a_window)]
    )
    deployment = city(
        [Site(site="s1", kind="library")],
        [AccessPoint(ap="a1", site="s1", source="snmp", host="192.0.2.1", poll_seconds=60)],
    )
    monkeypatch.setattr(compute, "MAX_SAMPLES", 60)
    computer, service = Computer(deployment, store), service_of(deployment, store)
    return list(computer.chunks(T, T + WINDOWS * WINDOW_MS, service))


@pytest.mark.parametrize(
    ("samples_a_window", "most"),
    [
        (15, 96 // 4),  # an hour holds what may be read at a time
        (1, 3),  # as sparse as history is: over 30 samples a chunk
    ],
)
def test_there_are_as_few_chunks_as_the_samples_allow(
    monkeypatch: pytest.MonkeyPatch, samples_a_window: int, most: int
) -> None:
    found = chunks(monkeypatch, samples_a_window)
    assert len(found) == most
    assert [chunk.start_ms for chunk in found[1:]] == [chunk.end_ms for chunk in found[:-1]]
    assert (found[0].start_ms, found[-1].end_ms) == (T, T + WINDOWS * WINDOW_MS)
