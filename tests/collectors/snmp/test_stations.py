"""Addresses of clients stay where they are: nothing that prints them shows them."""

import copy
import logging
import pickle
from dataclasses import asdict

import pytest
import structlog

from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.stations import Stations
from tests.addresses import Search

MACS = [bytes.fromhex("02aebc10d7ff"), bytes.fromhex("a4c361000001")]
SEARCH = Search(MACS)
STATIONS = Stations(MACS)
POLL = DevicePoll("x", "ap", aps=(ApPoll(stations=STATIONS),), stations=STATIONS)


def test_they_are_counted_each_once() -> None:
    assert len(Stations([*MACS, *MACS])) == 2
    assert set(STATIONS) == set(MACS)
    assert Stations() == Stations([])
    assert not Stations()
    assert Stations(MACS[:1]) != STATIONS
    assert len({STATIONS, Stations(reversed(MACS))}) == 1


@pytest.mark.parametrize("what", [STATIONS, POLL, [STATIONS], {"stations": STATIONS}, POLL.aps])
def test_printing_shows_how_many_there_are(
    what: object, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("x").warning("%s %r", what, what)
    structlog.get_logger().warning("x", what=what)
    said = caplog.text + capsys.readouterr().out + str(what) + repr(what) + f"{what} {what!r}"
    assert "<2 client devices>" in said
    assert SEARCH.found_in(said) == []


@pytest.mark.parametrize("save", [pickle.dumps, copy.deepcopy, lambda poll: asdict(POLL)])
def test_they_cannot_be_saved_by_the_way(save: object) -> None:
    assert callable(save)
    with pytest.raises(TypeError, match="not to leave"):
        save(STATIONS)


def test_the_json_of_a_poll_is_silent_about_them() -> None:
    assert "stations" not in str(POLL.as_json())
    assert SEARCH.found_in(str(POLL.as_json())) == []
