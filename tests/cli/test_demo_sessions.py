"""The demo's past visitors in the ledger: live polls, restarts and interruptions leave no seam."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from cli.demo_folder import DemoFolder, open_folder
from cli.demo_history import planned_hours
from cli.demo_sessions import PastVisitors
from cli.stores import open_ledger
from collectors.anonymiser import Anonymiser
from collectors.day_keys import DayKeys
from collectors.fleet.city import City
from collectors.fleet.families import family
from collectors.fleet.stays import client_tables
from collectors.fleet.visitors import address
from collectors.presence import Presence
from config.deployment import Deployment
from config.loader import load
from pipeline.sessions.intake import Intake
from pipeline.sessions.ledger import SessionLedger
from pipeline.state import State

BEGAN = datetime(2026, 11, 18, 10, 5, tzinfo=UTC)
"""A Wednesday morning; the past begins at midnight the day before, and sees one change of keys."""
QUARTER_MS = 900_000
GAP = timedelta(minutes=15)
COUNTED = ["sessions", "device_days", "randomised_device_days"]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


class Demo:
    """A demo's folder, of which only the visitors are of interest."""

    def __init__(self, path: Path, ledger: SessionLedger, state: State) -> None:
        self.folder: DemoFolder = open_folder(path, days=1, seed=None, fresh=False, now=BEGAN)
        self.deployment: Deployment = load(path)
        self.ledger = ledger
        self.state = state
        hours = planned_hours(self.deployment, self.folder.plan, ms(BEGAN))
        self.city: City = self.folder.plan.city(self.deployment, hours)

    def catch_up(self, now: datetime) -> None:
        visitors = PastVisitors(self.folder, self.deployment, self.city, ms(now))
        visitors.catch_up(self.ledger, self.state)

    def poll(self, now: datetime) -> None:
        """What the live poller would note."""
        anonymiser = Anonymiser(DayKeys(self.deployment.day_keys_path), GAP)
        zone = self.deployment.settings.zone
        Intake(self.deployment, self.ledger, self.state).note(
            [
                Presence(
                    name,
                    self.deployment.access_points[name].site,
                    ms(now),
                    10,
                    tuple(anonymiser.device(mac, zone, ms(now)) for mac in said.stations),
                )
                for name, said in self.city.at(ms(now)).items()
                if said.up and self.lists(name)
            ]
        )

    def seen_since(self, moment: datetime) -> set[tuple[str, bytes]]:
        """Site and address of the past's visitors."""
        return {
            (tables.site, address(self.folder.plan.seed, device))
            for tables in client_tables(self.deployment, self.city, ms(moment), ms(BEGAN))
            for device in tables.device.tolist()
        }

    def here(self, now: datetime) -> set[tuple[str, bytes]]:
        """Likewise, of whom the live devices list."""
        return {
            (self.deployment.access_points[ap].site, mac)
            for ap, said in self.city.at(ms(now)).items()
            if said.up and self.lists(ap)
            for mac in said.stations
        }

    def lists(self, ap: str) -> bool:
        return family(self.deployment, self.deployment.access_points[ap]).lists_clients

    def counts(self) -> pd.DataFrame:
        start_ms = ms(BEGAN - timedelta(days=2)) // QUARTER_MS * QUARTER_MS
        return self.ledger.counts(start_ms, start_ms + 4 * 96 * QUARTER_MS)

    def totals(self) -> dict[str, int]:
        return {name: int(self.counts()[name].sum()) for name in COUNTED}


@contextmanager
def a_demo(path: Path) -> Iterator[Demo]:
    folder = open_folder(path, days=1, seed=None, fresh=False, now=BEGAN)
    folder.write_files({}, None)
    deployment = load(path)
    with (
        closing(open_ledger(deployment)) as ledger,
        closing(State(deployment.state_path)) as state,
    ):
        yield Demo(path, ledger, state)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with a_demo(tmp_path / "city") as found:
        yield found


def test_the_past_has_sessions_devices_and_made_up_addresses_at_each_ap(demo: Demo) -> None:
    demo.catch_up(BEGAN)
    counts = demo.counts()
    counts = counts[counts["watched_ms"] > 0]
    assert {ap for ap in demo.city.aps if demo.lists(ap)} == set(counts["ap"])
    totals = demo.totals()
    assert totals["sessions"] > totals["device_days"] > 1000
    assert 0.6 < totals["randomised_device_days"] / totals["device_days"] < 0.73
    assert counts["passers_by"].isna().all(), "nobody is seen for less than a poll interval"


def test_a_live_poll_goes_on_with_the_stays_that_are_under_way(demo: Demo) -> None:
    demo.catch_up(BEGAN)
    before = demo.totals()
    live = BEGAN + timedelta(seconds=20)
    recent = demo.seen_since(BEGAN - timedelta(minutes=30))
    today = demo.seen_since(datetime(2026, 11, 18, 3, tzinfo=UTC))
    here = demo.here(live)
    assert 300 < len(here & recent) < len(here)
    demo.poll(live)
    after = demo.totals()
    assert after["sessions"] - before["sessions"] == len(here - recent)
    # Who was there before 04:00 only is another one under the new key.
    assert after["device_days"] - before["device_days"] == len(here - today)
    demo.poll(live)
    assert demo.totals() == after


@pytest.mark.parametrize("first", [timedelta(hours=5), timedelta(hours=7, minutes=8)])
def test_a_later_start_goes_on_as_if_there_had_been_no_break(
    demo: Demo, tmp_path: Path, first: timedelta
) -> None:
    """Also where the keys changed in between, at 04:00."""
    with a_demo(tmp_path / "twin") as twin:
        twin.catch_up(BEGAN)
        demo.catch_up(BEGAN - first)
        demo.folder.is_filled(ms(BEGAN - first))
        demo.catch_up(BEGAN)
        columns = ["site", "ap", "start_ms", *COUNTED]
        pd.testing.assert_frame_equal(demo.counts()[columns], twin.counts()[columns])


def test_a_start_that_was_interrupted_is_made_good_and_counts_nothing_twice(demo: Demo) -> None:
    demo.catch_up(BEGAN)
    before = demo.counts()
    demo.catch_up(BEGAN)
    pd.testing.assert_frame_equal(demo.counts(), before)


def test_sessions_older_than_are_kept_are_not_made(demo: Demo) -> None:
    settings = demo.deployment.settings
    usage = settings.usage.model_copy(update={"sessions_days": 1})
    settings = settings.model_copy(update={"usage": usage})
    demo.deployment = demo.deployment.model_copy(update={"settings": settings})
    demo.catch_up(BEGAN)
    assert demo.counts()["start_ms"].min() >= ms(BEGAN - timedelta(days=1, minutes=15))
