"""InfluxDB 1: databases, retention policies and users of a real server."""

from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.store.influx.setup.api import AdminApi
from pipeline.store.influx.setup.plan import Step, wanted
from pipeline.store.influx.setup.setup import set_up
from tests.integration.influx.influxd import Influxd

_numbers = count()


@pytest.fixture
def name() -> str:
    return f"setup{next(_numbers)}"


@pytest.fixture
def run(influxd: Influxd, name: str, tmp_path: Path) -> Callable[[], dict[str, Step]]:
    plan = wanted(
        org="-",
        bucket=name,
        raw_days=400,
        usage_days=3653,
        writer=tmp_path / "writer",
        reader=tmp_path / "reader",
    )

    def once() -> dict[str, Step]:
        with closing(AdminApi(url=influxd.url, token=SecretStr("admin:x"))) as api:
            return {step.what: step for step in set_up(api, plan)}

    return once


def outcomes(steps: dict[str, Step], name: str) -> dict[str, str]:
    return {what.replace(name, "*"): s.outcome for what, s in steps.items() if name in what}


def test_a_bare_server_gets_all_that_a_deployment_needs_and_once(
    run: Callable[[], dict[str, Step]], influxd: Influxd, name: str, tmp_path: Path
) -> None:
    first = run()
    assert set(outcomes(first, name).values()) == {"made"}
    assert b"9600h0m0s" in influxd.query(f'SHOW RETENTION POLICIES ON "{name}_raw"')
    assert b"87672h0m0s" in influxd.query(f'SHOW RETENTION POLICIES ON "{name}_usage"')
    reader = influxd.query(f'SHOW GRANTS FOR "{name}-reader"')
    assert b'"READ"' in reader
    assert b"ALL" not in reader
    assert b"ALL PRIVILEGES" in influxd.query(f'SHOW GRANTS FOR "{name}-writer"')
    user, _, password = (tmp_path / "writer").read_text(encoding="utf-8").strip().partition(":")
    assert user == f"{name}-writer"
    assert len(password) > 30
    assert set(outcomes(run(), name).values()) == {"kept"}
    # This very server is too old to be written to, and is told so.
    assert "update it to 1.8" in first["version"].note


def test_a_retention_is_lengthened_and_never_shortened(
    run: Callable[[], dict[str, Step]], influxd: Influxd, name: str
) -> None:
    run()
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{name}_raw" DURATION 30d')
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{name}_usage" DURATION INF')
    steps = run()
    assert steps[f"database {name}_raw"].outcome == "changed"
    assert steps[f"database {name}_usage"].outcome == "left"
    assert "keeps points for ever" in steps[f"database {name}_usage"].note
    assert b"9600h0m0s" in influxd.query(f'SHOW RETENTION POLICIES ON "{name}_raw"')


def test_a_lost_password_and_a_missing_grant_are_made_good(
    run: Callable[[], dict[str, Step]], influxd: Influxd, name: str, tmp_path: Path
) -> None:
    run()
    former = (tmp_path / "writer").read_text(encoding="utf-8")
    (tmp_path / "writer").unlink()
    influxd.query(f'REVOKE READ ON "{name}_raw" FROM "{name}-reader"')
    steps = run()
    assert steps[f"user {name}-writer"].outcome == "changed"
    assert (tmp_path / "writer").read_text(encoding="utf-8") != former
    assert steps[f"user {name}-reader"].note == "may do now what it needs"
    assert set(outcomes(run(), name).values()) == {"kept"}
