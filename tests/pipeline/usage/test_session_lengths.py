from collections.abc import Collection, Mapping

import pandas as pd

from config.deployment import Site
from pipeline.usage.periods import DAY_MS, HOUR_MS
from pipeline.usage.session_lengths import SessionMinutes, session_minutes
from tests.pipeline.memory_store import city

# Monday midnight in Brussels, winter.
START = 1_772_406_000_000
MINUTE = 60_000


class Lengths:
    """Sessions of so many minutes, an hour after the other from START on."""

    def __init__(self, minutes: Mapping[str, list[int]]) -> None:
        rows = [
            (site, START + i * HOUR_MS, n * MINUTE)
            for site, found in minutes.items()
            for i, n in enumerate(found)
        ]
        self.frame = pd.DataFrame(rows, columns=["site", "start_ms", "length_ms"])

    def lengths(
        self, start_ms: int, end_ms: int, sites: Collection[str] | None = None
    ) -> pd.DataFrame:
        found = self.frame[self.frame["start_ms"].between(start_ms, end_ms - 1)]
        return found if sites is None else found[found["site"].isin(list(sites))]

    def counts(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        raise NotImplementedError

    def span(self) -> Mapping[str, tuple[int, int]]:
        raise NotImplementedError

    def expired_until_ms(self) -> int | None:
        raise NotImplementedError


def test_lengths_by_site_and_period_however_long_the_span() -> None:
    long = [10] * (8 * 24) + [30] * (8 * 24)
    source = Lengths({"a": long, "b": [1, 2, 3, 4, 100], "elsewhere": [7]})
    deployment = city([Site(site="a", kind="park"), Site(site="b", kind="park")], [])
    span = (START, START + 16 * DAY_MS)
    found = session_minutes(deployment, source, span, "total", ["a", "b"])
    assert found == {
        ("a", None, START): SessionMinutes(10, 10, 30),
        ("b", None, START): SessionMinutes(1, 3, 100),
    }
    weeks = session_minutes(deployment, source, span, "week", ["a"])
    assert [weeks["a", None, START + n * 7 * DAY_MS].median for n in range(3)] == [10, 30, 30]
