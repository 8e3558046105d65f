"""The history of LibreNMS: the query that the ready mapping gives, on a real InfluxDB."""

import re
import time
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

from config.loader import load
from config.mapping import READY_DIR, load_mapping
from pipeline.imports.importer import Importer
from pipeline.imports.mapped import Mapped
from pipeline.imports.source import open_source
from pipeline.state import State
from pipeline.store.sqlite import SqliteStore
from tests.integration.influx.influxd import Influxd

POLL_S = 300


def request() -> dict[str, str]:
    """The form that the command in the mapping's comment sends."""
    comment = " ".join(
        line.removeprefix("#").strip()
        for line in (READY_DIR / "librenms.yaml").read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    )
    pairs = re.findall(r"--data-urlencode (?:\"((?:[^\"\\]|\\.)*)\"|(\S+))", comment)
    form = (quoted.replace('\\"', '"') or plain for quoted, plain in pairs)
    return dict(text.split("=", 1) for text in form)


def point(host: str, index: str, at: int, value: float, sensor_class: str = "clients") -> str:
    """As LibreNMS writes a wireless sensor: tags, one float, seconds."""
    tags = f"hostname={host},sensor_class={sensor_class},sensor_type=unifi,sensor_index={index}"
    return f"wireless-sensor,{tags} sensor={value} {at}"


def test_the_clients_of_all_radios_of_a_device_are_one_count(
    influxd: Influxd, tmp_path: Path
) -> None:
    now = int(time.time())
    start = now // POLL_S * POLL_S - 10 * POLL_S
    lines = []
    for n in range(4):
        at = start + n * POLL_S + 20 + n  # The poller comes by a little later each time.
        lines += [
            point("lib.example", "ng", at, 2 + n),
            point("lib.example", "na", at + 1, 10),
            point("parc.example", "ng", at + 2, 0),
            point("parc.example", "ng", at + 2, 48, "utilization"),
        ]
    influxd.query('CREATE DATABASE "librenms"')
    body = "\n".join(lines).encode()
    urllib.request.urlopen(f"{influxd.url}/write?db=librenms&precision=s", body, timeout=10).close()
    form = urllib.parse.urlencode(request()).encode()
    asked = urllib.request.Request(f"{influxd.url}/query", form, {"Accept": "application/csv"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        (tmp_path / "clients.csv").write_bytes(answer.read())

    files = {
        "spotwatch.yaml": "city: Testville\ntimezone: Europe/Brussels\n",
        "sites.csv": "site,kind\nlib,library\nparc,park\n",
        "access_points.csv": "ap,site,source\nlib.example,lib,import\nparc.example,parc,import\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    deployment = load(tmp_path)
    with (
        closing(SqliteStore(tmp_path / "spotwatch.db")) as store,
        closing(State(tmp_path / "state.db")) as state,
    ):
        report = Importer(deployment, store, state).run(
            open_source(tmp_path / "clients.csv"),
            Mapped(load_mapping("librenms", deployment.access_points)),
            now_ms=now * 1000,
        )
        samples = store.read_samples(0, 2**50)
    assert (report.refused, report.left_out.total()) == (0, 0), report.examples
    found = {
        (row["ap"], (row["ts_ms"] // 1000 - start) // POLL_S): row["clients"]
        for row in samples.to_dict("records")
    }
    assert found == {
        **{("lib.example", n): 12 + n for n in range(4)},
        **{("parc.example", n): 0 for n in range(4)},
    }
