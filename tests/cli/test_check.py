"""`spotwatch check`: what it prints, where, and how it ends."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import config
from cli.check import check
from config.schema import SCHEMA_FILE

EXAMPLE = Path(config.__file__).parent / "example"
COMMUNITY = "Tr0ubadour-community"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(check)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPOTWATCH_COMMUNITY", COMMUNITY)
    for path in EXAMPLE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def put(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_right_deployment_is_summed_up(deployment: Path) -> None:
    result = run("--config", deployment)
    assert result.exit_code == 0
    assert result.stderr == ""
    for said in (
        "4: library 1, park 1, senior_centre 1, social_antenna 1",
        "5: mqtt 1, snmp 4; 2 of them polled through a controller",
        "controllers    1",
        "Havremont: Europe/Brussels, public holidays of BE, language fr",
        "broker.havremont.example:8883 with TLS",
        "credential default: SNMP v2c, community **********",
    ):
        assert said in result.stdout
    assert "note:" not in result.stdout


def test_no_secret_is_printed(deployment: Path) -> None:
    (deployment / "key").write_text("hunter2-key-of-v3")
    (deployment / "password").write_text("hunter2-of-mqtt")
    settings = deployment / "spotwatch.yaml"
    put(
        settings,
        "mqtt:                       #",
        "    v3: {version: 3, user: u, auth_key: file:key, priv_key: file:key}\nmqtt: #",
    )
    put(settings, "  # username: spotwatch", "  username: u")
    put(settings, "  # password: file:secrets/mqtt", "  password: file:password")
    for arguments in ([], ["--json"]):
        result = run("--config", deployment, *arguments)
        assert result.exit_code == 0, result.output
        assert "hunter2" not in result.output
        assert COMMUNITY not in result.output
    assert "user u, sha256 **********, aes128 **********" in run("--config", deployment).stdout
    put(settings, "file:password", "hunter2-of-mqtt")
    for arguments in ([], ["--json"]):
        result = run("--config", deployment, *arguments)
        assert result.exit_code == 2
        assert "mqtt.password" in result.output
        assert "hunter2" not in result.output
        assert COMMUNITY not in result.output


def test_every_mistake_is_printed_on_standard_error(deployment: Path) -> None:
    put(deployment / "sites.csv", "library,", "libary,")
    put(deployment / "access_points.csv", "verrerie-accueil,antenne", "verrerie-accueil,anntenne")
    result = run("--config", deployment)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{deployment}/sites.csv:2: kind: 'libary' is not one of those allowed")
    assert second.startswith(f"{deployment}/access_points.csv:5: site: no site 'anntenne-verrerie'")


def test_a_profile_that_does_not_exist_is_a_mistake(deployment: Path) -> None:
    put(deployment / "access_points.csv", "192.0.2.21,161,auto", "192.0.2.21,161,unify")
    result = run("--config", deployment)
    assert result.exit_code == 2
    assert "access_points.csv:4: profile: no profile 'unify'; did you mean 'uni" in result.stderr


def test_a_profile_of_ones_own_with_a_mistake_is_told(deployment: Path) -> None:
    (deployment / "profiles").mkdir()
    (deployment / "profiles" / "mine.yaml").write_text("title: [\n")
    put(deployment / "sites.csv", "library,", "libary,")
    result = run("--config", deployment)
    assert result.exit_code == 2
    assert "sites.csv:2: kind:" in result.stderr
    assert "mine.yaml:" in result.stderr


def test_json_is_one_document_on_standard_output(deployment: Path) -> None:
    result = run("--config", deployment, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "ok": True,
        "problems": [],
        "sites": 4,
        "access_points": 5,
        "controllers": 1,
    }


def test_json_tells_mistakes_too(deployment: Path) -> None:
    put(deployment / "sites.csv", "library,", "libary,")
    result = run("--config", deployment, "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    (problem,) = document.pop("problems")
    assert document == {"ok": False, "sites": None, "access_points": None, "controllers": None}
    assert problem.pop("message").startswith("'libary' is not one of those allowed")
    assert problem == {"file": str(deployment / "sites.csv"), "line": 2, "key": "kind"}


def test_the_folder_comes_from_the_environment_too(
    deployment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTWATCH_CONFIG", str(deployment))
    assert run().exit_code == 0


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    result = run("--config", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path}/nowhere:1: there is no such folder")


def test_what_may_not_be_meant_is_noted(deployment: Path) -> None:
    settings = deployment / "spotwatch.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text[: text.index("mqtt:  ")], encoding="utf-8")
    sites = deployment / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8") + "place-vide,,,,street" + "," * 10 + "\n")
    result = run("--config", deployment)
    assert result.exit_code == 0
    notes = [line.strip() for line in result.stdout.splitlines() if "note:" in line]
    assert notes == [
        "note: access points that publish over MQTT: 1; spotwatch.yaml has no mqtt section",
        "note: no access point in place-vide",
        "note: no opening hours for place-vide",
    ]


def test_school_holidays_that_nobody_listed_are_noted(deployment: Path) -> None:
    assert "(SH)" not in run("--config", deployment).stdout
    holidays = deployment / "holidays.csv"
    lines = holidays.read_text(encoding="utf-8").splitlines(keepends=True)
    holidays.write_text("".join(line for line in lines if "school" not in line), encoding="utf-8")
    assert (
        "note: school holidays (SH) in the opening hours of bib-centrale, and none for them in "
        "holidays.csv"
    ) in run("--config", deployment).stdout


def test_the_schema_is_printed_without_a_deployment(tmp_path: Path) -> None:
    result = run("--schema", "--config", tmp_path / "nowhere")
    assert result.exit_code == 0
    assert result.stdout == SCHEMA_FILE.read_text(encoding="utf-8")
