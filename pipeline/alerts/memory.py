"""The desk as JSON, so that a restart goes on where it was."""

from collections.abc import Mapping
from typing import Any

import orjson

from pipeline.alerts.outage import Outage
from pipeline.alerts.telling import Desk, Telling, Told
from pipeline.outages.incident import Incident, Spell


def dumped(desk: Desk) -> bytes:
    """For the file; the same desk gives the same bytes."""
    return orjson.dumps(
        {
            "tellings": [
                {"incident": told.incident, "notifier": told.notifier, "telling": telling}
                for told, telling in sorted(desk.tellings.items())
            ],
            "known": desk.known,
            "waiting": desk.waiting,
            "missing": desk.missing,
        },
        default=list,  # a Spell
        option=orjson.OPT_SORT_KEYS,
    )


def loaded(document: bytes) -> Desk:
    """What was dumped."""
    said = orjson.loads(document)
    return Desk(
        tellings={
            Told(item["incident"], item["notifier"]): Telling(**item["telling"])
            for item in said["tellings"]
        },
        known={name: _outage(outage) for name, outage in said["known"].items()},
        waiting=said["waiting"],
        missing=said["missing"],
    )


def _outage(said: Mapping[str, Any]) -> Outage:
    return Outage(
        incident=_incident(said["incident"]),
        children=tuple(_incident(child) for child in said["children"]),
        sites=tuple(said["sites"]),
        aps=tuple(said["aps"]),
        severity=said["severity"],
    )


def _incident(said: Mapping[str, Any]) -> Incident:
    spells = tuple(Spell(*spell) for spell in said["spells"])
    return Incident(**{**said, "spells": spells})
