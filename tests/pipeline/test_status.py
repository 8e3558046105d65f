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


def polled(ap: str, *up: int, site: str = "s") -> list[Reading]:
    """Polls five minutes apart, the last one a minute ago."""
    return [said(ap, 1 + 5 * i, site, up=u) for i, u in enumerate(reversed(up))]


def test_a_site_is_down_since_its_last_ap_fell_and_degraded_since_its_first() -> None:
    down = now(*polled("a", 1, 0, 0, 0), *polled("b", 1, 1, 0, 0))
    assert (down.state, down.since_ms) == ("down", T - 6 * MINUTE)
    degraded = now(*polled("a", 1, 0, 0, 0), *polled("b", 1, 1, 1, 1))
    assert (degraded.state, degraded.since_ms) == ("degraded", T - 11 * MINUTE)
    assert now(*polled("a", 1, 0, 1), *polled("b", 1, 1, 1)).since_ms is None


def test_since_when_is_looked_up_for_a_week() -> None:
    days = 24 * 60
    assert (
        now(said("a", 6 * days, up=1), said("a", 1, up=0), *polled("b", 0)).since_ms == T - MINUTE
    )
    found = now(said("a", 8 * days, up=1), said("a", 1, up=0), *polled("b", 1))
    assert (found.state, found.since_ms) == ("degraded", None)


def three_sites() -> Deployment:
    aps = [AccessPoint(ap=f"{site}{n}", site=site, source="snmp", host="192.0.2.1")
           for site in ("x", "y") for n in (1, 2)]  # fmt: skip
    aps.append(AccessPoint(ap="m", site="z", source="mqtt"))
    sites = [Site(site=site, kind="library") for site in ("x", "y", "z")]
    return city(sites, aps)


def states(*readings: Reading, blind: tuple[str, ...] = ()) -> str:
    store = MemoryStore()
    store.write_samples(readings)
    found = read_status(three_sites(), store, T, blind)
    return " ".join(f"{one.state}:{one.aps_up}" for one in found)


ALL = ("x1", "x2", "y1", "y2")
HEARD = said("m", 1, "z", clients=4)


def all_of(*up: int) -> list[Reading]:
    return [reading for ap in ALL for reading in polled(ap, *up, site=ap[0])]


def test_where_all_that_a_collector_asks_fails_together_it_is_we_who_are_blind() -> None:
    assert states(*all_of(1, 0), HEARD) == "unknown:0 unknown:0 up:1"
    assert states(*all_of(1, 1), HEARD) == "up:2 up:2 up:1"
    some = [*polled("x1", 0, 0, site="x"), *polled("x2", 0, 0, site="x")]
    others = [*polled("y1", 1, 0, site="y"), *polled("y2", 1, 1, site="y")]
    assert states(*some, *others, HEARD) == "down:0 degraded:1 up:1"


def test_what_failed_one_after_the_other_is_down() -> None:
    fell = [(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 0)]
    readings = [
        reading for ap, up in zip(ALL, fell, strict=True) for reading in polled(ap, *up, site=ap[0])
    ]
    assert states(*readings, HEARD) == "down:0 down:0 up:1"


def test_a_collector_that_says_that_it_is_blind_is_believed() -> None:
    assert states(*all_of(1), HEARD, blind=("mqtt",)) == "up:2 up:2 unknown:0"


def test_of_a_blind_collector_clients_are_unknown_too() -> None:
    store = MemoryStore()
    store.write_samples([*all_of(1, 0), HEARD])
    found = read_status(three_sites(), store, T)
    assert [one.clients for one in found] == [None, None, 4]
    assert [one.since_ms for one in found] == [None, None, None]
