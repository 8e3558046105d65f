from contextlib import closing
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app
from config.loader import load
from pipeline.outages.stuck import Stuck
from pipeline.outages.stuck_record import StuckRecord
from pipeline.state import State

TEN = 1_772_528_400_000  # 2026-03-03, 10:00 in Brussels
HOUR = 3_600_000


def test_what_is_up_and_of_no_use_is_noted_while_it_lasts(tmp_path: Path) -> None:
    (tmp_path / "spotwatch.yaml").write_text("city: Testville\ntimezone: Europe/Brussels\n")
    (tmp_path / "sites.csv").write_text("site,kind\nlib,library\n")
    (tmp_path / "access_points.csv").write_text("ap,site,source\nlib-1,lib,import\n")
    with closing(State(load(tmp_path).state_path)) as state:
        StuckRecord(state).put(
            Stuck("lib", TEN, TEN + HOUR, 12.0, 45, 8, 1e-7, None, TEN + 3 * HOUR)
        )

    def said(as_of: str) -> str:
        result = CliRunner().invoke(app, ["status", "--as-of", as_of, "--config", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return " ".join(result.stdout.split())

    note = (
        "lib: up, but nobody since 2026-03-03 10:00; at these hours it had 12.0 users at a time on "
        "average in the last 8 weeks, and was never empty for more than 45 minutes."
    )
    assert note in said("2026-03-03T12:00")
    assert "nobody" not in said("2026-03-03T10:30")
    assert "nobody" not in said("2026-03-03T13:30")
