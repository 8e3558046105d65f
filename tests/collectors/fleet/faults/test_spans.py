"""Stretches of time, beside the same counted millisecond by millisecond."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.faults.spans import Span, inside, is_inside, merged, without

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def instants(found: list[Span]) -> set[int]:
    return {at for start, end in found for at in range(start, end)}


@given(spans)
def test_merged(found: list[Span]) -> None:
    whole = merged(found)
    assert instants(whole) == instants(found)
    edges = [edge for span in whole for edge in span]
    assert edges == sorted(set(edges))


@given(spans, spans)
def test_without(found: list[Span], holes: list[Span]) -> None:
    assert instants(without(found, holes)) == instants(found) - instants(holes)


@given(spans)
def test_inside(found: list[Span]) -> None:
    at = np.arange(31)
    expected = [int(t) in instants(found) for t in at]
    assert inside(merged(found), at).tolist() == expected
    assert [is_inside(found, int(t)) for t in at] == expected
