"""Bytes from raw counters: what flowed between two samples, or unknown; never a guess upwards.

Every amount is exact or a lower bound: what flowed before a device's reset, and whole turns of a
32-bit counter between two polls, cannot be seen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.usage.intervals import Ints
from pipeline.usage.samples import UNKNOWN, Samples

Mask = npt.NDArray[np.bool_]

UPTIME_TOLERANCE_S: Final = 90
"""Controllers tell an AP's uptime in whole minutes, and some refresh it later than the counters."""
UPTIME_WRAP_S: Final = 2**32 // 100
"""sysUpTime (SNMPv2-MIB) counts centiseconds in 32 bits: it starts anew after 497 days."""
TURN_32: Final = 2**32
MAX_BITS_PER_S: Final = 40_000_000_000
"""More than an access point can carry; what claims more is not a flow."""
SLIVER: Final = 0.9
"""A counter that falls to no less than this share went backwards; it neither wrapped nor reset."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What flowed until each sample that has a counter, since its AP's previous such sample."""

    sample: Ints
    """Index of the later sample of each pair."""
    ts: Ints
    previous_ts: Ints
    rx_bytes: Ints
    """UNKNOWN where the two samples cannot be compared."""
    tx_bytes: Ints


def flows(samples: Samples, max_gap_ms: int) -> Flows:
    """Compare consecutive samples that have a counter, of one AP at one site."""
    with_counter = np.flatnonzero((samples.rx_bytes != UNKNOWN) | (samples.tx_bytes != UNKNOWN))
    before, after = with_counter[:-1], with_counter[1:]
    pairs = samples.ap[before] == samples.ap[after]
    # An AP that moved: nobody knows at which of its sites the traffic was.
    pairs &= samples.site[before] == samples.site[after]
    pairs &= samples.ts[after] - samples.ts[before] <= max_gap_ms
    before, after = before[pairs], after[pairs]
    elapsed_ms = samples.ts[after] - samples.ts[before]
    pair = _Pairs(
        elapsed_ms=elapsed_ms,
        old_bits=samples.counter_bits[before],
        new_bits=samples.counter_bits[after],
        boot=_boots(samples.uptime_s[before], samples.uptime_s[after], elapsed_ms),
    )
    return Flows(
        sample=after,
        ts=samples.ts[after],
        previous_ts=samples.ts[before],
        rx_bytes=_flow(samples.rx_bytes[before], samples.rx_bytes[after], pair),
        tx_bytes=_flow(samples.tx_bytes[before], samples.tx_bytes[after], pair),
    )


@dataclass(frozen=True, slots=True)
class _Boots:
    """What uptime says of each pair of samples. None of the three: nothing."""

    surely: Mask
    """The device restarted between them."""
    maybe: Mask
    """It restarted about then; a counter that fell was reset."""
    not_at_all: Mask
    """It ran on; a counter that fell has wrapped."""


def _boots(before: Ints, after: Ints, elapsed_ms: Ints) -> _Boots:
    elapsed = elapsed_ms // 1000
    told = after != UNKNOWN
    both = told & (before != UNKNOWN)
    expected = before + elapsed
    wrapped = both & (np.abs(expected - UPTIME_WRAP_S - after) <= UPTIME_TOLERANCE_S)
    short = after < expected - UPTIME_TOLERANCE_S
    maybe = told & (after <= elapsed + UPTIME_TOLERANCE_S) & ~wrapped
    alone = told & ~both & (after < elapsed - UPTIME_TOLERANCE_S)
    surely = maybe & ((both & short) | alone)
    return _Boots(surely=surely, maybe=maybe, not_at_all=told & ~maybe)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What is known of each pair of samples, whatever the direction of the traffic."""

    elapsed_ms: Ints
    old_bits: Ints
    new_bits: Ints
    boot: _Boots


def _flow(old: Ints, new: Ints, pair: _Pairs) -> Ints:
    boot = pair.boot
    both_told = (pair.old_bits != UNKNOWN) & (pair.new_bits != UNKNOWN)
    comparable = (old != UNKNOWN) & (new != UNKNOWN)
    comparable &= ~both_told | (pair.old_bits == pair.new_bits)
    wide = np.maximum(pair.old_bits, pair.new_bits) > 32
    fell = new < old
    # A 64-bit counter takes over a century at the rate limit to wrap: a fall is a reset, or, on
    # a device that ran on, something that no difference can be made of.
    narrow = (old < TURN_32) & (new < TURN_32) & ~wide
    turned = new - old + TURN_32
    looks_wrapped = (old >= TURN_32 // 2) & (turned < TURN_32 // 2)
    wrap = fell & narrow & ~boot.maybe & (boot.not_at_all | looks_wrapped)
    reset = fell & ~wrap & ~boot.not_at_all

    known = comparable & ~(fell & ~wrap & ~reset) & ~(fell & (new >= SLIVER * old))
    known |= boot.surely & (new != UNKNOWN)
    flow = np.where(wrap, turned, np.where(reset | boot.surely, new, new - old))
    # In bytes and milliseconds: bits per second / 8000, over at least a second.
    known &= flow <= MAX_BITS_PER_S // 8000 * np.maximum(pair.elapsed_ms, 1000)
    return np.where(known, flow, UNKNOWN)
