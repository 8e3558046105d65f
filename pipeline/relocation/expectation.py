"""What a spot may expect of a place: what spots at such places have, in this very city. Pure.

Each spot of the place's kind that could be assessed, the idle ones too, is taken at the share of
its use that as many of its APs carry as would move. The median of these is the expectation, and the
city's own figure counts as a few spots more. The interval is that of one place, not of the mean of
many: the median of resampled spots, times how far one spot is from the median of its kind; and in
as many of the draws as its weight is, the city's own figure.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from config.deployment import SiteKind
from config.settings import Settings
from pipeline.relocation.use import Use, interval
from pipeline.underuse.intensity import Floats


@dataclass(frozen=True, slots=True)
class Expectation:
    """User-hours a day in open hours that are expected of a place."""

    day: float
    low: float
    high: float
    draws: Floats = field(compare=False, repr=False)
    peers: int
    peer_median: float
    peer_low: float
    peer_high: float
    """What the peers alone say."""
    stated: float | None
    """What the city itself expects."""
    borrowed: bool
    """Too few peers: how far one spot is from the median is taken from all kinds."""


def expect(
    known: Iterable[Use],
    kind: SiteKind,
    aps: int,
    stated: float | None,
    *,
    settings: Settings,
    seed: str,
) -> Expectation | None:
    """What is expected of `aps` APs at a place of a kind; None where nothing tells it.

    It takes a spot of that kind, and somewhere in the city two spots of one kind that show how
    much such spots differ. The same arguments give the same answer.
    """
    shares: dict[SiteKind, list[float]] = {}
    for use in sorted(known, key=lambda use: use.site):
        shares.setdefault(use.kind, []).append(use.day * min(aps, use.aps) / use.aps)
    peers = np.array(shares.get(kind, []))
    borrowed = len(peers) < max(2, settings.underuse.min_peers)
    if not len(peers):
        return None
    median = float(np.median(peers))
    spread = _all_spreads(shares) if borrowed or median == 0 else _spread(peers)
    if not len(spread):
        return None
    random = _random(seed)
    peer_draws = _one_place(peers, median, spread, settings.underuse.resamples, random)
    weight = 0.0 if stated is None else settings.relocation.stated_weight
    share = weight / (len(peers) + weight)
    day = (1 - share) * median + share * (stated or 0.0)
    # Where the city and the spots disagree, the interval covers both.
    draws = np.where(random.random(len(peer_draws)) < share, stated or 0.0, peer_draws)
    low, high = interval(draws)
    peer_low, peer_high = interval(peer_draws)
    return Expectation(
        day=day,
        low=min(low, day),
        high=max(high, day),
        draws=draws,
        peers=len(peers),
        peer_median=median,
        peer_low=peer_low,
        peer_high=peer_high,
        stated=stated,
        borrowed=borrowed,
    )


def _spread(values: Floats) -> Floats:
    """How far each value is from their median, as a quotient; the median is not 0."""
    quotients: Floats = values / np.median(values)
    return quotients


def _all_spreads(shares: Mapping[SiteKind, Sequence[float]]) -> Floats:
    several = [np.array(values) for values in shares.values() if len(values) > 1]
    return np.concatenate([np.empty(0), *(_spread(v) for v in several if np.median(v) > 0)])


def _one_place(
    peers: Floats, median: float, spread: Floats, draws: int, random: np.random.Generator
) -> Floats:
    if median == 0:
        idle_or_not: Floats = random.choice(peers, draws)
        return idle_or_not
    centres = np.median(peers[random.integers(0, len(peers), (draws, len(peers)))], axis=1)
    one: Floats = centres * random.choice(spread, draws)
    return one


def _random(seed: str) -> np.random.Generator:
    digest = hashlib.sha256(seed.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
