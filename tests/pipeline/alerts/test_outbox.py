"""What is to be told stays on disk until it is told."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.alerts.message import Fact, Kind, Message
from pipeline.alerts.outage import outages
from pipeline.alerts.outbox import Acknowledgement, Outbox
from pipeline.alerts.telling import Desk, Telling, Told
from pipeline.store.base import StoreError
from tests.pipeline.alerts.town import MINUTE, THURSDAY, ended, incident, relapsed, town

ONCALL = {"oncall": ("oncall", "oncall#2"), "chief": ("chief",)}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(tmp_path / "state" / "alerts.db")
    yield found
    found.close()


def message(
    *incidents: str, kind: Kind = "opened", at_ms: int = THURSDAY, to: str = "oncall"
) -> Message:
    facts = tuple(
        Fact(
            id=name, scope="ap", subject="bib-1", site="bib", site_name=None, ap="bib-1",
            controller=None, kind=None, commune=None, severity="warning", start_ms=at_ms,
            end_ms=None, cause="no_answer", text="",
        )
        for name in incidents
    )  # fmt: skip
    return Message(to, kind, "fr", "warning", at_ms, "Sujet", "Corps", "Ligne", facts)


def test_the_desk_and_its_messages_outlive_the_process(outbox: Outbox) -> None:
    down = relapsed(ended(incident("ap", "bib-1"), THURSDAY + MINUTE), THURSDAY + 2 * MINUTE)
    known = outages(town(), [down, incident("ap", "bib-2", parent=down.id)])
    desk = Desk(
        {Told(down.id, "oncall"): Telling("down", 1, 2, "fr", damped=True)},
        {down.id: known[down.id]},
        {"oncall": 3},
        {down.id: 4},
    )
    outbox.commit(desk, [message("a")], ONCALL)
    again = Outbox(outbox.path)
    assert again.desk() == desk
    queued = again.next("oncall#2", THURSDAY)
    assert queued is not None
    assert queued.message == message("a")
    again.close()


def test_the_file_is_readable_by_its_owner_alone(outbox: Outbox) -> None:
    outbox.commit(Desk(), [message("a")], ONCALL)
    assert {stat.S_IMODE(path.stat().st_mode) for path in outbox.path.parent.iterdir()} == {0o600}


def test_the_same_decision_is_queued_once(outbox: Outbox) -> None:
    for _ in range(2):
        outbox.commit(Desk(), [message("a")], ONCALL)
    assert len(outbox.log(10)) == 2, "one for each target"


def test_nothing_is_kept_of_a_commit_that_fails(outbox: Outbox) -> None:
    desk = Desk(waiting={"oncall": 1})
    with pytest.raises(KeyError):
        outbox.commit(desk, [message("a"), message("b", to="nobody")], ONCALL)
    assert outbox.desk() == Desk()
    assert outbox.log(10) == []


def test_an_end_waits_for_its_beginning_and_nothing_else_does(outbox: Outbox) -> None:
    outbox.commit(
        Desk(),
        [
            message("a", "b", to="chief"),
            message("a", kind="resolved", at_ms=THURSDAY + 1, to="chief"),
            message("c", at_ms=THURSDAY + 2, to="chief"),
        ],
        ONCALL,
    )
    first = outbox.next("chief", THURSDAY + 9)
    assert first is not None
    assert first.message.incidents == ("a", "b")
    outbox.begin(first)
    outbox.postpone(first, THURSDAY + 100, "no")
    other = outbox.next("chief", THURSDAY + 9)
    assert other is not None
    assert other.message.incidents == ("c",)
    outbox.finish(other, "delivered", THURSDAY + 10)
    assert outbox.next("chief", THURSDAY + 99) is None
    assert outbox.next_ms("chief") == THURSDAY + 1
    outbox.finish(first, "undeliverable", THURSDAY + 100, "gave up")
    last = outbox.next("chief", THURSDAY + 100)
    assert last is not None
    assert last.message.kind == "resolved"


def test_one_that_is_never_taken_does_not_keep_the_rest(outbox: Outbox) -> None:
    outbox.commit(Desk(), [message("a", to="chief"), message("b", to="chief", at_ms=1)], ONCALL)
    tried = []
    for _ in range(4):
        queued = outbox.next("chief", THURSDAY)
        assert queued is not None
        outbox.begin(queued)
        tried.append(queued.message.incidents)
    assert tried == [("a",), ("b",), ("a",), ("b",)]


def test_what_waits_for_who_is_no_more_is_given_up_and_listed(outbox: Outbox) -> None:
    outbox.commit(Desk(), [message("a"), message("b", to="chief")], ONCALL)
    assert outbox.give_up_others(["chief"], THURSDAY + 5, "gone") == 2
    assert outbox.give_up_others([], THURSDAY + 5, "gone") == 1
    assert {(q.target, q.state, q.reason) for q in outbox.log(10)} == {
        ("oncall", "undeliverable", "gone"),
        ("oncall#2", "undeliverable", "gone"),
        ("chief", "undeliverable", "gone"),
    }


def test_the_log_can_be_that_of_one_incident(outbox: Outbox) -> None:
    outbox.commit(Desk(), [message("a", "b"), message("c", at_ms=1)], {"oncall": ("oncall",)})
    assert [q.message.incidents for q in outbox.log(10)] == [("c",), ("a", "b")]
    assert [q.message.incidents for q in outbox.log(10, "b")] == [("a", "b")]
    assert outbox.log(10, "x") == []


def test_who_takes_it_on_is_remembered_without_anybodys_address(outbox: Outbox) -> None:
    said = Acknowledgement("a", THURSDAY, "Zoé", "client 02:00:5e:10:00:ff says so")
    outbox.acknowledge(said)
    (kept,) = outbox.acknowledgements().values()
    assert (kept.incident, kept.by) == ("a", "Zoé")
    assert "5e" not in kept.note
    assert outbox.take_back("a")
    assert not outbox.take_back("a")
    assert outbox.acknowledgements() == {}


def test_how_a_target_is(outbox: Outbox) -> None:
    assert outbox.health("chief").waiting == 0
    outbox.commit(Desk(), [message(n, to="chief", at_ms=i) for i, n in enumerate("abc")], ONCALL)
    first = outbox.next("chief", THURSDAY)
    assert first is not None
    outbox.finish(first, "undeliverable", 7, "HTTP 400")
    health = outbox.health("chief")
    assert (health.waiting, health.oldest_ms, health.undeliverable) == (2, 1, 1)
    assert (health.given_up_ms, health.delivered_ms, health.reason) == (7, None, "HTTP 400")


def test_what_is_old_goes_unless_it_waits(outbox: Outbox) -> None:
    outbox.commit(Desk(), [message("a"), message("b", to="chief")], ONCALL)
    for target in ("oncall", "oncall#2"):
        queued = outbox.next(target, THURSDAY)
        assert queued is not None
        outbox.finish(queued, "delivered", THURSDAY)
    outbox.acknowledge(Acknowledgement("a", THURSDAY, "", ""))
    assert outbox.expire(THURSDAY) == 0
    assert outbox.expire(THURSDAY + 1) == 2
    assert [q.target for q in outbox.log(10)] == ["chief"]
    assert outbox.acknowledgements() == {}


def test_a_file_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StoreError, match="state"):
        Outbox(tmp_path / "state" / "alerts.db")
