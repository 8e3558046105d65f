"""What the README names is there, and what is there is named in the README."""

import re
from pathlib import Path

import pytest
import typer

from cli.app import app
from collectors.snmp.profiles import load_profiles
from config.loader import FILES
from pipeline.imports.batch import COLUMNS
from pipeline.underuse.assess import WORST_FIRST

COMMANDS = sorted(typer.main.get_group(app).commands)
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str) -> None:
    assert re.search(rf"^\| .*`{command}\b.*` ", README, re.MULTILINE)


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"`spotwatch ([a-z]+)", README + CONTRIBUTING))
    assert named - set(COMMANDS) == set()


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_a_deployment_is_named(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("verdict", WORST_FIRST)
def test_every_verdict_is_defined(verdict: str) -> None:
    assert f"| `{verdict}` |" in README


def test_the_columns_of_an_import_are_those_that_it_reads() -> None:
    ts, ap, *others = COLUMNS
    assert f"`{ts},{ap}[,{','.join(others)}]`" in README


def test_files_that_are_linked_exist() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README + CONTRIBUTING)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_vendor_of_a_profile_is_listed() -> None:
    vendors = {profile.title.split()[0].rstrip(",") for profile in load_profiles().values()}
    assert {v for v in vendors - {"An"} if v not in README} == set()
