"""What `doctor` says of a deployment in trouble, and that it is quiet about a healthy one."""

from pathlib import Path

import pytest

from config.deployment import AccessPoint, Deployment, Site, Source
from config.settings import Settings
from pipeline import diagnosis

NOW = 1_772_704_800_000
MINUTE = 60_000


def city(*sites: Site, source: Source = "snmp", poll_seconds: int = 300) -> Deployment:
    return Deployment(
        folder=Path("city"),
        settings=Settings(city="Valmont", timezone="Europe/Brussels"),
        sites={site.site: site for site in sites},
        access_points={
            f"ap-{site.site}": AccessPoint(
                ap=f"ap-{site.site}",
                site=site.site,
                source=source,
                host="192.0.2.1",
                poll_seconds=poll_seconds,
            )
            for site in sites
        },
    )


LIBRARY = Site(site="bib", kind="library", opening_hours="Mo-Fr 09:00-17:00")
PARK = Site(site="parc", kind="park")


def test_a_full_disk_is_an_error_before_it_is_full() -> None:
    assert diagnosis.disk(999_999_999, "/data").health == "error"
    assert diagnosis.disk(50_000_000_000, "/data").health == "ok"


def test_a_site_with_a_door_and_no_hours_is_named_and_a_park_is_not() -> None:
    finding = diagnosis.opening_hours(city(Site(site="epn", kind="epn"), LIBRARY, PARK))
    assert finding.health == "warning"
    assert "1 of 3 sites have none: epn" in finding.seen
    assert diagnosis.opening_hours(city(LIBRARY, PARK)).health == "ok"


def test_kinds_without_enough_peers_are_named() -> None:
    libraries = [Site(site=f"bib{i}", kind="library") for i in range(6)]
    seen = diagnosis.peers(city(*libraries, PARK)).seen
    assert "park (1)" in seen
    assert "library" not in seen


@pytest.mark.parametrize(
    ("last_sample", "health", "word"),
    [
        (NOW - 14 * MINUTE, "ok", ""),
        (NOW - 16 * MINUTE, "warning", "silent: bib"),
        (NOW + 6 * MINUTE, "error", "from the future: bib"),
        (None, "warning", "never heard: bib"),
    ],
)
def test_silence_is_three_intervals(last_sample: int | None, health: str, word: str) -> None:
    spans = {} if last_sample is None else {"bib": (NOW - 90 * MINUTE, last_sample)}
    finding = diagnosis.silent_sites(city(LIBRARY), spans, NOW)
    assert finding.health == health
    assert word in finding.seen


def test_imported_history_is_not_expected_to_go_on() -> None:
    assert diagnosis.silent_sites(city(LIBRARY, source="import"), {}, NOW).health == "ok"


def test_usage_that_lags_behind_says_so() -> None:
    live = city(LIBRARY)
    assert diagnosis.aggregation(live, None, 0, NOW).health == "warning"
    late = diagnosis.aggregation(live, NOW - 61 * MINUTE, 2, NOW)
    assert late.health == "warning"
    assert "2026-03-05 09:59, 2 spans" in late.seen  # Brussels time
    assert diagnosis.aggregation(live, NOW - 16 * MINUTE, 0, NOW).health == "ok"


def test_usage_of_imported_history_ends_with_it() -> None:
    past = city(LIBRARY, source="import")
    assert diagnosis.aggregation(past, NOW - 10_000 * MINUTE, 0, NOW).health == "ok"


def test_refused_messages_are_counted_with_the_latest_reason() -> None:
    finding = diagnosis.dead_letters(3, "clients: negative")
    assert "3 kept aside" in finding.seen
    assert "clients: negative" in finding.seen
    assert diagnosis.dead_letters(0, None).health == "ok"


def test_some_silent_devices_warn_and_all_of_them_are_an_error() -> None:
    one = diagnosis.devices(9, {"ap-7": "no answer"})
    assert (one.health, "ap-7 (no answer)" in one.seen) == ("warning", True)
    assert diagnosis.devices(0, {"ap-7": "no answer"}).health == "error"
    assert diagnosis.devices(9, {}).health == "ok"


def test_a_long_list_stays_one_line() -> None:
    assert diagnosis.named([str(i) for i in range(12)]).endswith("9 and 2 more")
