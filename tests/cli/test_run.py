"""`spotwatch run`, where it cannot begin."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app


@pytest.mark.parametrize(
    ("profile", "own", "told"),
    [
        ("unify", None, "access_points.csv:2: profile: no profile 'unify'; did you mean 'unifi'?"),
        ("auto", "titel: x\n", "mine.yaml:1: titel: unknown key"),
    ],
)
def test_a_deployment_with_mistakes_is_refused(
    tmp_path: Path, profile: str, own: str | None, told: str
) -> None:
    files = {
        "spotwatch.yaml": "city: Valmont\ntimezone: Europe/Brussels\n"
        "snmp: {credentials: {default: {community: 'file:community'}}}\n",
        "community": "public",
        "sites.csv": "site,kind\nbib,library\n",
        "access_points.csv": f"ap,site,source,host,profile\nap1,bib,snmp,127.0.0.1,{profile}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    if own:
        (tmp_path / "profiles").mkdir()
        (tmp_path / "profiles" / "mine.yaml").write_text(own, encoding="utf-8")
    result = CliRunner().invoke(app, ["run", "--config", str(tmp_path)])
    assert result.exit_code == 2
    assert told in result.stderr
