from datetime import date, datetime

import pytest

from collectors.reading import Reading
from config.deployment import AccessPoint, Site
from pipeline.usage.aggregator import Aggregator
from pipeline.usage.figures import figures
from pipeline.usage.periods import HOUR_MS
from pipeline.usage.reader import By, UsageReader
from tests.pipeline.memory_store import MemoryState, MemoryStore, city

DAY = 24 * HOUR_MS
START = round(datetime.fromisoformat("2026-03-02T00:00+01:00").timestamp() * 1000)


@pytest.mark.parametrize("by", ["week", "month", "total"])
def test_mean_clients_are_user_hours_over_hours_when_aps_come_and_go(by: By) -> None:
    old, new = (AccessPoint(ap=ap, site="s", source="import") for ap in ("old", "new"))
    new = new.model_copy(update={"in_service_since": date(2026, 3, 5)})
    deployment = city([Site(site="s", kind="library")], [old, new])
    store = MemoryStore()
    store.write_samples(
        [
            Reading(ap, "s", ts_ms, clients=4, interval_s=HOUR_MS // 1000)
            for ap, since in (("old", START), ("new", START + 3 * DAY))
            for ts_ms in range(since, START + 4 * DAY, HOUR_MS)
        ]
    )
    usage = UsageReader(deployment, store, None).periods(START, START + 4 * DAY, by)
    (found,) = figures(usage)
    # Three days of 4 clients, one of 8.
    assert found.user_hours == (3 * 4 + 8) * 24
    assert found.clients_mean == pytest.approx(5)
    assert found.aps == 2


def test_mean_clients_of_the_day_on_which_an_ap_moves_in() -> None:
    aps = [
        AccessPoint(ap="stays", site="s", source="import"),
        AccessPoint(ap="moves", site="s", source="import"),
    ]
    deployment = city([Site(site=s, kind="library") for s in ("s", "t")], aps)
    store, state = MemoryStore(), MemoryState()
    noon = START + 12 * HOUR_MS
    store.write_samples(
        [
            Reading(ap, site, ts_ms, clients=4, interval_s=HOUR_MS // 1000)
            for ap, site, since, until in (
                ("stays", "s", START, START + DAY),
                ("moves", "t", START, noon),
                ("moves", "s", noon, START + DAY),
            )
            for ts_ms in range(since, until, HOUR_MS)
        ]
    )
    Aggregator(deployment, store, state).close_windows(START + DAY + HOUR_MS)
    reader = UsageReader(deployment, store, state.closed_until_ms())
    (found,) = figures(reader.periods(START, START + DAY, "day", sites=["s"]))
    assert (found.user_hours, found.coverage) == (12 * 4 + 12 * 8, 1)
    assert found.clients_mean == pytest.approx(6)


@pytest.mark.parametrize("by", ["15min", "hour", "day", "week", "quarter", "total"])
def test_what_is_stored_is_read_in_parts_and_adds_up_to_its_windows(
    by: By, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = ["s", "t", "silent"]
    deployment = city(
        [Site(site=s, kind="library") for s in sites],
        [AccessPoint(ap=s, site=s, source="import") for s in sites],
    )
    store, state = MemoryStore(), MemoryState()
    store.write_samples(
        [
            Reading(s, s, ts_ms, clients=i % 5, rx_bytes=i * 7, interval_s=HOUR_MS // 1000)
            for s in ("s", "t")
            for i, ts_ms in enumerate(range(START, START + 3 * DAY, HOUR_MS))
        ]
    )
    closed = START + 2 * DAY + 7 * HOUR_MS
    Aggregator(deployment, store, state).close_windows(closed + 120_000)
    reader = UsageReader(deployment, store, closed)
    span = START + 5 * HOUR_MS, START + 2 * DAY + 20 * HOUR_MS
    windows = reader.windows(*span)
    whole = reader.periods(*span, by)
    monkeypatch.setattr("pipeline.usage.reader.MAX_ROWS", 1)
    assert reader.periods(*span, by).equals(whole)
    for name in ("expected_ms", "covered_ms", "user_ms", "rx_bytes"):
        assert whole[name].sum() == windows[name].sum()
    silent = whole[whole["site"] == "silent"]
    assert len(silent) == (whole["site"] == "s").sum()
    assert {found.coverage for found in figures(silent)} == {None}
    parts = list(reader.windows_in_parts(*span, sites))
    assert [len(part) for part in parts] == [len(windows) // 2, len(windows) // 2, 0]
