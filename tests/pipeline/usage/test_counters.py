"""Counters against a simulated truth: what flowed is known, the counter is what a device shows."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.reading import Reading
from pipeline.usage.counters import flows
from pipeline.usage.samples import UNKNOWN, from_frame
from tests.pipeline.memory_store import frame

DAY_MS = 86_400_000
TURN = 2**32


def polled(*counters: int | None, step_s: int = 300, uptime: list[int | None] | None = None,
           bits: int | None = None) -> list[Reading]:  # fmt: skip
    uptimes = uptime or [None] * len(counters)
    return [
        Reading("a", "s", i * step_s * 1000, rx_bytes=c, uptime_s=u, counter_bits=bits)
        for i, (c, u) in enumerate(zip(counters, uptimes, strict=True))
    ]


def received(readings: list[Reading], max_gap_ms: int = DAY_MS) -> list[int | None]:
    found = flows(from_frame(frame(readings)), max_gap_ms)
    return [None if rx == UNKNOWN else rx for rx in found.rx_bytes.tolist()]


ON: list[int | None] = [100_000, 100_300]
REBOOTED: list[int | None] = [100_000, 200]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param(polled(10, 70), [60], id="plain"),
        pytest.param(polled(TURN - 10, 5, uptime=ON), [15], id="wraps at 32 bits while it runs on"),
        pytest.param(polled(1_000, 5, uptime=ON, bits=32), [TURN - 995], id="a large known wrap"),
        pytest.param(polled(TURN - 10, 5), [15], id="looks like a wrap without uptime"),
        pytest.param(polled(1_000, 5), [5], id="looks like a reset without uptime"),
        pytest.param(polled(TURN - 10, 5, uptime=REBOOTED), [5], id="uptime tells of a reset"),
        pytest.param(polled(10, 70, uptime=REBOOTED), [70], id="a reset that overtook"),
        pytest.param(polled(TURN + 9, 5), [5], id="too large for 32 bits: a reset"),
        pytest.param(polled(TURN + 9, 5, uptime=ON), [None], id="64 bits fall while it runs on"),
        pytest.param(polled(TURN - 10, 5, bits=64), [5], id="64 bits do not wrap"),
        pytest.param(polled(1000, 950), [None], id="backwards by a sliver"),
        pytest.param(polled(1000, 950, uptime=ON, bits=32), [None], id="a sliver, running on"),
        pytest.param(polled(0, 10**14), [None], id="more than an AP can carry"),
        pytest.param(polled(5, None, 9), [4], id="a sample without a counter between"),
        pytest.param(
            polled(TURN - 10, 5, uptime=[42_949_672 - 100, 200]), [15], id="the 497th day"
        ),
    ],
)  # fmt: skip
def test_what_flowed(readings: list[Reading], expected: list[int | None]) -> None:
    assert received(readings) == expected


def test_across_a_long_gap_traffic_is_unknown() -> None:
    assert received(polled(10, 70, step_s=86_401)) == []
    assert received(polled(10, 70, step_s=86_400)) == [60]


def test_counters_of_another_width_are_not_compared() -> None:
    narrow, wide = polled(10, 70)
    assert received([narrow._replace(counter_bits=32), wide._replace(counter_bits=64)]) == [None]


def test_nobody_knows_where_the_traffic_of_a_moved_ap_was() -> None:
    old, new = polled(10, 70)
    assert received([old, new._replace(site="elsewhere")]) == []


def test_directions_are_apart() -> None:
    old, new = polled(10, 70)
    found = flows(from_frame(frame([old._replace(tx_bytes=3), new])), DAY_MS)
    assert (found.rx_bytes.tolist(), found.tx_bytes.tolist()) == ([60], [UNKNOWN])


@dataclass(frozen=True)
class Truth:
    readings: list[Reading]
    flowed: list[int]
    """Until each sample, since the one before."""
    shown: list[int]
    """Of these the part that counters can show: what flowed since a reset."""
    restarted: bool


@st.composite
def devices(draw: st.DrawFn) -> Truth:
    """A device polled at 60 s to 3 h, under 1 Gbit/s and a turn a poll, that may restart."""
    bits = draw(st.sampled_from([32, 64]))
    says_bits = draw(st.booleans())
    value = draw(st.integers(0, 2**bits // 2 if bits == 64 else TURN - 1))
    value = min(value, 2**62)
    ts, booted = 10**12, 10**12 - draw(st.integers(400, 10**6)) * 1000
    jitter = st.integers(0, 20)
    readings, flowed, shown, restarted = [], [0], [0], False

    def read() -> Reading:
        uptime = (ts - booted) // 1000 + draw(jitter)
        return Reading(
            "a", "s", ts, rx_bytes=value, counter_bits=bits if says_bits else None,
            uptime_s=uptime % (TURN // 100),
        )  # fmt: skip

    readings.append(read())
    for _ in range(draw(st.integers(1, 12))):
        step_s = draw(st.sampled_from([60, 300, 900, 10_800]))
        most = min(step_s * 125_000_000, TURN - 1)
        before, after = draw(st.integers(0, most // 2)), draw(st.integers(0, most // 2))
        if draw(st.integers(0, 4)) == 0 and ts - booted > 400_000:
            booted = ts + draw(st.integers(0, step_s - 1)) * 1000
            value, seen, restarted = after, after, True
        else:
            value, seen = (value + before + after) % 2**bits, before + after
        ts += step_s * 1000
        readings.append(read())
        flowed.append(before + after)
        shown.append(seen)
    return Truth(readings, flowed, shown, restarted)


@settings(deadline=None, max_examples=150)
@given(devices())
def test_never_more_than_flowed_and_all_that_shows(truth: Truth) -> None:
    found = received(truth.readings)
    for got, flowed, shown, (old, new) in zip(
        found, truth.flowed[1:], truth.shown[1:], pairwise(truth.readings), strict=True
    ):
        assert old.rx_bytes is not None
        assert new.rx_bytes is not None
        if got is None:
            # Only a wrap that lands just under where it began is given up.
            assert 0.9 * old.rx_bytes <= new.rx_bytes < old.rx_bytes
        else:
            assert got <= flowed
            assert got == shown


@settings(deadline=None, max_examples=40)
@given(devices(), st.data())
def test_shuffled_and_repeated_samples_count_once(truth: Truth, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(truth.readings + truth.readings[::2]))
    assert received(list(shuffled)) == received(truth.readings)


@settings(deadline=None, max_examples=40)
@given(devices(), st.data())
def test_lost_samples_lose_no_traffic_of_a_wide_counter_that_ran_on(
    truth: Truth, data: st.DataObject
) -> None:
    narrow = sum(truth.flowed) >= TURN and max(r.rx_bytes or 0 for r in truth.readings) < TURN
    kept = [truth.readings[0], *(r for r in truth.readings[1:-1] if data.draw(st.booleans()))]
    kept.append(truth.readings[-1])
    found = received(kept, 10 * DAY_MS)
    if not truth.restarted and not narrow and None not in found:
        assert sum(filter(None, found)) == sum(truth.flowed)
