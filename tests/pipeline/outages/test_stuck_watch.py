"""Sites that are up and of no use, as the daemon finds, keeps and tells them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.deployment import AccessPoint, Deployment, Site
from config.settings import Alerts, AppriseNotifier, Escalation, Language, Settings
from pipeline.alerts.alerting import Alerting
from pipeline.alerts.message import Message
from pipeline.alerts.notifiers.base import Notifier
from pipeline.outages.stuck_record import StuckRecord
from pipeline.outages.stuck_watch import StuckWatch
from pipeline.state import State
from pipeline.usage.periods import WINDOW_MS
from tests.pipeline.memory_store import MemoryStore, usage_frame

DAY = 96
WEEK = 7 * DAY
END = 8 * WEEK + 2 * DAY
"""Wednesday midnight after eight weeks."""
TUESDAY_TEN = 8 * WEEK + DAY + 40
MONDAY_MS = round(
    datetime(2026, 1, 5, tzinfo=ZoneInfo("Europe/Brussels")).astimezone(UTC).timestamp() * 1000
)
SITES = ("one", "two", "three", "four", "five")


def ms(window: int) -> int:
    return MONDAY_MS + window * WINDOW_MS


def city(folder: Path, language: Language = "en") -> Deployment:
    oncall = AppriseNotifier(url="json://127.0.0.1:9/")
    boss = AppriseNotifier(url="json://127.0.0.1:9/boss")
    later = (Escalation(after_minutes=5, to=("boss",)),)
    alerts = Alerts(
        notifiers={"oncall": oncall, "boss": boss}, remind_hours=1, escalate=later, group_seconds=0
    )
    settings = Settings(
        city="Testville", timezone="Europe/Brussels", language=language, alerts=alerts
    )
    sites = {
        name: Site(site=name, kind="library", opening_hours="Mo-Fr 09:00-17:00") for name in SITES
    }
    aps = [AccessPoint(ap=f"{name}-1", site=name, source="import") for name in SITES]
    return Deployment(
        folder=folder, settings=settings, sites=sites, access_points={ap.ap: ap for ap in aps}
    )


def fill(store: MemoryStore, site: str, users: dict[int, int] | None = None) -> None:
    """Of eight weeks and two days the open hours, with a dozen people; `users`: what differs."""
    random = np.random.default_rng(len(site))
    rows = []
    for at in range(END):
        there = int(random.integers(8, 17))
        if 36 <= at % DAY < 68 and at % WEEK < 5 * DAY:
            rows.append(row(site, at, (users or {}).get(at, there)))
    store.write_usage("15min", usage_frame(rows))


def row(site: str, at: int, users: int, *, is_up: bool = True) -> dict[str, object]:
    up = WINDOW_MS if is_up else 0
    amounts = {"expected_ms": WINDOW_MS, "covered_ms": WINDOW_MS, "up_ms": up}
    amounts |= {"down_ms": WINDOW_MS - up, "maintenance_ms": 0, "clients_ms": WINDOW_MS}
    rest = dict.fromkeys(
        ("peak_clients", "rx_bytes", "tx_bytes", "sessions", "passers_by", "device_days",
         "randomised_device_days")
    )  # fmt: skip
    span = {"site": site, "start_ms": ms(at), "end_ms": ms(at + 1), "aps": 1, "watched_ms": 0}
    return span | amounts | {"user_ms": users * WINDOW_MS} | rest


CLOSING = 8 * WEEK + DAY + 68
DEAD = dict.fromkeys(range(TUESDAY_TEN, END), 0)


class World:
    def __init__(self, folder: Path, language: Language = "en") -> None:
        self.deployment = city(folder, language)
        self.state = State(folder / "state.db")
        self.store = MemoryStore()
        self.record = StuckRecord(self.state)
        self.alerting = Alerting(self.deployment, unused=self.record.lately, targets=TARGETS)
        self.restart()

    def restart(self) -> None:
        self.watch = StuckWatch(self.deployment, self.store, self.record)

    def until(self, end: int, start: int = TUESDAY_TEN) -> list[Message]:
        """Look every hour; everything that was told."""
        told = []
        for at in range(start + 3, end, 4):
            self.watch.look(ms(at + 1), ms(at + 1))
            told += self.alerting.tick([], ms(at + 1), lambda _site, _at: False)
        return told

    def close(self) -> None:
        self.alerting.stop(0)
        self.state.close()


TARGETS: dict[str, dict[str, Notifier]] = {"oncall": {}, "boss": {}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as found:
        yield found


def test_a_dead_site_is_told_once_and_ended_once(world: World) -> None:
    fill(world.store, "one", DEAD | {CLOSING - 1: 3})
    for name in SITES[1:]:
        fill(world.store, name)
    (opened,) = world.until(TUESDAY_TEN + 24)
    assert (opened.notifier, opened.kind, opened.severity) == ("oncall", "opened", "info")
    assert opened.subject == "Up, but nobody uses it: one"
    said = opened.body.splitlines()
    assert said[0] == "One is up, but nobody has been seen there since 10:00."
    assert said[1].startswith("At these hours it had 1")
    assert " users at a time on average in the last 8 weeks, and was never empty." in said[1]
    world.restart()
    (ended,) = world.until(CLOSING + 8, TUESDAY_TEN + 24)
    assert (ended.notifier, ended.kind) == ("oncall", "resolved")
    assert ended.body == (
        "One: nobody was seen from 10:00 to 16:45, for 6 hours and 45 minutes. Since then it is "
        "used again, or down, which is told apart."
    )


def test_it_ends_when_the_site_goes_down(world: World) -> None:
    fill(world.store, "one", DEAD)
    world.until(TUESDAY_TEN + 20)
    assert [found.site for found in world.record.as_of(ms(TUESDAY_TEN + 20))] == ["one"]
    down = usage_frame([row("one", TUESDAY_TEN + 20, 0, is_up=False)])
    world.store.write_usage("15min", down)
    world.until(TUESDAY_TEN + 24, TUESDAY_TEN + 20)
    assert world.record.as_of(ms(TUESDAY_TEN + 24)) == []
    (found,) = world.record.lately(ms(TUESDAY_TEN + 24))
    assert found.end_ms == ms(TUESDAY_TEN + 20)


def test_a_strike_that_empties_them_all_is_not_told(world: World) -> None:
    for name in SITES:
        fill(world.store, name, DEAD)
    assert world.until(CLOSING) == []


def test_a_site_with_people_is_not_told(world: World) -> None:
    for name in SITES:
        fill(world.store, name)
    assert world.until(CLOSING) == []
    assert world.record.lately(ms(END)) == []


@pytest.mark.parametrize(
    ("language", "subject", "figures"),
    [
        ("fr", "En marche, mais personne : one", "en moyenne 11,8"),
        ("nl", "Werkt, maar niemand gebruikt het: one", "gemiddeld 11,8"),
    ],
)
def test_in_other_languages(tmp_path: Path, language: Language, subject: str, figures: str) -> None:
    with closing(World(tmp_path, language)) as world:
        fill(world.store, "one", DEAD)
        (opened,) = world.until(TUESDAY_TEN + 24)
    assert opened.subject == subject
    assert figures in opened.body
