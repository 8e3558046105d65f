"""The demo's screen: nothing of a site is cut off where the terminal is narrow."""

import pytest
from rich.console import Console

from cli import demo_screen
from config import demo
from config.loader import load
from pipeline.status import SiteStatus

AT_MS = 1_795_395_600_000


@pytest.mark.parametrize("width", [80, 100, 140])
def test_every_column_fits_and_a_site_takes_one_line(width: int) -> None:
    deployment = load(demo.FOLDER)
    found = [
        SiteStatus(site, "maintenance", 1234, aps_up=11, aps_total=12, last_seen_ms=AT_MS)
        for site in deployment.sites
    ]
    console = Console(width=width)
    with console.capture() as capture:
        console.print(demo_screen.live(deployment, found, AT_MS, height=30))
    lines = [line.rstrip() for line in capture.get().splitlines()]
    [head] = [line for line in lines if line.endswith("APs up")]
    rows = [line for line in lines if line.endswith("11/12")]
    assert len(rows) == 30 - demo_screen.FRAME_LINES
    assert {line.index("maintenance") for line in rows} == {head.index("state") + 2}
    assert all("1234" in line for line in rows)
