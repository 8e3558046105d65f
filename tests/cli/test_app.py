"""The list of commands, which loads none of them, and the commands behind it."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.app import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_list_is_there(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Usage: spotwatch {command}" in result.output


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_does_not_wait_for_what_only_the_work_needs(arguments: list[str]) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from cli.app import app; "
        f"assert CliRunner().invoke(app, {arguments}).exit_code == 0; "
        "print({'pandas', 'influxdb_client', 'pysnmp', 'scipy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_a_word_that_is_no_command_is_told_with_one_that_is() -> None:
    result = CliRunner().invoke(app, ["chekc"])
    assert result.exit_code == 2
    assert "check" in result.output
