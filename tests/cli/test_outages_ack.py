"""`spotwatch outages ack`: an id read out on the phone is enough."""

from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from cli.outages_ack import ack
from pipeline.alerts.outage import outages
from pipeline.alerts.outbox import Outbox
from pipeline.alerts.telling import Desk, Telling, Told
from pipeline.outages import snapshot
from pipeline.outages.memory import Memory
from pipeline.outages.record import Kept, Record
from pipeline.state import State
from tests.cli.test_alerts import deployment
from tests.pipeline.alerts.town import THURSDAY, incident, town

TOLD = incident("site", "bib")
KNOWN = incident("ap", "parc-1", start_ms=THURSDAY + 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One outage was told, the watch knows another."""
    deployment(tmp_path)
    outbox = Outbox(tmp_path / "state" / "alerts.db")
    telling = Telling("down", THURSDAY, THURSDAY, "en")
    outbox.commit(Desk({Told(TOLD.id, "oncall"): telling}, dict(outages(town(), [TOLD]))), [], {})
    outbox.close()
    state = State(tmp_path / "state" / "state.db")
    memory = Memory.empty()
    memory.told[KNOWN.id] = KNOWN
    Record(state).keep(Kept(THURSDAY, {"engine": snapshot.of(memory), "lost": {}}))
    state.close()
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(ack)
    return CliRunner().invoke(app, [*arguments, "--config", str(folder)], env={"USER": "zoe"})


def test_its_beginning_is_enough_and_who_is_remembered(folder: Path) -> None:
    result = run(folder, TOLD.id[:5].upper(), "--note", "on my way", "--json")
    assert result.exit_code == 0
    said = orjson.loads(result.stdout)
    assert said["before"] is None
    assert said["acknowledged"]["incident"] == TOLD.id
    assert (said["acknowledged"]["by"], said["acknowledged"]["note"]) == ("zoe", "on my way")
    result = run(folder, TOLD.id, "--by", "Kim")
    assert result.stdout == (
        f"Acknowledged {TOLD.id} by Kim: no more reminders, and nobody else is told.\n"
    )


def test_what_was_not_told_yet_can_be_taken_on_too(folder: Path) -> None:
    assert run(folder, KNOWN.id).exit_code == 0


def test_it_can_be_taken_back_once(folder: Path) -> None:
    run(folder, TOLD.id)
    assert run(folder, TOLD.id, "--undo").exit_code == 0
    result = run(folder, TOLD.id, "--undo")
    assert result.exit_code == 2
    assert "nobody has acknowledged" in result.stderr


@pytest.mark.parametrize(
    ("said", "problem"),
    [("ffffffff", "no outage 'ffffffff' of late; there: "), ("", "'' is the beginning of ")],
)
def test_an_id_that_is_none_or_several_is_refused(folder: Path, said: str, problem: str) -> None:
    result = run(folder, said)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert TOLD.id in result.stderr
