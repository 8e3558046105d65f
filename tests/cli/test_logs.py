"""Log lines: readable on a terminal, JSON elsewhere, and no local variable in any of them."""

import io
import logging
import sys

import pytest
import structlog

from cli import logs

ADDRESS = "02:00:5e:10:00:ff"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stderr", [Terminal(), io.StringIO()], ids=["terminal", "file"])
@pytest.mark.parametrize("library", [False, True], ids=["ours", "a library's"])
def test_the_trace_of_an_error_shows_no_local_variable(
    monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, library: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure()
    tell = logging.getLogger("apscheduler") if library else structlog.get_logger()

    def fail() -> None:
        station = "-".join(ADDRESS.split(":"))
        raise RuntimeError(f"{len(station)} characters")

    try:
        fail()
    except RuntimeError:
        tell.exception("job failed")
    said = stderr.getvalue()
    assert "17 characters" in said
    assert "Traceback" in said
    assert "02-00" not in said
