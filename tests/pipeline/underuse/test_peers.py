"""A site beside its peers, week against week."""

import numpy as np
import pytest

from config.settings import Underuse
from pipeline.underuse.intensity import Floats, midmean
from pipeline.underuse.peers import Comparison, compare

RULE = Underuse(resamples=400)
TERM = np.array([10.0, 12, 9, 11, 10, 13, 8, 10])
"""Eight weeks of school."""
YEAR = np.concatenate([TERM, TERM[:5] / 10])
"""And five of holiday, in which hardly anybody comes."""


def schools(**own: Floats) -> dict[str, Comparison]:
    """Sites of one kind: six that are like YEAR, more or less, and these."""
    peers = {f"peer{i}": YEAR * level for i, level in enumerate((0.8, 0.9, 1, 1, 1.1, 1.2))}
    by_week = peers | own
    return compare(
        by_week,
        dict.fromkeys(by_week, "school"),
        eligible=peers.keys(),
        seeds={site: site for site in by_week},
        rule=RULE,
    )


def test_a_holiday_that_all_peers_share_leaves_no_doubt() -> None:
    found = schools(idle=YEAR * 0.4)["idle"]
    # The medians of the weeks are those of YEAR, so every week says the same.
    for figure in (found.ratio, found.low, found.high):
        assert figure == pytest.approx(0.4)


def test_a_site_closed_in_term_is_compared_over_the_weeks_that_it_was_open() -> None:
    closed = YEAR * 0.9
    closed[:8] = np.nan
    found = schools(closed=closed)["closed"]
    assert found.ratio == pytest.approx(0.9)
    assert found.peer_median == pytest.approx(1.0, abs=0.05)
    assert found.intensity == pytest.approx(0.9 * (found.peer_median or 0))


def test_a_peer_that_is_unknown_in_a_week_has_no_say_in_it() -> None:
    blind = np.full(13, np.nan)
    blind[0] = 1_000.0
    by_week = {f"peer{i}": YEAR for i in range(5)} | {"blind": blind, "site": YEAR / 2}
    found = compare(
        by_week,
        dict.fromkeys(by_week, "school"),
        eligible=by_week.keys() - {"site"},
        seeds={site: site for site in by_week},
        rule=RULE,
    )
    assert found["site"].ratio == pytest.approx(0.5)


def test_a_lone_site_of_its_kind_is_compared_with_the_city() -> None:
    by_week = {f"school{i}": YEAR for i in range(6)} | {"museum": YEAR * 3}
    kinds = dict.fromkeys(by_week, "school") | {"museum": "museum"}
    found = compare(by_week, kinds, eligible=by_week, seeds={s: s for s in by_week}, rule=RULE)[
        "museum"
    ]
    assert found.peers == 0
    assert found.ratio == pytest.approx(3.0)


def test_a_city_of_one_site_has_nothing_to_compare_with() -> None:
    found = compare(
        {"only": YEAR}, {"only": "park"}, eligible={"only"}, seeds={"only": "x"}, rule=RULE
    )["only"]
    assert (found.peer_median, found.ratio, found.low, found.high) == (None, None, None, None)


def test_the_peers_median_is_that_of_their_typical_weeks() -> None:
    """A week's luck moves the peers, and the middle of a week is not always the same peer's."""
    random = np.random.default_rng(3)
    levels = (6.0, 7.0, 10.0, 30.0, 40.0)
    by_week = {f"peer{i}": v * np.exp(random.normal(0, 0.3, 13)) for i, v in enumerate(levels)}
    typical = np.median([midmean(weeks) for weeks in by_week.values()])
    found = compare(
        by_week | {"site": np.full(13, 5.0)},
        dict.fromkeys([*by_week, "site"], "park"),
        eligible=by_week.keys(),
        seeds={"site": "site"},
        rule=RULE,
    )["site"]
    weekly = midmean(np.median(np.stack(list(by_week.values())), axis=0))
    assert found.peer_median is not None
    # Nearer to the typical week of the peer in the middle than what each week's middle adds up to.
    assert abs(found.peer_median - typical) < abs(weekly - typical)
    assert found.peer_median == pytest.approx(typical, rel=0.05)
