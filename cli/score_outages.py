"""How quick and how true alerts are, in invented networks where everything goes wrong that can.

`spotwatch score --outages` runs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from cli.options import refuse
from collectors.fleet.faults.deployment import deployment_of
from collectors.fleet.faults.network import Network, draw_network
from collectors.fleet.faults.troubles import closed_hours, draw_troubles
from collectors.fleet.faults.truth import Truth as Happened
from collectors.fleet.faults.world import World
from pipeline.evaluation.outages.alert import Alert
from pipeline.evaluation.outages.measured import by_incidents, by_polls
from pipeline.evaluation.outages.naive import after_misses, down_ms
from pipeline.evaluation.outages.score import MUST_INTERVALS, VERDICTS, Real, Score, Truth, score
from pipeline.evaluation.outages.watch import watch

MAX_LOSS: Final = 50
"""Per cent; with more of it nothing can be said of anything."""
RULES: Final = {"spotwatch": 0, "the first poll that fails": 1, "three that fail in a row": 3}
"""What is compared: of rules of thumb, after how many failed polls they alert."""

Scores = Mapping[tuple[float, str], Score]
"""By loss and rule."""


def parse_losses(text: str) -> list[float]:
    """Read `0,1,5` per cent as shares; leaves with exit code 2 for anything else."""
    try:
        losses = [float(part) for part in text.split(",")]
    except ValueError:
        losses = []
    if not losses or not all(0 <= loss <= MAX_LOSS for loss in losses):
        raise refuse(
            f"--loss: {text!r} is not allowed; write per cents from 0 to {MAX_LOSS}, such as 0,5,20"
        )
    return [loss / 100 for loss in losses]


def trial(seed: int, sites: int, weeks: int, losses: Sequence[float]) -> Scores:
    """Watch over one network for some weeks, once for each loss."""
    network = draw_network(seed, sites)
    happened = Happened(network, draw_troubles(seed, network, weeks), tuple(closed_hours(weeks)))
    truth = truth_of(happened)
    found: dict[tuple[float, str], Score] = {}
    for loss in losses:
        world = World(seed, network, happened.troubles, loss, happened.closed)
        for rule, misses in RULES.items():
            found[loss, rule] = _judged(world, truth, misses)
    return found


def joined(trials: Sequence[Scores]) -> Scores:
    """Several networks as one."""
    found: dict[tuple[float, str], Score] = {}
    for scores in trials:
        for key, one in scores.items():
            found[key] = found.get(key, Score()) + one
    return found


def truth_of(happened: Happened) -> Truth:
    """What really happened, by the names of the access points."""
    network, troubles = happened.network, happened.troubles
    names = [spot.ap for spot in network.spots]
    reals = [
        Real(fault.kind, fault.subject, {names[spot]: spans for spot, spans in seen.items()})
        for fault, seen in happened.faults
        if seen
    ]
    reals += [
        Real(
            f"blind: {one.kind}",
            one.kind,
            {source: [(one.start_ms, one.end_ms)] for source in one.sources},
            is_blindness=True,
        )
        for one in happened.blindness
        # When our own daemon does not run it cannot say so.
        if one.kind != "stopped"
    ]
    return Truth(
        start_ms=troubles.start_ms,
        end_ms=troubles.end_ms,
        interval_ms=deployment_of(network, troubles).settings.snmp.poll_seconds * 1000,
        reals=reals,
        collector={spot.ap: spot.source for spot in network.spots},
        down={names[spot]: spans for spot, spans in troubles.silent.items()},
        blind=happened.blind,
        hours={name: happened.hours(spot) for spot, name in enumerate(names)},
    )


def _judged(world: World, truth: Truth, misses: int) -> Score:
    """`misses`: of a rule of thumb; 0: by what the daemon runs."""
    deployment = deployment_of(world.network, world.troubles)
    span_ms = truth.start_ms, truth.end_ms
    if not misses:
        watched = watch(world, deployment, span_ms)
        incidents = watched.incidents.values()
        hours = by_incidents(incidents, deployment, span_ms, world.true_ms)
        return score(truth, watched.alerts, hours, watched.messages)
    alerts = list(_rule_of_thumb(world, truth, misses))
    heard = _heard(world.network, world)
    down = {ap: down_ms(at, failed, truth.end_ms) for ap, at, failed in heard}
    return score(truth, alerts, by_polls(down, deployment, span_ms))


def _rule_of_thumb(world: World, truth: Truth, misses: int) -> Iterator[Alert]:
    for ap, at_ms, failed in _heard(world.network, world):
        yield from after_misses(ap, at_ms, failed, misses, truth.end_ms)


def _heard(network: Network, world: World) -> Iterator[tuple[str, Any, Any]]:
    for number, spot in enumerate(network.spots):
        yield spot.ap, *world.heard(number)


def document(scores: Scores, seeds: Sequence[int], sites: int, weeks: int) -> dict[str, Any]:
    """The JSON of `score --outages`."""
    return {
        "seeds": list(seeds),
        "sites": sites,
        "weeks": weeks,
        "must_be_told_after_intervals": MUST_INTERVALS,
        "results": [
            {"loss": loss, "rule": rule, **_of_score(one)} for (loss, rule), one in scores.items()
        ],
    }


def _of_score(one: Score) -> dict[str, Any]:
    return {
        "ap_months": round(one.ap_months, 1),
        "incidents": sum(one.incidents.values()),
        "told": one.told,
        "missed": len(one.missed),
        "delay_intervals": {"median": one.delay(0.5), "p95": one.delay(0.95)},
        "false_per_1000_ap_months": one.false_per_1000,
        "alerts": {verdict: one.verdicts[verdict] for verdict in VERDICTS},
        "alerts_per_incident": one.per_incident,
        "messages": one.messages,
        "shorter_faults": one.short,
        "availability_error_points": {
            "ap_mean": one.ap_mean_error,
            "ap_p95": one.ap_error(0.95),
            "city": one.city_error,
        },
        "by_kind": {
            kind: {
                "incidents": number,
                "told": len(one.delays.get(kind, ())),
                "p95_delay_intervals": one.delay(0.95, kind),
            }
            for kind, number in sorted(one.incidents.items())
        },
        "missed_incidents": [asdict(missed) for missed in one.missed] if one.missed else [],
    }
