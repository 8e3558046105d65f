from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site, SitePeriod
from pipeline.status import SiteStatus, read_status
from tests.pipeline.memory_store import MemoryStore, city

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
T = int(NOW.timestamp() * 1000)
MINUTE = 60_000


def two_aps(**more: object) -> Deployment:
    return city(
        [Site(site="s", kind="library"), Site(site="other", kind="park")],
        [AccessPoint(ap=ap, site="s", source="import") for ap in ("a", "b")],
        **more,  # type: ignore[arg-type]
    )


def said(ap: str, minutes_ago: float, site: str = "s", **fields: int) -> Reading:
    return Reading(ap, site, T - round(minutes_ago * MINUTE), **fields)


def now(*readings: Reading, deployment: Deployment | None = None) -> SiteStatus:
    store = MemoryStore()
    store.write_samples(readings)
    return read_status(deployment or two_aps(), store, T)[0]


@pytest.mark.parametrize(
    ("a", "b", "state"),
    [
        (said("a", 1, clients=1), said("b", 1, up=1), "up"),
        (said("a", 1, clients=1), said("b", 60, clients=1), "up"),
        (said("a", 1, clients=1), said("b", 1, up=0), "degraded"),
        (said("a", 1, up=0), said("b", 2, up=0), "down"),
        (said("a", 1, up=0), said("b", 60, clients=1), "unknown"),
        (said("a", 60, clients=1), said("b", 60, up=0), "unknown"),
    ],
)
def test_states(a: Reading, b: Reading, state: str) -> None:
    assert now(a, b).state == state


def test_a_sample_holds_for_one_and_a_half_intervals() -> None:
    assert now(said("a", 7.4, clients=3)).clients == 3
    assert now(said("a", 7.5, clients=3)).clients is None
    assert now(said("a", 20, clients=3, interval_s=900)).clients == 3


def test_clients_are_unknown_or_a_sum_and_never_a_guess() -> None:
    assert now().clients is None
    assert now(said("a", 1, up=1), said("b", 1, clients=4)).clients == 4
    assert now(said("a", 1, up=0), said("b", 1, up=0)).clients == 0


def test_nothing_after_the_moment_counts() -> None:
    assert now(said("a", 0, clients=3), said("b", -1, clients=3)).state == "unknown"


def test_announced_maintenance_goes_before_what_the_aps_say() -> None:
    works = SitePeriod(site="s", start=NOW - timedelta(hours=1), end=NOW + timedelta(seconds=1))
    deployment = two_aps(maintenance=[works])
    assert now(said("a", 1, up=0), said("b", 1, up=0), deployment=deployment).state == "maintenance"
    over = two_aps(maintenance=[works.model_copy(update={"end": NOW})])
    assert now(said("a", 1, up=0), said("b", 1, up=0), deployment=over).state == "down"


def test_last_seen_is_the_last_answer_and_not_the_last_failed_poll() -> None:
    found = now(said("a", 90, clients=1), said("a", 1, up=0), said("b", 1, up=0))
    assert found.last_seen_ms == T - 90 * MINUTE
    assert now(said("a", 1, up=0)).last_seen_ms is None


def test_an_ap_out_of_service_is_no_part_of_its_site() -> None:
    retired = AccessPoint(ap="b", site="s", source="import", out_of_service_since=date(2026, 3, 1))
    deployment = city([Site(site="s", kind="park")], [
        AccessPoint(ap="a", site="s", source="import"), retired,
    ])  # fmt: skip
    found = now(said("a", 1, up=0), deployment=deployment)
    assert (found.state, found.aps_total) == ("down", 1)


def test_an_ap_stands_where_it_was_heard() -> None:
    store = MemoryStore()
    store.write_samples([said("a", 1, site="other", clients=5), said("b", 1, clients=1)])
    here, there = read_status(two_aps(), store, T)
    assert (here.aps_total, here.clients) == (1, 1)
    assert (there.aps_total, there.clients) == (1, 5)
