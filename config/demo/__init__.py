"""Valmont-sur-Senne, the invented city of `spotwatch demo`, as the files of a deployment."""

import csv
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""A deployment as people would write it, but for the ports of its devices."""
COPIED: Final = ("sites.csv", "candidate_places.csv", "community.txt")
WITH_PORTS: Final = {"access_points.csv": "ap", "controllers.csv": "controller"}
PERIODS: Final = ("closures.csv", "maintenance.csv")
FILES: Final = ("spotwatch.yaml", *COPIED, *WITH_PORTS, *PERIODS)
"""What `write` writes."""

_MQTT_PORT: Final = "port: 1883"

Period = tuple[str, str, str, str]
"""site, from, to, reason: as in the file."""


def write(
    folder: Path, periods: Mapping[str, Iterable[Period]], snmp: Mapping[str, int], mqtt: int | None
) -> None:
    """Write the city's files, over those that are there.

    periods: by the file's name. snmp: UDP ports by AP or controller, where known; mqtt: the
    broker's port, where known.
    """
    for name in COPIED:
        shutil.copyfile(FOLDER / name, folder / name)
    settings = (FOLDER / "spotwatch.yaml").read_text(encoding="utf-8")
    if mqtt is not None:
        settings = settings.replace(_MQTT_PORT, f"port: {mqtt}")
    (folder / "spotwatch.yaml").write_text(settings, encoding="utf-8")
    for name, key in WITH_PORTS.items():
        with (FOLDER / name).open(encoding="utf-8", newline="") as file:
            rows = [row | {"port": snmp.get(row[key], "")} for row in csv.DictReader(file)]
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for name in PERIODS:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("site", "from", "to", "reason"))
            table.writerows(periods.get(name, ()))
