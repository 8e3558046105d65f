"""Presences on their way into the ledger: durable before acknowledged, late ones marked."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.presence import Device, Presence
from collectors.sink import NotDurableError
from config.deployment import Deployment
from config.loader import load
from pipeline.sessions.intake import AsyncIntake, Intake
from pipeline.sessions.ledger import Noted, Rules, SessionLedger
from pipeline.state import State
from pipeline.store.base import StoreError

MINUTE = 60_000
HOUR = 3_600_000
T = int(datetime(2026, 3, 3, 10, tzinfo=UTC).timestamp() * 1000)
MIDNIGHT = T + 13 * HOUR


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlibrary,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nap-1,library,import\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def ledger(deployment: Deployment) -> Iterator[SessionLedger]:
    with closing(SessionLedger(deployment.sessions_path, Rules.of(deployment))) as opened:
        yield opened


@pytest.fixture
def state(deployment: Deployment) -> Iterator[State]:
    with closing(State(deployment.state_path)) as opened:
        yield opened


@pytest.fixture
def intake(deployment: Deployment, ledger: SessionLedger, state: State) -> Intake:
    return Intake(deployment, ledger, state)


def seen(minute: float, key: int = 1, site: str = "library") -> Presence:
    device = Device(bytes([key]) * 8, None, randomised=True)
    return Presence("ap-1", site, T + round(minute * MINUTE), 300, (device,))


def spans(state: State) -> list[tuple[str, int, int]]:
    return [(d.site, d.start_ms, d.end_ms) for d in state.dirty()]


def test_what_is_seen_now_marks_nothing(intake: Intake, state: State) -> None:
    state.set_closed_until_ms(T)
    for minute in (0, 5, 10, 40):
        intake.note([seen(minute)])
    assert spans(state) == []


def test_a_late_presence_marks_its_windows_once_for_all_of_a_site(
    intake: Intake, state: State
) -> None:
    state.set_closed_until_ms(T + HOUR)
    intake.note([seen(0), seen(5, 2), seen(70, 3), seen(20, site="parc")])
    assert spans(state) == [
        ("library", T, MIDNIGHT),
        ("parc", T + 20 * MINUTE, MIDNIGHT),
    ]


def test_the_same_again_marks_nothing(intake: Intake, state: State) -> None:
    intake.note([seen(0)])
    state.set_closed_until_ms(T + HOUR)
    intake.note([seen(0)])
    assert spans(state) == []


def test_a_window_that_is_closed_while_it_is_written_is_marked(
    intake: Intake, ledger: SessionLedger, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = ledger.note

    def closed_meanwhile(found: Sequence[Presence], marking: Callable[[Noted], None]) -> Noted:
        noted = note(found, marking)
        state.set_closed_until_ms(T + HOUR)
        return noted

    monkeypatch.setattr(ledger, "note", closed_meanwhile)
    intake.note([seen(0)])
    assert spans(state) == [("library", T, MIDNIGHT)]


async def test_what_many_collectors_note_at_once_is_durable_when_they_go_on(
    intake: Intake, ledger: SessionLedger
) -> None:
    sink = AsyncIntake(intake)
    await asyncio.gather(*(sink.note([seen(0, key)]) for key in range(1, 30)))
    assert ledger.counts(T, T + HOUR)["sessions"].sum() == 29
    await sink.close()
    with pytest.raises(NotDurableError):
        await sink.note([seen(5)])


async def test_who_could_not_be_noted_is_told(
    intake: Intake, ledger: SessionLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Sequence[Presence], _marking: Callable[[Noted], None]) -> Noted:
        raise StoreError("the disk is full")

    sink = AsyncIntake(intake)
    monkeypatch.setattr(ledger, "note", full)
    with pytest.raises(NotDurableError, match="disk is full"):
        await sink.note([seen(0)])
    monkeypatch.undo()
    await sink.note([seen(0)])
    await sink.close()
    assert ledger.counts(T, T + HOUR)["sessions"].sum() == 1
