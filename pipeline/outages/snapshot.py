"""The live engine's memory as plain lists and dicts, so that a restart goes on where it was."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pipeline.outages.evidence import Evidence
from pipeline.outages.incident import Incident, Spell
from pipeline.outages.machine import Condition
from pipeline.outages.memory import Memory, Own, Root
from pipeline.outages.topology import Topology
from pipeline.outages.track import Track

T = TypeVar("T")


def of(memory: Memory) -> dict[str, Any]:
    """For JSON."""
    return {
        "tracks": {ap: _track(track) for ap, track in memory.tracks.items()},
        "controllers": {name: _track(track) for name, track in memory.controllers.items()},
        "own": {ap: _plain(own) for ap, own in memory.own.items()},
        "roots": [_plain(root) for root in memory.roots.values()],
        "told": [_plain(incident) for incident in memory.told.values()],
        "once": dict(memory.once),
        "blind": dict(memory.blind),
    }


def restored(document: Mapping[str, Any], topology: Topology) -> Memory:
    """What `of` gave, without the APs that are in the files no more."""
    tracks = {ap: _track_of(t) for ap, t in document["tracks"].items() if ap in topology.aps}
    roots = [_made(Root, root) for root in document["roots"]]
    told = [_made(Incident, incident) for incident in document["told"]]
    return Memory(
        tracks=tracks,
        controllers={name: _track_of(t) for name, t in document["controllers"].items()},
        own={ap: _made(Own, own) for ap, own in document["own"].items() if ap in tracks},
        roots={root.key: root for root in roots},
        told={i.id: i for i in told if i.scope != "ap" or i.subject in tracks},
        once={id_: list(said) for id_, said in document["once"].items()},
        blind={
            name: [(start, end) for start, end in spans]
            for name, spans in document["blind"].items()
        },
    )


def _track(track: Track) -> dict[str, Any]:
    return {
        "horizon_ms": track.horizon_ms,
        "base": _plain(track.base),
        "recent": [list(item) for item in track.recent],
        "condition": _plain(track.condition),
        "failing": _plain(track.failing),
        "over_ms": track.over_ms,
    }


def _track_of(document: Mapping[str, Any]) -> Track:
    return Track(
        horizon_ms=document["horizon_ms"],
        base=_condition(document["base"]),
        recent=[Evidence(*item) for item in document["recent"]],
        condition=_condition(document["condition"]),
        failing=_condition(document["failing"]),
        over_ms=document["over_ms"],
    )


def _condition(document: Mapping[str, Any]) -> Condition:
    condition = _made(Condition, document)
    last = document["last"]
    return condition if last is None else _made(Condition, {**document, "last": Evidence(*last)})


def _plain(item: Any) -> dict[str, Any]:
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    values["spells"] = [list(spell) for spell in values["spells"]]
    if values.get("last") is not None:
        values["last"] = list(values["last"])
    return values


def _made(kind: type[T], document: Mapping[str, Any]) -> T:
    return kind(**{**document, "spells": tuple(Spell(*spell) for spell in document["spells"])})
