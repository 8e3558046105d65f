"""How long to wait before trying again."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.mqtt.backoff import Backoff


@given(st.integers(1, 10_000))
def test_it_doubles_up_to_a_limit_and_never_all_at_once(failures: int) -> None:
    due = min(60.0, 2.0 ** min(failures - 1, 10))
    assert due / 2 <= Backoff(first_s=1, most_s=60).delay_s(failures) <= due
