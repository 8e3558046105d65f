"""What is shipped for running Spotwatch: as strict as it says, and fitting together."""

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import load
from config.settings import InfluxdbStore

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("setup", "spotwatch")


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_image_is_pinned_to_a_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert [i for i in images.values() if not re.search(r":\d+\.\d+\.\d+$", i)] == []
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)


def test_nothing_is_published_beyond_loopback_by_default() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    for port in published:
        (name,) = re.match(r"\$\{(\w+):-127\.0\.0\.1\}:\d+:\d+$", port).groups()  # type: ignore[union-attr]
        assert example()[name] == "127.0.0.1"


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = dict(re.findall(r"\$\{(\w+):([-?][^}]*)\}", text))
    secrets = {n for n in asked if re.search("PASSWORD|TOKEN|COMMUNITY", n)}
    assert len(secrets) == 6
    assert {n for n in secrets if not asked[n].startswith("?")} == set()
    assert asked.keys() == example().keys()
    assert {n for n, value in example().items() if not value} == secrets


@pytest.mark.parametrize("name", OURS)
def test_our_container_is_an_ordinary_user_on_a_read_only_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert "/deployment:ro" in service["volumes"][0]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--uid 10001" in dockerfile
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)


def test_every_service_says_whether_it_is_well_and_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        # Ours has the check of its image; the setup ends by itself.
        assert name in OURS or service["healthcheck"]["test"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        for needed, how in service.get("depends_on", {}).items():
            ends = needed == "setup"
            assert how["condition"] == (
                "service_completed_successfully" if ends else "service_healthy"
            )
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_volumes_are_declared_and_mounted_files_are_there() -> None:
    mounted = [v.rsplit(":", 2) for s in SERVICES.values() for v in s.get("volumes", [])]
    sources = {parts[0] for parts in mounted}
    named = {source for source in sources if not source.startswith((".", "$"))}
    assert named == COMPOSE["volumes"].keys()
    assert [s for s in sources if s.startswith("./") and not (ROOT / s).exists()] == []


def test_what_the_image_copies_is_there() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert [name for name in names if not (ROOT / name).exists()] == []
    admitted = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert names == admitted


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the first run needs of the repository."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    shutil.copytree(ROOT / "config" / "example", tmp_path / "config" / "example")
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


def first_run(checkout: Path) -> dict[str, str]:
    subprocess.run(["sh", "deploy/first-run.sh"], cwd=checkout, check=True, capture_output=True)
    lines = (checkout / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_first_run_makes_secrets_once(checkout: Path) -> None:
    made = first_run(checkout)
    assert made.keys() == example().keys()
    new = [made[name] for name, value in example().items() if not value and made[name]]
    assert len(set(new)) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in new)
    assert made["SPOTWATCH_COMMUNITY"] == ""
    assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600
    assert first_run(checkout) == made


def test_the_first_deployment_is_right(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_run(checkout)
    for name in ("SPOTWATCH_COMMUNITY", "SPOTWATCH_MQTT_PASSWORD"):
        assert name in SERVICES["spotwatch"]["environment"]
        monkeypatch.setenv(name, "something")
    deployment = load(checkout / "deployment", secrets_pending=True)
    store = deployment.settings.store
    assert isinstance(store, InfluxdbStore)
    assert store.url == "http://influxdb:8086"
    assert store.org == example()["INFLUXDB_ORG"]
    assert deployment.settings.mqtt
    assert deployment.settings.mqtt.host in SERVICES
    written = (checkout / "deployment" / "spotwatch.yaml").read_text(encoding="utf-8")
    (writer,) = (c for c in SERVICES["setup"]["command"] if c.startswith("--writer="))
    assert f"token: file:{writer.removeprefix('--writer=')}" in written
    assert deployment.state_dir == Path("/var/lib/spotwatch")


def test_grafana_reads_the_buckets_with_the_readers_token() -> None:
    path = ROOT / "deploy" / "grafana" / "datasources" / "spotwatch.yaml"
    sources = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    assert {s["jsonData"]["dbName"] for s in sources} == {"spotwatch_raw", "spotwatch_usage"}
    (reader,) = (c for c in SERVICES["setup"]["command"] if c.startswith("--reader="))
    name = Path(reader).name
    for source in sources:
        assert source["secureJsonData"]["httpHeaderValue1"].endswith(f"/{name}}}")
        assert source["jsonData"]["httpHeaderName1"] == "Authorization"


VERIFY = shutil.which("systemd-analyze")


@pytest.mark.skipif(VERIFY is None, reason="systemd-analyze is not on the PATH")
def test_systemd_takes_the_unit_and_finds_it_restrained(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "spotwatch.service").read_text(encoding="utf-8")
    # The program and the user of the unit are not on this machine.
    text = text.replace("/opt/spotwatch/bin/spotwatch", "/bin/true")
    text = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
    unit = tmp_path / "spotwatch.service"
    unit.write_text(text, encoding="utf-8")
    for command in (["verify", unit], ["security", "--offline=true", "--threshold=25", unit]):
        done = subprocess.run([VERIFY, *command], check=False, capture_output=True, text=True)  # type: ignore[list-item]
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Unknown" not in done.stderr
