"""The folders are the architecture: imports flow one way, each client library has one home."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "collectors", "pipeline", "dashboards", "cli")

MAY_IMPORT = {
    "config": set[str](),
    "collectors": {"config"},
    "pipeline": {"config", "collectors.reading", "collectors.sink", "collectors.presence"},
    "dashboards": {"config", "pipeline"},
    "cli": {"config", "collectors", "pipeline", "dashboards"},
}

HOME = {
    "gufo": "collectors/snmp/gufo_engine.py",
    "pysnmp": ("collectors/snmp/pysnmp_engine.py", "collectors/fleet/agent.py"),
    "paho": ("collectors/mqtt", "collectors/fleet/publisher.py"),
    "amqtt": "collectors/fleet/broker.py",
    "apscheduler": "pipeline/jobs",
    "sqlite3": (
        *("pipeline/store", "pipeline/state.py", "pipeline/spool", "pipeline/sessions"),
        "pipeline/alerts/outbox.py",
    ),
    "apprise": "pipeline/alerts/notifiers/apprise.py",
    "influxdb_client": "pipeline/store/influx",
    "dask": "pipeline/cluster/computer.py",
    "distributed": "pipeline/cluster/computer.py",
    "opening_hours": ("config", "pipeline/open_hours.py"),
    "typer": "cli",
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_flow_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        if name.split(".")[0] in PACKAGES
        # `from collectors import reading` names the package on the way to an allowed module.
        and name not in {a.split(".")[0] for a in allowed if "." in a}
        and not any(within(name, a) for a in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", sorted(HOME))
def test_a_client_library_has_one_home(library: str) -> None:
    home = HOME[library]
    homes = [ROOT / h for h in ((home,) if isinstance(home, str) else home)]
    wrong = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in modules(package)
        if any(within(name, library) for name in imports(path))
        and not any(path == h or h in path.parents for h in homes)
    ]
    assert wrong == []


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [p for pkg in PACKAGES for p in modules(pkg) if p.stem in drawers] == []
