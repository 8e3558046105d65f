"""Months of faults through the live engine: what is left out changes nothing, nor does order."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.score_outages import trial
from collectors.fleet.faults.deployment import deployment_of
from collectors.fleet.faults.network import draw_network
from collectors.fleet.faults.troubles import closed_hours, draw_troubles
from collectors.fleet.faults.world import Batch, World
from pipeline.evaluation.outages.alert import Alert
from pipeline.evaluation.outages.watch import Watched, watch
from pipeline.outages.incident import Incident, Spell

SITES, WEEKS = 14, 2


def world(seed: int, loss: float) -> World:
    network = draw_network(seed, SITES)
    happens = draw_troubles(seed, network, WEEKS)
    return World(seed, network, happens, loss, tuple(closed_hours(WEEKS)))


def watched(seen: World, batches: Iterator[Batch] | None = None) -> Watched:
    span_ms = seen.troubles.start_ms, seen.troubles.end_ms
    return watch(seen, deployment_of(seen.network, seen.troubles), span_ms, batches)


def told(found: Watched) -> list[tuple[Any, ...]]:
    return [(a.at_ms, a.scope, a.subject, a.start_ms, a.aps) for a in found.alerts]


@pytest.mark.parametrize(("seed", "loss"), [(2, 0.05), (3, 0.2)])
def test_the_polls_that_are_left_out_change_nothing(seed: int, loss: float) -> None:
    seen = world(seed, loss)
    some, every = (
        sum(len(batch.readings) for batch in seen.batches(everything=all_of_it))
        for all_of_it in (False, True)
    )
    assert some < every / 2
    quick = watched(world(seed, loss))
    whole = watched(seen, seen.batches(everything=True))
    assert told(quick) == told(whole)
    assert quick.incidents == whole.incidents
    assert len(quick.alerts) > 3


def shuffled(seen: World, seed: int) -> Iterator[Batch]:
    """What comes within seconds, in another order and in pieces."""
    random = Random(seed)
    for batch in seen.batches():
        readings = list(batch.readings)
        random.shuffle(readings)
        yield Batch(batch.at_ms, readings[::2], batch.controllers)
        yield Batch(batch.at_ms, readings[1::2])


def but_for_seconds(incident: Incident) -> Incident:
    """What explains others ends with the first answer that comes, which may be the second."""
    if incident.scope == "ap":
        return incident

    def rounded(ms: int | None) -> int | None:
        return None if ms is None else round(ms / 60_000)

    spells = tuple(Spell(s.start_ms, s.confirmed_ms, rounded(s.end_ms)) for s in incident.spells)
    return replace(incident, end_ms=rounded(incident.end_ms), spells=spells)


@pytest.mark.parametrize("seed", [2, 4])
def test_evidence_of_one_instant_may_come_in_any_order(seed: int) -> None:
    seen = world(seed, 0.05)
    plain, mixed = watched(seen), watched(seen, shuffled(seen, seed))
    assert told(plain) == told(mixed)
    assert plain.incidents.keys() == mixed.incidents.keys()
    for id_, incident in plain.incidents.items():
        assert but_for_seconds(incident) == but_for_seconds(mixed.incidents[id_])


def test_a_network_in_which_everything_goes_wrong_is_watched_over_well() -> None:
    scores = trial(7, 30, 4, [0.05])
    ours, first, three = (one for _, one in scores.items())
    assert sum(ours.incidents.values()) > 20
    assert ours.missed == []
    assert ours.verdicts["false"] + ours.verdicts["blind"] == 0
    late, first_late, three_late = (one.delay(0.5) or 0 for one in (ours, first, three))
    assert 0 < first_late < late < three_late
    assert (ours.delay(0.95) or 9) < 3
    assert (ours.ap_mean_error or 9) < 0.1
    assert first.verdicts["false"] > 20 > three.verdicts["false"] > 0


def test_the_same_seed_gives_the_same_score() -> None:
    arguments = ["score", "--outages", "--seeds", "5", "--sites", "10", "--weeks", "10"]
    one, two = (CliRunner().invoke(app, [*arguments, "--loss", "5", "--json"]) for _ in range(2))
    assert one.exit_code == 0, one.output
    assert one.stdout_bytes == two.stdout_bytes
    found = orjson.loads(one.stdout_bytes)
    assert found["seeds"] == [5]
    ours = found["results"][0]
    assert (ours["loss"], ours["rule"]) == (0.05, "spotwatch")
    assert ours["incidents"] == ours["told"] + ours["missed"]
    assert ours["incidents"] == sum(kind["incidents"] for kind in ours["by_kind"].values())


def test_as_people_read_it() -> None:
    result = CliRunner().invoke(
        app, ["score", "--outages", "--seeds", "5", "--sites", "10", "--weeks", "10", "--loss", "0"]
    )
    assert result.exit_code == 0, result.output
    assert "three that fail in a row" in result.stdout
    assert "overslept" in result.stdout
    assert "1 networks of 10 sites" not in result.stdout


@pytest.mark.parametrize("text", ["", "a", "-1", "60", "5;10"])
def test_losses_that_are_none(text: str) -> None:
    result = CliRunner().invoke(app, ["score", "--outages", "--loss", text])
    assert result.exit_code == 2
    assert "--loss" in result.stderr


def test_an_alert_is_told_while_its_incident_is_open() -> None:
    alerts: list[Alert] = watched(world(2, 0.0)).alerts
    assert alerts
    for alert in alerts:
        assert alert.start_ms < alert.at_ms < alert.until_ms
        assert bool(alert.aps) != (alert.scope == "poller")
